/** Statements on `policy`, and the parts of `tenant`, `zone` and `device` that decide whose it is. */
import { statement } from "./statement.ts";

export interface PolicyTableRow {
  policy_no: number;
  uuid: string;
  scope: "tenant" | "zone" | "device";
  scope_no: number;
  max_balance: number | null;
  single_tx_limit: number | null;
  daily_limit: number | null;
  weekly_limit: number | null;
  blocked_statuses: number | null;
  clock_drift_allowance_sec: number | null;
  grant_ttl_sec: number | null;
  terminal_ops: number | null;
  gate_ops: number | null;
  station_ops: number | null;
  version: number;
}

export interface PolicyTenantRow {
  uuid: string;
  currency: string;
  timezone: string;
  policy_version: number;
}

const columns = `policy_no, uuid, scope, scope_no, max_balance, single_tx_limit, daily_limit,
  weekly_limit, blocked_statuses, clock_drift_allowance_sec, grant_ttl_sec, terminal_ops, gate_ops,
  station_ops, version`;

export const policyTenant = statement<[tenantId: number], PolicyTenantRow>(
  "policy.tenant",
  "SELECT uuid, currency, timezone, policy_version FROM tenant WHERE tenant_id = ?1",
);

export const policyByScope = statement<
  [tenantId: number, scope: string, scopeNo: number],
  PolicyTableRow
>(
  "policy.byScope",
  `SELECT ${columns} FROM policy WHERE tenant_id = ?1 AND scope = ?2 AND scope_no = ?3`,
);

/** A row as operators see it: whose it is by uuid, and since when. */
export interface PolicyShownRow extends PolicyTableRow {
  scope_uuid: string;
  created_at_ms: number;
  updated_at_ms: number;
}

const shownFrom = `SELECT p.policy_no, p.uuid, p.scope, p.scope_no, p.max_balance, p.single_tx_limit,
     p.daily_limit, p.weekly_limit, p.blocked_statuses, p.clock_drift_allowance_sec, p.grant_ttl_sec,
     p.terminal_ops, p.gate_ops, p.station_ops, p.version, p.created_at_ms, p.updated_at_ms,
     CASE p.scope WHEN 'zone' THEN (SELECT z.uuid FROM zone z WHERE z.zone_no = p.scope_no)
       WHEN 'device' THEN (SELECT d.uuid FROM device d WHERE d.device_no = p.scope_no)
       ELSE (SELECT t.uuid FROM tenant t WHERE t.tenant_id = p.tenant_id) END AS scope_uuid
   FROM policy p`;

export const policyByUuid = statement<[tenantId: number, uuid: string], PolicyShownRow>(
  "policy.byUuid",
  `${shownFrom} WHERE p.uuid = ?2 AND p.tenant_id = ?1`,
);

const policyFilter = `p.tenant_id = ?1 AND (?2 IS NULL OR p.scope = ?2) AND (?3 IS NULL OR p.scope_no =
     CASE p.scope WHEN 'zone' THEN (SELECT f.zone_no FROM zone f WHERE f.uuid = ?3)
       WHEN 'device' THEN (SELECT f.device_no FROM device f WHERE f.uuid = ?3)
       ELSE (SELECT 0 FROM tenant f WHERE f.uuid = ?3) END)`;

/** Newest first, below a number; null lets everything through. */
export const policyPage = statement<
  [
    tenantId: number,
    scope: string | null,
    scopeUuid: string | null,
    belowNo: number,
    limit: number,
  ],
  PolicyShownRow
>(
  "policy.page",
  `${shownFrom} WHERE ${policyFilter} AND p.policy_no < ?4 ORDER BY p.policy_no DESC LIMIT ?5`,
);

export const policyCount = statement<
  [tenantId: number, scope: string | null, scopeUuid: string | null],
  { count: number }
>("policy.count", `SELECT count(*) AS count FROM policy p WHERE ${policyFilter}`);

