/**
 * Batches: which events are taken, which are not, and what is wrong with those that are. Every event is
 * judged on the books as the one before left them, and then all of its card once more.
 */
import { arrivalFlags, type Judged } from "./arrival.ts";
import type { Books } from "./books.ts";
import { linksOf } from "./chain.ts";
import type { Calendar } from "./day.ts";
import { type Due, type Heard, isUuid, ok, type Parts, refuse } from "./due.ts";
import { closeRow, flagEvent, flagRow, reasons } from "./flag.ts";
import {
  type Card,
  hardCeiling,
  headOf,
  type Quarantined,
  type Recorded,
  type Topup,
  type WireEvent,
} from "./thing.ts";

const amountMax = 16_777_215;
const leapMax = 10_000;

const isSame = (a: WireEvent, b: WireEvent): boolean =>
  a.cardId === b.cardId &&
  a.counter === b.counter &&
  a.type === b.type &&
  a.amount === b.amount &&
  a.balanceAfter === b.balanceAfter &&
  a.timestamp === b.timestamp &&
  a.hash === b.hash;

function isAmountInvalid({ type, amount, balanceAfter }: WireEvent): boolean {
  if (type !== "debit" && type !== "credit") return amount !== 0;
  if (amount === 0 || amount > amountMax) return true;
  return type === "credit" && balanceAfter > hardCeiling;
}

const recordedAt = (card: Card, counter: number): Recorded | undefined =>
  card.events.find((event) => event.counter === counter);

/** Why an event cannot be taken, or undefined. */
export function rejectionOf(books: Books, event: WireEvent): string | undefined {
  const card = books.cards.get(event.cardId);
  if (card === undefined) return "unknown_card";
  if (isAmountInvalid(event)) return "invalid_amount";
  if (event.counter > (headOf(card)?.counter ?? 0) + leapMax) return "counter_leap";
  const recorded = recordedAt(card, event.counter);
  if (recorded === undefined) return undefined;
  return isSame(recorded, event) ? "duplicate" : "counter_conflict";
}

/** The top-up that a credit is for: one that is pending, or was settled without its credit. */
function topupFor(card: Card, event: WireEvent, allowanceSec: number): Topup | undefined {
  const waiting = card.topups.filter(
    ({ amount, status, event: credit }) =>
      amount === event.amount && status !== "CANCELED" && credit === undefined,
  );
  const named = waiting.find(({ counter }) => counter === event.counter);
  if (named) return named;
  const byTime = waiting.toSorted((a, b) => a.timestamp - b.timestamp || a.madeSec - b.madeSec);
  const before = byTime.filter(({ timestamp }) => timestamp <= event.timestamp + allowanceSec);
  return before.at(-1) ?? byTime[0];
}

function settle(books: Books, card: Card, event: Recorded, allowanceSec: number): void {
  const topup = topupFor(card, event, allowanceSec);
  if (topup === undefined) {
    books.ledger.move("cash", "suspense", event.amount);
    event.parked = "waiting";
    return;
  }
  event.topup = topup;
  topup.event = event;
  if (topup.status !== "PENDING") return;
  books.ledger.move([card, "pending"], [card, "available"], event.amount);
  topup.status = "COMPLETED";
}

/** Looks at the whole chain again: what does not fit is flagged. */
function relink(books: Books, card: Card, nowSec: number): void {
  for (const [event, { faults }] of linksOf(card)) {
    for (const fault of faults) flagEvent(books, event, fault, nowSec);
  }
}

/** Holes are counted from the batch that opens them; one that a batch closes and opens again stays open. */
export function countHoles(card: Card, nowSec: number): void {
  for (const [event, { predecessor }] of linksOf(card)) {
    event.holeSinceSec = predecessor ? undefined : (event.holeSinceSec ?? nowSec);
  }
}

