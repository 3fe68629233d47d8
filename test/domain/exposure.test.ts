/** How much may have been taken unseen: spans of grants, begun days, cards. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { exposedMinor, openDays } from "../../src/domain/exposure.ts";
import { opsMask } from "../../src/domain/grant.ts";
import type { GrantWindow } from "../../src/domain/window.ts";

const hour = 3_600;
const day = 24 * hour;
const debit = opsMask(["read", "debit"]);
const span = (fromHour: number, toHour: number, ops = debit): GrantWindow => ({
  issuedSec: fromHour * hour,
  expiresSec: toHour * hour,
  ops,
});
const daysAt = (windows: GrantWindow[], uploadHour: number | null, nowHour: number) =>
  openDays(windows, uploadHour === null ? null : uploadHour * hour * 1000, nowHour * hour * 1000);

describe("days", () => {
  const cases: [string, GrantWindow[], number | null, number, number][] = [
    ["no grant", [], null, 50, 0],
    ["no debit in it", [span(10, 18, opsMask(["read", "checkin"]))], null, 50, 0],
    ["just begun", [span(10, 18)], null, 10, 1],
    ["an hour", [span(10, 18)], null, 11, 1],
    ["a day to the second", [span(10, 34)], null, 50, 1],
    ["a day and a second", [span(10, 34), span(40, 41 + 1 / hour)], null, 50, 2],
    ["overlapping ones once", [span(10, 30), span(12, 34)], null, 50, 1],
    ["three that follow one another", [span(0, 24), span(24, 48), span(48, 72)], null, 72, 3],
    ["until now at most", [span(10, 70)], null, 30, 1],
    ["since the upload alone", [span(10, 60)], 40, 60, 1],
    ["uploaded at the last expiry", [span(10, 18)], 18, 50, 0],
    ["uploaded after it", [span(10, 18)], 20, 50, 0],
    ["uploaded while it is open", [span(10, 18)], 11, 11, 1],
    ["a newer grant than the upload", [span(10, 18), span(30, 38)], 20, 31, 1],
  ];
  for (const [what, windows, upload, now, days] of cases) {
    test(what, () => expect(daysAt(windows, upload, now).days).toBe(days));
  }

  test("the first moment that counts", () => {
    expect(daysAt([span(30, 38), span(10, 18)], null, 50).firstMs).toBe(10 * hour * 1000);
    expect(daysAt([span(10, 18)], 12, 50).firstMs).toBe(12 * hour * 1000);
    expect(daysAt([], null, 50).firstMs).toBeNull();
  });

  test("are those of a clock that counts every second under a grant", () => {
    const window = fc
      .tuple(fc.nat(200), fc.nat(60), fc.boolean())
      .map(([from, length, pays]) => span(from, from + length + 1, pays ? debit : 1));
    fc.assert(
      fc.property(
        fc.array(window, { maxLength: 8 }),
        fc.option(fc.nat(250)),
        fc.nat(250),
        (windows, upload, later) => {
          const now = (upload ?? 0) + later;
          const due = windows.filter(
            ({ ops, expiresSec, issuedSec }) =>
              ops === debit && expiresSec > (upload ?? 0) * hour && issuedSec <= now * hour,
          );
          let hours = 0;
          for (let at = upload ?? 0; at < now; at++) {
            const isOpen = ({ issuedSec, expiresSec }: GrantWindow) =>
              issuedSec <= at * hour && expiresSec >= (at + 1) * hour;
            if (due.some(isOpen)) hours += 1;
          }
          const days = due.length === 0 ? 0 : Math.max(1, Math.ceil((hours * hour) / day));
          expect(daysAt(due, upload, now).days).toBe(days);
        },
      ),
    );
  });
});

test("a day's limit for each day and card, one card at least, and never more than counts exactly", () => {
  const outlook = { lastUploadAtMs: null, sinceMs: null };
  expect(exposedMinor({ ...outlook, days: 0, cards: 9 }, 5)).toBe(0);
  expect(exposedMinor({ ...outlook, days: 2, cards: 3 }, 5)).toBe(30);
  expect(exposedMinor({ ...outlook, days: 2, cards: 0 }, 5)).toBe(10);
  const most = exposedMinor({ ...outlook, days: 9_000, cards: 9_000_000 }, 4_294_967_295);
  expect(most).toBe(Number.MAX_SAFE_INTEGER);
});
