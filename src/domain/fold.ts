/**
 * How a head follows from the events that came above it: the same steps when a batch is decided and
 * when a row of a head that lags behind is brought up to what is recorded. Late events are not here;
 * what they teach is `cardwork.ts`.
 */
import type { Head } from "./cardrecord.ts";
import type { Recorded } from "./event.ts";
import { spend, type Weeks } from "./spending.ts";

/** 0 moves nothing, 1 debit, 2 settles a top-up, 3 parked in suspense, 4 credit of one settled before. */
export type Booking = 0 | 1 | 2 | 3 | 4;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const noWeeks: Weeks = new Map();

/** The event is the highest of its card now. */
export function append(head: Mutable<Head>, event: Recorded): void {
  head.top = event;
  head.depth += 1;
  head.applied = event.id;
  if (event.state === null) return;
  head.shownState = event.state;
  head.shownCounter = event.counter;
}

/** Moves an event's money in the card's own wallet; what is parked (3) or was settled before (4) moves none. */
export function moveMoney(head: Mutable<Head>, booking: Booking, amount: number): void {
  if (booking === 1) head.available -= amount;
  if (booking !== 2) return;
  head.available += amount;
  head.pending -= amount;
}

/** A recorded event with what was booked for it. */
export interface Booked extends Recorded {
  readonly booking: Booking;
}

/**
 * The head after `events`, which all came above it, in their order. Weeks outside the head have rows
 * of their own, written with the events: those are not worked out again.
 */
export function follow(
  head: Head,
  events: readonly Booked[],
  dayOf: (timestampSec: number) => number,
): Head {
  const after: Mutable<Head> = { ...head };
  for (const event of events) {
    const { id, counter, type, amount, balanceAfter, timestamp, hash } = event;
    const { flags, linked, start, state, booking } = event;
    const content = { counter, type, amount, balanceAfter, timestamp, hash };
    append(after, { id, ...content, flags, linked, start, state });
    moveMoney(after, booking, amount);
    if (type !== "debit") continue;
    const { week, days } = spend(after, noWeeks, dayOf(timestamp), amount);
    after.week = week;
    after.days = days;
  }
  return after;
}
