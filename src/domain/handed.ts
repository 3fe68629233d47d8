/**
 * Events as operators see them: those of a batch that were accepted, and those that were refused and put
 * into quarantine. Their place in the log of all that was handed in, and what became of each. Reads
 * nothing.
 */
import { batchEventsMax } from "../../schema/bound.ts";
import type { EventType } from "./chain.ts";

export const outcomes = ["accepted", "flagged", "rejected"] as const;
export type Outcome = (typeof outcomes)[number];

/** One event that was handed in. */
export interface Handed {
  readonly id: string;
  /** Place in the log: of two events the one with the higher came later. */
  readonly seq: number;
  readonly batchId: string;
  readonly terminalId: number;
  readonly cardId: string;
  readonly counter: number;
  readonly type: EventType;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly timestampSec: number;
  readonly hash: number;
  readonly outcome: Outcome;
  readonly reasons: readonly string[];
  readonly receivedAtMs: number;
  readonly auditSeq: number;
}

/** Room that a batch has in the log; more than the events of any. */
const batchRoom = 1_024;
if (batchEventsMax > batchRoom) throw new RangeError("a batch outgrows its room in the log");

/** @param place in the batch: accepted ones from 0, then those in quarantine. */
export const seqOf = (batchNo: number, place: number): number => batchNo * batchRoom + place;

/** The batch and the place that stand at `seq`. */
export const placeAt = (seq: number): { readonly batchNo: number; readonly place: number } => {
  const place = seq % batchRoom;
  return { batchNo: (seq - place) / batchRoom, place };
};

/** What is looked for; null lets everything through. */
export interface HandedFilter {
  readonly type: EventType | null;
  readonly outcome: Outcome | null;
  /** By the event's own time: from this second on, and before that one. */
  readonly fromSec: number;
  readonly toSec: number;
}
