/** The clock: moved time, timers that follow it, and their faults. */
import { describe, expect, test } from "bun:test";
import { manualClock, systemClock } from "../../src/system/clock.ts";

const startMs = Date.UTC(2026, 0, 1);

describe("manual clock", () => {
  test("stands still until it is moved", () => {
    const clock = manualClock(startMs);
    expect(clock.nowMs()).toBe(startMs);
    clock.advance(90);
    expect(clock.nowMs()).toBe(startMs + 90_000);
    clock.advance(0);
    expect(clock.nowMs()).toBe(startMs + 90_000);
  });

  test("refuses to go back, or by half a second", () => {
    const clock = manualClock(startMs);
    for (const sec of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => clock.advance(sec)).toThrow(RangeError);
    }
    expect(() => clock.every(0, () => undefined)).toThrow(RangeError);
  });

  test("a timer runs when due, once however far the clock is moved", () => {
    const clock = manualClock(startMs);
    let calls = 0;
    clock.every(60_000, () => void calls++);
    clock.advance(59);
    expect(calls).toBe(0);
    clock.advance(1);
    expect(calls).toBe(1);
    clock.advance(3600);
    expect(calls).toBe(2);
    clock.advance(59);
    expect(calls).toBe(2);
    clock.advance(1);
    expect(calls).toBe(3);
  });

  test("a call that still runs is not started twice, and stopping waits for it", async () => {
    const clock = manualClock(startMs);
    const gate = Promise.withResolvers<void>();
    let begun = 0;
    let ended = 0;
    const stop = clock.every(1000, async () => {
      begun++;
      await gate.promise;
      ended++;
    });
    clock.advance(1);
    clock.advance(1);
    expect(begun).toBe(1);
    const stopped = stop();
    gate.resolve();
    await stopped;
    expect(ended).toBe(1);
    clock.advance(10);
    expect(begun).toBe(1);
  });

  test("a timer stopped by another one of the same move does not run", () => {
    const clock = manualClock(startMs);
    let calls = 0;
    clock.every(1000, () => void stopSecond());
    const stopSecond = clock.every(1000, () => void calls++);
    clock.advance(1);
    expect(calls).toBe(0);
  });

  test("a fault goes to onError and the timer goes on", async () => {
    const errors: unknown[] = [];
    const clock = manualClock(startMs, { onError: (error) => errors.push(error) });
    clock.every(1000, () => {
      throw new Error("now");
    });
    const stop = clock.every(1000, async () => {
      await Promise.resolve();
      throw new Error("later");
    });
    clock.advance(1);
    await stop();
    clock.advance(1);
    expect(errors.map(String)).toEqual(["Error: now", "Error: later", "Error: now"]);
  });
});

describe("system clock", () => {
  test("is the machine's, moved by the offset", () => {
    const behind = systemClock({ offsetSec: -86_400 });
    const before = Date.now();
    const nowMs = behind.nowMs();
    expect(nowMs).toBeGreaterThanOrEqual(before - 86_400_000);
    expect(nowMs).toBeLessThanOrEqual(Date.now() - 86_400_000);
  });

  test("timers run by themselves, again and again", async () => {
    const clock = systemClock();
    const thrice = Promise.withResolvers<void>();
    let calls = 0;
    const stop = clock.every(1, () => {
      if (++calls === 3) thrice.resolve();
    });
    // The clock's own timers do not keep a process alive; this one does.
    const alive = setInterval(() => undefined, 1000);
    await thrice.promise;
    clearInterval(alive);
    await stop();
    expect(calls).toBeGreaterThanOrEqual(3);
  });

  test("a day's timer runs when the clock is moved by a day", () => {
    const clock = systemClock();
    let calls = 0;
    void clock.every(86_400_000, () => void calls++);
    clock.advance(86_399);
    expect(calls).toBe(0);
    clock.advance(1);
    expect(calls).toBe(1);
  });

  test("a period longer than the runtime's longest timer does not fire at once", () => {
    const clock = systemClock();
    let calls = 0;
    void clock.every(2 ** 33, () => void calls++);
    clock.advance(1);
    expect(calls).toBe(0);
  });
});
