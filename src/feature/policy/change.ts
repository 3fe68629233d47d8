/**
 * Changing the limits of a tenant, a zone or a device, each inside a transaction of the caller's. Every
 * change is held against all narrower scopes, and raises the tenant's policyVersion.
 */
import { type By, recordedBy } from "../../domain/by.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import {
  checkPolicyChange,
  checkPolicyValues,
  emptyPolicyRow,
  type PolicyChange,
  type PolicyField,
  type PolicyRow,
  policyFields,
  resolvePolicy,
  shownValue,
} from "../../domain/policy.ts";
import { checkVersion, invalid, Problem } from "../../domain/problem.ts";
import type { Reader, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import { locate, type Place, type PolicyTarget } from "./place.ts";
import * as rows from "./store.ts";

export interface PolicyChangeDeps {
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  /** Told inside the change when the tenant's own refused statuses become others. */
  onBlockedStatusesChanged(
    tx: Writer,
    tenantId: number,
    mask: number,
    nowMs: number,
  ): Promise<void>;
  /** Drops what is kept in memory of a tenant. */
  forget(tenantId: number): void;
}

/** Whose a new row is; the tenant's is there from the start. */
type NewTarget = Extract<PolicyTarget, { readonly scope: "zone" | "device" }>;

export function policyChanges(deps: PolicyChangeDeps) {
  const { random, audit, event } = deps;

  /** Puts `after` in the place of `before`; the new policyVersion, where anything differs. */
  async function put(
    tx: Writer,
    tenantId: number,
    place: Place,
    before: PolicyRow,
    after: PolicyRow,
    by: By,
    nowMs: number,
  ): Promise<number | undefined> {
    await rows.putRow(tx, random.uuid(nowMs), tenantId, place.scope, place.scopeNo, after, nowMs);
    const fields = policyFields.filter((field) => before[field] !== after[field]);
    if (fields.length === 0) return undefined;
    const change = Object.fromEntries(fields.map((field) => [field, after[field]]));
    await checkEverywhere(tx, tenantId, change);
    return await tell(tx, tenantId, place, fields, before, after, by, nowMs);
  }

  async function tell(
    tx: Writer,
    tenantId: number,
    { scope, scopeId }: Place,
    fields: readonly PolicyField[],
    before: PolicyRow,
    after: PolicyRow,
    by: By,
    atMs: number,
  ): Promise<number> {
    const policyVersion = (await rows.findTenant(tx, tenantId)).policyVersion + 1;
    await rows.raiseVersion(tx, tenantId, atMs);
    tx.onCommit(() => deps.forget(tenantId));
    const type = "fleet.policy.changed";
    const recorded = recordedBy(by);
    await audit.append(tx, {
      ...{ tenantId, atMs, action: type, entityType: "policy", entityId: scopeId },
      ...recorded,
      before: shownFields(fields, before),
      after: shownFields(fields, after),
      metadata: { scope, policyVersion, ...recorded.metadata },
    });
    const data = { scope, scopeId, policyVersion, fields };
    await event.publish(tx, { tenantId, type, data, atMs });
    if (scope === "tenant" && fields.includes("blockedStatuses")) {
      const { values } = resolvePolicy({ tenant: after });
      await deps.onBlockedStatusesChanged(tx, tenantId, values.blockedStatuses, atMs);
    }
    return policyVersion;
  }

  /**
   * Changes fields of a scope, whether or not it has a row; a change to the values that are there
   * changes nothing. Returns the tenant's policyVersion. @throws Problem not-found · validation-error
   */
  async function set(
    tx: Writer,
    tenantId: number,
    target: PolicyTarget,
    change: PolicyChange,
    by: By,
    nowMs: number,
  ): Promise<number> {
    checkPolicyChange(target.scope, change);
    const place = await locate(tx, tenantId, target);
    const before = (await rows.findRow(tx, tenantId, place.scope, place.scopeNo)) ?? emptyPolicyRow;
    const after: PolicyRow = { ...before, ...change };
    const { policyVersion } = await rows.findTenant(tx, tenantId);
    if (policyFields.every((field) => before[field] === after[field])) return policyVersion;
    return (await put(tx, tenantId, place, before, after, by, nowMs)) ?? policyVersion;
  }

  /** @throws Problem not-found (zone, device) · already-exists (scopeId) · validation-error */
  async function create(
    tx: Writer,
    tenantId: number,
    target: NewTarget,
    change: PolicyChange,
    by: By,
    nowMs: number,
  ): Promise<rows.PolicyRecord> {
    checkPolicyChange(target.scope, change);
    const place = await locate(tx, tenantId, target);
    const known = await rows.findRow(tx, tenantId, place.scope, place.scopeNo);
    if (known !== undefined) {
      const detail = `The ${place.scope} has a policy.`;
      throw new Problem("already-exists", detail, { field: "scopeId" });
    }
    const after: PolicyRow = { ...emptyPolicyRow, ...change };
    await put(tx, tenantId, place, emptyPolicyRow, after, by, nowMs);
    const [made] = await rows.pageRecords(tx, tenantId, {}, Number.MAX_SAFE_INTEGER, 1);
    if (made === undefined) throw new Error("a policy that was just made is not there");
    return made;
  }

  /** @throws Problem not-found · version-conflict · validation-error */
  async function change(
    tx: Writer,
    tenantId: number,
    id: string,
    version: number,
    wanted: PolicyChange,
    by: By,
    nowMs: number,
  ): Promise<rows.PolicyRecord> {
    const before = await mustRecord(tx, tenantId, id);
    checkVersion(version, before.version);
    checkPolicyChange(before.scope, wanted);
    await put(tx, tenantId, placeOf(before), before.row, { ...before.row, ...wanted }, by, nowMs);
    return await mustRecord(tx, tenantId, id);
  }

  /**
   * The scope inherits everything again. @throws Problem not-found · wrong-state (the tenant's own) ·
   * in-use (a device's limits would not fit without it)
   */
  async function remove(
    tx: Writer,
    tenantId: number,
    id: string,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const before = await mustRecord(tx, tenantId, id);
    if (before.scope === "tenant") {
      throw new Problem("wrong-state", "The tenant's own policy stays.", {
        members: { state: "tenant" },
      });
    }
    await rows.deleteRow(tx, tenantId, before.policyNo);
    try {
      await checkEverywhere(tx, tenantId);
    } catch (error) {
      if (!(error instanceof OperatorRefused)) throw error;
      throw new Problem("in-use", "Limits of a device of it would not fit without this policy.");
    }
    const fields = policyFields.filter((field) => before.row[field] !== null);
    await tell(tx, tenantId, placeOf(before), fields, before.row, emptyPolicyRow, by, nowMs);
  }

  /**
   * Whether the limits of all scopes fit, after a device went to another zone.
   * @throws Problem validation-error, with `field`
   */
  async function checkDevices(q: Reader, tenantId: number, field: string): Promise<void> {
    try {
      await checkEverywhere(q, tenantId);
    } catch (error) {
      if (!(error instanceof OperatorRefused)) throw error;
      const message = "Has limits that do not fit those of the device";
      throw invalid([{ field, message, code: "NOT_ALLOWED" }]);
    }
  }

  return { set, create, change, remove, checkDevices };
}

const placeOf = ({ scope, scopeNo, scopeId }: rows.PolicyRecord): Place => ({
  scope,
  scopeNo,
  scopeId,
  zoneNo: null,
});

/** @throws Problem not-found */
export async function mustRecord(
  q: Reader,
  tenantId: number,
  id: string,
): Promise<rows.PolicyRecord> {
  const record = await rows.findRecord(q, tenantId, id);
  if (record === undefined) throw new Problem("not-found", "There is no such policy.");
  return record;
}

function shownFields(fields: readonly PolicyField[], row: PolicyRow): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const field of fields) {
    const value = row[field];
    shown[field] = value === null ? null : shownValue(field, value);
  }
  return shown;
}

/** A wider scope's change can break a narrower one's values, so every row of the tenant is looked at. */
async function checkEverywhere(
  q: Reader,
  tenantId: number,
  change: PolicyChange = {},
): Promise<void> {
  const all = await rows.allRows(q, tenantId);
  const tenant = all.find((each) => each.scope === "tenant")?.row;
  const zones = new Map<number | null, PolicyRow>();
  for (const each of all) if (each.scope === "zone") zones.set(each.scopeNo, each.row);
  for (const { scope, zoneNo, row } of all) {
    const chain = {
      tenant: { tenant },
      zone: { zone: row, tenant },
      device: { device: row, zone: zones.get(zoneNo), tenant },
    }[scope];
    const where = { tenant: "the tenant", zone: "a zone of it", device: "a device of it" }[scope];
    checkPolicyValues(resolvePolicy(chain).values, where, change);
  }
}
