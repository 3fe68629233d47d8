/** Policies as rows, and the tenant, zone or device that each is for. */
import {
  type PolicyTableRow,
  policiesOfTenant,
  policyByScope,
  policyDevice,
  policyPut,
  policyTenant,
  policyVersionRaise,
  policyZone,
} from "../../../schema/query/policy.ts";
import type { PolicyRow, PolicyScope, PolicyTenant } from "../../domain/policy.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export interface PolicyTenantFound extends PolicyTenant {
  readonly uuid: string;
}

/** A row with whose it is; `zoneNo` is the zone of a device's row. */
export interface ScopedRow {
  readonly scope: PolicyScope;
  readonly scopeNo: number;
  readonly zoneNo: number | null;
  readonly row: PolicyRow;
}

const rowOf = (row: PolicyTableRow): PolicyRow => ({
  maxBalance: row.max_balance,
  singleTxLimit: row.single_tx_limit,
  dailyLimit: row.daily_limit,
  weeklyLimit: row.weekly_limit,
  blockedStatuses: row.blocked_statuses,
  clockDriftAllowanceSec: row.clock_drift_allowance_sec,
  grantTtlSec: row.grant_ttl_sec,
  "allowedOps.terminal": row.terminal_ops,
  "allowedOps.gate": row.gate_ops,
  "allowedOps.station": row.station_ops,
});

/** @throws Error if there is no such tenant. */
export async function findTenant(q: Reader, tenantId: number): Promise<PolicyTenantFound> {
  const row = await q.get(policyTenant, tenantId);
  if (row === undefined) throw new Error(`policy: no tenant ${tenantId}`);
  const { uuid, currency, timezone } = row;
  return { uuid, currency, timezone, policyVersion: row.policy_version };
}

export async function findRow(
  q: Reader,
  tenantId: number,
  scope: PolicyScope,
  scopeNo: number,
): Promise<PolicyRow | undefined> {
  const row = await q.get(policyByScope, tenantId, scope, scopeNo);
  return row && rowOf(row);
}

export async function allRows(q: Reader, tenantId: number): Promise<ScopedRow[]> {
  const rows = await q.all(policiesOfTenant, tenantId);
  return rows.map((row) => ({
    scope: row.scope,
    scopeNo: row.scope_no,
    zoneNo: row.zone_no,
    row: rowOf(row),
  }));
}

/** `scopeNo` is 0 for the tenant's own row. */
export async function putRow(
  tx: Writer,
  uuid: string,
  tenantId: number,
  scope: PolicyScope,
  scopeNo: number,
  row: PolicyRow,
  nowMs: number,
): Promise<void> {
  await tx.run(
    policyPut,
    uuid,
    tenantId,
    scope,
    scopeNo,
    row.maxBalance,
    row.singleTxLimit,
    row.dailyLimit,
    row.weeklyLimit,
    row.blockedStatuses,
    row.clockDriftAllowanceSec,
    row.grantTtlSec,
    row["allowedOps.terminal"],
    row["allowedOps.gate"],
    row["allowedOps.station"],
    nowMs,
  );
}

export async function raiseVersion(tx: Writer, tenantId: number, nowMs: number): Promise<void> {
  await tx.run(policyVersionRaise, tenantId, nowMs);
}

export async function zoneByName(q: Reader, tenantId: number, name: string) {
  const row = await q.get(policyZone, tenantId, name);
  return row && { zoneNo: row.zone_no, uuid: row.uuid };
}

export async function deviceById(q: Reader, tenantId: number, deviceId: string) {
  const row = await q.get(policyDevice, tenantId, deviceId);
  return row && { deviceNo: row.device_no, zoneNo: row.zone_no, uuid: row.uuid };
}
