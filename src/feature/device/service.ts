/**
 * The devices of a venue as its operator sees them: registering, suspending, revoking, retiring, new
 * secrets, zones. A device's own calls are not here.
 */
import { renderSVG } from "uqr";
import { deviceIdMaxChars, terminalIdMax } from "../../../schema/bound.ts";
import type { Actor } from "../../domain/audit.ts";
import type { Role } from "../../domain/identity.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import { checkName } from "../../domain/text.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { NewSecret, TokenService } from "../token/service.ts";
import type { Device, DeviceStatus, Zone } from "./store.ts";
import * as rows from "./store.ts";

export type { Device, DeviceStatus, Zone } from "./store.ts";

export interface DeviceDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  readonly tokens: Pick<TokenService, "forget" | "issueSecret" | "revoke" | "lastSeenMs">;
  readonly money: {
    /** The number of the tenant's wallet of this key, opened on first use. */
    systemWallet(tx: Writer, tenantId: number, key: string, nowMs: number): Promise<number>;
  };
  /** Address that devices reach the server at, without a last slash. */
  publicUrl(): string;
}

export interface DeviceDraft {
  readonly deviceId: string;
  readonly role: Role;
  readonly name?: string;
  /** By name; one that is not there yet is made. */
  readonly zone?: string;
  /** Of a scout: the member whose cards alone it sees. */
  readonly userId?: number;
}

/** Shown once: the secret and the code to scan it from. */
export interface ShownSecret {
  readonly secret: string;
  readonly secretExpiresAtSec: number;
  readonly qr: { readonly payload: string; readonly svg: string };
}

