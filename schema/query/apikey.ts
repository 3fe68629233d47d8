/** Statements on `api_key`: making, showing and revoking keys. Finding one by its hash is not here. */
import { statement } from "./statement.ts";

export interface ApiKeyRow {
  api_key_no: number;
  uuid: string;
  name: string;
  prefix: string;
  /** JSON arrays. */
  roles: string;
  allowed_ips: string;
  expires_at_ms: number | null;
  last_used_at_ms: number | null;
  created_at_ms: number;
}

const columns = `api_key_no, uuid, name, prefix, roles, allowed_ips, expires_at_ms, last_used_at_ms,
  created_at_ms`;

export const apiKeyByUuid = statement<[tenantId: number, uuid: string], ApiKeyRow>(
  "apikey.byUuid",
  `SELECT ${columns} FROM api_key WHERE uuid = ?2 AND tenant_id = ?1 AND revoked_at_ms IS NULL`,
);

/** Newest first; revoked ones are gone. */
export const apiKeyPage = statement<[tenantId: number, belowNo: number, limit: number], ApiKeyRow>(
  "apikey.page",
  `SELECT ${columns} FROM api_key
   WHERE tenant_id = ?1 AND api_key_no < ?2 AND revoked_at_ms IS NULL
   ORDER BY api_key_no DESC LIMIT ?3`,
);

export const apiKeyCount = statement<[tenantId: number], { count: number }>(
  "apikey.count",
  "SELECT count(*) AS count FROM api_key WHERE tenant_id = ?1 AND revoked_at_ms IS NULL",
);

export const apiKeyInsert = statement<
  [
    uuid: string,
    tenantId: number,
    name: string,
    hash: Uint8Array,
    prefix: string,
    roles: string,
    allowedIps: string,
    expiresAtMs: number | null,
    createdBy: string,
    nowMs: number,
  ]
>(
  "apikey.insert",
  `INSERT INTO api_key (uuid, tenant_id, name, hash, prefix, roles, allowed_ips, expires_at_ms,
     created_by, created_at_ms)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
);

export const apiKeyRevoke = statement<[tenantId: number, apiKeyNo: number, nowMs: number]>(
  "apikey.revoke",
  `UPDATE api_key SET revoked_at_ms = ?3
   WHERE api_key_no = ?2 AND tenant_id = ?1 AND revoked_at_ms IS NULL`,
);
