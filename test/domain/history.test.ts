/** Runs of a history answer as the whole would, or say that they don't know. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Recorded, registration } from "../../src/domain/event.ts";
import { History, type Run, unknown } from "../../src/domain/history.ts";

const end = Number.MAX_SAFE_INTEGER;
const event = (counter: number): Recorded => ({ ...registration(0), id: counter, counter });

/** Counters of the whole history, the registration included, and runs of it. */
const historyArb = fc
  .uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 25 })
  .chain((counters) => {
    const all = [0, ...counters].sort((a, b) => a - b);
    const runArb = fc
      .tuple(fc.nat(all.length - 1), fc.nat(6), fc.nat(3))
      .map(([from, n, more]): Run => {
        const events = all.slice(from, from + n + 1).map(event);
        const last = events.at(-1)?.counter ?? 0;
        const next = all[from + n + 1];
        const hi = next === undefined ? end : Math.min(last + more, next - 1);
        return { lo: events[0]?.counter ?? 0, hi, events };
      });
    return fc.record({ all: fc.constant(all), runs: fc.array(runArb, { maxLength: 5 }) });
  });

const counterOf = (found: Recorded | null | typeof unknown) =>
  found === unknown ? unknown : (found?.counter ?? null);

test("at, below and above, against the whole history", () => {
  fc.assert(
    fc.property(historyArb, ({ all, runs }) => {
      const top = all.at(-1) ?? 0;
      for (const run of runs) Object.freeze(run.events);
      const history = new History(event(top), Object.freeze(runs));
      const known = (c: number) => c >= top || runs.some((r) => r.lo <= c && c <= r.hi);
      for (let c = 0; c <= 45; c += 1) {
        const here = all.includes(c) ? c : null;
        expect<unknown>(counterOf(history.at(c))).toBe(known(c) ? here : unknown);
        const below = all.findLast((each) => each < c);
        const tellsBelow =
          known(c) && below !== undefined && known(below) && joins(runs, top, below, c);
        expect<unknown>(counterOf(history.below(c))).toBe(tellsBelow ? below : unknown);
        const above = all.find((each) => each > c) ?? null;
        const tellsAbove = known(c) && known(above ?? end) && joins(runs, top, c, above ?? end);
        expect<unknown>(counterOf(history.above(c))).toBe(tellsAbove ? above : unknown);
      }
    }),
  );
});

/** Is every counter from `from` to `to` in some run? */
function joins(runs: readonly Run[], top: number, from: number, to: number): boolean {
  for (let c = from; c < Math.min(to, top); c += 1) {
    if (!runs.some((r) => r.lo <= c && c <= r.hi)) return false;
  }
  return true;
}

describe("put", () => {
  test("adds below, between and above, and replaces", () => {
    const history = new History(event(9), [
      { lo: 0, hi: 9, events: [event(0), event(4), event(9)] },
    ]);
    for (const counter of [12, 2, 6]) history.put(event(counter));
    const newer = { ...event(6), flags: 1 };
    history.put(newer);
    expect(history.at(6)).toBe(newer);
    const counters: number[] = [];
    for (let c: number | null = 0; c !== null; ) {
      counters.push(c);
      const next = history.above(c);
      c = next === unknown ? null : (next?.counter ?? null);
    }
    expect(counters).toEqual([0, 2, 4, 6, 9, 12]);
    expect(history.above(12)).toBeNull();
  });

  test("what was not read is not written", () => {
    const history = new History(event(9), []);
    expect(() => history.put(event(3))).toThrow(RangeError);
  });

  test("the highest counter there is", () => {
    const history = new History(event(end - 1), []);
    expect(history.at(end)).toBeNull();
    history.put(event(end));
    expect([counterOf(history.at(end)), history.above(end)]).toEqual([end, null]);
    expect(counterOf(history.below(end))).toBe(end - 1);
  });
});
