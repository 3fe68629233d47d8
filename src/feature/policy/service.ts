/**
 * Which limits a device works under, kept in memory until one changes, and changing them. What the
 * fields mean is `domain/policy.ts`'s.
 */
import { tokensCachedMax } from "../../../schema/bound.ts";
import type { Actor } from "../../domain/audit.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import {
  checkPolicyChange,
  checkPolicyValues,
  emptyPolicyRow,
  type Policy,
  type PolicyChange,
  type PolicyField,
  type PolicyRow,
  type PolicyScope,
  policyFields,
  policyOf,
  type ResolvedPolicy,
  resolvePolicy,
  shownValue,
} from "../../domain/policy.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import * as rows from "./store.ts";

export interface PolicyDeps {
  readonly store: Store;
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
}

/** Whose policy; zones go by name, devices by deviceId. */
export type PolicyTarget =
  | { readonly scope: "tenant" }
  | { readonly scope: "zone"; readonly zone: string }
  | { readonly scope: "device"; readonly deviceId: string };

export interface ShownPolicy extends ResolvedPolicy {
  readonly policyVersion: number;
  /** Whose it is: uuid of the tenant, zone or device. */
  readonly scopeId: string;
  readonly policy: Policy;
}

interface Place {
  readonly scope: PolicyScope;
  readonly scopeNo: number;
  readonly scopeId: string;
  readonly zoneNo: number | null;
}

interface Cached {
  readonly zoneNo: number | null;
  readonly policy: Policy;
}

export type PolicyService = ReturnType<typeof policyService>;

export function policyService(deps: PolicyDeps) {
  const { store, random, audit, event } = deps;
  /** Effective policy by tenant, then device. Dropped per tenant, since policyVersion is part of it. */
  const cache = new Map<number, Map<number, Cached>>();
  let cachedCount = 0;
  /** Rises with every change, so that a value read before it is not kept after it. */
  let epoch = 0;

  /**
   * What this device works under. Pass `q` to read inside a transaction; a value read so is not kept.
   */
  async function effective(
    tenantId: number,
    zoneNo: number | null,
    deviceNo: number,
    q?: Reader,
  ): Promise<Policy> {
    const known = cache.get(tenantId)?.get(deviceNo);
    if (known !== undefined && known.zoneNo === zoneNo) return known.policy;
    if (q !== undefined) return await load(q, tenantId, zoneNo, deviceNo);
    const since = epoch;
    const policy = await store.read((r) => load(r, tenantId, zoneNo, deviceNo));
    if (since === epoch) keep(tenantId, deviceNo, { zoneNo, policy });
    return policy;
  }

  function keep(tenantId: number, deviceNo: number, entry: Cached): void {
    if (cachedCount >= tokensCachedMax) {
      cache.clear();
      cachedCount = 0;
    }
    let devices = cache.get(tenantId);
    if (devices === undefined) {
      devices = new Map();
      cache.set(tenantId, devices);
    }
    if (!devices.has(deviceNo)) cachedCount++;
    devices.set(deviceNo, entry);
  }

  /** Drops what is kept of a tenant: also when its currency or time zone changed. */
  function forget(tenantId: number): void {
    epoch++;
    cachedCount -= cache.get(tenantId)?.size ?? 0;
    cache.delete(tenantId);
  }

  /** Makes the row that every tenant has, inside the transaction that makes the tenant. */
  async function openTenant(tx: Writer, tenantId: number, nowMs: number): Promise<void> {
    await rows.putRow(tx, random.uuid(nowMs), tenantId, "tenant", 0, emptyPolicyRow, nowMs);
  }

  /** Effective values of a scope, each with the scope that decided it. @throws OperatorRefused `not-found` */
  const show = (tenantId: number, target: PolicyTarget): Promise<ShownPolicy> =>
    store.read(async (q) => {
      const place = await locate(q, tenantId, target);
      const resolved = resolvePolicy(await rowsOf(q, tenantId, place));
      const tenant = await rows.findTenant(q, tenantId);
      const policy = policyOf(resolved.values, tenant);
      const { policyVersion } = tenant;
      return { ...resolved, policyVersion, scopeId: place.scopeId, policy };
    });

  /**
   * Changes fields of one scope; null inherits again. A change to the values that are there changes
   * nothing. Returns the tenant's policyVersion.
   * @throws OperatorRefused `not-found` `validation-error`
   */
  async function set(
    tenantId: number,
    target: PolicyTarget,
    change: PolicyChange,
    actor: Actor,
    nowMs: number,
  ): Promise<number> {
    checkPolicyChange(target.scope, change);
    return await store.write(async (tx) => {
      const place = await locate(tx, tenantId, target);
      const before =
        (await rows.findRow(tx, tenantId, place.scope, place.scopeNo)) ?? emptyPolicyRow;
      const after: PolicyRow = { ...before, ...change };
      const fields = policyFields.filter((field) => before[field] !== after[field]);
      const { policyVersion } = await rows.findTenant(tx, tenantId);
      if (fields.length === 0) return policyVersion;
      await rows.putRow(tx, random.uuid(nowMs), tenantId, place.scope, place.scopeNo, after, nowMs);
      await checkEverywhere(tx, tenantId);
      await rows.raiseVersion(tx, tenantId, nowMs);
      tx.onCommit(() => forget(tenantId));
      await tell(tx, {
        tenantId,
        place,
        policyVersion: policyVersion + 1,
        fields,
        before,
        after,
        actor,
        nowMs,
      });
      if (place.scope === "tenant" && fields.includes("blockedStatuses")) {
        const { values } = resolvePolicy({ tenant: after });
        await deps.onBlockedStatusesChanged(tx, tenantId, values.blockedStatuses, nowMs);
      }
      return policyVersion + 1;
    });
  }

  async function tell(tx: Writer, told: Told): Promise<void> {
    const { tenantId, place, policyVersion, fields, actor, nowMs: atMs } = told;
    const { scope, scopeId } = place;
    const type = "fleet.policy.changed";
    await audit.append(tx, {
      tenantId,
      atMs,
      action: type,
      entityType: "policy",
      entityId: scopeId,
      actor,
      before: shownFields(fields, told.before),
      after: shownFields(fields, told.after),
      metadata: { scope, policyVersion },
    });
    await event.publish(tx, {
      tenantId,
      type,
      data: { scope, scopeId, policyVersion, fields },
      atMs,
    });
  }

  return { effective, openTenant, show, set, forget };
}

