/** Rows of the review queue, of quarantine, and of alerts. */
import {
  alertInsert,
  type FlagRow,
  flagByNo,
  flagByUuid,
  flagDecide,
  flagInsert,
  flagOfQuarantine,
  flagOpenOnCard,
  type QuarantineRow,
  quarantineBeside,
  quarantineByContent,
  quarantineByNo,
  quarantineDecide,
  quarantineInsert,
  quarantineOpen,
} from "../../../schema/query/flag.ts";
import type { ReviewStatus } from "../../domain/batch.ts";
import { EVENT_CODE } from "../../domain/chain.ts";
import { eventType, type IncomingEvent } from "../../domain/event.ts";
import type { Severity } from "../../domain/flag.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export type { FlagRow, QuarantineRow };

export async function readQuarantined(
  q: Reader,
  tenantId: number,
  e: IncomingEvent,
): Promise<{ quarantineNo: number; status: ReviewStatus } | undefined> {
  const row = await q.get(
    quarantineByContent,
    tenantId,
    e.cardId,
    e.counter,
    EVENT_CODE[e.type],
    e.amount,
    e.balanceAfter,
    e.timestamp,
    e.hash,
  );
  return row === undefined
    ? undefined
    : { quarantineNo: row.quarantine_no, status: row.status as ReviewStatus };
}

/** The debit let stand beside the chain at the event's card and counter. */
export async function readBeside(
  q: Reader,
  tenantId: number,
  { cardId, counter }: IncomingEvent,
): Promise<IncomingEvent | undefined> {
  const row = await q.get(quarantineBeside, tenantId, cardId, counter);
  return row === undefined ? undefined : quarantinedEvent(row);
}

export async function insertQuarantine(
  tx: Writer,
  tenantId: number,
  of: {
    readonly deviceNo: number;
    readonly batchNo: number;
    readonly reason: string;
    readonly nowMs: number;
  },
  e: IncomingEvent,
): Promise<number> {
  const row = await tx.get(
    quarantineInsert,
    tenantId,
    of.deviceNo,
    of.batchNo,
    e.cardId,
    e.counter,
    EVENT_CODE[e.type],
    e.amount,
    e.balanceAfter,
    e.timestamp,
    e.hash,
    of.reason,
    of.nowMs,
  );
  if (row === undefined) throw new RangeError("quarantine: nothing inserted");
  return row.quarantine_no;
}

export const countOpen = async (q: Reader, deviceNo: number, limit: number): Promise<number> =>
  (await q.get(quarantineOpen, deviceNo, limit))?.open ?? 0;

export const readQuarantine = (
  q: Reader,
  tenantId: number,
  no: number,
): Promise<QuarantineRow | undefined> => q.get(quarantineByNo, tenantId, no);

/** The event as it was handed in. */
export const quarantinedEvent = (row: QuarantineRow): IncomingEvent => ({
  cardId: row.card_id,
  counter: row.counter,
  type: eventType(row.type),
  amount: row.amount,
  balanceAfter: row.balance_after,
  timestamp: row.timestamp_sec,
  hash: row.hash,
});

export const decideQuarantine = (
  tx: Writer,
  tenantId: number,
  no: number,
  status: "approved" | "dismissed",
  side: boolean,
): Promise<number> => tx.run(quarantineDecide, tenantId, no, status, side ? 1 : 0);

export interface NewFlag {
  readonly uuid: string;
  readonly tenantId: number;
  readonly kind: "flag" | "quarantine";
  readonly reason: string;
  readonly severity: Severity;
  readonly cardNo: number | null;
  readonly cardId: string;
  readonly deviceNo: number;
  readonly eventId: number | null;
  readonly quarantineNo: number | null;
  readonly batchNo: number | null;
  readonly counter: number | null;
  readonly amount: number | null;
  readonly raisedAtMs: number;
  readonly evidence: Readonly<Record<string, unknown>>;
}

export async function insertFlag(tx: Writer, f: NewFlag): Promise<void> {
  await tx.run(
    flagInsert,
    f.uuid,
    f.tenantId,
    f.kind,
    f.reason,
    f.severity,
    f.cardNo,
    f.cardId,
    f.deviceNo,
    f.eventId,
    f.quarantineNo,
    f.batchNo,
    f.counter,
    f.amount,
    f.raisedAtMs,
    JSON.stringify(f.evidence),
  );
}

export const readFlag = (q: Reader, tenantId: number, uuid: string): Promise<FlagRow | undefined> =>
  q.get(flagByUuid, tenantId, uuid);

export const readFlagByNo = (
  q: Reader,
  tenantId: number,
  flagNo: number,
): Promise<FlagRow | undefined> => q.get(flagByNo, tenantId, flagNo);

/** Closes an open flag; 0 if it was closed already. */
export const decideFlag = (
  tx: Writer,
  tenantId: number,
  flagNo: number,
  status: "approved" | "dismissed",
  by: string,
  note: string,
  nowMs: number,
): Promise<number> => tx.run(flagDecide, tenantId, flagNo, status, nowMs, by, note);

export const readFlagOfQuarantine = (q: Reader, tenantId: number, no: number) =>
  q.get(flagOfQuarantine, tenantId, no);

export const hasOpenFlagOnCard = async (
  q: Reader,
  tenantId: number,
  cardNo: number,
  reason: string,
): Promise<boolean> => (await q.get(flagOpenOnCard, tenantId, cardNo, reason)) !== undefined;

export interface NewAlert {
  readonly uuid: string;
  readonly tenantId: number;
  readonly severity: Severity;
  readonly reason: string;
  readonly cardId: string | null;
  readonly terminalId: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

export async function insertAlert(tx: Writer, a: NewAlert): Promise<void> {
  const detail = JSON.stringify(a.detail);
  await tx.run(
    alertInsert,
    a.uuid,
    a.tenantId,
    a.severity,
    a.reason,
    a.cardId,
    a.terminalId,
    detail,
    a.atMs,
  );
}
