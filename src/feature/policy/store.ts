/** Policies as rows, and the tenant, zone or device that each is for. */
import {
  type PolicyShownRow,
  type PolicyTableRow,
  policiesOfTenant,
  policyByScope,
  policyByUuid,
  policyCount,
  policyDelete,
  policyDevice,
  policyDeviceByUuid,
  policyPage,
  policyPut,
  policyTenant,
  policyVersionRaise,
  policyZone,
  policyZoneByUuid,
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

/** A row as operators see it. */
export interface PolicyRecord {
  readonly policyNo: number;
  /** Uuid. */
  readonly id: string;
  readonly scope: PolicyScope;
  readonly scopeNo: number;
  /** Uuid of the tenant, zone or device. */
  readonly scopeId: string;
  readonly row: PolicyRow;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly version: number;
}

export interface PolicyFilter {
  readonly scope?: PolicyScope;
  /** Uuid. */
  readonly scopeId?: string;
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

const recordOf = (row: PolicyShownRow): PolicyRecord => ({
  policyNo: row.policy_no,
  id: row.uuid,
  scope: row.scope,
  scopeNo: row.scope_no,
  scopeId: row.scope_uuid,
  row: rowOf(row),
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
  version: row.version,
});

export async function findRecord(
  q: Reader,
  tenantId: number,
  id: string,
): Promise<PolicyRecord | undefined> {
  const row = await q.get(policyByUuid, tenantId, id);
  return row && recordOf(row);
}

/** Newest first, below a number. */
export const pageRecords = async (
  q: Reader,
  tenantId: number,
  { scope = null, scopeId = null }: { [K in keyof PolicyFilter]: PolicyFilter[K] | null },
  belowNo: number,
  limit: number,
): Promise<PolicyRecord[]> =>
  (await q.all(policyPage, tenantId, scope, scopeId, belowNo, limit)).map(recordOf);

export const countRecords = async (
  q: Reader,
  tenantId: number,
  { scope = null, scopeId = null }: { [K in keyof PolicyFilter]: PolicyFilter[K] | null },
): Promise<number> => (await q.get(policyCount, tenantId, scope, scopeId))?.count ?? 0;

export async function deleteRow(tx: Writer, tenantId: number, policyNo: number): Promise<void> {
  await tx.run(policyDelete, tenantId, policyNo);
}

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

/** By uuid, or by name. */
export async function findZone(
  q: Reader,
  tenantId: number,
  ref: { readonly id: string } | { readonly name: string },
) {
  const row =
    "id" in ref
      ? await q.get(policyZoneByUuid, tenantId, ref.id)
      : await q.get(policyZone, tenantId, ref.name);
  return row && { zoneNo: row.zone_no, uuid: row.uuid };
}

/** By uuid, or by the device's own id. */
export async function findDevice(
  q: Reader,
  tenantId: number,
  ref: { readonly id: string } | { readonly deviceId: string },
) {
  const row =
    "id" in ref
      ? await q.get(policyDeviceByUuid, tenantId, ref.id)
      : await q.get(policyDevice, tenantId, ref.deviceId);
  return row && { deviceNo: row.device_no, zoneNo: row.zone_no, uuid: row.uuid };
}
