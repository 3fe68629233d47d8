/**
 * Which limits a device works under, kept in memory until one changes, and changing them. What the
 * fields mean is `domain/policy.ts`'s.
 */
import { tokensCachedMax } from "../../../schema/bound.ts";
import type { Actor } from "../../domain/audit.ts";
import {
  emptyPolicyRow,
  type Policy,
  type PolicyChange,
  policyOf,
  type ResolvedPolicy,
  resolvePolicy,
} from "../../domain/policy.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import { mustRecord, type PolicyChangeDeps, policyChanges } from "./change.ts";
import { locate, type Place, type PolicyTarget } from "./place.ts";
import type { PolicyFilter, PolicyRecord } from "./store.ts";
import * as rows from "./store.ts";

export type { PolicyTarget } from "./place.ts";
export type { PolicyFilter, PolicyRecord } from "./store.ts";

export interface PolicyDeps extends Omit<PolicyChangeDeps, "forget"> {
  readonly store: Store;
}

export interface ShownPolicy extends ResolvedPolicy {
  readonly policyVersion: number;
  /** Whose it is: uuid of the tenant, zone or device. */
  readonly scopeId: string;
  readonly policy: Policy;
}

interface Cached {
  readonly zoneNo: number | null;
  readonly policy: Policy;
}

export type PolicyService = ReturnType<typeof policyService>;

export function policyService(deps: PolicyDeps) {
  const { store, random } = deps;
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

  const within = policyChanges({ ...deps, forget });

  /** As `within.set`, by itself. */
  const set = (
    tenantId: number,
    target: PolicyTarget,
    change: PolicyChange,
    actor: Actor,
    nowMs: number,
  ): Promise<number> =>
    store.write((tx) => within.set(tx, tenantId, target, change, { actor }, nowMs));

  /** @throws Problem not-found */
  const get = (tenantId: number, id: string): Promise<PolicyRecord> =>
    store.read((q) => mustRecord(q, tenantId, id));

  /** Newest first, below a number. */
  const list = (
    tenantId: number,
    filter: PolicyFilter,
    belowNo: number,
    limit: number,
  ): Promise<PolicyRecord[]> =>
    store.read((q) => rows.pageRecords(q, tenantId, filter, belowNo, limit));

  const count = (tenantId: number, filter: PolicyFilter): Promise<number> =>
    store.read((q) => rows.countRecords(q, tenantId, filter));

  return { within, effective, openTenant, show, set, get, list, count, forget };
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
