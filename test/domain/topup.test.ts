/** Which top-up a credit settles, and what that books. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  cancelInstead,
  matchCredit,
  matchParked,
  type ParkedCredit,
  type Topup,
} from "../../src/domain/topup.ts";
import { answered, cardA, limits, nowSec, Venue } from "./reconcile-fixture.ts";

const slack = limits.clockDriftAllowanceSec;
const topup = (topupNo: number, over: Partial<Topup> = {}): Topup => ({
  topupNo,
  amount: 500,
  timestampSec: 1_000,
  counter: null,
  deviceNo: 1,
  status: "pending",
  ...over,
});

describe("a credit of 500, counter 7, at 10 000", () => {
  const credit = { amount: 500, counter: 7, timestamp: 10_000 };
  const early = topup(1, { timestampSec: 1_000 });
  const latest = topup(2, { timestampSec: 10_000 + slack });
  const tooLate = topup(3, { timestampSec: 10_001 + slack });
  const later = topup(4, { timestampSec: 20_000 });
  const its = topup(5, { timestampSec: 90_000, counter: 7 });
  const otherCounter = topup(6, { timestampSec: 9_000, counter: 8 });
  const reissued = topup(7, { status: "completed" });

  const rows: [name: string, awaiting: Topup[], settles: number | undefined][] = [
    ["none", [], undefined],
    ["another amount", [topup(1, { amount: 501, counter: 7 })], undefined],
    ["cancelled", [topup(1, { status: "canceled", counter: 7 })], undefined],
    ["its counter before all", [later, latest, its, early], 5],
    ["the latest that is not after it", [early, tooLate, latest, later], 2],
    ["else the oldest", [later, tooLate], 3],
    ["another's counter is no hindrance", [early, otherCounter], 6],
    ["of one second, the one made last", [topup(9), topup(8)], 9],
    ["of one counter, the older", [its, topup(8, { counter: 7 })], 8],
    ["one settled by reissue", [reissued], 7],
    ["a pending one before it", [reissued, later], 4],
  ];
  test.each(rows)("%s", (_, awaiting, settles) => {
    for (const list of [awaiting, awaiting.toReversed()]) {
      expect(matchCredit(Object.freeze(list), credit, slack)?.topupNo).toBe(settles);
    }
  });
});

test("every credit takes one top-up while there is an equal one", () => {
  const amounts = fc.array(fc.constantFrom(100, 200), { maxLength: 8 });
  fc.assert(
    fc.property(amounts, amounts, fc.array(fc.nat(20)), (made, credited, times) => {
      let left: Topup[] = made.map((amount, i) =>
        topup(i + 1, { amount, timestampSec: times[i] ?? 5, counter: (times[i] ?? 0) % 4 }),
      );
      let taken = 0;
      for (const [i, amount] of credited.entries()) {
        const found = matchCredit(left, { amount, counter: i + 1, timestamp: 10 }, 0);
        left = left.filter((t) => t !== found);
        taken += found?.amount ?? 0;
      }
      const due = [100, 200].map((amount) => {
        const count = (list: number[]) => list.filter((each) => each === amount).length;
        return amount * Math.min(count(made), count(credited));
      });
      expect(taken).toBe((due[0] ?? 0) + (due[1] ?? 0));
    }),
  );
});

describe("booked", () => {
  const buckets = (venue: Venue) => {
    const { available, pending } = venue.kept(cardA).card.head;
    return { available, pending, suspense: venue.suspense };
  };

  test("a pending one becomes available, once", () => {
    const venue = new Venue();
    const chip = venue.open(cardA, { opening: 10, topups: [{ counter: 2 }, {}] });
    const events = [1, 2, 3].map(() => chip.write("credit", 500));
    const decided = venue.submit(events);
    expect(decided.accepted.map((a) => [a.booking, a.topupNo])).toEqual([
      [2, 2],
      [2, 1],
      [3, null],
    ]);
    expect(decided.credited.map((c) => c.settles)).toEqual([true, true]);
    expect(answered(events, decided)).toEqual(["3 unauthorised_credit"]);
    expect(buckets(venue)).toEqual({ available: 1_010, pending: 0, suspense: 500 });
  });

  test("one that a reissue settled takes its late credit once and moves nothing", () => {
    const venue = new Venue();
    const chip = venue.open(cardA, { opening: 10, topups: [{ status: "completed" }] });
    const events = [chip.write("credit", 500), chip.write("credit", 500)];
    const decided = venue.submit(events);
    expect(decided.accepted.map((a) => [a.booking, a.topupNo])).toEqual([
      [4, 1],
      [3, null],
    ]);
    expect(decided.credited).toEqual([{ topupNo: 1, eventId: 1, settles: false }]);
    expect(answered(events, decided)).toEqual(["2 unauthorised_credit"]);
    expect(buckets(venue)).toEqual({ available: 10, pending: 0, suspense: 500 });
  });

  test("by the event's time and the allowance of the uploading device's policy", () => {
    const venue = new Venue();
    const topups = [{ timestampSec: nowSec - 100 }, { timestampSec: nowSec + 10 }];
    const chip = venue.open(cardA, { topups });
    const event = chip.write("credit", 500, { at: nowSec });
    const own = { limits: { ...limits, clockDriftAllowanceSec: 9 } };
    expect(venue.submit([event], own).accepted[0]?.topupNo).toBe(1);
  });
});

test("cancelled in the place of a settled one: equal, pending, this device's first", () => {
  const settled = { topupNo: 1, amount: 500, deviceNo: 2 };
  const others = [
    topup(1),
    topup(2, { amount: 501, deviceNo: 2 }),
    topup(3, { status: "completed", deviceNo: 2 }),
    topup(4, { timestampSec: 2_000 }),
    topup(5, { timestampSec: 1_500 }),
  ];
  expect(cancelInstead(others, settled)?.topupNo).toBe(5);
  const own = topup(6, { timestampSec: 9_000, deviceNo: 2 });
  expect(cancelInstead([...others, own], settled)?.topupNo).toBe(6);
  expect(cancelInstead(others.slice(0, 3), settled)).toBeUndefined();
});

describe("a parked credit's top-up: the other way round", () => {
  const parked = (eventId: number, timestamp: number, counter = eventId): ParkedCredit => ({
    eventId,
    counter,
    timestamp,
  });
  const waiting = [parked(3, 300), parked(1, 100), parked(2, 200)];
  test.each<[number | null, number, number]>([
    [3, 0, 3],
    [null, 150, 2],
    [9, 200, 2],
    [null, 50, 1],
    [null, 999, 3],
  ])("counter %p at %d: event %d", (counter, timestampSec, eventId) => {
    expect(matchParked(waiting, { counter, timestampSec })?.eventId).toBe(eventId);
  });
  test("of one second, the one that came first", () => {
    const same = [parked(6, 100), parked(5, 100), parked(4, 90)];
    expect(matchParked(same, { counter: null, timestampSec: 95 })?.eventId).toBe(5);
  });

  test("none waits", () => {
    expect(matchParked([], { counter: 1, timestampSec: 1 })).toBeUndefined();
  });
});
