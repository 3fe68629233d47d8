/**
 * Why an event of a batch is refused: every reason, both sides of every limit, order of precedence; and
 * what the batch adds up to. Flags of what is taken are in reconcile-flag.test.ts.
 */
import { describe, expect, test } from "bun:test";
import { counterLeapMax, uint24Max } from "../../schema/bound.ts";
import type { EventType } from "../../src/domain/chain.ts";
import type { IncomingEvent } from "../../src/domain/event.ts";
import { allDuplicates } from "../../src/domain/reconcile.ts";
import { type Chip, cardA, cardB, limits, nowSec, refusals, Venue } from "./reconcile-fixture.ts";

describe("refused", () => {
  type Make = (chip: Chip) => IncomingEvent[];
  const event = (chip: Chip, over: Partial<IncomingEvent>): IncomingEvent => ({
    ...chip.write("debit", 100),
    ...over,
  });
  const amountOf =
    (type: EventType, amount: number, balanceAfter = 5): Make =>
    (chip) => [event(chip, { type, amount, balanceAfter })];
  const counters =
    (...list: number[]): Make =>
    (chip) =>
      list.map((counter) => event(chip, { counter }));
  const changed =
    (over: Partial<IncomingEvent>): Make =>
    (chip) => {
      const e = chip.write("debit", 100);
      return [e, { ...e, ...over }];
    };
  const { hardCeiling } = limits;

  const rows: [name: string, make: Make, reasons: (string | null)[]][] = [
    ["unknown card", (c) => [event(c, { cardId: cardB })], ["unknown_card"]],
    ["debit of 0", amountOf("debit", 0), ["invalid_amount"]],
    ["debit of 1", amountOf("debit", 1), [null]],
    ["debit of 2^24 − 1", amountOf("debit", uint24Max), [null]],
    ["debit of 2^24", amountOf("debit", uint24Max + 1), ["invalid_amount"]],
    ["credit of 0", amountOf("credit", 0), ["invalid_amount"]],
    ["credit of 1", amountOf("credit", 1), [null]],
    ["credit of 2^24 − 1", amountOf("credit", uint24Max), [null]],
    ["credit of 2^24", amountOf("credit", uint24Max + 1), ["invalid_amount"]],
    ["credit up to the ceiling", amountOf("credit", 1, hardCeiling), [null]],
    ["credit above the ceiling", amountOf("credit", 1, hardCeiling + 1), ["invalid_amount"]],
    ["debit above the ceiling", amountOf("debit", 1, hardCeiling + 1), [null]],
    ["checkin of 0", amountOf("checkin", 0), [null]],
    ["checkin of 1", amountOf("checkin", 1), ["invalid_amount"]],
    ["checkout of 0", amountOf("checkout", 0), [null]],
    ["checkout of 1", amountOf("checkout", 1), ["invalid_amount"]],
    ["admin of 0", amountOf("admin", 0), [null]],
    ["admin of 1", amountOf("admin", 1), ["invalid_amount"]],
    ["10 000 above registration", counters(counterLeapMax), [null]],
    ["10 001 above registration", counters(counterLeapMax + 1), ["counter_leap"]],
    ["10 000 above the highest", counters(7, counterLeapMax + 7), [null, null]],
    ["10 001 above the highest", counters(7, counterLeapMax + 8), [null, "counter_leap"]],
    ["the highest of the batch counts", counters(9_999, 4, 19_999), [null, null, null]],
    ["the same twice", changed({}), [null, "duplicate"]],
    ["another amount", changed({ amount: 101 }), [null, "counter_conflict"]],
    ["another type", changed({ type: "credit" }), [null, "counter_conflict"]],
    ["another balance", changed({ balanceAfter: 1 }), [null, "counter_conflict"]],
    ["another time", changed({ timestamp: nowSec }), [null, "counter_conflict"]],
    ["another hash", changed({ hash: 1 }), [null, "counter_conflict"]],
    [
      "unknown card before amount",
      (c) => [event(c, { cardId: cardB, amount: 0 })],
      ["unknown_card"],
    ],
    [
      "amount before leap",
      (c) => [event(c, { amount: 0, counter: counterLeapMax + 1 })],
      ["invalid_amount"],
    ],
    ["amount before conflict", changed({ amount: 0 }), [null, "invalid_amount"]],
  ];

  test.each(rows)("%s", (_, make, reasons) => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const events = make(chip);
    const decided = venue.submit(events);
    expect(refusals(events, decided)).toEqual(reasons);
    expect(decided.accepted).toHaveLength(reasons.filter((r) => r === null).length);
  });

  test("across batches, whoever uploads", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const events = [chip.write("checkin"), chip.write("debit", 10)];
    venue.submit(events);
    const [first, second] = events as [IncomingEvent, IncomingEvent];
    const mixed = [first, { ...second, amount: 11 }, chip.write("debit", 5)];
    expect(refusals(mixed, venue.submit(mixed))).toEqual(["duplicate", "counter_conflict", null]);
  });

  test("only a batch of duplicates alone is a resend", () => {
    const venue = new Venue();
    const chip = venue.open(cardA);
    const events = [chip.write("checkin"), chip.write("debit", 10)];
    venue.submit(events);
    const resend = venue.submit(events);
    expect(allDuplicates(2, resend.rejected)).toBe(true);
    expect([resend.cards, resend.raised, [...resend.days]]).toEqual([[], [], []]);
    const mixed = [...events, chip.write("debit", 10)];
    expect(allDuplicates(3, venue.submit(mixed).rejected)).toBe(false);
    const foreign = [...events, { ...chip.write("debit", 1), cardId: cardB }];
    expect(allDuplicates(3, venue.submit(foreign).rejected)).toBe(false);
    expect(allDuplicates(0, venue.submit([]).rejected)).toBe(false);
  });
});

test("totals by local day: what was booked, refused, flagged and late", () => {
  const venue = new Venue();
  const chip = venue.open(cardA, { topups: [{ amount: 7 }] });
  const yesterday = nowSec - 86_400;
  const events = [
    chip.write("checkin", 0, { at: yesterday }),
    chip.write("debit", 30, { at: yesterday }),
    chip.write("checkout", 0, { at: yesterday }),
    { ...chip.write("debit", 0), timestamp: yesterday },
    chip.write("credit", 7, { at: nowSec }),
    chip.write("credit", 8, { at: nowSec }),
  ];
  const decided = venue.submit(events);
  const [day, today] = [20_215, 20_216];
  expect([...decided.days]).toEqual([
    [
      day,
      {
        ...{ checkins: 1, checkouts: 1, debits: 1, debitAmount: 30, credits: 0, creditAmount: 0 },
        ...{ rejected: 1, flagged: 0, lateEvents: 4, parkedAmount: 0 },
      },
    ],
    [
      today,
      {
        ...{ checkins: 0, checkouts: 0, debits: 0, debitAmount: 0, credits: 2, creditAmount: 15 },
        ...{ rejected: 0, flagged: 1, lateEvents: 0, parkedAmount: 8 },
      },
    ],
  ]);
  expect([decided.debited, decided.credits, decided.parked]).toEqual([30, 15, 8]);
});
