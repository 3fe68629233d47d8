/** Zones: the parts of a venue that devices stand in and that may have limits of their own. */
import type { By } from "../../domain/by.ts";
import { checkVersion, Problem } from "../../domain/problem.ts";
import { checkName } from "../../domain/text.ts";
import type { Reader, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import * as rows from "./store.ts";
import { type TellDeps, tellZone } from "./tell.ts";

export interface ZoneDeps extends TellDeps {
  readonly random: Random;
}

export interface ZoneChange {
  readonly name?: string;
  readonly version?: number;
}

/** Inside a transaction of the caller's. */
export function zoneChanges(deps: ZoneDeps) {
  /** @throws Problem validation-error · already-exists (name) */
  async function addZone(
    tx: Writer,
    tenantId: number,
    name: string,
    by: By,
    nowMs: number,
  ): Promise<rows.Zone> {
    checkName("name", name);
    await refuseTaken(tx, tenantId, name);
    await rows.insertZone(tx, deps.random.uuid(nowMs), tenantId, name, nowMs);
    const zone = await mustZone(tx, tenantId, { name });
    await tellZone(deps, tx, "created", tenantId, zone, by, nowMs, { after: { name } });
    return zone;
  }

  /** The zone of this name; one that is not there yet is made. @throws Problem validation-error */
  async function zoneNamed(
    tx: Writer,
    tenantId: number,
    name: string,
    by: By,
    nowMs: number,
  ): Promise<rows.Zone> {
    const known = await rows.findZone(tx, tenantId, { name });
    return known ?? (await addZone(tx, tenantId, name, by, nowMs));
  }

  /** @throws Problem not-found · version-conflict · validation-error · already-exists (name) */
  async function changeZone(
    tx: Writer,
    tenantId: number,
    ref: rows.ZoneRef,
    { name, version }: ZoneChange,
    by: By,
    nowMs: number,
  ): Promise<rows.Zone> {
    const before = await mustZone(tx, tenantId, ref);
    checkVersion(version, before.version);
    const after = name ?? before.name;
    checkName("name", after);
    if (after !== before.name) await refuseTaken(tx, tenantId, after);
    await rows.renameZone(tx, tenantId, before.zoneNo, after);
    await tellZone(deps, tx, "renamed", tenantId, before, by, nowMs, {
      before: { name: before.name },
      after: { name: after },
    });
    return await mustZone(tx, tenantId, { id: before.id });
  }

  /** @throws Problem not-found · in-use (devices that are not retired, or limits of its own) */
  async function removeZone(
    tx: Writer,
    tenantId: number,
    ref: rows.ZoneRef,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const zone = await mustZone(tx, tenantId, ref);
    if (zone.devices > 0) throw new Problem("in-use", "Devices are in the zone.");
    if (await rows.hasZonePolicy(tx, tenantId, zone.zoneNo)) {
      throw new Problem("in-use", "The zone has a policy of its own.");
    }
    await rows.deleteZone(tx, tenantId, zone.zoneNo);
    const before = { name: zone.name };
    await tellZone(deps, tx, "deleted", tenantId, zone, by, nowMs, { before });
  }

  return { addZone, zoneNamed, changeZone, removeZone };
}

async function refuseTaken(tx: Writer, tenantId: number, name: string): Promise<void> {
  if ((await rows.findZone(tx, tenantId, { name })) === undefined) return;
  throw new Problem("already-exists", "There is a zone of this name.", { field: "name" });
}

/** @throws Problem not-found */
export async function mustZone(q: Reader, tenantId: number, ref: rows.ZoneRef): Promise<rows.Zone> {
  const zone = await rows.findZone(q, tenantId, ref);
  if (zone === undefined) throw new Problem("not-found", "There is no such zone.");
  return zone;
}
