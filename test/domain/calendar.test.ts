/** Local days against the runtime's own date formatting, at every change of the clocks and between. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { calendar, dayText, weekdayOf, weekOf } from "../../src/domain/calendar.ts";

const zones = [
  "UTC",
  "Asia/Jakarta",
  "Europe/Berlin",
  "Asia/Kathmandu",
  "America/St_Johns", // changed at one minute past midnight
  "Australia/Lord_Howe", // by half an hour
  "Pacific/Apia", // left out a day
  "Africa/Monrovia", // 44 minutes and 30 seconds
  "America/Goose_Bay",
  "Antarctica/Casey",
];

const formatters = new Map(
  zones.map((timeZone) => [timeZone, new Intl.DateTimeFormat("sv-SE", { timeZone })]),
);
const localDate = (zone: string, sec: number): string =>
  formatters.get(zone)?.format(sec * 1000) ?? "";

function changes(zone: string): number[] {
  const found: number[] = [];
  let at: Temporal.ZonedDateTime | null =
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
  for (;;) {
    at = at.getTimeZoneTransition("next");
    if (at === null || at.epochMilliseconds >= 2 ** 31 * 1000) return found;
    found.push(at.epochMilliseconds / 1000);
  }
}

test.each(zones)("%s: days around every change of the clocks", (zone) => {
  const { dayOf } = calendar(zone);
  for (const sec of changes(zone)) {
    for (const off of [-86_400, -3_600, -61, -1, 0, 1, 59, 840, 899, 3_600, 86_400]) {
      const at = Math.max(0, sec + off);
      expect(`${at} ${dayText(dayOf(at))}`).toBe(`${at} ${localDate(zone, at)}`);
    }
  }
});

test("days at any moment of uint32", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      (zone, sec) => {
        expect(dayText(calendar(zone).dayOf(sec))).toBe(localDate(zone, sec));
      },
    ),
    { numRuns: 500 },
  );
});

describe("weeks", () => {
  test.each([
    ["1969-12-29", 0, 0],
    ["1970-01-01", 0, 3],
    ["1970-01-04", 0, 6],
    ["1970-01-05", 1, 0],
    ["2024-12-29", 2_869, 6],
    ["2024-12-30", 2_870, 0],
    ["2025-01-01", 2_870, 2],
  ])("%s", (date, week, weekday) => {
    const day = Date.parse(date) / 86_400_000;
    expect([weekOf(day), weekdayOf(day)]).toEqual([week, weekday]);
    expect(dayText(day)).toBe(date);
  });

  test("begin on Mondays, as ISO 8601 has them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 49_710 }), (day) => {
        const { dayOfWeek, weekOfYear } = Temporal.PlainDate.from(dayText(day));
        expect(weekdayOf(day)).toBe(dayOfWeek - 1);
        const other = Temporal.PlainDate.from(dayText(weekOf(day) * 7 - 3));
        expect([other.dayOfWeek, other.weekOfYear]).toEqual([1, weekOfYear]);
      }),
    );
  });
});

test("a zone nobody knows is refused; one that is known is read once", () => {
  expect(() => calendar("Asia/Nowhere")).toThrow(RangeError);
  expect(calendar("Asia/Jakarta")).toBe(calendar("Asia/Jakarta"));
});
