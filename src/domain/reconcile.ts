/**
 * The decision on a reconciliation batch: one pure function from what was handed in and what is known
 * to what is recorded, booked, flagged and answered. Nothing is read or written here; if more history
 * is needed the decision says so and is made again.
 */
import {
  counterLeapMax,
  uint24Max,
  placeEvery,
} from "../../schema/bound.ts";
import { book, judgeCircumstances, Marks } from "./accept.ts";
import type { Accepted, BatchDecision, BatchInput, DayTotals, Raised, Rejected } from "./batch.ts";
import type { CardOutcome } from "./batch.ts";
import { CardWork } from "./cardwork.ts";
import { contentKey, type IncomingEvent, type Recorded, sameContent } from "./event.ts";
import {
  ANSWERED,
  CONFLICT,
  type FlagReason,
  reasonsOf,
  type RejectReason,
  severityOf,
} from "./flag.ts";

/** Debits and credits move 1 … 2^24 − 1, everything else nothing. */
function amountIsValid(event: IncomingEvent, hardCeiling: number): boolean {
  if (event.type !== "debit" && event.type !== "credit") return event.amount === 0;
  if (event.amount < 1 || event.amount > uint24Max) return false;
  return event.type === "debit" || event.balanceAfter <= hardCeiling;
}

