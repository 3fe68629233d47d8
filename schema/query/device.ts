/** Statements on `device` and `zone`. Secrets and tokens are in `token.ts`. */
import { statement } from "./statement.ts";

export interface DeviceRow {
  device_no: number;
  uuid: string;
  device_id: string;
  terminal_id: number;
  role: "station" | "gate" | "terminal" | "scout";
  name: string | null;
  zone_no: number | null;
  zone_uuid: string | null;
  zone_name: string | null;
  member_uuid: string | null;
  user_id: number | null;
  wallet_uuid: string;
  status: "active" | "suspended" | "retired";
  secret_expires_at_sec: number | null;
  token_issued_at_ms: number | null;
  token_expires_at_sec: number | null;
  last_seen_at_ms: number | null;
  created_at_ms: number;
  updated_at_ms: number;
  version: number;
}

/** At most one secret and one token of a device are alive at a time. */
const deviceFrom = `SELECT d.device_no, d.uuid, d.device_id, d.terminal_id, d.role, d.name, d.zone_no,
     z.uuid AS zone_uuid, z.name AS zone_name, m.uuid AS member_uuid, m.user_id,
     w.uuid AS wallet_uuid, d.status, s.expires_at_sec AS secret_expires_at_sec,
     t.issued_at_ms AS token_issued_at_ms, t.expires_at_sec AS token_expires_at_sec,
     d.last_seen_at_ms, d.created_at_ms, d.updated_at_ms, d.version
   FROM device d
   JOIN wallet w ON w.wallet_no = d.settlement_wallet_no
   LEFT JOIN zone z ON z.zone_no = d.zone_no
   LEFT JOIN member m ON m.member_no = d.member_no
   LEFT JOIN device_secret s
     ON s.device_no = d.device_no AND s.spent_at_ms IS NULL AND s.killed_at_ms IS NULL
   LEFT JOIN device_token t ON t.device_no = d.device_no AND t.revoked_at_ms IS NULL`;

export const deviceById = statement<[tenantId: number, deviceId: string], DeviceRow>(
  "device.byId",
  `${deviceFrom} WHERE d.device_id = ?2 AND d.tenant_id = ?1`,
);

export const deviceByUuid = statement<[tenantId: number, uuid: string], DeviceRow>(
  "device.byUuid",
  `${deviceFrom} WHERE d.uuid = ?2 AND d.tenant_id = ?1`,
);

export const deviceByNo = statement<[deviceNo: number], DeviceRow>(
  "device.byNo",
  `${deviceFrom} WHERE d.device_no = ?1`,
);

export const devicePage = statement<
  [tenantId: number, afterTerminalId: number, limit: number],
  DeviceRow
>(
  "device.page",
  `${deviceFrom} WHERE d.tenant_id = ?1 AND d.terminal_id > ?2 ORDER BY d.terminal_id LIMIT ?3`,
);

/** Null lets everything through; `glob` is a pattern over the device's own id and its name. */
const deviceFilter = `d.tenant_id = ?1 AND (?2 IS NULL OR d.status = ?2) AND (?3 IS NULL OR d.role = ?3)
   AND (?4 IS NULL OR d.zone_no = (SELECT f.zone_no FROM zone f WHERE f.uuid = ?4))
   AND (?5 IS NULL OR d.device_id GLOB ?5 OR d.name GLOB ?5)`;

/** Newest first, below a number. */
export const deviceSearch = statement<
  [
    tenantId: number,
    status: string | null,
    role: string | null,
    zoneUuid: string | null,
    glob: string | null,
    belowTerminalId: number,
    limit: number,
  ],
  DeviceRow
>(
  "device.search",
  `${deviceFrom} WHERE ${deviceFilter} AND d.terminal_id < ?6 ORDER BY d.terminal_id DESC LIMIT ?7`,
);

export const deviceCount = statement<
  [
    tenantId: number,
    status: string | null,
    role: string | null,
    zoneUuid: string | null,
    glob: string | null,
  ],
  { count: number }
>("device.count", `SELECT count(*) AS count FROM device d WHERE ${deviceFilter}`);

/** On the whole server. */
export const deviceIdTaken = statement<[deviceId: string], { device_no: number }>(
  "device.idTaken",
  "SELECT device_no FROM device WHERE device_id = ?1",
);

export const deviceLastTerminal = statement<[tenantId: number], { terminal_id: number }>(
  "device.lastTerminal",
  "SELECT terminal_id FROM device WHERE tenant_id = ?1 ORDER BY terminal_id DESC LIMIT 1",
);

export const deviceInsert = statement<
  [
    uuid: string,
    tenantId: number,
    deviceId: string,
    terminalId: number,
    role: string,
    name: string | null,
    zoneNo: number | null,
    memberNo: number | null,
    settlementWalletNo: number,
    nowMs: number,
  ]
>(
  "device.insert",
  `INSERT INTO device (uuid, tenant_id, device_id, terminal_id, role, name, zone_no, member_no,
     settlement_wallet_no, status, created_at_ms, updated_at_ms, version)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'active', ?10, ?10, 1)`,
);

export const deviceStatus = statement<
  [deviceNo: number, status: string, suspendedAtSec: number | null, nowMs: number]
>(
  "device.status",
  `UPDATE device SET status = ?2, suspended_at_sec = ?3, updated_at_ms = ?4, version = version + 1
   WHERE device_no = ?1`,
);

export const deviceUpdate = statement<
  [tenantId: number, deviceNo: number, name: string | null, zoneNo: number | null, nowMs: number]
>(
  "device.update",
  `UPDATE device SET name = ?3, zone_no = ?4, updated_at_ms = ?5, version = version + 1
   WHERE device_no = ?2 AND tenant_id = ?1`,
);

export const deviceMemberByUuid = statement<
  [tenantId: number, uuid: string],
  { member_no: number; status: string }
>("device.memberByUuid", "SELECT member_no, status FROM member WHERE uuid = ?2 AND tenant_id = ?1");

export const deviceMember = statement<
  [tenantId: number, userId: number],
  { member_no: number; status: string }
>("device.member", "SELECT member_no, status FROM member WHERE tenant_id = ?1 AND user_id = ?2");
