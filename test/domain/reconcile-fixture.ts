/**
 * A chip that writes honest events, and a venue in plain maps around `decideBatch`: it reads as little
 * history as a store would, decides three times (nothing read, what is touched, everything), wants the
 * same outcome each time, applies it, and checks what must hold after every batch.
 */
import { expect } from "bun:test";
import type { BatchDecision, BatchInput, Decided, Limits } from "../../src/domain/batch.ts";
import { calendar } from "../../src/domain/calendar.ts";
import { type CardRecord, freshHead } from "../../src/domain/cardrecord.ts";
import type { CardView } from "../../src/domain/cardwork.ts";
import {
  deltaTime,
  EVENT_CODE,
  type EventType,
  entryHash,
  OFFLINE,
  startMarker,
} from "../../src/domain/chain.ts";
import {
  contentKey,
  type IncomingEvent,
  type Recorded,
  registration,
} from "../../src/domain/event.ts";
import { type FlagReason, reasonsOf } from "../../src/domain/flag.ts";
import { OPS, opsMask } from "../../src/domain/grant.ts";
import type { Run } from "../../src/domain/history.ts";
import { decideBatch } from "../../src/domain/reconcile.ts";
import type { Topup } from "../../src/domain/topup.ts";

/** Thursday 2025-05-08, 17:26:40 in Jakarta. */
export const nowSec = 1_746_700_000;
export const cardA = "a1b2c3d4e5f6";
export const cardB = "0000000000b2";

export const limits: Limits = {
  maxBalance: 5_000_000,
  singleTxLimit: 1_000_000,
  dailyLimit: 2_000_000,
  weeklyLimit: 5_000_000,
  hardCeiling: 16_000_000,
  clockDriftAllowanceSec: 3_600,
  sessionMaxSec: 86_400,
};

export const everyOp = opsMask(OPS);
const always = { issuedSec: 0, expiresSec: 2 ** 32, ops: everyOp };

/** An NFC card as the terminals write it: every event hashes the one before. */
export class Chip {
  counter = 0;
  start = 0;
  hash = 0;
  clock = nowSec - 30_000;

  constructor(
    readonly cardId: string,
    public balance: number,
  ) {}

  /** The next event, `skip` counters further than it had to be. */
  write(type: EventType, amount = 0, { skip = 0, at = this.clock + 10, bits = OFFLINE } = {}) {
    if (type === "debit") this.balance -= amount;
    if (type === "credit") this.balance += amount;
    if (type === "checkin") this.start = at;
    this.counter += 1 + skip;
    this.clock = at;
    const previous = type === "checkin" ? startMarker(at) : this.hash;
    const flags = EVENT_CODE[type] | bits;
    this.hash = entryHash(deltaTime(at, this.start), amount, this.balance, flags, previous);
    return this.event(type, amount);
  }

  private event(type: EventType, amount: number): IncomingEvent {
    const { cardId, counter, balance: balanceAfter, clock: timestamp, hash } = this;
    return { cardId, counter, type, amount, balanceAfter, timestamp, hash };
  }
}

export interface Kept {
  card: CardRecord;
  readonly events: Map<number, Recorded>;
  readonly weeks: Map<number, readonly number[]>;
  topups: Topup[];
  /** Flags that were raised, by event and reason. */
  readonly raised: Set<string>;
}

type CardOptions = Partial<CardRecord> & {
  readonly opening?: number;
  readonly topups?: readonly Partial<Topup>[];
};

type Given = Partial<Omit<BatchInput, "events" | "cards" | "quarantined" | "firstEventId">>;
type Reading = "nothing" | "touched" | "everything";

/** From the nearest event below `counter` up through `ahead` events. */
function readRun(kept: Kept, counter: number, ahead: number): Run {
  const all = [registration(kept.card.head.openingBalance), ...kept.events.values()];
  all.sort((a, b) => a.counter - b.counter);
  const from = all.findLastIndex((e) => e.counter < counter);
  const events = all.slice(from, from + 1 + ahead);
  const ends = from + 1 + ahead >= all.length;
  const hi = ends ? Number.MAX_SAFE_INTEGER : Math.max(counter, events.at(-1)?.counter ?? 0);
  return { lo: events[0]?.counter ?? 0, hi, events };
}

export class Venue {
  readonly cards = new Map<string, Kept>();
  readonly quarantine = new Map<
    string,
    { quarantineNo: number; status: "open" | "approved" | "dismissed" }
  >();
  cash = 0;
  suspense = 0;
  settlement = 0;
  private lastEventId = 0;

  constructor(private readonly given: Given = {}) {}

  /** Registers a card with `opening` on its wallet and `topups` pending, and gives its chip. */
  open(cardId: string, { opening = 1_000_000, topups = [], ...card }: CardOptions = {}): Chip {
    const made = topups.map(
      (t, i): Topup => ({
        topupNo: i + 1,
        amount: 500,
        timestampSec: nowSec - 40_000,
        counter: null,
        deviceNo: 1,
        status: "pending",
        ...t,
      }),
    );
    let pending = 0;
    for (const { status, amount } of made) if (status === "pending") pending += amount;
    this.cash -= opening + pending;
    this.cards.set(cardId, {
      card: {
        cardNo: this.cards.size + 1,
        tenantId: 1,
        cardId,
        memberNo: 1,
        userId: 1,
        status: 0,
        keyVersion: 1,
        createdAtSec: 0,
        expiresAtSec: null,
        blockedAtSec: null,
        replacesNo: null,
        replacedByNo: null,
        needsValidation: false,
        head: { ...freshHead(opening, opening), pending },
        ...card,
      },
      events: new Map(),
      weeks: new Map(),
      topups: made,
      raised: new Set(),
    });
    return new Chip(cardId, opening);
  }

