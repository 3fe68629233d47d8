/**
 * The devices of a venue as its operator sees them: registering, suspending, revoking, retiring, new
 * secrets, zones. A device's own calls are not here.
 */
import { renderSVG } from "uqr";
import type { Actor } from "../../domain/audit.ts";
import type { By } from "../../domain/by.ts";
import type { Role } from "../../domain/identity.ts";
import { globOf } from "../../domain/search.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { TokenService } from "../token/service.ts";
import {
  type DeviceChange,
  type DeviceChangeDeps,
  type DeviceDraft,
  deviceChanges,
  must,
} from "./change.ts";
import type { Device, DeviceRef, DeviceStatus, Zone, ZoneRef } from "./store.ts";
import * as rows from "./store.ts";

export type { DeviceChange, DeviceDraft } from "./change.ts";
export type { Device, DeviceRef, DeviceStatus, Zone, ZoneRef } from "./store.ts";

export interface DeviceDeps extends DeviceChangeDeps {
  readonly store: Store;
  readonly tokens: Pick<
    TokenService,
    "forget" | "issueSecret" | "revoke" | "lastSeenMs" | "makeSecret"
  >;
  /** Address that devices reach the server at, without a last slash. */
  publicUrl(): string;
}

/** Of a secret that is not issued yet: shown once, with the code to scan it from. */
export interface PreparedSecret {
  readonly secret: string;
  readonly qr: { readonly payload: string; readonly svg: string };
}

export interface ShownSecret extends PreparedSecret {
  readonly secretExpiresAtSec: number;
}

export interface DeviceSearch {
  readonly status?: DeviceStatus;
  readonly role?: Role;
  /** Uuid. */
  readonly zoneId?: string;
  /** Part of the device's own id or its name, capitals not minded. */
  readonly q?: string;
}

export type DeviceService = ReturnType<typeof deviceService>;

export function deviceService(deps: DeviceDeps) {
  const { store, tokens } = deps;
  const within = deviceChanges(deps);

  /** A secret for this device and its code, drawn before a transaction that issues it. */
  function prepare({ deviceId, role }: Pick<Device, "deviceId" | "role">): PreparedSecret {
    const secret = tokens.makeSecret();
    const url = `${deps.publicUrl()}/api`;
    const payload = JSON.stringify({ v: 1, url, deviceId, role, secret });
    return { secret, qr: { payload, svg: renderSVG(payload, { ecc: "M" }) } };
  }

  /** As `within.register`, by itself. */
  async function register(
    tenantId: number,
    draft: DeviceDraft,
    actor: Actor,
    nowMs: number,
  ): Promise<{ device: Device } & ShownSecret> {
    const shown = prepare(draft);
    const { secret } = shown;
    const made = await store.write((tx) =>
      within.register(tx, tenantId, draft, secret, { actor }, nowMs),
    );
    return { ...made, ...shown };
  }

  /** As `within.newSecret`, by itself. */
  async function newSecret(
    tenantId: number,
    deviceId: string,
    keepToken: boolean,
    actor: Actor,
    nowMs: number,
  ): Promise<{ device: Device } & ShownSecret> {
    const shown = prepare(await get(tenantId, { deviceId }));
    const { secret } = shown;
    const made = await store.write((tx) =>
      within.newSecret(tx, tenantId, { deviceId }, secret, keepToken, { actor }, nowMs),
    );
    return { ...made, ...shown };
  }

  type Step = (
    tx: Writer,
    tenantId: number,
    ref: DeviceRef,
    by: By,
    nowMs: number,
    reason?: string,
  ) => Promise<Device>;

  /** A step by itself, of a device by its own id. */
  const alone =
    (step: Step) =>
    (
      tenantId: number,
      deviceId: string,
      actor: Actor,
      nowMs: number,
      reason?: string,
    ): Promise<Device> =>
      store.write((tx) => step(tx, tenantId, { deviceId }, { actor }, nowMs, reason));

  /** As `within.change`, by itself. */
  const change = (
    tenantId: number,
    deviceId: string,
    wanted: DeviceChange,
    actor: Actor,
    nowMs: number,
  ): Promise<Device> =>
    store.write((tx) => within.change(tx, tenantId, { deviceId }, wanted, { actor }, nowMs));

  /** When a device called last is written down once a minute: until then it is known here. */
  function seen(device: Device): Device {
    const lastSeenAtMs = tokens.lastSeenMs(device.deviceNo);
    return lastSeenAtMs === undefined ? device : { ...device, lastSeenAtMs };
  }

  /** @throws Problem not-found */
  const get = async (tenantId: number, ref: DeviceRef): Promise<Device> =>
    seen(await store.read((q) => must(q, tenantId, ref)));

  /** Devices by terminalId, from the one after `afterTerminalId`. */
  const list = async (
    tenantId: number,
    afterTerminalId: number,
    limit: number,
  ): Promise<Device[]> => {
    const found = await store.read((q) => rows.pageDevices(q, tenantId, afterTerminalId, limit));
    return found.map(seen);
  };

  const filterOf = ({ q, ...rest }: DeviceSearch): rows.DeviceFilter => ({
    ...rest,
    ...(q !== undefined && { glob: globOf(q) }),
  });

  /** Newest first, below a terminalId. */
  const search = async (
    tenantId: number,
    wanted: DeviceSearch,
    belowTerminalId: number,
    limit: number,
  ): Promise<Device[]> => {
    const filter = filterOf(wanted);
    const found = await store.read((q) =>
      rows.searchDevices(q, tenantId, filter, belowTerminalId, limit),
    );
    return found.map(seen);
  };

  const count = (tenantId: number, wanted: DeviceSearch): Promise<number> =>
    store.read((q) => rows.countDevices(q, tenantId, filterOf(wanted)));

  /** By name. */
  const zones = (tenantId: number): Promise<Zone[]> =>
    store.read((q) => rows.allZones(q, tenantId));

  /** Newest first, below a number. */
  const pageZones = (tenantId: number, belowNo: number, limit: number): Promise<Zone[]> =>
    store.read((q) => rows.pageZones(q, tenantId, belowNo, limit));

  const countZones = (tenantId: number): Promise<number> =>
    store.read((q) => rows.countZones(q, tenantId));

  const addZone = (tenantId: number, name: string, actor: Actor, nowMs: number): Promise<Zone> =>
    store.write((tx) => within.addZone(tx, tenantId, name, { actor }, nowMs));

  const renameZone = (
    tenantId: number,
    ref: ZoneRef,
    name: string,
    actor: Actor,
    nowMs: number,
  ): Promise<Zone> =>
    store.write((tx) => within.changeZone(tx, tenantId, ref, { name }, { actor }, nowMs));

  const removeZone = (tenantId: number, ref: ZoneRef, actor: Actor, nowMs: number): Promise<void> =>
    store.write((tx) => within.removeZone(tx, tenantId, ref, { actor }, nowMs));

  return {
    within,
    prepare,
    register,
    newSecret,
    change,
    suspend: alone(within.suspend),
    resume: alone(within.resume),
    retire: alone(within.retire),
    revoke: alone(within.revoke),
    ...{ seen, get, list, search, count },
    ...{ zones, pageZones, countZones, addZone, renameZone, removeZone },
  };
}
