/**
 * Recorded events of a card, found without an index on (card, counter): back pointers along the chain,
 * a place for every 32nd of it, and a place for each event that came late. A walk is at most the
 * distance between two places, and every step must fall.
 */
import { placeEvery } from "../../../schema/bound.ts";
import {
  type EventRow,
  eventById,
  lateBelow,
  lateFrom,
  placeAbove,
} from "../../../schema/query/event.ts";
import type { CardRecord } from "../../domain/cardrecord.ts";
import { eventType, type Recorded, registration } from "../../domain/event.ts";
import type { Booking } from "../../domain/fold.ts";
import type { Run } from "../../domain/history.ts";
import type { CardState } from "../../domain/state.ts";
import type { Reader } from "../../store/seam.ts";

/** A recorded event with what only the store knows of it. */
export interface StoredEvent extends Recorded {
  readonly prev: number;
  readonly batchNo: number;
  readonly deviceNo: number;
  readonly booking: Booking;
  readonly topupNo: number | null;
}

const toEvent = (row: EventRow): StoredEvent => ({
  id: row.event_id,
  counter: row.counter,
  type: eventType(row.type),
  amount: row.amount,
  balanceAfter: row.balance_after,
  timestamp: row.timestamp_sec,
  hash: row.hash,
  flags: row.flags,
  linked: row.linked === 1,
  start: row.start_sec,
  state: row.state as CardState | null,
  prev: row.prev,
  batchNo: row.batch_no,
  deviceNo: row.device_no,
  booking: row.booking as Booking,
  topupNo: row.topup_no,
});

type CardRef = Pick<CardRecord, "tenantId" | "cardNo" | "head">;

/** @throws RangeError where a pointer leads nowhere or to another card: the file is damaged */
export async function readEvent(
  q: Reader,
  card: Pick<CardRef, "tenantId" | "cardNo">,
  id: number,
): Promise<StoredEvent> {
  const row = await q.get(eventById, card.tenantId, id);
  if (row === undefined || row.card_no !== card.cardNo)
    throw new RangeError(`event ${id} is not the card's`);
  return toEvent(row);
}

/** Down the chain from event `id`, to the first with a counter below `below` (included), or `max` of them. */
async function walk(
  q: Reader,
  card: CardRef,
  id: number,
  below: number,
  max: number,
): Promise<StoredEvent[]> {
  const chain: StoredEvent[] = [];
  let last = Number.POSITIVE_INFINITY;
  for (let next = id; next !== 0 && chain.length < max; ) {
    const event = await readEvent(q, card, next);
    if (event.counter >= last) throw new RangeError(`chain of event ${id} does not fall`);
    chain.push(event);
    if (event.counter < below) break;
    last = event.counter;
    next = event.prev;
  }
  return chain;
}

/**
 * The run around `counter`: from the nearest event below it up through about `ahead` events. Two
 * calls with a growing `ahead` reach ever higher, in the end to the head.
 */
export async function readRun(
  q: Reader,
  card: CardRef,
  counter: number,
  ahead: number,
): Promise<Run> {
  const { tenantId, cardNo, head } = card;
  const skip = Math.max(0, Math.ceil(ahead / placeEvery) - 1);
  const place = await q.get(placeAbove, tenantId, cardNo, counter, skip);
  let hi = place?.counter ?? Number.MAX_SAFE_INTEGER;
  const chain = await walk(
    q,
    card,
    place?.event_id ?? head.top.id,
    counter,
    Number.POSITIVE_INFINITY,
  );
  let events: Recorded[] = chain.reverse();
  if (head.late > 0) {
    const above = await q.all(lateFrom, tenantId, cardNo, counter, hi, ahead + 1);
    const cut = above.length > ahead ? above[ahead - 1] : undefined;
    if (cut !== undefined) {
      above.length = ahead;
      hi = cut.counter;
      events = events.filter((e) => e.counter <= hi);
    }
    const [under] = await q.all(lateBelow, tenantId, cardNo, counter, 1);
    const lowest = events[0];
    const chained = lowest !== undefined && lowest.counter < counter ? lowest : undefined;
    if (under !== undefined && (chained === undefined || chained.counter < under.counter)) {
      if (chained !== undefined) events.shift();
      events.push(await readEvent(q, card, under.event_id));
    }
    for (const row of above) events.push(await readEvent(q, card, row.event_id));
    events.sort((a, b) => a.counter - b.counter);
  }
  const first = events[0];
  if (first === undefined || first.counter >= counter)
    events.unshift(registration(head.openingBalance));
  return { lo: events[0]?.counter ?? 0, hi, events };
}

/** The card's events with the highest counters, highest first. */
export async function readNewest(q: Reader, card: CardRef, limit: number): Promise<StoredEvent[]> {
  const events = await walk(q, card, card.head.top.id, 0, limit);
  if (card.head.late > 0) {
    const late = await q.all(lateBelow, card.tenantId, card.cardNo, Number.MAX_SAFE_INTEGER, limit);
    for (const row of late) events.push(await readEvent(q, card, row.event_id));
    events.sort((a, b) => b.counter - a.counter);
  }
  return events.slice(0, limit);
}
