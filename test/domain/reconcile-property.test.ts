/**
 * Any split, order, repetition and interleaving of the same events ends in the same balances, heads,
 * states and knowledge, and that knowledge is the definition's. The events are honest and hostile:
 * wrong hashes and balances, gaps, forks of the chain, sessions that last too long.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  deltaTime,
  EVENT_CODE,
  type EventType,
  entryHash,
  startMarker,
} from "../../src/domain/chain.ts";
import { type IncomingEvent, registration } from "../../src/domain/event.ts";
import { reasonsOf } from "../../src/domain/flag.ts";
import { cardA, cardB, limits, nowSec, Venue } from "./reconcile-fixture.ts";
import { Model } from "./reconcile-model.ts";

const opening = 1_000;
const topups = [100, 100, 200, 300].map((amount, i) => ({
  topupNo: i + 1,
  amount,
  counter: i === 1 ? 7 : null,
  status: i === 2 ? ("completed" as const) : ("pending" as const),
}));

const stepArb = fc.record({
  type: fc.constantFrom<EventType>(
    ...(["debit", "debit", "debit", "credit", "credit", "checkin", "checkin"] as const),
    ...(["checkout", "admin"] as const),
  ),
  amount: fc.constantFrom(100, 200, 300),
  /** Counters that are never written before it. */
  skip: fc.constantFrom(0, 0, 0, 0, 1, 3),
  /** How many events below its chain really continues: more than 0 is a fork. */
  back: fc.constantFrom(0, 0, 0, 0, 0, 1, 1, 2, 3),
  wrong: fc.constantFrom("", "", "", "", "", "", "hash", "balance", "amount"),
  passed: fc.constantFrom(5, 10, 20, 100, -50, 90_000),
  bits: fc.constantFrom(0, 16, 32, 48),
});

type Step = typeof stepArb extends fc.Arbitrary<infer T> ? T : never;

/** Events in the order of their counters; `back` lets an event continue an older one. */
function eventsOf(cardId: string, steps: readonly Step[]): IncomingEvent[] {
  const written: { event: IncomingEvent; start: number }[] = [
    { event: { ...registration(opening), cardId }, start: 0 },
  ];
  let timestamp = nowSec - 2_000_000;
  for (const { type, amount: moved, skip, back, wrong, passed, bits } of steps) {
    const base = written[Math.max(0, written.length - 1 - back)] as (typeof written)[number];
    const counter = (written.at(-1)?.event.counter ?? 0) + 1 + skip;
    const moves = type === "debit" || type === "credit";
    const amount = wrong === "amount" ? (moves ? 0 : moved) : moves ? moved : 0;
    const sign = type === "debit" ? -1 : 1;
    const off = wrong === "balance" ? 1 : 0;
    const balanceAfter = Math.max(0, base.event.balanceAfter + sign * amount + off);
    timestamp += passed;
    const start = type === "checkin" ? timestamp : base.start;
    const previous = type === "checkin" ? startMarker(start) : base.event.hash;
    const flags = EVENT_CODE[type] | bits;
    const right = entryHash(deltaTime(timestamp, start), amount, balanceAfter, flags, previous);
    const hash = wrong === "hash" ? 77 + counter : right;
    written.push({
      event: { cardId, counter, type, amount, balanceAfter, timestamp, hash },
      start,
    });
  }
  return written.slice(1).map(({ event }) => event);
}

/** The events in any order, some of them again, cut anywhere. */
const arrivalArb = fc
  .tuple(fc.array(stepArb, { maxLength: 30 }), fc.array(stepArb, { maxLength: 6 }))
  .chain(([a, b]) => {
    const events = [...eventsOf(cardA, a), ...eventsOf(cardB, b)];
    const size = events.length;
    return fc.record({
      events: fc.constant(events),
      shuffled: fc.shuffledSubarray(events, { minLength: size }),
      delays: fc.array(fc.nat(12), { minLength: size, maxLength: size }),
      again: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 8 }),
      sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
    });
  });

function repeat(events: readonly IncomingEvent[], again: readonly (readonly [number, number])[]) {
  const all = [...events];
  for (const [which, where] of again) {
    const event = all[which % Math.max(1, all.length)];
    if (event !== undefined) all.splice(where % all.length, 0, event);
  }
  return all;
}

function cut(events: readonly IncomingEvent[], sizes: readonly number[]): IncomingEvent[][] {
  const batches: IncomingEvent[][] = [];
  for (let at = 0; at < events.length; ) {
    const size = sizes[batches.length % sizes.length] ?? 1;
    batches.push(events.slice(at, at + size));
    at += size;
  }
  return batches;
}

function run(batches: readonly (readonly IncomingEvent[])[]): Venue {
  const venue = new Venue();
  venue.open(cardA, { opening, topups });
  venue.open(cardB, { opening });
  for (const batch of batches) venue.submit(batch);
  return venue;
}

const linkReasons = ["balance_mismatch", "chain_mismatch", "invalid_transition"];
const linkFlags = (flags: number) =>
  reasonsOf(flags).filter((reason) => linkReasons.includes(reason));

/** All that must not depend on the order of arrival. */
function settled(venue: Venue): unknown {
  const cards = [...venue.cards.values()].map(({ card, events, topups: left }) => {
    const { available, pending, shownState, shownCounter, top } = card.head;
    const known = [...events.values()]
      .sort((x, y) => x.counter - y.counter)
      .map(({ id: _, flags: __, ...rest }) => rest);
    return {
      available,
      pending,
      shownState,
      shownCounter,
      top: top.counter,
      known,
      left: left.length,
    };
  });
  const { cash, suspense, settlement, quarantine } = venue;
  return { cards, cash, suspense, settlement, quarantine: [...quarantine.keys()].sort() };
}

function expectDefinition(venue: Venue, inOrder: boolean): void {
  for (const { card, events } of venue.cards.values()) {
    const model = new Model(opening, events.values(), limits.sessionMaxSec);
    expect<number | null>(card.head.shownState).toBe(model.shownState());
    for (const e of events.values()) {
      const { linked, start, state } = e;
      const { flags, ...derived } = model.of(e);
      expect({ counter: e.counter, linked, start, state }).toEqual({
        counter: e.counter,
        ...derived,
      } as typeof derived & { counter: number; state: typeof state });
      if (inOrder) expect<readonly string[]>(linkFlags(e.flags)).toEqual(flags);
      else expect(linkFlags(e.flags)).toEqual(expect.arrayContaining([...flags]));
    }
  }
}

test("the order of arrival changes nothing that lasts", () => {
  fc.assert(
    fc.property(arrivalArb, ({ events, shuffled, delays, again, sizes }) => {
      const delayed = events
        .map((event, i) => ({ event, at: i + (delays[i] ?? 0) }))
        .sort((x, y) => x.at - y.at)
        .map(({ event }) => event);
      const whole = run([events]);
      expectDefinition(whole, true);
      const wanted = settled(whole);
      const arrivals = [
        cut(events, sizes),
        cut(repeat(shuffled, again), sizes),
        cut(repeat(delayed, again), sizes),
        [events.toReversed()],
      ];
      for (const batches of arrivals) {
        const venue = run(batches);
        expect(settled(venue)).toEqual(wanted);
        expectDefinition(venue, false);
      }
    }),
    { numRuns: 150 },
  );
});