interface Told {
  readonly tenantId: number;
  readonly place: Place;
  readonly policyVersion: number;
  readonly fields: readonly PolicyField[];
  readonly before: PolicyRow;
  readonly after: PolicyRow;
  readonly actor: Actor;
  readonly nowMs: number;
}

function shownFields(fields: readonly PolicyField[], row: PolicyRow): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const field of fields) {
    const value = row[field];
    shown[field] = value === null ? null : shownValue(field, value);
  }
  return shown;
}

async function load(
  q: Reader,
  tenantId: number,
  zoneNo: number | null,
  deviceNo: number,
): Promise<Policy> {
  const place: Place = { scope: "device", scopeNo: deviceNo, scopeId: "", zoneNo };
  const { values } = resolvePolicy(await rowsOf(q, tenantId, place));
  return policyOf(values, await rows.findTenant(q, tenantId));
}

async function rowsOf(q: Reader, tenantId: number, { scope, scopeNo, zoneNo }: Place) {
  const isDevice = scope === "device";
  return {
    device: isDevice ? await rows.findRow(q, tenantId, "device", scopeNo) : undefined,
    zone: zoneNo === null ? undefined : await rows.findRow(q, tenantId, "zone", zoneNo),
    tenant: await rows.findRow(q, tenantId, "tenant", 0),
  };
}

async function locate(q: Reader, tenantId: number, target: PolicyTarget): Promise<Place> {
  if (target.scope === "tenant") {
    const { uuid } = await rows.findTenant(q, tenantId);
    return { scope: "tenant", scopeNo: 0, scopeId: uuid, zoneNo: null };
  }
  if (target.scope === "zone") {
    const zone = await rows.zoneByName(q, tenantId, target.zone);
    if (zone === undefined) throw new OperatorRefused("not-found", "there is no such zone", "zone");
    return { scope: "zone", scopeNo: zone.zoneNo, scopeId: zone.uuid, zoneNo: zone.zoneNo };
  }
  const device = await rows.deviceById(q, tenantId, target.deviceId);
  if (device === undefined) {
    throw new OperatorRefused("not-found", "there is no such device", "device");
  }
  const { deviceNo, uuid, zoneNo } = device;
  return { scope: "device", scopeNo: deviceNo, scopeId: uuid, zoneNo };
}

/** A wider scope's change can break a narrower one's values, so every row of the tenant is looked at. */
async function checkEverywhere(q: Reader, tenantId: number): Promise<void> {
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
    checkPolicyValues(resolvePolicy(chain).values, where);
  }
}
