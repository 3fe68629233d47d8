/**
 * Events of cards that are transactions, newest first: of a card along its chain, of a device or a whole
 * tenant batch by batch, and those whose money is parked. Nothing is kept per event to find them by.
 */
import { uuidFrom, uuidMs } from "../../domain/eventid.ts";
import type { Reader } from "../../store/seam.ts";
import type { CardService } from "../card/service.ts";
import * as rows from "./store.ts";
import { isMoving, transactionOfEvent } from "./view.ts";

export interface EventDeps {
  readonly card: Pick<CardService, "book">;
}

type Whose =
  | { readonly of: "tenant" }
  | { readonly of: "parked" }
  | { readonly of: "card"; readonly cardNo: number; readonly cardId: string }
  | { readonly of: "device"; readonly deviceNo: number; readonly walletNo: number };

interface Time {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Whose events, and which of them. */
export interface EventScope extends Time, rows.EventKinds {
  readonly whose: Whose;
  readonly status: string | null;
}

export interface FoundEvent {
  readonly row: rows.MovingEventRow;
  /** Where the chain goes on, of an event that is on one. */
  readonly chain: number | null;
}

const end = Number.MAX_SAFE_INTEGER;
/** Batches that are looked through by one statement. */
const batchesAtOnce = 50;

/** The scope that a filter leaves; null: nothing. */
export function eventScope(
  whose: Whose,
  type: string | null,
  status: string | null,
  time: Time,
): EventScope | null {
  const wants = (one: string): boolean => type === null || type === one;
  const isOfDevice = whose.of === "device";
  const debits =
    whose.of !== "parked" && wants("card_debit") && (status === null || status === "completed");
  const mayBeParked = status === null || ["parked", "completed", "canceled"].includes(status);
  const parked = !isOfDevice && wants("card_credit") && mayBeParked;
  return debits || parked ? { whose, status, debits, parked, ...time } : null;
}

const isWithin = (scope: EventScope, row: rows.MovingEventRow): boolean => {
  const atMs = uuidMs(row.batch_uuid);
  if (atMs < scope.fromMs || atMs >= scope.toMs) return false;
  return scope.status === null || transactionOfEvent(row).status === scope.status;
};

const isWanted = (scope: EventScope, row: rows.MovingEventRow): boolean =>
  isMoving(row) && (row.booking === 1 ? scope.debits : scope.parked) && isWithin(scope, row);

/** Whatever else is older than the filter's begin. */
const isBefore = (scope: EventScope, row: rows.MovingEventRow): boolean =>
  uuidMs(row.batch_uuid) < scope.fromMs;

async function ofCard(
  { card: cards }: EventDeps,
  q: Reader,
  tenantId: number,
  scope: EventScope & { readonly whose: { readonly cardNo: number; readonly cardId: string } },
  belowNo: number,
  chain: number,
  limit: number,
): Promise<FoundEvent[]> {
  const { cardNo, cardId } = scope.whose;
  const found: FoundEvent[] = [];
  const card = chain < 0 ? await cards.book.read(q, tenantId, cardId) : undefined;
  for (let next = chain < 0 ? (card?.head.top.id ?? 0) : chain; next > 0; ) {
    const row = await rows.readMovingEvent(q, tenantId, next);
    if (row === undefined || row.card_no !== cardNo) throw new RangeError(`no event ${next}`);
    next = row.prev;
    if (isBefore(scope, row) || found.length >= limit) break;
    if (row.event_id < belowNo && isWanted(scope, row)) found.push({ row, chain: next });
  }
  let late = 0;
  for (const id of await rows.readLate(q, tenantId, cardNo, belowNo)) {
    const row = await rows.readMovingEvent(q, tenantId, id);
    if (row === undefined || late >= limit) break;
    if (!isWanted(scope, row)) continue;
    found.push({ row, chain: null });
    late += 1;
  }
  return found.sort((a, b) => b.row.event_id - a.row.event_id).slice(0, limit);
}

/** Batches with events below a number, newest first, within the scope's time. */
async function* batches(
  q: Reader,
  tenantId: number,
  { whose, fromMs, toMs }: EventScope,
  belowNo: number,
): AsyncGenerator<rows.EventBatchRow> {
  const deviceNo = whose.of === "device" ? whose.deviceNo : null;
  // The batch of the last event seen may hold more of them.
  let upToNo = belowNo === end ? end : ((await rows.readBatchOf(q, tenantId, belowNo)) ?? end);
  const [least, greatest] = [uuidFrom(fromMs), uuidFrom(toMs)];
  for (;;) {
    const page = await rows.readBatches(q, tenantId, deviceNo, upToNo, batchesAtOnce);
    for (const batch of page) {
      if (batch.uuid < least) return;
      if (batch.uuid < greatest && batch.accepted > 0) yield batch;
      upToNo = batch.batch_no - 1;
    }
    if (page.length < batchesAtOnce) return;
  }
}

async function byBatch(
  q: Reader,
  tenantId: number,
  scope: EventScope,
  belowNo: number,
  limit: number,
): Promise<FoundEvent[]> {
  const found: FoundEvent[] = [];
  for await (const batch of batches(q, tenantId, scope, belowNo)) {
    const { first_event: first, accepted } = batch;
    const below = Math.min(first + accepted, belowNo);
    // A status is only known of the event that was read: then all of the batch's are.
    const most = scope.status === null ? limit - found.length : accepted;
    const read = await rows.readEventsBetween(q, tenantId, first, below, scope, most);
    for (const row of read) if (isWanted(scope, row)) found.push({ row, chain: null });
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}

async function ofParked(
  q: Reader,
  tenantId: number,
  scope: EventScope,
  belowNo: number,
  limit: number,
): Promise<FoundEvent[]> {
  const found: FoundEvent[] = [];
  for (let below = belowNo; found.length < limit; ) {
    const read = await rows.readParked(q, tenantId, below, limit);
    for (const row of read) if (isWanted(scope, row)) found.push({ row, chain: null });
    const last = read.at(-1);
    if (last === undefined || read.length < limit || isBefore(scope, last)) break;
    below = last.event_id;
  }
  return found.slice(0, limit);
}

const isOfCard = (
  scope: EventScope,
): scope is EventScope & { readonly whose: { readonly cardNo: number; readonly cardId: string } } =>
  scope.whose.of === "card";

/** At most `limit` below a number; `chain` < 0: from the card's newest. */
export function eventsBelow(
  deps: EventDeps,
  q: Reader,
  tenantId: number,
  scope: EventScope,
  belowNo: number,
  chain: number,
  limit: number,
): Promise<FoundEvent[]> {
  if (isOfCard(scope)) return ofCard(deps, q, tenantId, scope, belowNo, chain, limit);
  if (scope.whose.of === "parked" || !scope.debits) {
    return ofParked(q, tenantId, scope, belowNo, limit);
  }
  return byBatch(q, tenantId, scope, belowNo, limit);
}

/** How many there are, at most `max` and what one batch has more. */
export async function eventsCount(
  deps: EventDeps,
  q: Reader,
  tenantId: number,
  scope: EventScope,
  max: number,
): Promise<number> {
  const { whose, fromMs, toMs, status, debits, parked } = scope;
  const isWhole = fromMs === 0 && toMs === end;
  if (isOfCard(scope)) {
    return (await ofCard(deps, q, tenantId, scope, end, -1, max)).length;
  }
  if (whose.of === "parked" || !debits || status !== null || !isWhole) {
    if (whose.of === "parked" || !debits) {
      if (isWhole && status === null) return await rows.countParked(q, tenantId, max);
      return (await ofParked(q, tenantId, scope, end, max)).length;
    }
    return await countByBatch(q, tenantId, scope, max);
  }
  const all = await rows.countDebits(q, tenantId, whose.of === "device" ? whose : null);
  return parked ? all + (await rows.countParked(q, tenantId, max)) : all;
}

async function countByBatch(
  q: Reader,
  tenantId: number,
  scope: EventScope,
  max: number,
): Promise<number> {
  let count = 0;
  for await (const { first_event: first, accepted } of batches(q, tenantId, scope, end)) {
    if (scope.status === null) {
      count += await rows.countEventsBetween(q, tenantId, first, first + accepted, scope);
    } else {
      const read = await rows.readEventsBetween(
        q,
        tenantId,
        first,
        first + accepted,
        scope,
        accepted,
      );
      for (const row of read) if (isWanted(scope, row)) count += 1;
    }
    if (count >= max) break;
  }
  return count;
}
