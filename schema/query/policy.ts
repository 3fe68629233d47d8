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
