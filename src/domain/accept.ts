/**
 * An event that is taken: which flags it earns and what it books. Value that has moved on a card is
 * never refused; it is recorded, booked and shown.
 */
import type { BatchInput, Booking, FlagDetail } from "./batch.ts";
import { ACTIVE, effectiveStatus, worth } from "./cardrecord.ts";
import type { CardWork } from "./cardwork.ts";
import type { EventType } from "./chain.ts";
import type { IncomingEvent } from "./event.ts";
import { bit, type FlagReason } from "./flag.ts";
import { OPS } from "./grant.ts";
import { matchCredit } from "./topup.ts";
import { spend } from "./spending.ts";

const opBit = (op: (typeof OPS)[number]): number => 1 << OPS.indexOf(op);

/** Ops of which one allows an event of the type. */
const opsFor: Readonly<Record<EventType, number>> = {
  debit: opBit("debit"),
  credit: opBit("topup"),
  checkin: opBit("checkin"),
  checkout: opBit("checkout"),
  admin: opBit("reissue") | opBit("block"),
};

/** Flags of one event as they gather, with what an operator needs to judge each. */
export class Marks {
  mask = 0;
  private details: Map<FlagReason, FlagDetail & { grave: boolean }> | null = null;

  add(reason: FlagReason, detail: FlagDetail = {}, grave = false): void {
    this.mask |= bit(reason);
    this.details ??= new Map();
    this.details.set(reason, { ...detail, grave });
  }

  detail(reason: FlagReason): FlagDetail & { grave: boolean } {
    return this.details?.get(reason) ?? { grave: false };
  }
}

/** A grant covers from its issue to its expiry, widened by the allowance on both sides. */
function judgeGrants(event: IncomingEvent, input: BatchInput, marks: Marks): void {
  const slack = input.limits.clockDriftAllowanceSec;
  const wanted = opsFor[event.type];
  let covered = false;
  for (const window of input.windows) {
    if (event.timestamp < window.issuedSec - slack || event.timestamp > window.expiresSec + slack) continue;
    if ((window.ops & wanted) !== 0) return;
    covered = true;
  }
  if (!covered) marks.add("late_submission");
  if (covered || (input.roleOps & wanted) === 0) marks.add("op_not_allowed");
}

/** Everything that can be said without the card's history. */
export function judgeCircumstances(event: IncomingEvent, work: CardWork, input: BatchInput, marks: Marks): void {
  const { limits, nowSec } = input;
  const slack = limits.clockDriftAllowanceSec;
  if (event.balanceAfter > limits.maxBalance) {
    marks.add("balance_limit_exceeded", { limit: limits.maxBalance }, event.balanceAfter > limits.hardCeiling);
  }
  if (event.timestamp > nowSec + slack) marks.add("clock_drift", { limit: nowSec + slack });
  judgeGrants(event, input, marks);

  const { status, blockedAtSec } = effectiveStatus(work.card, nowSec);
  const granted = event.type === "admin" && (marks.mask & bit("op_not_allowed")) === 0;
  if (status !== ACTIVE && !granted) {
    marks.add("card_blocked", {}, blockedAtSec !== null && event.timestamp >= blockedAtSec - slack);
  }
  const expiresAtSec = work.card.expiresAtSec;
  if (expiresAtSec !== null && event.timestamp > expiresAtSec) {
    marks.add("card_expired", { limit: expiresAtSec });
  }
  if (input.suspendedAtSec !== null) {
    marks.add("terminal_suspended", {}, event.timestamp > input.suspendedAtSec - slack);
  }
}

/** Books a debit and holds it against the limits. */
function bookDebit(event: IncomingEvent, work: CardWork, input: BatchInput, marks: Marks): void {
  const { limits } = input;
  const { amount } = event;
  if (amount > limits.singleTxLimit) {
    marks.add("single_tx_limit_exceeded", { limit: limits.singleTxLimit, total: amount });
  }
  const spent = spend(work.head, work.weeks, input.calendar.dayOf(event.timestamp), amount);
  if (spent.stored !== null) {
    work.weeks.set(spent.stored.week, spent.stored.days);
    work.weeksChanged.add(spent.stored.week);
  }
  if (spent.daySum > limits.dailyLimit) {
    marks.add("daily_limit_exceeded", { limit: limits.dailyLimit, total: spent.daySum });
  }
  if (spent.weekSum > limits.weeklyLimit) {
    marks.add("weekly_limit_exceeded", { limit: limits.weeklyLimit, total: spent.weekSum });
  }
  const available = work.head.available - amount;
  work.head = { ...work.head, available, week: spent.week, days: spent.days };
  const left = worth(work.head);
  if (left < 0) marks.add("overdrawn", { total: left });
}

/** Settles the top-up that a credit belongs to, or parks the money until an operator decides. */
function bookCredit(
  event: IncomingEvent,
  work: CardWork,
  input: BatchInput,
  marks: Marks,
): { booking: Booking; topupNo: number | null } {
  const { amount } = event;
  const topup = matchCredit(work.awaiting, event, input.limits.clockDriftAllowanceSec);
  if (topup === undefined) {
    marks.add("unauthorised_credit", { total: amount });
    return { booking: 3, topupNo: null };
  }
  work.awaiting = work.awaiting.filter((t) => t !== topup);
  if (topup.status === "completed") return { booking: 4, topupNo: topup.topupNo };
  const { available, pending } = work.head;
  work.head = { ...work.head, available: available + amount, pending: pending - amount };
  return { booking: 2, topupNo: topup.topupNo };
}

/** Books what the event moves; its flags go to `marks`. */
export function book(
  event: IncomingEvent,
  work: CardWork,
  input: BatchInput,
  marks: Marks,
): { booking: Booking; topupNo: number | null } {
  if (event.type === "debit") {
    bookDebit(event, work, input, marks);
    return { booking: 1, topupNo: null };
  }
  if (event.type === "credit") return bookCredit(event, work, input, marks);
  return { booking: 0, topupNo: null };
}
