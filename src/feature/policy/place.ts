/** Whose limits are meant: a tenant, a zone or a device, found by uuid or by the name people use. */
import { OperatorRefused } from "../../domain/operator.ts";
import type { PolicyScope } from "../../domain/policy.ts";
import type { Reader } from "../../store/seam.ts";
import * as rows from "./store.ts";

export type PolicyTarget =
  | { readonly scope: "tenant" }
  | { readonly scope: "zone"; readonly zone: string }
  | { readonly scope: "device"; readonly deviceId: string }
  /** By uuid. */
  | { readonly scope: "zone" | "device"; readonly scopeId: string };

export interface Place {
  readonly scope: PolicyScope;
  readonly scopeNo: number;
  /** Uuid of the tenant, zone or device. */
  readonly scopeId: string;
  /** The zone itself, or the one that a device is in. */
  readonly zoneNo: number | null;
}

/** @throws OperatorRefused not-found */
export async function locate(q: Reader, tenantId: number, target: PolicyTarget): Promise<Place> {
  if (target.scope === "tenant") {
    const { uuid } = await rows.findTenant(q, tenantId);
    return { scope: "tenant", scopeNo: 0, scopeId: uuid, zoneNo: null };
  }
  const byUuid = "scopeId" in target;
  if ("zone" in target || (byUuid && target.scope === "zone")) {
    const ref = "zone" in target ? { name: target.zone } : { id: target.scopeId };
    const zone = await rows.findZone(q, tenantId, ref);
    if (zone === undefined) throw missing("zone", byUuid);
    return { scope: "zone", scopeNo: zone.zoneNo, scopeId: zone.uuid, zoneNo: zone.zoneNo };
  }
  const ref = byUuid ? { id: target.scopeId } : { deviceId: target.deviceId };
  const device = await rows.findDevice(q, tenantId, ref);
  if (device === undefined) throw missing("device", byUuid);
  const { deviceNo, uuid, zoneNo } = device;
  return { scope: "device", scopeNo: deviceNo, scopeId: uuid, zoneNo };
}

const missing = (what: "zone" | "device", byUuid: boolean): OperatorRefused =>
  new OperatorRefused("not-found", `there is no such ${what}`, byUuid ? "scopeId" : what);
