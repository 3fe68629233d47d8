/** Statements on `device_secret` and `device_token`: how a device proves who it is. */
import { statement } from "./statement.ts";

export interface CredentialRow {
  device_no: number;
  tenant_id: number;
  uuid: string;
  terminal_id: number;
  role: "station" | "gate" | "terminal" | "scout";
  status: "active" | "suspended" | "retired";
  /** Null when no secret of the device is alive. */
  secret_no: number | null;
  secret_hash: Uint8Array | null;
  secret_expires_at_sec: number | null;
}

export interface TokenRow {
  tenant_id: number;
  device_no: number;
  uuid: string;
  device_id: string;
  terminal_id: number;
  role: "station" | "gate" | "terminal" | "scout";
  zone_no: number | null;
  zone_uuid: string | null;
  member_no: number | null;
  suspended_at_sec: number | null;
  settlement_wallet_no: number;
  secret_no: number;
  expires_at_sec: number;
  used_at_ms: number | null;
}

export const credentialByDeviceId = statement<[deviceId: string], CredentialRow>(
  "token.credential",
  `SELECT d.device_no, d.tenant_id, d.uuid, d.terminal_id, d.role, d.status,
     s.secret_no, s.secret_hash, s.expires_at_sec AS secret_expires_at_sec
   FROM device d LEFT JOIN device_secret s
     ON s.device_no = d.device_no AND s.spent_at_ms IS NULL AND s.killed_at_ms IS NULL
   WHERE d.device_id = ?1`,
);

export const secretInsert = statement<
  [
    tenantId: number,
    deviceNo: number,
    secretHash: Uint8Array,
    createdAtMs: number,
    expiresAtSec: number,
  ]
>(
  "token.secretInsert",
  `INSERT INTO device_secret (tenant_id, device_no, secret_hash, created_at_ms, expires_at_sec)
   VALUES (?1, ?2, ?3, ?4, ?5)`,
);

export const secretsKill = statement<[deviceNo: number, nowMs: number]>(
  "token.secretsKill",
  `UPDATE device_secret SET killed_at_ms = ?2
   WHERE device_no = ?1 AND spent_at_ms IS NULL AND killed_at_ms IS NULL`,
);

export const secretSpend = statement<[secretNo: number, nowMs: number]>(
  "token.secretSpend",
  `UPDATE device_secret SET spent_at_ms = ?2
   WHERE secret_no = ?1 AND spent_at_ms IS NULL AND killed_at_ms IS NULL`,
);

export const tokenInsert = statement<
  [
    tokenHash: Uint8Array,
    tenantId: number,
    deviceNo: number,
    secretNo: number,
    issuedAtMs: number,
    expiresAtSec: number,
  ]
>(
  "token.insert",
  `INSERT INTO device_token (token_hash, tenant_id, device_no, secret_no, issued_at_ms, expires_at_sec)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
);

export const tokensRevoke = statement<[deviceNo: number, nowMs: number]>(
  "token.revoke",
  "UPDATE device_token SET revoked_at_ms = ?2 WHERE device_no = ?1 AND revoked_at_ms IS NULL",
);

/** A token that was not revoked; whether it has expired is for the caller to see. */
export const tokenByHash = statement<[tokenHash: Uint8Array], TokenRow>(
  "token.byHash",
  `SELECT t.tenant_id, t.device_no, d.uuid, d.device_id, d.terminal_id, d.role, d.zone_no, z.uuid AS zone_uuid,
     d.member_no, d.suspended_at_sec, d.settlement_wallet_no, t.secret_no, t.expires_at_sec, t.used_at_ms
   FROM device_token t JOIN device d ON d.device_no = t.device_no
   LEFT JOIN zone z ON z.zone_no = d.zone_no
   WHERE t.token_hash = ?1 AND t.revoked_at_ms IS NULL`,
);

export const tokenUse = statement<[tokenHash: Uint8Array, nowMs: number]>(
  "token.use",
  `UPDATE device_token SET used_at_ms = ?2
   WHERE token_hash = ?1 AND used_at_ms IS NULL AND revoked_at_ms IS NULL`,
);

export const tokenSeen = statement<[deviceNo: number, seenAtMs: number]>(
  "token.seen",
  `UPDATE device SET last_seen_at_ms = ?2
   WHERE device_no = ?1 AND (last_seen_at_ms IS NULL OR last_seen_at_ms < ?2)`,
);

/** The tenant whose chain records what concerns no registered device. */
export const tokenFirstTenant = statement<[], { tenant_id: number }>(
  "token.firstTenant",
  "SELECT tenant_id FROM tenant WHERE tenant_id > 0 ORDER BY tenant_id LIMIT 1",
);