/** Takes an event: books its money, flags it and what it explains. */
export function accept(
  books: Books,
  calendar: Calendar,
  { card, event: wire, device, nowSec }: Omit<Judged, "event" | "limits"> & { event: WireEvent },
): Recorded {
  const limits = books.policies.of(device);
  const fresh = { flags: new Set<string>(), tried: new Map<string, boolean>() };
  const event: Recorded = {
    ...wire,
    ...fresh,
    ...{ device, receivedSec: nowSec, holeFlagged: false, holeSinceSec: undefined },
  };
  if (event.type === "debit") books.ledger.move([card, "available"], device, event.amount);
  if (event.type === "credit") settle(books, card, event, limits.clockDriftAllowanceSec);
  card.events.push(event);
  card.needsValidation = false;
  const found = arrivalFlags(books, calendar, { card, event, device, limits, nowSec });
  // The other branch of a fork, approved before this one came: two events have one counter.
  const isForked = books.quarantine.some(
    (row) => row.side && row.event.cardId === card.cardId && row.event.counter === event.counter,
  );
  if (isForked) {
    found.set("counter_conflict", {});
    books.alertsOpen.add(`counter_conflict ${card.cardId}`);
  }
  for (const [reason, how] of found) flagEvent(books, event, reason, nowSec, how);
  relink(books, card, nowSec);
  return event;
}

const rowOf = (books: Books, event: WireEvent): Quarantined | undefined =>
  books.quarantine.find((row) => isSame(row.event, event));

/** What a conflict says about the event that is recorded. */
function contradict(books: Books, event: WireEvent, nowSec: number): void {
  const recorded = recordedAt(books.cards.get(event.cardId) as Card, event.counter);
  if (recorded === undefined) return;
  flagEvent(books, recorded, "counter_conflict", nowSec);
  books.alerts.add(`counter_conflict ${event.cardId}`);
}

/** Undefined: taken. */
type Outcome = { readonly recorded: Recorded } | { readonly reason: string };

/**
 * Kept out and let in by one batch, which has the event twice: that a row is left of this is not said, and
 * none is, for the batch is one transaction.
 */
function forget(books: Books, row: Quarantined): void {
  books.quarantine.splice(books.quarantine.indexOf(row), 1);
  const at = books.flags.findIndex((flag) => flag.row === row);
  books.flags.splice(at, 1);
}

function take(
  { books, device, nowSec }: Heard,
  { calendar, fresh }: { readonly calendar: Calendar; readonly fresh: Set<Quarantined> },
  event: WireEvent,
): Outcome {
  const row = rowOf(books, event);
  if (row?.status === "approved") return { reason: "duplicate" };
  const reason = rejectionOf(books, event);
  if (reason === undefined) {
    const card = books.cards.get(event.cardId) as Card;
    const recorded = accept(books, calendar, { card, event, device, nowSec });
    if (row) closeRow(books, row, "approved");
    if (row && fresh.has(row)) forget(books, row);
    return { recorded };
  }
  if (reason === "duplicate") return { reason };
  if (reason === "counter_conflict") contradict(books, event, nowSec);
  if (row === undefined) {
    const added: Quarantined = {
      ...{ event, device, receivedSec: nowSec, reason, status: "open", side: false },
    };
    books.quarantine.push(added);
    fresh.add(added);
    flagRow(books, added);
  }
  return { reason };
}

/** `POST /api/reconcile`. */
export function reconcile(heard: Heard, calendar: Calendar): Due {
  const { books } = heard;
  const events = heard.body.events as readonly WireEvent[];
  const flags: Parts[] = [];
  const rejections: Parts[] = [];
  const means = { calendar, fresh: new Set<Quarantined>() };
  const outcomes = events.map((event) => take(heard, means, event));
  const touched = new Set(events.map(({ cardId }) => books.cards.get(cardId)));
  for (const card of touched) if (card) countHoles(card, heard.nowSec);
  for (const [index, outcome] of outcomes.entries()) {
    const { counter, cardId } = events[index] as WireEvent;
    if ("reason" in outcome) rejections.push({ index, counter, cardId, reason: outcome.reason });
    else {
      const raised = reasons.filter((reason) => outcome.recorded.flags.has(reason));
      flags.push(...raised.map((reason) => ({ counter, cardId, reason })));
    }
  }
  const rejected = rejections.length;
  const isAllKnown = outcomes.every((each) => "reason" in each && each.reason === "duplicate");
  if (events.length > 0 && isAllKnown) {
    return { ...refuse(409, "duplicate_counter"), body: { accepted: 0, rejected } };
  }
  books.batches += 1;
  const accepted = events.length - rejected;
  return ok({ accepted, rejected, flags, rejections, batchId: isUuid });
}
