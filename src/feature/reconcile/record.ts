/**
 * What operators see of what devices handed in: batches, and events with those in quarantine, newest
 * first. The log of events is walked batch by batch, that of a card along its chain; long walks let
 * others in between two pieces. Writes nothing.
 */
import {
  acceptedOfDevice,
  acceptedOfTenant,
  type BatchRow,
  batchByUuid,
  batchCount,
  batchCountOfDevice,
  batchNoFrom,
  batchPage,
  batchPageOfDevice,
  eventCountBetween,
  eventsBetween,
  type HandedRow,
  quarantineCount,
  quarantineCountOfBatch,
  quarantineCountOfDevice,
  quarantinedOfBatch,
  type SpanRow,
  spanOfBatch,
  spansOfDevice,
  spansOfTenant,
} from "../../../schema/query/record.ts";
import { EVENT_CODE } from "../../domain/chain.ts";
import { eventType } from "../../domain/event.ts";
import { eventId, uuidFrom } from "../../domain/eventid.ts";
import { reasonsOf } from "../../domain/flag.ts";
import { type Handed, type HandedFilter, placeAt, seqOf } from "../../domain/handed.ts";
import { Problem } from "../../domain/problem.ts";
import type { Reader, Store } from "../../store/seam.ts";
import { nextTurn } from "../../system/turn.ts";
import { CardRecordOf, type RecordedCard } from "./cardrecord.ts";

const none = Number.MAX_SAFE_INTEGER;

/** Batches that are looked at before others have their turn. */
const spansAtOnce = 64;
/** Batches whose sizes one statement adds up. */
const sumAtOnce = 10_000;
/** Counting of a filtered log ends after so many events, counted or not. */
const lookedAtMax = 2_000_000;
/** No clock may be ahead by more without its events being flagged; see `clockDriftAllowanceSec`. */
const aheadMaxMs = 86_400_000;

export interface BatchFilter {
  readonly terminalId: number | null;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly flagged: boolean | null;
}

/** A batch as operators see it. */
export interface Batch {
  readonly batchNo: number;
  readonly id: string;
  readonly terminalId: number;
  readonly deviceId: string;
  readonly receivedAtMs: number;
  readonly events: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly flagged: number;
  readonly debitAmount: number;
  readonly creditAmount: number;
  /** SHA-256, lower-case hex. */
  readonly digest: string;
  readonly auditSeq: number;
}

export interface EventFilter extends HandedFilter {
  readonly terminalId: number | null;
  readonly cardId: string | null;
  /** Of this batch alone. */
  readonly batchId: string | null;
}

/** An event and where the next page goes on after it. */
export interface HandedPlaced extends Handed {
  readonly place: readonly number[];
}

export interface RecordDeps {
  readonly store: Store;
  readonly card: RecordedCard;
}

export function recordOf({ store, card }: RecordDeps) {
  const ofCard = new CardRecordOf(card);

  const batches = (
    tenantId: number,
    filter: BatchFilter,
    below: number,
    limit: number,
  ): Promise<Batch[]> =>
    store.read(async (q) => {
      const params = await batchParams(q, tenantId, filter, below);
      const page = filter.terminalId === null ? batchPage : batchPageOfDevice;
      return (await q.all(page, ...params, limit)).map(batchOf);
    });

  /** Counted no further than `limit`. */
  const countBatches = (tenantId: number, filter: BatchFilter, limit: number): Promise<number> =>
    store.read(async (q) => {
      const params = await batchParams(q, tenantId, filter, none);
      const count = filter.terminalId === null ? batchCount : batchCountOfDevice;
      return (await q.get(count, ...params, limit))?.count ?? 0;
    });

  /** @throws Problem not-found */
  async function batch(tenantId: number, id: string): Promise<Batch> {
    const row = await store.read((q) => q.get(batchByUuid, tenantId, id));
    if (row === undefined) throw new Problem("not-found", "There is no such batch.");
    return batchOf(row);
  }

  /**
   * Events behind a place, newest first.
   * @param after the place of the last one that was shown
   * @throws Problem not-found: there is no such batch
   */
  const handedIn = (
    tenantId: number,
    filter: EventFilter,
    after: readonly number[] | undefined,
    limit: number,
  ): Promise<HandedPlaced[]> =>
    store.read(async (q) => {
      if (filter.cardId !== null && filter.batchId === null) {
        return (await ofCard.page(q, tenantId, filter.cardId, filter, after, limit)).map(
          ({ row, place }) => ({ ...handedOf(row), place }),
        );
      }
      const found: HandedPlaced[] = [];
      const belowSeq = after?.[0] ?? none;
      for await (const span of spans(q, tenantId, filter, belowSeq)) {
        const rows = await rowsOf(q, tenantId, filter, span, belowSeq, limit - found.length);
        for (const row of rows) {
          const handed = handedOf(row);
          found.push({ ...handed, place: [handed.seq] });
        }
        if (found.length >= limit) break;
      }
      return found;
    });

  /** How many there are, counted no further than `max` + 1; `isWhole` where nothing was left out. */
  const countHandedIn = (
    tenantId: number,
    filter: EventFilter,
    max: number,
  ): Promise<{ total: number; isWhole: boolean }> =>
    store.read(async (q) => {
      const limit = max + 1;
      if (filter.cardId !== null && filter.batchId === null) {
        const total = await ofCard.count(q, tenantId, filter.cardId, filter, limit);
        return { total: Math.min(total, max), isWhole: total <= max };
      }
      const count = isPlain(filter) ? countAll : countMatches;
      return await count(q, tenantId, filter, max);
    });

  return { batches, countBatches, batch, handedIn, countHandedIn };
}

