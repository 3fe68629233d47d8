/** Rows of top-ups, and the parked credits that one may find waiting. */
import {
  parkedCredits,
  type StaleTopupRow,
  type TopupRow,
  topupByUuid,
  topupCancel,
  topupCancelInstead,
  topupCredited,
  topupInsert,
  topupMarkStale,
  topupSame,
  topupSettle,
  topupsAwaiting,
  topupsStale,
  topupUuid,
} from "../../../schema/query/topup.ts";
import type { ParkedCredit, Topup } from "../../domain/topup.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export type { TopupRow };

export const readAwaiting = async (q: Reader, tenantId: number, cardNo: number): Promise<Topup[]> =>
  (await q.all(topupsAwaiting, tenantId, cardNo)).map((row) => ({
    topupNo: row.topup_no,
    amount: row.amount,
    timestampSec: row.timestamp_sec,
    counter: row.counter,
    deviceNo: row.device_no,
    status: row.status as Topup["status"],
  }));

export const readSame = (
  q: Reader,
  tenantId: number,
  cardNo: number,
  deviceNo: number,
  amount: number,
  timestampSec: number,
): Promise<TopupRow | undefined> =>
  q.get(topupSame, tenantId, cardNo, deviceNo, amount, timestampSec);

export const readByUuid = (
  q: Reader,
  tenantId: number,
  cardNo: number,
  uuid: string,
): Promise<TopupRow | undefined> => q.get(topupByUuid, tenantId, cardNo, uuid);

export const readUuid = async (
  q: Reader,
  tenantId: number,
  topupNo: number,
): Promise<string | undefined> => (await q.get(topupUuid, tenantId, topupNo))?.uuid;

/** Parked credits of the card, amount and device that nobody has decided on. */
export const readParked = async (
  q: Reader,
  tenantId: number,
  cardNo: number,
  deviceNo: number,
  amount: number,
): Promise<(ParkedCredit & { readonly flagNo: number })[]> =>
  (await q.all(parkedCredits, tenantId, cardNo, deviceNo, amount)).map((row) => ({
    flagNo: row.flag_no,
    eventId: row.event_id,
    counter: row.counter,
    timestamp: row.timestamp_sec,
  }));

export interface NewTopup {
  readonly topupNo: number;
  readonly tenantId: number;
  readonly cardNo: number;
  readonly deviceNo: number;
  readonly amount: number;
  readonly operatorId: number;
  readonly timestampSec: number;
  readonly counter: number | null;
  /** What the first answer says, for its repeats. */
  readonly answerBalance: number;
  readonly answerCounter: number;
  readonly madeAtMs: number;
}

export async function insertTopup(tx: Writer, t: NewTopup): Promise<void> {
  await tx.run(
    topupInsert,
    t.topupNo,
    t.tenantId,
    t.cardNo,
    t.deviceNo,
    t.amount,
    t.operatorId,
    t.timestampSec,
    t.counter,
    t.answerBalance,
    t.answerCounter,
    t.madeAtMs,
  );
}

export const writeSettled = (
  tx: Writer,
  tenantId: number,
  topupNo: number,
  by: "event" | "reissue" | "refund",
  eventId: number | null,
): Promise<number> => tx.run(topupSettle, tenantId, topupNo, by, eventId);

export const writeCredited = (
  tx: Writer,
  tenantId: number,
  topupNo: number,
  eventId: number,
): Promise<number> => tx.run(topupCredited, tenantId, topupNo, eventId);

export const writeCanceled = (
  tx: Writer,
  tenantId: number,
  topupNo: number,
  balance: number,
): Promise<number> => tx.run(topupCancel, tenantId, topupNo, balance);

export const writeCanceledInstead = (
  tx: Writer,
  tenantId: number,
  topupNo: number,
  balance: number,
  instead: number,
): Promise<number> => tx.run(topupCancelInstead, tenantId, topupNo, balance, instead);

export const readStale = (
  q: Reader,
  madeBeforeMs: number,
  limit: number,
): Promise<StaleTopupRow[]> => q.all(topupsStale, madeBeforeMs, limit);

/** False if it was settled, cancelled or told of meanwhile. */
export const markStale = async (tx: Writer, tenantId: number, topupNo: number): Promise<boolean> =>
  (await tx.run(topupMarkStale, tenantId, topupNo)) > 0;
