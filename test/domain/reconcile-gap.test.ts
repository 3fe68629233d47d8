/**
 * Events that come late: what a filled gap teaches about those above it, where that is told, and how
 * the head follows.
 */
import { describe, expect, test } from "bun:test";
import type { IncomingEvent } from "../../src/domain/event.ts";
import { CHECKED_IN, CHECKED_OUT, IDLE } from "../../src/domain/state.ts";
import { answered, type Chip, cardA, raisedAs, refusals, Venue } from "./reconcile-fixture.ts";

/** checkin 1, debits 2 … n, of which number `wrong` shows a balance one too high. */
function session(chip: Chip, n: number, wrong = 0): IncomingEvent[] {
  const events = [chip.write("checkin")];
  for (let c = 2; c <= n; c += 1) {
    if (c === wrong) chip.balance += 1;
    events.push(chip.write("debit", 10));
  }
  return events;
}

const knowledge = (venue: Venue) =>
  [...venue.kept(cardA).events.values()]
    .sort((a, b) => a.counter - b.counter)
    .map(({ counter, linked, state }) => `${counter} ${linked ? "linked" : "-"} ${state}`);

const head = (venue: Venue) => {
  const { top, shownState, shownCounter } = venue.kept(cardA).card.head;
  return { top: top.counter, shownState, shownCounter };
};

describe("a gap that is filled", () => {
  test("by a later batch: what is learnt goes to the queue, not into the answer", () => {
    const venue = new Venue();
    const events = session(venue.open(cardA), 6, 4);
    const missing = events.splice(2, 1);
    const first = venue.submit(events);
    expect(first.flags).toEqual([]);
    expect(knowledge(venue)).toEqual([
      "1 linked 1",
      "2 linked 1",
      "4 - null",
      "5 linked null",
      "6 linked null",
    ]);
    expect(head(venue)).toEqual({ top: 6, shownState: CHECKED_IN, shownCounter: 2 });

    const second = venue.submit(missing);
    expect(second.flags).toEqual([]);
    expect(raisedAs(second)).toEqual([[4, "balance_mismatch", "medium"]]);
    expect(knowledge(venue).every((line) => line.endsWith("linked 1"))).toBe(true);
    expect(head(venue)).toEqual({ top: 6, shownState: CHECKED_IN, shownCounter: 6 });
    expect(second.accepted.map((a) => [a.late, a.prev, a.placed])).toEqual([[true, 0, false]]);
  });

  test("within one batch: the flag is the answer's, in the order of the events", () => {
    const venue = new Venue();
    const events = session(venue.open(cardA), 6, 4).toReversed();
    const decided = venue.submit(events);
    expect(answered(events, decided)).toEqual(["4 balance_mismatch"]);
    expect(raisedAs(decided)).toEqual([[4, "balance_mismatch", "medium"]]);
    expect(decided.cards[0]?.amended).toEqual([]);
  });

  test("nothing is learnt above the next checkin", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const events = [chip.write("checkin"), chip.write("checkout")];
    const [missing] = events.splice(1, 1) as [IncomingEvent];
    events.push(chip.write("admin"), chip.write("checkin"), chip.write("debit", 1));
    venue.submit(events);
    const decided = venue.submit([missing]);
    expect(decided.cards[0]?.amended.map((a) => a.after.counter)).toEqual([3]);
    expect(decided.raised).toEqual([]);
  });

  test("an unlawful move shows only then", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const [checkin, out, debit] = [
      chip.write("checkin"),
      chip.write("checkout"),
      chip.write("debit", 1),
    ];
    expect(venue.submit([checkin, debit]).raised).toEqual([]);
    expect(raisedAs(venue.submit([out]))).toEqual([[3, "invalid_transition", "medium"]]);
  });

  test("an event learns twice in a batch and is told of once", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const events = session(chip, 4);
    const last = { ...chip.write("debit", 10), balanceAfter: 1 };
    venue.submit([last]);
    const decided = venue.submit(events.toReversed());
    const [amended, ...more] = decided.cards[0]?.amended ?? [];
    expect(more).toEqual([]);
    expect([amended?.before.linked, amended?.before.state]).toEqual([false, null]);
    expect([amended?.after.linked, amended?.after.state]).toEqual([true, CHECKED_IN]);
    expect(raisedAs(decided)).toEqual([
      [5, "balance_mismatch", "medium"],
      [5, "chain_mismatch", "high"],
    ]);
  });
});

