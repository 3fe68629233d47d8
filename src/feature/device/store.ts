/** Devices and zones as rows. */
import {
  type DeviceRow,
  deviceById,
  deviceByNo,
  deviceByUuid,
  deviceCount,
  deviceIdTaken,
  deviceInsert,
  deviceLastTerminal,
  deviceMember,
  deviceMemberByUuid,
  devicePage,
  deviceSearch,
  deviceStatus,
  deviceUpdate,
} from "../../../schema/query/device.ts";
import {
  type ZoneRow,
  zoneByName,
  zoneByUuid,
  zoneCount,
  zoneDelete,
  zoneInsert,
  zoneLeave,
  zonePage,
  zonePolicy,
  zoneRename,
  zonesOfTenant,
} from "../../../schema/query/zone.ts";
import type { Role } from "../../domain/identity.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export type DeviceStatus = "active" | "suspended" | "retired";

export interface Device {
  readonly deviceNo: number;
  /** Uuid. */
  readonly id: string;
  readonly deviceId: string;
  readonly terminalId: number;
  readonly role: Role;
  readonly name: string | null;
  readonly zoneNo: number | null;
  readonly zoneId: string | null;
  readonly zone: string | null;
  readonly memberId: string | null;
  readonly userId: number | null;
  readonly settlementWalletId: string;
  readonly status: DeviceStatus;
  /** Of the secret that is neither spent nor dead. */
  readonly secretExpiresAtSec: number | null;
  readonly tokenIssuedAtMs: number | null;
  readonly tokenExpiresAtSec: number | null;
  readonly lastSeenAtMs: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly version: number;
}

export interface Zone {
  readonly zoneNo: number;
  readonly id: string;
  readonly name: string;
  /** Devices in it that are not retired. */
  readonly devices: number;
  readonly createdAtMs: number;
  readonly version: number;
}

/** A device by its uuid, or by its own id. */
export type DeviceRef = { readonly id: string } | { readonly deviceId: string };

export interface DeviceFilter {
  readonly status?: DeviceStatus;
  readonly role?: Role;
  /** Uuid. */
  readonly zoneId?: string;
  /** GLOB pattern over the device's own id and its name. */
  readonly glob?: string;
}

const deviceOf = (row: DeviceRow): Device => ({
  deviceNo: row.device_no,
  id: row.uuid,
  deviceId: row.device_id,
  terminalId: row.terminal_id,
  role: row.role,
  name: row.name,
  zoneNo: row.zone_no,
  zoneId: row.zone_uuid,
  zone: row.zone_name,
  memberId: row.member_uuid,
  userId: row.user_id,
  settlementWalletId: row.wallet_uuid,
  status: row.status,
  secretExpiresAtSec: row.secret_expires_at_sec,
  tokenIssuedAtMs: row.token_issued_at_ms,
  tokenExpiresAtSec: row.token_expires_at_sec,
  lastSeenAtMs: row.last_seen_at_ms,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
  version: row.version,
});

export async function findDevice(
  q: Reader,
  tenantId: number,
  ref: DeviceRef,
): Promise<Device | undefined> {
  const row =
    "id" in ref
      ? await q.get(deviceByUuid, tenantId, ref.id)
      : await q.get(deviceById, tenantId, ref.deviceId);
  return row && deviceOf(row);
}

/** @throws Error if there is no such device. */
export async function getDevice(q: Reader, deviceNo: number): Promise<Device> {
  const row = await q.get(deviceByNo, deviceNo);
  if (row === undefined) throw new Error(`there is no device ${deviceNo}`);
  return deviceOf(row);
}

export async function pageDevices(
  q: Reader,
  tenantId: number,
  afterTerminalId: number,
  limit: number,
): Promise<Device[]> {
  return (await q.all(devicePage, tenantId, afterTerminalId, limit)).map(deviceOf);
}

/** Newest first, below a terminalId. */
export async function searchDevices(
  q: Reader,
  tenantId: number,
  { status, role, zoneId, glob }: DeviceFilter,
  belowTerminalId: number,
  limit: number,
): Promise<Device[]> {
  const found = await q.all(
    deviceSearch,
    tenantId,
    status ?? null,
    role ?? null,
    zoneId ?? null,
    glob ?? null,
    belowTerminalId,
    limit,
  );
  return found.map(deviceOf);
}

export async function countDevices(
  q: Reader,
  tenantId: number,
  { status, role, zoneId, glob }: DeviceFilter,
): Promise<number> {
  const filter = [status ?? null, role ?? null, zoneId ?? null, glob ?? null] as const;
  return (await q.get(deviceCount, tenantId, ...filter))?.count ?? 0;
}

