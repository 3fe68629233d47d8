/** What a card has spent so far: sums in any order of days, and the limits at the edges of days and weeks. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { calendar, weekOf } from "../../src/domain/calendar.ts";
import { noDays } from "../../src/domain/cardrecord.ts";
import { spend } from "../../src/domain/spending.ts";
import { answered, cardA, limits, Venue } from "./reconcile-fixture.ts";

test("sums are those of all debits so far, in whatever order of days they come", () => {
  const debit = fc.record({ day: fc.integer({ min: 0, max: 20 }), amount: fc.nat(1_000) });
  fc.assert(
    fc.property(fc.array(debit, { maxLength: 60 }), (debits) => {
      const rows = new Map<number, readonly number[]>();
      let head = { week: 0, days: noDays };
      for (const [i, { day, amount }] of debits.entries()) {
        const before = debits.slice(0, i + 1);
        const sum = (list: typeof debits) => list.reduce((total, d) => total + d.amount, 0);
        const spent = spend(head, rows, day, amount);
        expect(spent.daySum).toBe(sum(before.filter((d) => d.day === day)));
        expect(spent.weekSum).toBe(sum(before.filter((d) => weekOf(d.day) === weekOf(day))));
        head = { week: spent.week, days: spent.days };
        if (spent.stored !== null) rows.set(spent.stored.week, spent.stored.days);
        expect(rows.has(head.week)).toBe(false);
      }
      expect(noDays).toEqual([0, 0, 0, 0, 0, 0, 0]);
    }),
  );
});

test("a week with a debit every day leaves the head and is met again", () => {
  const rows = new Map<number, readonly number[]>();
  let head = { week: 0, days: noDays };
  const sums = [4, 5, 6, 7, 8, 9, 10, 11, 4].map((day) => {
    const spent = spend(head, rows, day, 1);
    head = { week: spent.week, days: spent.days };
    if (spent.stored !== null) rows.set(spent.stored.week, spent.stored.days);
    return `${spent.daySum} ${spent.weekSum}`;
  });
  expect(sums).toEqual(["1 1", "1 2", "1 3", "1 4", "1 5", "1 6", "1 7", "1 1", "2 8"]);
});

const second = (zone: string, local: string): number =>
  Temporal.ZonedDateTime.from(`${local}[${zone}]`).epochMilliseconds / 1000;

interface Spent {
  readonly at: string;
  readonly amount: number;
}

/** Flags of debits that arrive in this order, each in a batch of its own or all in one. */
function windowFlags(zone: string, debits: readonly Spent[], oneBatch: boolean): string[] {
  const moments = debits.map((d) => second(zone, d.at));
  const venue = new Venue({
    calendar: calendar(zone),
    nowSec: Math.max(...moments),
    limits: { ...limits, dailyLimit: 100, weeklyLimit: 250, sessionMaxSec: 2 ** 32 },
  });
  const chip = venue.open(cardA);
  venue.submit([chip.write("checkin", 0, { at: Math.min(...moments) })]);
  const events = debits.map(({ amount }, i) =>
    chip.write("debit", amount, { at: moments[i] ?? 0 }),
  );
  const batches = oneBatch ? [events] : events.map((e) => [e]);
  return batches
    .flatMap((batch) => answered(batch, venue.submit(batch)))
    .map((flag) => flag.replace("_limit_exceeded", ""));
}

const on = (at: string, amount: number): Spent => ({ at, amount });

describe.each([true, false])("limits, in one batch: %p", (oneBatch) => {
  const rows: [name: string, zone: string, debits: Spent[], flags: string[]][] = [
    [
      "up to the day's limit, and one above",
      "Asia/Jakarta",
      [on("2025-05-08T08:00", 60), on("2025-05-08T09:00", 40), on("2025-05-08T10:00", 1)],
      ["4 daily"],
    ],
    [
      "midnight begins a new day",
      "Asia/Jakarta",
      [on("2025-05-08T23:59:59", 100), on("2025-05-09T00:00", 100), on("2025-05-09T00:00:01", 1)],
      ["4 daily"],
    ],
    [
      "up to the week's limit, and one above",
      "Asia/Jakarta",
      [
        on("2025-05-05T00:00", 100),
        on("2025-05-07T12:00", 100),
        on("2025-05-11T23:59:58", 50),
        on("2025-05-11T23:59:59", 1),
      ],
      ["5 weekly"],
    ],
    [
      "Monday begins a new week",
      "Asia/Jakarta",
      [
        on("2025-05-09T12:00", 100),
        on("2025-05-10T12:00", 100),
        on("2025-05-11T23:59:59", 50),
        on("2025-05-12T00:00", 100),
      ],
      [],
    ],
    [
      "the year's end is no border of a week",
      "Europe/Berlin",
      [
        on("2024-12-30T12:00", 100),
        on("2024-12-31T23:59:59", 100),
        on("2025-01-01T00:00", 50),
        on("2025-01-05T23:59:59", 1),
        on("2025-01-06T00:00", 1),
      ],
      ["5 weekly"],
    ],
    [
      "a day of 23 hours, the last of its week",
      "Europe/Berlin",
      [
        on("2025-03-29T23:59:59", 100),
        on("2025-03-30T00:00", 60),
        on("2025-03-30T23:59:59", 41),
        on("2025-03-31T00:00", 100),
      ],
      ["4 daily"],
    ],
    [
      "a day of 25 hours, the last of its week",
      "Europe/Berlin",
      [
        on("2025-10-25T23:59:59", 100),
        on("2025-10-26T00:00", 60),
        on("2025-10-26T02:30:00+02:00", 40),
        on("2025-10-26T02:30:00+01:00", 1),
        on("2025-10-26T23:59:59", 1),
        on("2025-10-27T00:00", 100),
      ],
      ["5 daily", "6 daily"],
    ],
    [
      "an older day that comes late is counted by itself, and flags nobody else",
      "Asia/Jakarta",
      [
        on("2025-05-21T12:00", 90),
        on("2025-05-07T12:00", 90),
        on("2025-05-07T11:00", 11),
        on("2025-05-21T13:00", 10),
        on("2025-05-14T12:00", 100),
      ],
      ["4 daily"],
    ],
    [
      "both at once, in the order of the table",
      "Asia/Jakarta",
      [on("2025-05-08T12:00", 251)],
      ["2 daily", "2 weekly"],
    ],
  ];
  test.each(rows)("%s", (_, zone, debits, flags) => {
    expect(windowFlags(zone, debits, oneBatch)).toEqual(flags);
  });
});

test("a flag tells the limit and the sum", () => {
  const venue = new Venue({ limits: { ...limits, dailyLimit: 5, weeklyLimit: 9 } });
  const chip = venue.open(cardA);
  const events = [chip.write("checkin"), chip.write("debit", 4), chip.write("debit", 8)];
  expect(venue.submit(events).raised.map((r) => r.detail)).toEqual([
    { limit: 5, total: 12 },
    { limit: 9, total: 12 },
  ]);
});