async function batchParams(
  q: Reader,
  tenantId: number,
  { terminalId, fromMs, toMs, flagged }: BatchFilter,
  below: number,
) {
  const from = fromMs === null ? 0 : await numberFrom(q, fromMs);
  const to = toMs === null ? none : await numberFrom(q, toMs);
  const onlyFlagged = flagged === null ? null : Number(flagged);
  return [tenantId, terminalId, from, Math.min(below, to), onlyFlagged] as const;
}

/** Number of the first batch that was taken at `ms` or later; one that never is where there is none. */
const numberFrom = async (q: Reader, ms: number): Promise<number> =>
  (await q.get(batchNoFrom, uuidFrom(ms)))?.batch_no ?? none;

const batchOf = (row: BatchRow): Batch => ({
  batchNo: row.batch_no,
  id: row.uuid,
  terminalId: row.terminal_id,
  deviceId: row.device_id,
  receivedAtMs: row.received_at_ms,
  events: row.events,
  accepted: row.accepted,
  rejected: row.rejected,
  flagged: row.flagged,
  debitAmount: row.debit_amount,
  creditAmount: row.credit_amount,
  digest: row.digest.toHex(),
  auditSeq: row.audit_seq,
});

function handedOf(row: HandedRow): Handed {
  const reasons = row.reason === null ? reasonsOf(row.flags) : [row.reason];
  return {
    id: eventId(row.batch_uuid, row.place),
    seq: seqOf(row.batch_no, row.place),
    batchId: row.batch_uuid,
    terminalId: row.terminal_id,
    cardId: row.card_id,
    counter: row.counter,
    type: eventType(row.type),
    amount: row.amount,
    balanceAfter: row.balance_after,
    timestampSec: row.timestamp_sec,
    hash: row.hash,
    outcome: row.reason !== null ? "rejected" : reasons.length > 0 ? "flagged" : "accepted",
    reasons,
    receivedAtMs: row.received_at_ms,
    auditSeq: row.audit_seq,
  };
}

/** Batches that may have such events, newest first, from that of `belowSeq` on. */
async function* spans(
  q: Reader,
  tenantId: number,
  filter: EventFilter,
  belowSeq: number,
): AsyncGenerator<SpanRow> {
  const { batchId, terminalId, fromSec, outcome } = filter;
  if (batchId !== null) {
    const span = await q.get(spanOfBatch, tenantId, batchId);
    if (span === undefined) throw new Problem("not-found", "There is no such batch.");
    yield span;
    return;
  }
  // An event of later than `from` came in after it, or its clock was ahead and it was flagged.
  const wholeFrom = fromSec === 0 ? 0 : await numberFrom(q, fromSec * 1000 - aheadMaxMs);
  for (let below = placeAt(belowSeq).batchNo + 1; ; ) {
    const rows =
      terminalId === null
        ? await q.all(spansOfTenant, tenantId, null, below, wholeFrom, spansAtOnce)
        : await q.all(spansOfDevice, tenantId, terminalId, below, wholeFrom, spansAtOnce);
    for (const row of rows) if (mayHave(row, outcome)) yield row;
    const last = rows.at(-1);
    if (last === undefined || rows.length < spansAtOnce) return;
    below = last.batch_no;
    await nextTurn();
  }
}

