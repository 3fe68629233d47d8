/** Rows that a batch leaves behind: the batch, its events, their places, what they taught, holes, weeks. */
import { batchClean, batchInsert, batchLast, uploaderByNo } from "../../../schema/query/batch.ts";
import { debitWeek, debitWeekPut } from "../../../schema/query/card.ts";
import {
  amendPut,
  type EventParams,
  eventInsert,
  eventLast,
  holeDelete,
  holeFlag,
  holeInsert,
  holesOpen,
  placeInsert,
} from "../../../schema/query/event.ts";
import type { Accepted } from "../../domain/batch.ts";
import type { CardRecord } from "../../domain/cardrecord.ts";
import { EVENT_CODE } from "../../domain/chain.ts";
import type { Recorded } from "../../domain/event.ts";
import { type DeviceIdentity, isRole } from "../../domain/identity.ts";
import type { Reader, Writer } from "../../store/seam.ts";

/** Highest numbers given out. */
export interface Last {
  readonly eventId: number;
  readonly batchNo: number;
}

export async function readLast(q: Reader): Promise<Last> {
  const event = await q.get(eventLast);
  const batch = await q.get(batchLast);
  return { eventId: event?.event_id ?? 0, batchNo: batch?.batch_no ?? 0 };
}

/** A batch with these very bytes was taken whole. */
export const isTaken = async (q: Reader, tenantId: number, digest: Uint8Array): Promise<boolean> =>
  (await q.get(batchClean, tenantId, digest)) !== undefined;

export interface NewBatch {
  readonly batchNo: number;
  readonly uuid: string;
  readonly tenantId: number;
  readonly deviceNo: number;
  readonly receivedAtMs: number;
  readonly events: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly flagged: number;
  readonly debitAmount: number;
  readonly creditAmount: number;
  readonly digest: Uint8Array;
  readonly firstEvent: number;
  readonly auditSeq: number;
}

export async function insertBatch(tx: Writer, b: NewBatch): Promise<void> {
  const clean = b.events > 0 && b.accepted === b.events ? 1 : 0;
  await tx.run(
    batchInsert,
    b.batchNo,
    b.uuid,
    b.tenantId,
    b.deviceNo,
    b.receivedAtMs,
    b.events,
    b.accepted,
    b.rejected,
    b.flagged,
    b.debitAmount,
    b.creditAmount,
    b.digest,
    clean,
    b.firstEvent,
    b.auditSeq,
  );
}

export async function insertEvents(
  tx: Writer,
  of: { readonly tenantId: number; readonly batchNo: number; readonly deviceNo: number },
  accepted: readonly Accepted[],
): Promise<void> {
  const rows = accepted.map(
    ({ card, event, prev, late, booking, topupNo }): EventParams => [
      event.id,
      of.tenantId,
      card.cardNo,
      of.batchNo,
      of.deviceNo,
      event.counter,
      EVENT_CODE[event.type],
      event.amount,
      event.balanceAfter,
      event.timestamp,
      event.hash,
      event.flags,
      event.linked ? 1 : 0,
      event.start,
      event.state,
      prev,
      late ? 1 : 0,
      booking,
      topupNo,
    ],
  );
  await tx.many(eventInsert, rows);
  for (const { card, event, late, placed } of accepted) {
    if (late || placed) {
      await tx.run(placeInsert, card.cardNo, late ? 1 : 0, event.counter, event.id, of.tenantId);
    }
  }
}

export async function amendEvent(tx: Writer, tenantId: number, e: Recorded): Promise<void> {
  await tx.run(amendPut, e.id, tenantId, e.flags, e.linked ? 1 : 0, e.start, e.state);
}

export async function openHole(
  tx: Writer,
  card: CardRecord,
  e: Recorded,
  nowSec: number,
): Promise<void> {
  await tx.run(holeInsert, card.cardNo, e.counter, card.tenantId, e.id, nowSec);
}

export async function closeHole(tx: Writer, card: CardRecord, e: Recorded): Promise<void> {
  await tx.run(holeDelete, card.tenantId, card.cardNo, e.counter);
}

export const readHoles = (q: Reader, sinceSec: number, limit: number) =>
  q.all(holesOpen, sinceSec, limit);

export const markHole = (
  tx: Writer,
  tenantId: number,
  cardNo: number,
  counter: number,
): Promise<number> => tx.run(holeFlag, tenantId, cardNo, counter);

export async function readWeek(
  q: Reader,
  card: CardRecord,
  week: number,
): Promise<number[] | undefined> {
  const row = await q.get(debitWeek, card.tenantId, card.cardNo, week);
  return row === undefined ? undefined : [row.d0, row.d1, row.d2, row.d3, row.d4, row.d5, row.d6];
}

export async function writeWeek(
  tx: Writer,
  card: CardRecord,
  week: number,
  [d0 = 0, d1 = 0, d2 = 0, d3 = 0, d4 = 0, d5 = 0, d6 = 0]: readonly number[],
): Promise<void> {
  await tx.run(debitWeekPut, card.cardNo, week, card.tenantId, d0, d1, d2, d3, d4, d5, d6);
}

/** The device that uploaded, as every layer knows it. */
export async function readUploader(
  q: Reader,
  tenantId: number,
  deviceNo: number,
): Promise<DeviceIdentity | undefined> {
  const row = await q.get(uploaderByNo, tenantId, deviceNo);
  if (row === undefined || !isRole(row.role)) return undefined;
  return {
    tenantId,
    deviceNo,
    deviceId: row.device_id,
    terminalId: row.terminal_id,
    role: row.role,
    zoneNo: row.zone_no,
    memberNo: row.member_no,
    suspendedAtSec: row.suspended_at_sec,
    settlementWalletNo: row.settlement_wallet_no,
  };
}
