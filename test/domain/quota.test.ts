/** Windows of calls against a model that keeps every call, and the bound on how many are kept. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type WindowKey, Windows } from "../../src/domain/quota.ts";

const key = (name: string, limit = 3, windowMs = 60_000): WindowKey => ({
  key: name,
  limit,
  windowMs,
});

describe("a window", () => {
  test("starts with the first call, gives its limit, and is whole again when it ends", () => {
    const windows = new Windows(10);
    const take = (nowMs: number) => {
      const { passed, states } = windows.take([key("a")], nowMs, 1);
      return [passed, states[0]?.remaining, states[0]?.resetMs];
    };
    expect(take(1_000)).toEqual([true, 2, 60_000]);
    expect(take(31_000)).toEqual([true, 1, 30_000]);
    expect(take(60_999)).toEqual([true, 0, 1]);
    expect(take(60_999)).toEqual([false, 0, 1]);
    // The next one starts with the next call, not with the end of the last.
    expect(take(75_000)).toEqual([true, 2, 60_000]);
  });

  test("a look takes nothing and starts nothing", () => {
    const windows = new Windows(10);
    expect(windows.take([key("a")], 0, 0)).toEqual({
      passed: true,
      states: [{ remaining: 3, resetMs: 0 }],
    });
    expect(windows.count).toBe(0);
  });

  test("a call takes from every key or from none", () => {
    const windows = new Windows(10);
    const wide = key("wide", 100);
    const narrow = key("narrow", 1);
    expect(windows.take([wide, narrow], 0, 1).passed).toBe(true);
    expect(windows.take([wide, narrow], 0, 1)).toEqual({
      passed: false,
      states: [
        { remaining: 99, resetMs: 60_000 },
        { remaining: 0, resetMs: 60_000 },
      ],
    });
  });

  test("a clock that is set back locks nobody out", () => {
    const windows = new Windows(10);
    const nowMs = 10_000_000;
    for (let i = 0; i < 3; i++) windows.take([key("a")], nowMs, 1);
    expect(windows.take([key("a")], nowMs, 1).passed).toBe(false);
    expect(windows.take([key("a")], nowMs - 3_600_000, 1).passed).toBe(true);
  });

  test("as a model says that keeps the time of each call", () => {
    const steps = fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 0, max: 400 })), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(steps, (steps) => {
        const windows = new Windows(10);
        const model = new Map<string, { startMs: number; used: number }>();
        let nowMs = 0;
        for (const [which, waitMs] of steps) {
          nowMs += waitMs;
          const asked = key(`k${which}`, which + 1, 500);
          const known = model.get(asked.key);
          const running = known !== undefined && nowMs < known.startMs + 500 ? known : undefined;
          const expected = (running?.used ?? 0) < asked.limit;
          expect(windows.take([asked], nowMs, 1).passed).toBe(expected);
          if (running === undefined) model.set(asked.key, { startMs: nowMs, used: 1 });
          else if (expected) running.used++;
        }
      }),
    );
  });
});

test("a flood of keys drops others, but not the one that is spent", () => {
  const windows = new Windows(100);
  for (let i = 0; i < 3; i++) windows.take([key("spent")], 0, 1);
  for (let i = 0; i < 5_000; i++) windows.take([key(`flood ${i}`)], 1, 1);
  expect(windows.count).toBeLessThanOrEqual(100);
  expect(windows.take([key("spent")], 2, 1).passed).toBe(false);
});
