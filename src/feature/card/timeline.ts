/**
 * All that happened to a card on one line of time, newest first: its events by their own time, and the
 * flags they raised, what people and the server did to it, by when that came to be known. Writes nothing.
 *
 * The id of a change is made, like that of an event: tttttttt-tttt-7000-8000-nnnnnnnnnnnn (time, number).
 */
import {
  type LineChangeRow,
  type LineEventRow,
  type LineFlagRow,
  lineChangeCount,
  lineChanges,
  lineEventCount,
  lineEvents,
  lineFlagCount,
  lineFlags,
} from "../../../schema/query/timeline.ts";
import type { CardRecord } from "../../domain/cardrecord.ts";
import { eventType } from "../../domain/event.ts";
import { eventId, uuidFrom } from "../../domain/eventid.ts";
import { reasonsOf } from "../../domain/flag.ts";
import type { Reader } from "../../store/seam.ts";
import type { ChangeKind } from "./store.ts";

export type TimelineKind = ChangeKind | "event" | "flag";

export interface TimelineEntry {
  readonly id: string;
  /** UTC milliseconds: of an event its own time, of all else when it came to be known. */
  readonly atMs: number;
  readonly kind: TimelineKind;
  readonly terminalId: number | null;
  readonly actor: string;
  readonly amount: number | null;
  readonly balanceAfter: number | null;
  readonly counter: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Where it stands on the line: what the next page begins behind. */
  readonly place: readonly [atMs: number, rank: number, number: number];
}

export interface TimelineFilter {
  readonly kind: TimelineKind | null;
  /** From this moment on, and before that one. */
  readonly fromMs: number;
  readonly toMs: number;
}

export const wholeTimeline: TimelineFilter = {
  kind: null,
  fromMs: 0,
  toMs: Number.MAX_SAFE_INTEGER,
};

const all = Number.MAX_SAFE_INTEGER;
const changeTail = 24;

const ofEvent = (row: LineEventRow): TimelineEntry => {
  const id = eventId(row.batch_uuid, row.place);
  const atMs = row.timestamp_sec * 1000;
  const { batch_uuid: batchId, audit_seq: auditSeq } = row;
  return {
    id,
    atMs,
    kind: "event",
    terminalId: row.terminal_id,
    actor: row.device_id,
    amount: row.amount,
    balanceAfter: row.balance_after,
    counter: row.counter,
    detail: {
      ...{ type: eventType(row.type), flags: reasonsOf(row.flags), batchId, auditSeq },
      // A credit settles its top-up's transaction; what else moves money is a transaction of its own.
      transactionId: row.topup_uuid ?? (row.booking === 0 ? null : id),
    },
    place: [atMs, 0, row.counter],
  };
};

const ofFlag = (row: LineFlagRow): TimelineEntry => ({
  id: row.uuid,
  atMs: row.raised_at_ms,
  kind: "flag",
  terminalId: row.terminal_id,
  actor: "server",
  amount: row.amount,
  balanceAfter: null,
  counter: row.counter,
  detail: {
    flagId: row.uuid,
    kind: row.kind,
    reason: row.reason,
    severity: row.severity,
    status: row.status,
    batchId: row.batch_uuid,
  },
  place: [row.raised_at_ms, 1, row.flag_no],
});

const ofChange = (row: LineChangeRow): TimelineEntry => ({
  id: uuidFrom(row.at_ms).slice(0, changeTail) + row.change_no.toString(16).padStart(12, "0"),
  atMs: row.at_ms,
  kind: row.kind as ChangeKind,
  terminalId: row.terminal_id,
  actor: row.actor,
  amount: row.amount,
  balanceAfter: null,
  counter: null,
  detail: JSON.parse(row.detail) as Record<string, unknown>,
  place: [row.at_ms, 2, row.change_no],
});

const byPlace = ({ place: a }: TimelineEntry, { place: b }: TimelineEntry): number =>
  b[0] - a[0] || b[1] - a[1] || b[2] - a[2];

/** Whether entries of this table can pass a filter of kinds. */
const wants = (filter: TimelineFilter, table: "event" | "flag" | "change"): boolean => {
  const { kind } = filter;
  if (kind === null) return true;
  return table === "change" ? kind !== "event" && kind !== "flag" : kind === table;
};

/** Entries behind a place, newest first. */
export async function readLine(
  q: Reader,
  card: Pick<CardRecord, "tenantId" | "cardNo" | "head">,
  filter: TimelineFilter,
  after: readonly number[] | undefined,
  limit: number,
): Promise<TimelineEntry[]> {
  const { tenantId, cardNo, head } = card;
  const { fromMs, toMs } = filter;
  const [atMs = all, rank = all, number = all] = after ?? [];
  const line = [tenantId, cardNo, fromMs, toMs, atMs, rank, number] as const;
  const entries: TimelineEntry[] = [];
  if (wants(filter, "event") && head.top.id > 0) {
    entries.push(...(await q.all(lineEvents, ...line, head.top.id, limit)).map(ofEvent));
  }
  if (wants(filter, "flag")) entries.push(...(await q.all(lineFlags, ...line, limit)).map(ofFlag));
  if (wants(filter, "change")) {
    entries.push(...(await q.all(lineChanges, ...line, filter.kind, limit)).map(ofChange));
  }
  return entries.sort(byPlace).slice(0, limit);
}

/** Counted no further than `limit` of each table. */
export async function countLine(
  q: Reader,
  card: Pick<CardRecord, "tenantId" | "cardNo" | "head">,
  filter: TimelineFilter,
  limit: number,
): Promise<number> {
  const { tenantId, cardNo, head } = card;
  const { kind, fromMs, toMs } = filter;
  const range = [tenantId, cardNo, fromMs, toMs] as const;
  let total = 0;
  if (wants(filter, "event") && head.top.id > 0) {
    const isWhole = fromMs === 0 && toMs === all;
    total += isWhole
      ? head.depth + head.late
      : ((await q.get(lineEventCount, ...range, head.top.id, limit))?.count ?? 0);
  }
  if (wants(filter, "flag")) total += (await q.get(lineFlagCount, ...range, limit))?.count ?? 0;
  if (wants(filter, "change")) {
    total += (await q.get(lineChangeCount, ...range, kind, limit))?.count ?? 0;
  }
  return total;
}