/** True if any tenant of the server has a device of this name. */
export async function isTaken(q: Reader, deviceId: string): Promise<boolean> {
  return (await q.get(deviceIdTaken, deviceId)) !== undefined;
}

/** The highest number that was ever given; devices are never deleted. */
export async function lastTerminalId(q: Reader, tenantId: number): Promise<number> {
  return (await q.get(deviceLastTerminal, tenantId))?.terminal_id ?? 0;
}

export interface NewDevice {
  readonly id: string;
  readonly tenantId: number;
  readonly deviceId: string;
  readonly terminalId: number;
  readonly role: Role;
  readonly name: string | null;
  readonly zoneNo: number | null;
  readonly memberNo: number | null;
  readonly settlementWalletNo: number;
}

export async function insertDevice(tx: Writer, d: NewDevice, nowMs: number): Promise<void> {
  await tx.run(
    deviceInsert,
    d.id,
    d.tenantId,
    d.deviceId,
    d.terminalId,
    d.role,
    d.name,
    d.zoneNo,
    d.memberNo,
    d.settlementWalletNo,
    nowMs,
  );
}

/** `suspendedAtSec` goes with status `suspended` alone. */
export async function setStatus(
  tx: Writer,
  deviceNo: number,
  status: DeviceStatus,
  suspendedAtSec: number | null,
  nowMs: number,
): Promise<void> {
  await tx.run(deviceStatus, deviceNo, status, suspendedAtSec, nowMs);
}

export async function findMember(q: Reader, tenantId: number, userId: number) {
  const row = await q.get(deviceMember, tenantId, userId);
  return row && { memberNo: row.member_no, status: row.status };
}

export async function findMemberByUuid(q: Reader, tenantId: number, uuid: string) {
  const row = await q.get(deviceMemberByUuid, tenantId, uuid);
  return row && { memberNo: row.member_no, status: row.status };
}

export async function updateDevice(
  tx: Writer,
  tenantId: number,
  { deviceNo, name, zoneNo }: Pick<Device, "deviceNo" | "name" | "zoneNo">,
  nowMs: number,
): Promise<void> {
  await tx.run(deviceUpdate, tenantId, deviceNo, name, zoneNo, nowMs);
}

/** A zone by its uuid, or by its name. */
export type ZoneRef = { readonly id: string } | { readonly name: string };

const zoneOf = (row: ZoneRow): Zone => ({
  zoneNo: row.zone_no,
  id: row.uuid,
  name: row.name,
  devices: row.devices,
  createdAtMs: row.created_at_ms,
  version: row.version,
});

export async function findZone(
  q: Reader,
  tenantId: number,
  ref: ZoneRef,
): Promise<Zone | undefined> {
  const row =
    "id" in ref
      ? await q.get(zoneByUuid, tenantId, ref.id)
      : await q.get(zoneByName, tenantId, ref.name);
  return row && zoneOf(row);
}

export const allZones = async (q: Reader, tenantId: number): Promise<Zone[]> =>
  (await q.all(zonesOfTenant, tenantId)).map(zoneOf);

/** Newest first, below a number. */
export const pageZones = async (
  q: Reader,
  tenantId: number,
  belowNo: number,
  limit: number,
): Promise<Zone[]> => (await q.all(zonePage, tenantId, belowNo, limit)).map(zoneOf);

export const countZones = async (q: Reader, tenantId: number): Promise<number> =>
  (await q.get(zoneCount, tenantId))?.count ?? 0;

export async function insertZone(
  tx: Writer,
  id: string,
  tenantId: number,
  name: string,
  nowMs: number,
): Promise<void> {
  await tx.run(zoneInsert, id, tenantId, name, nowMs);
}

export async function renameZone(
  tx: Writer,
  tenantId: number,
  zoneNo: number,
  name: string,
): Promise<void> {
  await tx.run(zoneRename, tenantId, zoneNo, name);
}

export const hasZonePolicy = async (
  q: Reader,
  tenantId: number,
  zoneNo: number,
): Promise<boolean> => (await q.get(zonePolicy, tenantId, zoneNo)) !== undefined;

/** Retired devices leave it first. */
export async function deleteZone(tx: Writer, tenantId: number, zoneNo: number): Promise<void> {
  await tx.run(zoneLeave, tenantId, zoneNo);
  await tx.run(zoneDelete, tenantId, zoneNo);
}