export const policyDelete = statement<[tenantId: number, policyNo: number]>(
  "policy.delete",
  "DELETE FROM policy WHERE policy_no = ?2 AND tenant_id = ?1 AND scope <> 'tenant'",
);

export const policyZoneByUuid = statement<
  [tenantId: number, uuid: string],
  { zone_no: number; uuid: string }
>("policy.zoneByUuid", "SELECT zone_no, uuid FROM zone WHERE uuid = ?2 AND tenant_id = ?1");

export const policyDeviceByUuid = statement<
  [tenantId: number, uuid: string],
  { device_no: number; uuid: string; zone_no: number | null }
>(
  "policy.deviceByUuid",
  "SELECT device_no, uuid, zone_no FROM device WHERE uuid = ?2 AND tenant_id = ?1",
);

/** Every row of a tenant; of a device's, the zone that it is in. */
export const policiesOfTenant = statement<
  [tenantId: number],
  PolicyTableRow & { zone_no: number | null }
>(
  "policy.ofTenant",
  `SELECT p.policy_no, p.uuid, p.scope, p.scope_no, p.max_balance, p.single_tx_limit, p.daily_limit,
     p.weekly_limit, p.blocked_statuses, p.clock_drift_allowance_sec, p.grant_ttl_sec, p.terminal_ops,
     p.gate_ops, p.station_ops, p.version, d.zone_no
   FROM policy p LEFT JOIN device d ON p.scope = 'device' AND d.device_no = p.scope_no
   WHERE p.tenant_id = ?1`,
);

/** Inserts a scope's row or replaces all of its fields. */
export const policyPut = statement<
  [
    uuid: string,
    tenantId: number,
    scope: string,
    scopeNo: number,
    maxBalance: number | null,
    singleTxLimit: number | null,
    dailyLimit: number | null,
    weeklyLimit: number | null,
    blockedStatuses: number | null,
    clockDriftAllowanceSec: number | null,
    grantTtlSec: number | null,
    terminalOps: number | null,
    gateOps: number | null,
    stationOps: number | null,
    nowMs: number,
  ]
>(
  "policy.put",
  `INSERT INTO policy (uuid, tenant_id, scope, scope_no, max_balance, single_tx_limit, daily_limit,
     weekly_limit, blocked_statuses, clock_drift_allowance_sec, grant_ttl_sec, terminal_ops, gate_ops,
     station_ops, created_at_ms, updated_at_ms, version)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15, 1)
   ON CONFLICT (tenant_id, scope, scope_no) DO UPDATE SET
     max_balance = excluded.max_balance, single_tx_limit = excluded.single_tx_limit,
     daily_limit = excluded.daily_limit, weekly_limit = excluded.weekly_limit,
     blocked_statuses = excluded.blocked_statuses,
     clock_drift_allowance_sec = excluded.clock_drift_allowance_sec,
     grant_ttl_sec = excluded.grant_ttl_sec, terminal_ops = excluded.terminal_ops,
     gate_ops = excluded.gate_ops, station_ops = excluded.station_ops,
     updated_at_ms = excluded.updated_at_ms, version = policy.version + 1`,
);

export const policyVersionRaise = statement<[tenantId: number, nowMs: number]>(
  "policy.versionRaise",
  `UPDATE tenant SET policy_version = policy_version + 1, updated_at_ms = ?2, version = version + 1
   WHERE tenant_id = ?1`,
);

export const policyZone = statement<
  [tenantId: number, name: string],
  { zone_no: number; uuid: string }
>("policy.zone", "SELECT zone_no, uuid FROM zone WHERE tenant_id = ?1 AND name = ?2");

export const policyDevice = statement<
  [tenantId: number, deviceId: string],
  { device_no: number; uuid: string; zone_no: number | null }
>(
  "policy.device",
  "SELECT device_no, uuid, zone_no FROM device WHERE device_id = ?2 AND tenant_id = ?1",
);