const noTotals = (): DayTotals => ({
  checkins: 0,
  checkouts: 0,
  debits: 0,
  debitAmount: 0,
  credits: 0,
  creditAmount: 0,
  rejected: 0,
  flagged: 0,
  lateEvents: 0,
});

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class Decider {
  readonly accepted: Mutable<Accepted>[] = [];
  readonly rejected: Rejected[] = [];
  readonly released: { quarantineNo: number; eventId: number }[] = [];
  readonly credited: { topupNo: number; eventId: number; settles: boolean }[] = [];
  readonly days = new Map<number, DayTotals>();
  readonly works = new Map<string, CardWork>();
  private readonly marks: Marks[] = [];
  private readonly fresh = new Set<string>();
  private readonly today: number;
  debited = 0;
  parked = 0;
  credits = 0;

  constructor(private readonly input: BatchInput) {
    this.today = input.calendar.dayOf(input.nowSec);
  }

  private work(cardId: string): CardWork | undefined {
    const known = this.works.get(cardId);
    if (known !== undefined) return known;
    const view = this.input.cards.get(cardId);
    if (view === undefined) return undefined;
    const made = new CardWork(view, this.input.limits.sessionMaxSec, (event) => this.renew(event));
    this.works.set(cardId, made);
    return made;
  }

  /** An event of this very batch that is judged anew takes its place; true if it was one. */
  private renew(event: Recorded): boolean {
    const at = event.id - this.input.firstEventId;
    const row = this.accepted[at];
    if (at < 0 || row === undefined) return false;
    row.event = event;
    return true;
  }

  private totals(event: IncomingEvent): DayTotals {
    const day = this.input.calendar.dayOf(event.timestamp);
    let totals = this.days.get(day);
    if (totals === undefined) {
      totals = noTotals();
      this.days.set(day, totals);
    }
    if (day < this.today) totals.lateEvents += 1;
    return totals;
  }

  private reject(
    index: number,
    reason: RejectReason,
    work: CardWork | undefined,
    conflict: Recorded | null = null,
  ): void {
    const event = this.input.events[index] as IncomingEvent;
    const key = contentKey(event);
    const fresh = reason !== "duplicate" && !this.input.quarantined.has(key) && !this.fresh.has(key);
    if (fresh) {
      this.fresh.add(key);
      this.totals(event).rejected += 1;
      if (work !== undefined) work.head = { ...work.head, quarantined: true };
    }
    this.rejected.push({ index, reason, card: work?.card ?? null, fresh, conflict });
  }

  /** The first reason that applies, in the order of the table; null if the event is taken. */
  private refusal(event: IncomingEvent, work: CardWork | undefined): [RejectReason, Recorded | null] | null {
    if (work === undefined) return ["unknown_card", null];
    if (!amountIsValid(event, this.input.limits.hardCeiling)) return ["invalid_amount", null];
    if (event.counter > work.head.top.counter + counterLeapMax) return ["counter_leap", null];
    const recorded = work.recordedAt(event.counter);
    if (recorded === null) return null;
    return sameContent(recorded, event) ? ["duplicate", null] : ["counter_conflict", recorded];
  }

  /** Judges the event at `index`; leaves early where `need` says that more must be read. */
  judge(index: number): void {
    const event = this.input.events[index] as IncomingEvent;
    const work = this.work(event.cardId);
    if (work !== undefined && work.need !== null) return;
    const { quarantined } = this.input;
    const kept = quarantined.size === 0 ? undefined : quarantined.get(contentKey(event));
    if (kept?.status === "approved") return this.reject(index, "duplicate", work);
    const refusal = this.refusal(event, work);
    if (work === undefined || work.need !== null) {
      if (refusal !== null && work === undefined) this.reject(index, refusal[0], work);
      return;
    }
    if (refusal !== null) {
      const [reason, conflict] = refusal;
      if (conflict !== null) this.contradict(work, conflict, event);
      return this.reject(index, reason, work, conflict);
    }
    this.accept(index, event, work, kept?.quarantineNo ?? null);
  }

  /** The recorded event of a fork is shown too: nobody knows which branch is the true one. */
  private contradict(work: CardWork, recorded: Recorded, event: IncomingEvent): void {
    if ((recorded.flags & CONFLICT) !== 0) return;
    const at = recorded.id - this.input.firstEventId;
    this.marks[at]?.add("counter_conflict", { conflict: event });
    work.amend(recorded, { ...recorded, flags: recorded.flags | CONFLICT });
  }

  private accept(index: number, event: IncomingEvent, work: CardWork, quarantineNo: number | null): void {
    const { top, depth } = work.head;
    const link = work.judgeNew(event);
    if (link === null) return;
    const marks = new Marks();
    judgeCircumstances(event, work, this.input, marks);
    const { booking, topupNo } = book(event, work, this.input, marks);

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
    this.marks.push(marks);
    this.accepted.push({
      index,
      card: work.card,
      event: recorded,
      prev: late ? 0 : top.id,
      late,
      placed: !late && (depth + 1) % placeEvery === 0,
      booking,
      topupNo,
    });
    work.enter(recorded);
    if (topupNo !== null) this.credited.push({ topupNo, eventId: id, settles: booking === 2 });
    if (quarantineNo !== null) this.released.push({ quarantineNo, eventId: id });
    this.count(event, booking === 3);
  }

  private count(event: IncomingEvent, parked: boolean): void {
    const totals = this.totals(event);
    if (event.type === "checkin") totals.checkins += 1;
    else if (event.type === "checkout") totals.checkouts += 1;
    else if (event.type === "debit") {
      totals.debits += 1;
      totals.debitAmount += event.amount;
      this.debited += event.amount;
    } else if (event.type === "credit") {
      totals.credits += 1;
      totals.creditAmount += event.amount;
      this.credits += event.amount;
      if (parked) this.parked += event.amount;
    }
  }

  private raise(card: Raised["card"], event: Recorded, mask: number, marks: Marks | undefined): Raised[] {
    return reasonsOf(mask).map((reason) => {
      const { grave, ...detail } = marks?.detail(reason) ?? { grave: false };
      return { card, event, reason, severity: severityOf(reason, grave), detail };
    });
  }

  finish(): BatchDecision {
    const flags: { index: number; reason: FlagReason }[] = [];
    const raised: Raised[] = [];
    let flaggedEvents = 0;
    for (const [at, { index, card, event }] of this.accepted.entries()) {
      if (event.flags === 0) continue;
      flaggedEvents += 1;
      this.totalsOf(event.timestamp).flagged += 1;
      for (const reason of reasonsOf(event.flags & ANSWERED)) flags.push({ index, reason });
      raised.push(...this.raise(card, event, event.flags, this.marks[at]));
    }
    const cards: CardOutcome[] = [];
    for (const work of this.works.values()) {
      const amended = [...work.amended.values()];
      for (const { before, after } of amended) {
        raised.push(...this.raise(work.card, after, after.flags & ~before.flags, this.conflictOf(after)));
      }
      if (work.head === work.card.head && amended.length === 0) continue;
      const weeks = new Map([...work.weeksChanged].map((week) => [week, work.weeks.get(week) ?? []]));
      cards.push({ card: work.card, head: work.head, weeks, amended });
    }
    const { accepted, rejected, released, credited, days, debited, parked, credits } = this;
    return {
      kind: "decided",
      accepted,
      rejected,
      flags,
      raised,
      cards,
      released,
      credited,
      days,
      debited,
      parked,
      credits,
      flaggedEvents,
    };
  }

  private totalsOf(timestamp: number): DayTotals {
    return this.days.get(this.input.calendar.dayOf(timestamp)) as DayTotals;
  }

  /** What contradicts an older event is the event of this batch that was rejected for it. */
  private conflictOf(event: Recorded): Marks {
    const marks = new Marks();
    const against = this.rejected.find((r) => r.conflict?.id === event.id);
    const conflict = against === undefined ? undefined : this.input.events[against.index];
    if (conflict !== undefined) marks.add("counter_conflict", { conflict });
    return marks;
  }
}

/**
 * Decides a batch of up to 1000 well-formed events, in their order.
 * @returns what to record and answer, or which parts of which cards' histories must be read first
 */
export function decideBatch(input: BatchInput): BatchDecision {
  const decider = new Decider(input);
  for (let index = 0; index < input.events.length; index += 1) decider.judge(index);
  const needs = [...decider.works.values()].flatMap((work) => work.need ?? []);
  return needs.length > 0 ? { kind: "needs", needs } : decider.finish();
}

/** Every event was recorded before: the whole batch is a resend. */
export const allDuplicates = (events: number, rejected: readonly Rejected[]): boolean =>
  events > 0 && rejected.length === events && rejected.every((r) => r.reason === "duplicate");
