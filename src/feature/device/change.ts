/**
 * What an operator does to a device, each inside a transaction of the caller's: registering, renaming,
 * suspending, revoking, retiring, new secrets. Reading them is the service's.
 */
import { deviceIdMaxChars, terminalIdMax } from "../../../schema/bound.ts";
import type { By } from "../../domain/by.ts";
import type { Role } from "../../domain/identity.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import { checkVersion, Problem } from "../../domain/problem.ts";
import { checkName } from "../../domain/text.ts";
import type { Reader, Writer } from "../../store/seam.ts";
import type { PolicyService } from "../policy/service.ts";
import type { TokenService } from "../token/service.ts";
import * as rows from "./store.ts";
import { tellDevice } from "./tell.ts";
import { mustZone, type ZoneDeps, zoneChanges } from "./zone.ts";

export interface DeviceChangeDeps extends ZoneDeps {
  readonly tokens: Pick<TokenService, "forget" | "issueSecret" | "revoke">;
  readonly policy: { readonly within: Pick<PolicyService["within"], "checkDevices"> };
  readonly money: {
    /** The number of the tenant's wallet of this key, opened on first use. */
    systemWallet(tx: Writer, tenantId: number, key: string, nowMs: number): Promise<number>;
  };
}

export interface DeviceDraft {
  readonly deviceId: string;
  readonly role: Role;
  readonly name?: string;
  /** By name; one that is not there yet is made. */
  readonly zone?: string;
  /** By uuid. */
  readonly zoneId?: string;
  /** Of a scout: the member whose cards alone it sees, by number or uuid. */
  readonly userId?: number;
  readonly memberId?: string;
}

export interface DeviceChange {
  /** Null takes it away. */
  readonly name?: string | null;
  /** By name; one that is not there yet is made. */
  readonly zone?: string;
  /** By uuid; null: in none. */
  readonly zoneId?: string | null;
  readonly version?: number;
}

export interface Registered {
  readonly device: rows.Device;
  readonly secretExpiresAtSec: number;
}

const retiredAtOnce = 500;

