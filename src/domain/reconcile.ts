/**
 * The decision on a reconciliation batch: one pure function from what was handed in and what is known
 * to what is recorded, booked, flagged and answered. Nothing is read or written here; if more history
 * is needed the decision says so and is made again.
 */
import { counterLeapMax, placeEvery, uint24Max } from "../../schema/bound.ts";
import { book, judgeCircumstances, Marks } from "./accept.ts";
import type {
  Accepted,
  BatchDecision,
  BatchInput,
  CardOutcome,
  Decided,
  Raised,
  Rejected,
} from "./batch.ts";
import { type Amended, CardWork, type Mutable, type Need } from "./cardwork.ts";
import { contentKey, type IncomingEvent, placeKey, type Recorded, sameContent } from "./event.ts";
import {
  ANSWERED,
  CONFLICT,
  type FlagReason,
  type RejectReason,
  reasonsOf,
  severityOf,
} from "./flag.ts";
import { unknown } from "./history.ts";
import type { Weeks } from "./spending.ts";
import { Tally } from "./tally.ts";

/** Debits and credits move 1 … 2^24 − 1, everything else nothing. */
function amountIsValid(event: IncomingEvent, hardCeiling: number): boolean {
  if (event.type !== "debit" && event.type !== "credit") return event.amount === 0;
  if (event.amount < 1 || event.amount > uint24Max) return false;
  return event.type === "debit" || event.balanceAfter <= hardCeiling;
}

class Decider {
  private readonly accepted: Mutable<Accepted>[] = [];
  /** Of the accepted event in the same place. */
  private readonly marks: Marks[] = [];
  private readonly rejected: Mutable<Rejected>[] = [];
  /** Events that this batch puts into quarantine, by content. */
  private readonly fresh = new Map<string, Mutable<Rejected>>();
  /** What contradicts a recorded event, by its id. */
  private readonly conflicts = new Map<number, IncomingEvent>();
  private readonly released: { quarantineNo: number; eventId: number }[] = [];
  private readonly credited: { topupNo: number; eventId: number; settles: boolean }[] = [];
  private readonly works = new Map<string, CardWork>();
  private readonly tally: Tally;

  constructor(private readonly input: BatchInput) {
    this.tally = new Tally(input.calendar, input.nowSec);
  }

  private work(cardId: string): CardWork | undefined {
    let work = this.works.get(cardId);
    if (work !== undefined) return work;
    const view = this.input.cards.get(cardId);
    if (view === undefined) return undefined;
    work = new CardWork(view, this.input.limits.sessionMaxSec, this.renew);
    this.works.set(cardId, work);
    return work;
  }

  private readonly renew = (event: Recorded): boolean => {
    const row = this.accepted[event.id - this.input.firstEventId];
    if (row === undefined) return false;
    row.event = event;
    return true;
  };

  /** Judges the event at `index`: the first reason to refuse it that applies, or it is taken. */
  judge(index: number): void {
    const { events, quarantined } = this.input;
    const event = events[index] as IncomingEvent;
    const kept = quarantined.size === 0 ? undefined : quarantined.get(contentKey(event));
    const work = this.work(event.cardId);
    if (kept?.status === "approved") this.reject(index, "duplicate", work);
    else if (work === undefined) this.reject(index, "unknown_card", work);
    else if (work.need === null) this.judgeOn(work, index, event, kept?.quarantineNo ?? null);
  }

  private judgeOn(
    work: CardWork,
    index: number,
    event: IncomingEvent,
    quarantineNo: number | null,
  ): void {
    if (!amountIsValid(event, this.input.limits.hardCeiling)) {
      this.reject(index, "invalid_amount", work);
    } else if (event.counter > work.head.top.counter + counterLeapMax) {
      this.reject(index, "counter_leap", work);
    } else {
      const recorded = work.recordedAt(event.counter);
      if (recorded === unknown) return;
      if (recorded === null) this.accept(work, index, event, quarantineNo);
      else if (sameContent(recorded, event)) this.reject(index, "duplicate", work);
      else this.contradict(work, index, event, recorded);
    }
  }

  private reject(
    index: number,
    reason: RejectReason,
    work: CardWork | undefined,
    conflict: Recorded | null = null,
  ): void {
    const rejection = { index, reason, card: work?.card ?? null, fresh: false, conflict };
    this.rejected.push(rejection);
    if (reason === "duplicate") return;
    const event = this.input.events[index] as IncomingEvent;
    const key = contentKey(event);
    if (this.input.quarantined.has(key) || this.fresh.has(key)) return;
    rejection.fresh = true;
    this.fresh.set(key, rejection);
    if (work === undefined || work.head.quarantined) return;
    work.head.quarantined = true;
    work.headChanged = true;
  }

  /** The recorded event of a fork is shown too: nobody knows which branch is the true one. */
  private contradict(
    work: CardWork,
    index: number,
    event: IncomingEvent,
    recorded: Recorded,
  ): void {
    if ((recorded.flags & CONFLICT) === 0) {
      this.conflicts.set(recorded.id, event);
      work.amend(recorded, { ...recorded, flags: recorded.flags | CONFLICT });
    }
    this.reject(index, "counter_conflict", work, recorded);
  }