export function deviceService(deps: DeviceDeps) {
  const { store, random, audit, event, tokens } = deps;

  /**
   * Registers a device under the tenant's next terminalId and opens its settlement account.
   * @throws OperatorRefused `validation-error`, `not-found` (member), `already-exists` (deviceId, on
   * the whole server), `ids-exhausted`
   */
  async function register(
    tenantId: number,
    draft: DeviceDraft,
    actor: Actor,
    nowMs: number,
  ): Promise<{ device: Device } & ShownSecret> {
    checkDraft(draft);
    const { deviceId, role, name } = draft;
    const made = await store.write(async (tx) => {
      if (await rows.isTaken(tx, deviceId)) {
        throw new OperatorRefused("already-exists", "the device id is taken", "deviceId");
      }
      const terminalId = (await rows.lastTerminalId(tx, tenantId)) + 1;
      if (terminalId > terminalIdMax) {
        throw new OperatorRefused("ids-exhausted", "no terminal id is left in this tenant");
      }
      const memberNo = await memberOf(tx, tenantId, draft.userId);
      const zoneNo = await zoneOf(tx, tenantId, draft.zone, actor, nowMs);
      const wallet = `settlement:${terminalId}`;
      const settlementWalletNo = await deps.money.systemWallet(tx, tenantId, wallet, nowMs);
      const id = random.uuid(nowMs);
      const row = { id, tenantId, deviceId, terminalId, role, name: name ?? null };
      await rows.insertDevice(tx, { ...row, zoneNo, memberNo, settlementWalletNo }, nowMs);
      const { deviceNo } = await must(tx, tenantId, deviceId);
      const secret = await tokens.issueSecret(tx, tenantId, deviceNo, false, nowMs);
      const device = await rows.getDevice(tx, deviceNo);
      await tell(tx, "fleet.device.registered", tenantId, device, actor, nowMs, {
        after: { name: device.name, zone: device.zone, userId: device.userId },
      });
      return { device, secret };
    });
    return { device: made.device, ...shown(made.device, made.secret) };
  }

  async function memberOf(
    tx: Writer,
    tenantId: number,
    userId: number | undefined,
  ): Promise<number | null> {
    if (userId === undefined) return null;
    const member = await rows.findMember(tx, tenantId, userId);
    if (member === undefined || member.status === "closed") {
      throw new OperatorRefused("not-found", "there is no such member", "member");
    }
    return member.memberNo;
  }

  async function zoneOf(
    tx: Writer,
    tenantId: number,
    name: string | undefined,
    actor: Actor,
    nowMs: number,
  ): Promise<number | null> {
    if (name === undefined) return null;
    const known = await rows.findZone(tx, tenantId, name);
    if (known !== undefined) return known.zoneNo;
    await rows.insertZone(tx, random.uuid(nowMs), tenantId, name, nowMs);
    const made = await rows.findZone(tx, tenantId, name);
    if (made === undefined) throw new Error("a zone that was just made is not there");
    const type = "fleet.zone.changed";
    const entity = { entityType: "zone", entityId: made.id };
    const after = { name };
    await audit.append(tx, { tenantId, atMs: nowMs, action: type, ...entity, actor, after });
    const data = { zoneId: made.id, change: "created" };
    await event.publish(tx, { tenantId, type, data, atMs: nowMs });
    return made.zoneNo;
  }

  /** Changes the state of a device that is not retired; a repeat changes nothing. */
  const change = (
    tenantId: number,
    deviceId: string,
    status: DeviceStatus,
    type: string,
    actor: Actor,
    nowMs: number,
    reason?: string,
  ): Promise<Device> =>
    store.write(async (tx) => {
      const before = await must(tx, tenantId, deviceId);
      if (before.status === status) return before;
      refuseRetired(before);
      const suspendedAtSec = status === "suspended" ? Math.floor(nowMs / 1000) : null;
      await rows.setStatus(tx, before.deviceNo, status, suspendedAtSec, nowMs);
      if (status === "retired") await tokens.revoke(tx, before.deviceNo, nowMs);
      tokens.forget(tx, before.deviceNo);
      const after = await rows.getDevice(tx, before.deviceNo);
      await tell(tx, type, tenantId, after, actor, nowMs, {
        before: { status: before.status },
        after: { status },
        ...(reason !== undefined && { metadata: { reason } }),
      });
      return after;
    });

  /** @throws OperatorRefused `not-found`, `wrong-state` (retired) */
  const suspend = (id: number, deviceId: string, actor: Actor, nowMs: number, reason?: string) =>
    change(id, deviceId, "suspended", "fleet.device.suspended", actor, nowMs, reason);

  /** @throws OperatorRefused `not-found`, `wrong-state` (retired) */
  const resume = (id: number, deviceId: string, actor: Actor, nowMs: number, reason?: string) =>
    change(id, deviceId, "active", "fleet.device.resumed", actor, nowMs, reason);

  /** For good: token and secret are dead, the record stays. @throws OperatorRefused `not-found` */
  const retire = (id: number, deviceId: string, actor: Actor, nowMs: number) =>
    change(id, deviceId, "retired", "fleet.device.retired", actor, nowMs);

  /** Kills every token and unspent secret of the device. @throws OperatorRefused `not-found` */
  const revoke = (
    tenantId: number,
    deviceId: string,
    actor: Actor,
    nowMs: number,
  ): Promise<Device> =>
    store.write(async (tx) => {
      const { deviceNo } = await must(tx, tenantId, deviceId);
      await tokens.revoke(tx, deviceNo, nowMs);
      const after = await rows.getDevice(tx, deviceNo);
      await tell(tx, "fleet.device.revoked", tenantId, after, actor, nowMs, {});
      return after;
    });

  /**
   * A new one-time secret; the unspent older one dies, and the tokens too unless `keepToken`.
   * @throws OperatorRefused `not-found`, `wrong-state` (retired)
   */
  async function newSecret(
    tenantId: number,
    deviceId: string,
    keepToken: boolean,
    actor: Actor,
    nowMs: number,
  ): Promise<{ device: Device } & ShownSecret> {
    const made = await store.write(async (tx) => {
      const { deviceNo, status } = await must(tx, tenantId, deviceId);
      refuseRetired({ status });
      const secret = await tokens.issueSecret(tx, tenantId, deviceNo, keepToken, nowMs);
      const device = await rows.getDevice(tx, deviceNo);
      await tell(tx, "fleet.device.secret_issued", tenantId, device, actor, nowMs, {
        metadata: { keepToken },
      });
      return { device, secret };
    });
    return { device: made.device, ...shown(made.device, made.secret) };
  }

  function shown({ deviceId, role }: Device, { secret, expiresAtSec }: NewSecret): ShownSecret {
    const url = `${deps.publicUrl()}/api`;
    const payload = JSON.stringify({ v: 1, url, deviceId, role, secret });
    const svg = renderSVG(payload, { ecc: "M" });
    return { secret, secretExpiresAtSec: expiresAtSec, qr: { payload, svg } };
  }

  /** Devices by terminalId, from the one after `afterTerminalId`. */
  async function list(tenantId: number, afterTerminalId: number, limit: number): Promise<Device[]> {
    const found = await store.read((q) => rows.pageDevices(q, tenantId, afterTerminalId, limit));
    return found.map((device) => {
      const seenMs = tokens.lastSeenMs(device.deviceNo);
      return seenMs === undefined ? device : { ...device, lastSeenAtMs: seenMs };
    });
  }

  const zones = (tenantId: number): Promise<Zone[]> =>
    store.read((q) => rows.allZones(q, tenantId));

  async function tell(
    tx: Writer,
    type: string,
    tenantId: number,
    device: Device,
    actor: Actor,
    atMs: number,
    more: {
      before?: Record<string, unknown>;
      after?: Record<string, unknown>;
      metadata?: Record<string, unknown>;
    },
  ): Promise<void> {
    const { id, deviceId, terminalId, role, zoneId } = device;
    await audit.append(tx, {
      tenantId,
      atMs,
      action: type,
      entityType: "device",
      entityId: id,
      actor,
      ...more,
      metadata: { deviceId, terminalId, role, ...more.metadata },
    });
    const by = { type: actor.type, id: actor.id };
    const data = { deviceId, terminalId, role, zoneId, actor: by };
    await event.publish(tx, { tenantId, type, data, atMs });
  }

  return { register, suspend, resume, retire, revoke, newSecret, list, zones };
}

async function must(tx: Writer, tenantId: number, deviceId: string): Promise<Device> {
  const device = await rows.findDevice(tx, tenantId, deviceId);
  if (device === undefined) throw new OperatorRefused("not-found", "there is no such device", "id");
  return device;
}

function refuseRetired({ status }: Pick<Device, "status">): void {
  if (status === "retired") throw new OperatorRefused("wrong-state", "the device is retired");
}

const deviceIdShape = new RegExp(`^[A-Za-z0-9._:-]{1,${deviceIdMaxChars}}$`);

function checkDraft({ deviceId, role, name, zone, userId }: DeviceDraft): void {
  if (!deviceIdShape.test(deviceId)) {
    const message = `deviceId: 1 to ${deviceIdMaxChars} letters, digits and . _ : -`;
    throw new OperatorRefused("validation-error", message, "deviceId");
  }
  if (name !== undefined) checkName("name", name);
  if (zone !== undefined) checkName("zone", zone);
  if (userId !== undefined && role !== "scout") {
    const message = "member: only a scout is bound to a member";
    throw new OperatorRefused("validation-error", message, "member");
  }
}