export function deviceChanges(deps: DeviceChangeDeps) {
  const { random, tokens, policy } = deps;
  const zones = zoneChanges(deps);

  /**
   * Registers a device under the tenant's next terminalId and opens its settlement account. `secret` is
   * made by the caller, who draws its code outside of the transaction.
   * @throws Problem validation-error · not-found (zone, member) · already-exists (deviceId, on the whole
   * server) · ids-exhausted
   */
  async function register(
    tx: Writer,
    tenantId: number,
    draft: DeviceDraft,
    secret: string,
    by: By,
    nowMs: number,
  ): Promise<Registered> {
    checkDraft(draft);
    const { deviceId, role, name } = draft;
    if (await rows.isTaken(tx, deviceId)) {
      throw new OperatorRefused("already-exists", "the device id is taken", "deviceId");
    }
    const terminalId = (await rows.lastTerminalId(tx, tenantId)) + 1;
    if (terminalId > terminalIdMax) {
      throw new OperatorRefused("ids-exhausted", "no terminal id is left in this tenant");
    }
    const memberNo = await memberOf(tx, tenantId, draft);
    const zoneNo = (await zoneOf(tx, tenantId, draft, by, nowMs)) ?? null;
    const wallet = `settlement:${terminalId}`;
    const settlementWalletNo = await deps.money.systemWallet(tx, tenantId, wallet, nowMs);
    const id = random.uuid(nowMs);
    const row = { id, tenantId, deviceId, terminalId, role, name: name ?? null };
    await rows.insertDevice(tx, { ...row, zoneNo, memberNo, settlementWalletNo }, nowMs);
    const { deviceNo } = await must(tx, tenantId, { deviceId });
    const issued = await tokens.issueSecret(tx, tenantId, deviceNo, false, nowMs, secret);
    const device = await rows.getDevice(tx, deviceNo);
    await tellDevice(deps, tx, "fleet.device.registered", tenantId, device, by, nowMs, {
      after: { name: device.name, zone: device.zone, userId: device.userId },
    });
    return { device, secretExpiresAtSec: issued.expiresAtSec };
  }

  /** Undefined: nothing is said of a zone; null: in none. */
  async function zoneOf(
    tx: Writer,
    tenantId: number,
    { zone, zoneId }: Pick<DeviceChange, "zone" | "zoneId">,
    by: By,
    nowMs: number,
  ): Promise<number | null | undefined> {
    if (zone !== undefined) {
      return (await zones.zoneNamed(tx, tenantId, zone, by, nowMs)).zoneNo;
    }
    if (zoneId === undefined || zoneId === null) return zoneId;
    return (await mustZone(tx, tenantId, { id: zoneId })).zoneNo;
  }

  /**
   * Name and zone. @throws Problem not-found (device, zone) · wrong-state (retired) · version-conflict ·
   * validation-error (also where its own limits would not fit those of the zone)
   */
  async function change(
    tx: Writer,
    tenantId: number,
    ref: rows.DeviceRef,
    wanted: DeviceChange,
    by: By,
    nowMs: number,
  ): Promise<rows.Device> {
    const before = await must(tx, tenantId, ref);
    refuseRetired(before);
    checkVersion(wanted.version, before.version);
    const name = wanted.name === undefined ? before.name : wanted.name;
    if (name !== null) checkName("name", name);
    const found = await zoneOf(tx, tenantId, wanted, by, nowMs);
    const zoneNo = found === undefined ? before.zoneNo : found;
    const { deviceNo } = before;
    await rows.updateDevice(tx, tenantId, { deviceNo, name, zoneNo }, nowMs);
    if (zoneNo !== before.zoneNo) {
      await policy.within.checkDevices(tx, tenantId, "zoneId");
      tokens.forget(tx, deviceNo);
    }
    const after = await rows.getDevice(tx, deviceNo);
    await tellDevice(deps, tx, "fleet.device.updated", tenantId, after, by, nowMs, {
      before: { name: before.name, zone: before.zone },
      after: { name: after.name, zone: after.zone },
    });
    return after;
  }

  /** Another state of a device that is not retired; a repeat changes nothing. */
  const become =
    (status: rows.DeviceStatus, type: string) =>
    async (
      tx: Writer,
      tenantId: number,
      ref: rows.DeviceRef,
      by: By,
      nowMs: number,
      reason?: string,
    ): Promise<rows.Device> => {
      const before = await must(tx, tenantId, ref);
      if (before.status === status) return before;
      refuseRetired(before);
      const suspendedAtSec = status === "suspended" ? Math.floor(nowMs / 1000) : null;
      await rows.setStatus(tx, before.deviceNo, status, suspendedAtSec, nowMs);
      if (status === "retired") await tokens.revoke(tx, before.deviceNo, nowMs);
      tokens.forget(tx, before.deviceNo);
      const after = await rows.getDevice(tx, before.deviceNo);
      await tellDevice(deps, tx, type, tenantId, after, by, nowMs, {
        before: { status: before.status },
        after: { status },
        ...(reason !== undefined && { metadata: { reason } }),
      });
      return after;
    };

  /** Kills every token and unspent secret of the device. @throws Problem not-found */
  async function revoke(
    tx: Writer,
    tenantId: number,
    ref: rows.DeviceRef,
    by: By,
    nowMs: number,
  ): Promise<rows.Device> {
    const { deviceNo } = await must(tx, tenantId, ref);
    await tokens.revoke(tx, deviceNo, nowMs);
    const after = await rows.getDevice(tx, deviceNo);
    await tellDevice(deps, tx, "fleet.device.revoked", tenantId, after, by, nowMs);
    return after;
  }

  /**
   * A new one-time secret; the unspent older one dies, and the tokens too unless `keepToken`.
   * @throws Problem not-found · wrong-state (retired)
   */
  async function newSecret(
    tx: Writer,
    tenantId: number,
    ref: rows.DeviceRef,
    secret: string,
    keepToken: boolean,
    by: By,
    nowMs: number,
  ): Promise<Registered> {
    const before = await must(tx, tenantId, ref);
    refuseRetired(before);
    const { deviceNo } = before;
    const issued = await tokens.issueSecret(tx, tenantId, deviceNo, keepToken, nowMs, secret);
    const device = await rows.getDevice(tx, deviceNo);
    await tellDevice(deps, tx, "fleet.device.secret_issued", tenantId, device, by, nowMs, {
      metadata: { keepToken },
    });
    return { device, secretExpiresAtSec: issued.expiresAtSec };
  }

  const retire = become("retired", "fleet.device.retired");

  /** For good, once. @throws Problem not-found · wrong-state (retired) */
  async function end(
    tx: Writer,
    tenantId: number,
    ref: rows.DeviceRef,
    by: By,
    nowMs: number,
  ): Promise<void> {
    refuseRetired(await must(tx, tenantId, ref));
    await retire(tx, tenantId, ref, by, nowMs);
  }

  /** Every device of a tenant that is no more. */
  async function retireAll(tx: Writer, tenantId: number, by: By, nowMs: number): Promise<void> {
    let after = 0;
    for (;;) {
      const page = await rows.pageDevices(tx, tenantId, after, retiredAtOnce);
      for (const { deviceId, status, terminalId } of page) {
        if (status !== "retired") await retire(tx, tenantId, { deviceId }, by, nowMs);
        after = terminalId;
      }
      if (page.length < retiredAtOnce) return;
    }
  }

  return {
    ...zones,
    register,
    retireAll,
    change,
    /** @throws Problem not-found · wrong-state (retired) */
    suspend: become("suspended", "fleet.device.suspended"),
    /** @throws Problem not-found · wrong-state (retired) */
    resume: become("active", "fleet.device.resumed"),
    /** For good: token and secret are dead, the record stays. @throws Problem not-found */
    retire,
    end,
    revoke,
    newSecret,
  };
}