  private accept(
    work: CardWork,
    index: number,
    event: IncomingEvent,
    quarantineNo: number | null,
  ): void {
    const link = work.judgeNew(event);
    if (link === unknown) return;
    const marks = new Marks();
    judgeCircumstances(event, work, this.input, marks);
    const { booking, topupNo } = book(event, work, this.input, marks);
    const { beside } = this.input;
    const other = beside.size === 0 ? undefined : beside.get(placeKey(event));
    // The other branch of a fork was approved before this one came: value left the card twice.
    if (other !== undefined) marks.add("counter_conflict", { conflict: other });

    const { top, depth } = work.head;
    const { card } = work;
    const id = this.input.firstEventId + this.accepted.length;
    const late = event.counter < top.counter;
    const { counter, type, amount, balanceAfter, timestamp, hash } = event;
    const recorded: Recorded = {
      id,
      counter,
      type,
      amount,
      balanceAfter,
      timestamp,
      hash,
      flags: marks.mask | link.flags,
      linked: link.linked,
      start: link.start,
      state: link.state,
    };
    const prev = late ? 0 : top.id;
    const placed = !late && (depth + 1) % placeEvery === 0;
    this.marks.push(marks);
    this.accepted.push({ index, card, event: recorded, prev, late, placed, booking, topupNo });
    work.enter(recorded);
    this.tally.accept(event, booking === 3);
    if (topupNo !== null) this.credited.push({ topupNo, eventId: id, settles: booking === 2 });
    if (quarantineNo !== null) this.released.push({ quarantineNo, eventId: id });
    this.admit(event);
  }

  /** An event that was refused earlier in this batch and is taken now has no place in quarantine. */
  private admit(event: IncomingEvent): void {
    if (this.fresh.size === 0) return;
    const rejection = this.fresh.get(contentKey(event));
    if (rejection !== undefined) rejection.fresh = false;
  }

  private raise(
    raised: Raised[],
    card: Raised["card"],
    event: Recorded,
    mask: number,
    marks?: Marks,
  ): void {
    for (const reason of reasonsOf(mask)) {
      const conflict = reason === "counter_conflict" ? this.conflicts.get(event.id) : undefined;
      const detail = conflict === undefined ? marks?.detail(reason) : { conflict };
      const severity = severityOf(reason, marks?.isGrave(reason));
      raised.push({ card, event, reason, severity, detail: detail ?? {} });
    }
  }

  /** The decision, or what must be read before there is one. */
  finish(): BatchDecision {
    const needs: Need[] = [];
    for (const { need } of this.works.values()) if (need !== null) needs.push(need);
    if (needs.length > 0) return { kind: "needs", needs };
    const { accepted, rejected, released, credited } = this;
    const flags: { index: number; reason: FlagReason }[] = [];
    const raised: Raised[] = [];
    for (const [at, { index, card, event }] of accepted.entries()) {
      if (event.flags === 0) continue;
      this.tally.flag(event);
      for (const reason of reasonsOf(event.flags & ANSWERED)) flags.push({ index, reason });
      this.raise(raised, card, event, event.flags, this.marks[at]);
    }
    for (const { index, fresh } of rejected) {
      if (fresh) this.tally.reject(this.input.events[index] as IncomingEvent);
    }
    const cards: CardOutcome[] = [];
    for (const work of this.works.values()) {
      const { card, head, weeks: all, weeksChanged } = work;
      const amended = work.amended.size === 0 ? noneAmended : [...work.amended.values()];
      for (const { before, after } of amended) {
        this.raise(raised, card, after, after.flags & ~before.flags);
      }
      if (!work.headChanged && amended.length === 0) continue;
      const appended =
        amended.length === 0 &&
        head.late === card.head.late &&
        head.quarantined === card.head.quarantined;
      const weeks = weeksChanged.size === 0 ? noWeeks : changedOf(all, weeksChanged);
      cards.push({ card, head: work.headChanged ? head : card.head, weeks, amended, appended });
    }
    const { days, debited, parked, credits, flaggedEvents } = this.tally;
    const sums = { days, debited, parked, credits, flaggedEvents };
    const decided: Decided = {
      kind: "decided",
      accepted,
      rejected,
      flags,
      raised,
      cards,
      released,
      credited,
      ...sums,
    };
    return decided;
  }
}

const noneAmended: readonly Amended[] = [];
const noWeeks: Weeks = new Map();

const changedOf = (weeks: Weeks, changed: ReadonlySet<number>): Weeks =>
  new Map([...changed].map((week) => [week, weeks.get(week) ?? []]));

/**
 * Decides a batch of up to 1000 well-formed events, in their order.
 * @returns what to record and answer, or which parts of which cards' histories must be read first
 */
export function decideBatch(input: BatchInput): BatchDecision {
  const decider = new Decider(input);
  for (let index = 0; index < input.events.length; index += 1) decider.judge(index);
  return decider.finish();
}

/** Every event was recorded before: the whole batch is a resend. */
export const allDuplicates = (events: number, rejected: readonly Rejected[]): boolean =>
  events > 0 && rejected.length === events && rejected.every((r) => r.reason === "duplicate");