  kept(cardId: string): Kept {
    const kept = this.cards.get(cardId);
    if (kept === undefined) throw new RangeError(`no card ${cardId}`);
    return kept;
  }

  private decide(events: readonly IncomingEvent[], given: Given, reading: Reading): Decided {
    const views = new Map<string, CardView & { runs: Run[] }>();
    for (const [cardId, kept] of this.cards) {
      const runs: Run[] = [];
      if (reading === "everything") runs.push(readRun(kept, 1, Number.MAX_SAFE_INTEGER));
      for (const e of events) {
        if (reading !== "touched" || e.cardId !== cardId) continue;
        if (e.counter <= kept.card.head.top.counter) runs.push(readRun(kept, e.counter, 1));
      }
      Object.freeze(kept.card.head);
      views.set(cardId, { card: kept.card, runs, weeks: kept.weeks, awaiting: kept.topups });
    }
    const input: BatchInput = {
      nowSec,
      limits,
      windows: [always],
      roleOps: everyOp,
      suspendedAtSec: null,
      calendar: calendar("Asia/Jakarta"),
      ...this.given,
      ...given,
      events,
      firstEventId: this.lastEventId + 1,
      cards: views,
      quarantined: this.quarantine,
      beside: new Map(),
    };
    for (let ahead = 1; ; ahead += 1) {
      const decision: BatchDecision = decideBatch(input);
      if (decision.kind === "decided") return decision;
      if (reading === "everything") throw new RangeError("everything was read");
      if (ahead > 1_000) throw new RangeError("asks for ever");
      for (const { cardId, counter } of decision.needs) {
        views.get(cardId)?.runs.push(readRun(this.kept(cardId), counter, ahead));
      }
    }
  }

  /** Decides a batch and applies it. */
  submit(events: readonly IncomingEvent[], given: Given = {}): Decided {
    const decided = this.decide(events, given, "everything");
    for (const reading of ["touched", "nothing"] as const) {
      const again = this.decide(events, given, reading);
      if (!Bun.deepEquals(again, decided, true)) expect(again).toEqual(decided);
    }
    this.apply(events, decided);
    this.check();
    return decided;
  }

  private apply(events: readonly IncomingEvent[], decided: Decided): void {
    for (const { card, head, weeks, amended } of decided.cards) {
      const kept = this.kept(card.cardId);
      kept.card = { ...kept.card, head };
      for (const [week, days] of weeks) kept.weeks.set(week, days);
      for (const { before, after } of amended) {
        expect(kept.events.get(after.counter)).toEqual(before);
        kept.events.set(after.counter, after);
      }
    }
    for (const { card, event } of decided.accepted) {
      const { events: recorded } = this.kept(card.cardId);
      expect(event.id).toBe(++this.lastEventId);
      expect(recorded.has(event.counter)).toBe(false);
      recorded.set(event.counter, event);
    }
    for (const { card, event, reason } of decided.raised) {
      const { raised } = this.kept(card.cardId);
      expect(raised.has(`${event.counter} ${reason}`)).toBe(false);
      raised.add(`${event.counter} ${reason}`);
    }
    for (const { topupNo, eventId } of decided.credited) {
      const taken = decided.accepted.find((a) => a.event.id === eventId);
      const kept = this.kept(taken?.card.cardId ?? "");
      expect(kept.topups.some((t) => t.topupNo === topupNo)).toBe(true);
      kept.topups = kept.topups.filter((t) => t.topupNo !== topupNo);
    }
    for (const row of this.quarantine.values()) {
      const released = decided.released.some((r) => r.quarantineNo === row.quarantineNo);
      if (released) row.status = "approved";
    }
    for (const { index, fresh } of decided.rejected) {
      if (!fresh) continue;
      const key = contentKey(events[index] as IncomingEvent);
      expect(this.quarantine.has(key)).toBe(false);
      this.quarantine.set(key, { quarantineNo: this.quarantine.size + 1, status: "open" });
    }
    this.settlement += decided.debited;
    this.cash -= decided.parked;
    this.suspense += decided.parked;
  }

  private check(): void {
    let sum = this.cash + this.suspense + this.settlement;
    for (const { card, events, raised } of this.cards.values()) {
      const { available, pending, frozen, top, openingBalance } = card.head;
      sum += available + pending + frozen;
      const highest = Math.max(0, ...events.keys());
      expect(top).toEqual(events.get(highest) ?? registration(openingBalance));
      const flags: string[] = [];
      for (const e of events.values()) {
        for (const reason of reasonsOf(e.flags)) flags.push(`${e.counter} ${reason}`);
      }
      expect(new Set(flags)).toEqual(raised);
    }
    expect(sum).toBe(0);
  }
}

/** The flags of the answer, as `counter reason`. */
export const answered = (events: readonly IncomingEvent[], decided: Decided): string[] =>
  decided.flags.map(({ index, reason }) => `${events[index]?.counter} ${reason}`);

/** Why each event was refused; null for one that was taken. */
export const refusals = (events: readonly IncomingEvent[], decided: Decided): (string | null)[] => {
  const reasons = new Array<string | null>(events.length).fill(null);
  for (const { index, reason } of decided.rejected) reasons[index] = reason;
  return reasons;
};

export const raisedAs = (decided: Decided): [number, FlagReason, string][] =>
  decided.raised.map(({ event, reason, severity }) => [event.counter, reason, severity]);
