/** Devices and zones as rows. */
import {
  type DeviceRow,
  deviceById,
  deviceByNo,
  deviceIdTaken,
  deviceInsert,
  deviceLastTerminal,
  deviceMember,
  devicePage,
  deviceStatus,
  zoneByName,
  zoneInsert,
  zonesOfTenant,
} from "../../../schema/query/device.ts";
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
  readonly createdAtMs: number;
  readonly version: number;
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
  deviceId: string,
): Promise<Device | undefined> {
  const row = await q.get(deviceById, tenantId, deviceId);
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

export async function findZone(q: Reader, tenantId: number, name: string) {
  const row = await q.get(zoneByName, tenantId, name);
  return row && { zoneNo: row.zone_no, id: row.uuid };
}

export async function insertZone(
  tx: Writer,
  id: string,
  tenantId: number,
  name: string,
  nowMs: number,
): Promise<void> {
  await tx.run(zoneInsert, id, tenantId, name, nowMs);
}

export async function allZones(q: Reader, tenantId: number): Promise<Zone[]> {
  const found = await q.all(zonesOfTenant, tenantId);
  return found.map(({ zone_no, uuid, name, created_at_ms, version }) => ({
    zoneNo: zone_no,
    id: uuid,
    name,
    createdAtMs: created_at_ms,
    version,
  }));
}
