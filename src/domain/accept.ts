/**
 * An event that is taken: which flags it earns and what it books. Value that has moved on a card is
 * never refused; it is recorded, booked and shown.
 */
import type { BatchInput, FlagDetail } from "./batch.ts";
import { ACTIVE, effectiveStatus, worth } from "./cardrecord.ts";
import type { CardWork } from "./cardwork.ts";
import type { EventType } from "./chain.ts";
import type { IncomingEvent } from "./event.ts";
import { bit, type FlagReason } from "./flag.ts";
import { type Booking, moveMoney } from "./fold.ts";
import { opsMask } from "./grant.ts";
import { spend } from "./spending.ts";
import { matchCredit } from "./topup.ts";

/** Ops of which one allows an event of the type. */
const opsFor: Readonly<Record<EventType, number>> = {
  debit: opsMask(["debit"]),
  credit: opsMask(["topup"]),
  checkin: opsMask(["checkin"]),
  checkout: opsMask(["checkout"]),
  admin: opsMask(["reissue", "block"]),
};

const OP_NOT_ALLOWED = bit("op_not_allowed");

/** Flags of one event as they gather, with what an operator needs to judge each. */
export class Marks {
  mask = 0;
  private grave = 0;
  private details: Map<FlagReason, FlagDetail> | null = null;

  /** `grave`: this case of the reason is of high severity. */
  add(reason: FlagReason, detail: FlagDetail | null = null, grave = false): void {
    const flag = bit(reason);
    this.mask |= flag;
    if (grave) this.grave |= flag;
    if (detail === null) return;
    this.details ??= new Map();
    this.details.set(reason, detail);
  }

  detail(reason: FlagReason): FlagDetail {
    return this.details?.get(reason) ?? {};
  }

  isGrave(reason: FlagReason): boolean {
    return (this.grave & bit(reason)) !== 0;
  }
}

/** A grant covers from its issue to its expiry, widened by the allowance on both sides. */
function judgeGrants(event: IncomingEvent, input: BatchInput, marks: Marks): void {
  const slack = input.limits.clockDriftAllowanceSec;
  const wanted = opsFor[event.type];
  let covered = false;
  for (const { issuedSec, expiresSec, ops } of input.windows) {
    if (event.timestamp < issuedSec - slack || event.timestamp > expiresSec + slack) continue;
    if ((ops & wanted) !== 0) return;
    covered = true;
  }
  if (!covered) marks.add("late_submission");
  if (covered || (input.roleOps & wanted) === 0) marks.add("op_not_allowed");
}

/** Everything that can be said without the card's history. */
export function judgeCircumstances(
  event: IncomingEvent,
  work: CardWork,
  input: BatchInput,
  marks: Marks,
): void {
  const { limits, nowSec, suspendedAtSec } = input;
  const { timestamp, balanceAfter } = event;
  const slack = limits.clockDriftAllowanceSec;
  if (balanceAfter > limits.maxBalance) {
    const detail = { limit: limits.maxBalance };
    marks.add("balance_limit_exceeded", detail, balanceAfter > limits.hardCeiling);
  }
  if (timestamp > nowSec + slack) marks.add("clock_drift", { limit: nowSec + slack });
  judgeGrants(event, input, marks);

  const { status, blockedAtSec } = effectiveStatus(work.card, nowSec);
  const isGrantedAdmin = event.type === "admin" && (marks.mask & OP_NOT_ALLOWED) === 0;
  if (status !== ACTIVE && !isGrantedAdmin) {
    marks.add("card_blocked", null, blockedAtSec !== null && timestamp >= blockedAtSec - slack);
  }
  const { expiresAtSec } = work.card;
  if (expiresAtSec !== null && timestamp > expiresAtSec) {
    marks.add("card_expired", { limit: expiresAtSec });
  }
  if (suspendedAtSec !== null) {
    marks.add("terminal_suspended", null, timestamp > suspendedAtSec - slack);
  }
}

/** Books a debit and holds it against the limits. */
function bookDebit(event: IncomingEvent, work: CardWork, input: BatchInput, marks: Marks): void {
  const { singleTxLimit, dailyLimit, weeklyLimit } = input.limits;
  const { amount } = event;
  const { head } = work;
  if (amount > singleTxLimit) {
    marks.add("single_tx_limit_exceeded", { limit: singleTxLimit, total: amount });
  }
  const spent = spend(head, work.weeks, input.calendar.dayOf(event.timestamp), amount);
  if (spent.daySum > dailyLimit) {
    marks.add("daily_limit_exceeded", { limit: dailyLimit, total: spent.daySum });
  }
  if (spent.weekSum > weeklyLimit) {
    marks.add("weekly_limit_exceeded", { limit: weeklyLimit, total: spent.weekSum });
  }
  if (spent.stored !== null) {
    work.putWeek(spent.stored.week, spent.stored.days);
  }
  head.week = spent.week;
  head.days = spent.days;
  moveMoney(head, 1, amount);
  const left = worth(head);
  if (left < 0) marks.add("overdrawn", { total: left });
}

interface Booked {
  readonly booking: Booking;
  readonly topupNo: number | null;
}

const moved: Booked = { booking: 1, topupNo: null };
const nothing: Booked = { booking: 0, topupNo: null };

/** Settles the top-up that a credit belongs to, or parks the money until an operator decides. */
function bookCredit(event: IncomingEvent, work: CardWork, input: BatchInput, marks: Marks): Booked {
  const { amount } = event;
  const topup = matchCredit(work.awaiting, event, input.limits.clockDriftAllowanceSec);
  if (topup === undefined) {
    marks.add("unauthorised_credit", { total: amount });
    return { booking: 3, topupNo: null };
  }
  work.awaiting = work.awaiting.filter((t) => t !== topup);
  if (topup.status === "completed") return { booking: 4, topupNo: topup.topupNo };
  moveMoney(work.head, 2, amount);
  return { booking: 2, topupNo: topup.topupNo };
}

/** Books what the event moves; its flags go to `marks`. */
export function book(
  event: IncomingEvent,
  work: CardWork,
  input: BatchInput,
  marks: Marks,
): Booked {
  if (event.type === "credit") return bookCredit(event, work, input, marks);
  if (event.type !== "debit") return nothing;
  bookDebit(event, work, input, marks);
  return moved;
}