describe("counters that were never written", () => {
  test("are no gap while the hash fits; a fill takes the link away, flags stay", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    chip.write("checkin");
    const events = [chip.write("checkout", 0, { skip: 1 }), chip.write("admin")];
    chip.balance += 1;
    const skipped = chip.write("credit", 5, { skip: 2 });
    const above = chip.write("credit", 5);
    // The checkout's hash names a checkin that never comes: its start is not known, nor the admin's.
    expect(venue.submit([...events, skipped, above]).flags.map((f) => f.reason)).toEqual([
      "unauthorised_credit",
      "unauthorised_credit",
    ]);
    expect(knowledge(venue)).toEqual(["3 - 3", "4 linked 0", "7 - null", "8 linked null"]);
    expect(head(venue)).toEqual({ top: 8, shownState: IDLE, shownCounter: 4 });
  });

  test("filled after all, by an event on another chain", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const checkin = chip.write("checkin");
    chip.balance += 1;
    const skipped = chip.write("debit", 5, { skip: 2 });
    const above = chip.write("debit", 5);
    const first = [checkin, skipped, above];
    expect(answered(first, venue.submit(first))).toEqual(["4 balance_mismatch"]);
    expect(knowledge(venue)).toEqual(["1 linked 1", "4 linked 1", "5 linked 1"]);
    expect(head(venue)).toEqual({ top: 5, shownState: CHECKED_IN, shownCounter: 5 });

    const fill = { ...skipped, counter: 2, hash: 1 };
    const decided = venue.submit([fill]);
    expect(answered([fill], decided)).toEqual(["2 balance_mismatch", "2 chain_mismatch"]);
    expect(knowledge(venue)).toEqual(["1 linked 1", "2 linked 1", "4 - null", "5 linked null"]);
    expect(head(venue)).toEqual({ top: 5, shownState: CHECKED_IN, shownCounter: 2 });
    expect(venue.kept(cardA).raised.has("4 balance_mismatch")).toBe(true);
  });

  test("a fill may change the state that is shown", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const checkin = chip.write("checkin");
    const debit = chip.write("debit", 5, { skip: 2 });
    venue.submit([checkin, debit]);
    expect(head(venue)).toEqual({ top: 4, shownState: CHECKED_IN, shownCounter: 4 });
    const fill = { ...checkin, counter: 3, type: "checkout" as const, timestamp: chip.clock };
    venue.submit([fill]);
    expect(head(venue)).toEqual({ top: 4, shownState: CHECKED_OUT, shownCounter: 4 });
    venue.submit([{ ...fill, counter: 2, type: "admin" as const }]);
    expect(head(venue)).toEqual({ top: 4, shownState: CHECKED_OUT, shownCounter: 4 });
  });

  test("a late event below never lowers the state that is shown", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const events = [chip.write("checkin"), chip.write("checkout"), chip.write("admin")];
    venue.submit(events.slice(2));
    expect(head(venue)).toEqual({ top: 3, shownState: IDLE, shownCounter: 0 });
    venue.submit(events.slice(0, 1));
    expect(head(venue)).toEqual({ top: 3, shownState: CHECKED_IN, shownCounter: 1 });
    venue.submit(events.slice(1));
    expect(head(venue)).toEqual({ top: 3, shownState: IDLE, shownCounter: 3 });
  });
});

test("the chain of back pointers skips what came late; every 32nd of it has a place", () => {
  const venue = new Venue();
  const events = session(venue.open(cardA), 70);
  const late = events.splice(9, 1);
  const decided = venue.submit([...events, ...late]);
  expect(refusals(events, decided).every((r) => r === null)).toBe(true);
  const chain = decided.accepted.filter((a) => !a.late);
  expect(chain.map((a) => a.prev)).toEqual([0, ...chain.slice(0, -1).map((a) => a.event.id)]);
  expect(chain.flatMap((a, i) => (a.placed ? [i + 1] : []))).toEqual([32, 64]);
  const { depth, late: count } = venue.kept(cardA).card.head;
  expect([depth, count]).toEqual([69, 1]);
});