async function memberOf(
  tx: Writer,
  tenantId: number,
  { userId, memberId }: DeviceDraft,
): Promise<number | null> {
  if (userId === undefined && memberId === undefined) return null;
  const member =
    memberId === undefined
      ? await rows.findMember(tx, tenantId, userId ?? 0)
      : await rows.findMemberByUuid(tx, tenantId, memberId);
  if (member === undefined || member.status === "closed") {
    throw new OperatorRefused("not-found", "there is no such member", "member");
  }
  return member.memberNo;
}

/** @throws Problem not-found */
export async function must(q: Reader, tenantId: number, ref: rows.DeviceRef): Promise<rows.Device> {
  const device = await rows.findDevice(q, tenantId, ref);
  if (device === undefined) throw new OperatorRefused("not-found", "there is no such device", "id");
  return device;
}

function refuseRetired({ status: state }: Pick<rows.Device, "status">): void {
  if (state !== "retired") return;
  throw new Problem("wrong-state", "The device is retired.", { members: { state } });
}

const deviceIdShape = new RegExp(`^[A-Za-z0-9._:-]{1,${deviceIdMaxChars}}$`);

function checkDraft({ deviceId, role, name, zone, userId, memberId }: DeviceDraft): void {
  if (!deviceIdShape.test(deviceId)) {
    const message = `deviceId: 1 to ${deviceIdMaxChars} letters, digits and . _ : -`;
    throw new OperatorRefused("validation-error", message, "deviceId");
  }
  if (name !== undefined) checkName("name", name);
  if (zone !== undefined) checkName("zone", zone);
  if (role === "scout" || (userId ?? memberId) === undefined) return;
  const field = memberId === undefined ? "member" : "memberId";
  const message = `${field}: only a scout is bound to a member`;
  throw new OperatorRefused("validation-error", message, field, "NOT_ALLOWED");
}
