/** Forks of a card, and what is refused and kept: when it adds a row, when it closes one. */
import { describe, expect, test } from "bun:test";
import { counterLeapMax } from "../../schema/bound.ts";
import { contentKey } from "../../src/domain/event.ts";
import { allDuplicates } from "../../src/domain/reconcile.ts";
import { cardA, cardB, raisedAs, refusals, Venue } from "./reconcile-fixture.ts";

describe("conflicts", () => {
  test("inside one batch both sides are shown, the recorded one not in the answer", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const event = chip.write("checkin");
    const other = { ...event, hash: 1 };
    const third = { ...event, hash: 2 };
    const decided = venue.submit([event, other, third]);
    expect(decided.flags).toEqual([]);
    expect(raisedAs(decided)).toEqual([[1, "counter_conflict", "high"]]);
    expect(decided.raised[0]?.detail).toEqual({ conflict: other });
    expect(decided.rejected.map((r) => [r.reason, r.fresh])).toEqual([
      ["counter_conflict", true],
      ["counter_conflict", true],
    ]);
  });

  test("a recorded event is flagged once, also where it is the head", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const events = [chip.write("checkin"), chip.write("debit", 1)];
    venue.submit(events);
    for (const event of events) {
      const other = { ...event, hash: 1 };
      const decided = venue.submit([other]);
      expect(raisedAs(decided)).toEqual([[event.counter, "counter_conflict", "high"]]);
      expect(decided.raised[0]?.detail).toEqual({ conflict: other });
      expect(venue.submit([{ ...event, hash: 2 }]).raised).toEqual([]);
    }
  });
});

describe("quarantine", () => {
  const far = counterLeapMax + 100;

  test("the same again adds no row, in the batch and across", () => {
    const venue = new Venue();
    const event = { ...venue.open(cardA).write("debit", 1), counter: far };
    const { rejected } = venue.submit([event, event]);
    expect(rejected.map((r) => [r.card?.cardId, r.fresh])).toEqual([
      [cardA, true],
      [cardA, false],
    ]);
    expect(venue.submit([{ ...event, cardId: cardB }]).rejected[0]?.card).toBeNull();
    expect(venue.kept(cardA).card.head.quarantined).toBe(true);
    expect(venue.submit([event]).rejected.map((r) => [r.reason, r.fresh])).toEqual([
      ["counter_leap", false],
    ]);
  });

  test("taken now, its row is closed, also a dismissed one; then it is a duplicate", () => {
    for (const status of ["open", "dismissed"] as const) {
      const venue = new Venue();
      const chip = venue.open(cardA);
      const event = { ...chip.write("debit", 1), counter: far };
      venue.submit([event]);
      const row = venue.quarantine.get(contentKey(event));
      if (row !== undefined) row.status = status;
      venue.submit([{ ...event, counter: 100 }]);
      const decided = venue.submit([event, event]);
      expect(refusals([event, event], decided)).toEqual([null, "duplicate"]);
      expect(decided.released).toEqual([{ quarantineNo: 1, eventId: 2 }]);
      expect(row?.status).toBe("approved");
      expect(refusals([event], venue.submit([event]))).toEqual(["duplicate"]);
    }
  });

  test("refused and taken within one batch, it needs no row", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const near = { ...chip.write("debit", 1), counter: 100 };
    const event = { ...near, counter: far };
    const decided = venue.submit([event, near, event]);
    expect(refusals([event, near, event], decided)).toEqual(["counter_leap", null, null]);
    expect(decided.rejected.map((r) => r.fresh)).toEqual([false]);
    expect(venue.quarantine.size).toBe(0);
  });

  test("approved as it stood, it is a duplicate before anything else", () => {
    const venue = new Venue();
    const event = { ...venue.open(cardA).write("debit", 1), counter: far };
    const foreign = { ...event, cardId: cardB };
    venue.submit([event, foreign]);
    for (const row of venue.quarantine.values()) row.status = "approved";
    const decided = venue.submit([event, foreign]);
    expect(allDuplicates(2, decided.rejected)).toBe(true);
    expect(decided.accepted).toEqual([]);
  });
});