const mayHave = (span: SpanRow, outcome: HandedFilter["outcome"]): boolean =>
  outcome === "rejected" ? span.rejected > 0 : outcome !== "flagged" || span.marked === 1;

const typeCode = ({ type }: HandedFilter): number | null =>
  type === null ? null : EVENT_CODE[type];

const flaggedOf = ({ outcome }: HandedFilter): number | null =>
  outcome === "flagged" ? 1 : outcome === "accepted" ? 0 : null;

const hasRefused = ({ outcome }: HandedFilter): boolean =>
  outcome === null || outcome === "rejected";

/** Events of one batch, last place first; those in quarantine stand above the others. */
async function rowsOf(
  q: Reader,
  tenantId: number,
  filter: EventFilter,
  span: SpanRow,
  belowSeq: number,
  limit: number,
): Promise<HandedRow[]> {
  const { batch_no: batchNo, first_event: first, accepted } = span;
  const { fromSec, toSec, cardId, terminalId, batchId } = filter;
  const at = placeAt(belowSeq);
  const belowPlace = batchNo === at.batchNo ? at.place : none;
  const type = typeCode(filter);
  const rows: HandedRow[] = [];
  // Within one batch the filters of the log are too few to need statements of their own.
  const isWanted = (row: HandedRow): boolean =>
    (cardId === null || row.card_id === cardId) &&
    (batchId === null || terminalId === null || row.terminal_id === terminalId);
  const most = cardId === null ? limit : none;
  if (hasRefused(filter) && span.rejected > 0) {
    const params = [tenantId, batchNo, belowPlace, type, fromSec, toSec, most] as const;
    rows.push(...(await q.all(quarantinedOfBatch, ...params)).filter(isWanted));
  }
  if (filter.outcome !== "rejected" && rows.length < limit && accepted > 0) {
    const below = first + Math.min(accepted, belowPlace);
    const params = [tenantId, first, below, type, fromSec, toSec, flaggedOf(filter), most] as const;
    rows.push(...(await q.all(eventsBetween, ...params)).filter(isWanted));
  }
  return rows.slice(0, limit);
}

const isPlain = (filter: EventFilter): boolean =>
  filter.batchId === null &&
  filter.type === null &&
  filter.outcome === null &&
  filter.fromSec === 0 &&
  filter.toSec === none;

/** Without a filter the sizes of batches say it. */
async function countAll(
  q: Reader,
  tenantId: number,
  { terminalId }: EventFilter,
  max: number,
): Promise<{ total: number; isWhole: boolean }> {
  const refused =
    terminalId === null
      ? await q.get(quarantineCount, tenantId, max + 1)
      : await q.get(quarantineCountOfDevice, tenantId, terminalId, max + 1);
  let total = refused?.count ?? 0;
  for (let below = none; total <= max; ) {
    const sum =
      terminalId === null
        ? await q.get(acceptedOfTenant, tenantId, null, below, sumAtOnce)
        : await q.get(acceptedOfDevice, tenantId, terminalId, below, sumAtOnce);
    total += sum?.accepted ?? 0;
    if (sum === undefined || sum.batches < sumAtOnce) break;
    below = sum.last_no;
    await nextTurn();
  }
  return { total: Math.min(total, max), isWhole: total <= max };
}

async function countMatches(
  q: Reader,
  tenantId: number,
  filter: EventFilter,
  max: number,
): Promise<{ total: number; isWhole: boolean }> {
  const { fromSec, toSec, cardId, terminalId, batchId } = filter;
  const type = typeCode(filter);
  let total = 0;
  let lookedAt = 0;
  for await (const span of spans(q, tenantId, filter, none)) {
    if (batchId !== null && (cardId !== null || terminalId !== null)) {
      total += (await rowsOf(q, tenantId, filter, span, none, none)).length;
      continue;
    }
    const { batch_no: batchNo, first_event: first, accepted } = span;
    if (hasRefused(filter) && span.rejected > 0) {
      const params = [tenantId, batchNo, type, fromSec, toSec] as const;
      total += (await q.get(quarantineCountOfBatch, ...params))?.count ?? 0;
    }
    if (filter.outcome !== "rejected" && accepted > 0) {
      const range = [tenantId, first, first + accepted] as const;
      const params = [...range, type, fromSec, toSec, flaggedOf(filter)] as const;
      total += (await q.get(eventCountBetween, ...params))?.count ?? 0;
      lookedAt += accepted;
    }
    if (total > max || lookedAt > lookedAtMax) {
      return { total: Math.min(total, max), isWhole: false };
    }
  }
  return { total, isWhole: true };
}
