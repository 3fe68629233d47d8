/** The simulator's small parts: random numbers, the chip, percentiles, local days, locks, pools. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CardLocks } from "../../src/sim/cardlock.ts";
import { Chip } from "../../src/sim/chip.ts";
import { Findings } from "../../src/sim/finding.ts";
import { LocalDays } from "../../src/sim/localday.ts";
import { Meter, percentile } from "../../src/sim/meter.ts";
import { pooled } from "../../src/sim/pool.ts";
import { Random } from "../../src/sim/random.ts";

describe("random", () => {
  const draw = (random: Random) => Array.from({ length: 50 }, () => random.uint32());

  test("a seed repeats itself, another differs, so do forks", () => {
    expect(draw(new Random("a"))).toEqual(draw(new Random("a")));
    expect(draw(new Random("a"))).not.toEqual(draw(new Random("b")));
    expect(draw(new Random(1).fork("x"))).toEqual(draw(new Random(1).fork("x")));
    expect(draw(new Random(1).fork("x"))).not.toEqual(draw(new Random(1).fork("y")));
  });

  test("integers stay within their ends and reach them", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(20), fc.nat(20), (seed, min, width) => {
        const random = new Random(seed);
        const drawn = Array.from({ length: 500 }, () => random.int(min, min + width));
        expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([min, min + width]);
      }),
      { numRuns: 20 },
    );
  });

  test("shuffled lists keep their members; uuids are version 4", () => {
    const random = new Random(7);
    expect(random.shuffle([1, 2, 3, 4]).sort()).toEqual([1, 2, 3, 4]);
    expect(random.uuid()).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(() => random.pick([])).toThrow(RangeError);
  });
});

describe("chip", () => {
  const full = new Uint8Array(484).fill(9);

  test("pages are written in order until the field is lost", () => {
    const chip = new Chip();
    expect(chip.program(full, [5, 3, 4], 2)).toBe(false);
    const written = [...chip.read()].flatMap((byte, i) => (byte === 9 ? [i] : []));
    expect(written).toEqual([12, 13, 14, 15, 20, 21, 22, 23]);
    expect(chip.program(full, [4])).toBe(true);
  });

  test("a reader's copy stays what it was", () => {
    const chip = new Chip();
    const copy = chip.read();
    chip.program(full, [0]);
    expect(copy[0]).toBe(0);
    expect(chip.holds(copy)).toBe(false);
  });

  test("a clone lives its own life, a rollback forgets, a flip is one bit", () => {
    const chip = new Chip();
    const twin = chip.clone();
    const snapshot = chip.read();
    chip.flip(11);
    expect([chip.read()[1], twin.read()[1]]).toEqual([8, 0]);
    chip.rollback(snapshot);
    expect(chip.holds(twin.read())).toBe(true);
  });
});

test.each([
  [[], 0.5, 0],
  [[3], 0.99, 3],
  [[1, 2, 3, 4], 0.5, 2],
  [[1, 2, 3, 4], 0.51, 3],
  [[1, 2, 3, 4], 1, 4],
])("percentile of %p at %p is %p", (sorted, share, value) => {
  expect(percentile(sorted, share)).toBe(value);
});

test("a meter counts what got no answer, and times the rest", () => {
  const meter = new Meter();
  meter.record("x", 200, 5);
  meter.record("x", 429, 1);
  meter.record("x", 0, 99);
  expect(meter.summary()).toEqual([
    {
      ...{ kind: "x", count: 2, p50Ms: 1, p90Ms: 5, p99Ms: 5, maxMs: 5 },
      statuses: { 200: 1, 429: 1, 0: 1 },
    },
  ]);
});

test.each([
  ["Asia/Jakarta", "2025-05-04T16:59:59Z", "2025-05-04", "2025-05-04"],
  ["Asia/Jakarta", "2025-05-04T17:00:00Z", "2025-05-05", "2025-05-11"],
  ["Asia/Kathmandu", "2025-05-04T18:14:59Z", "2025-05-04", "2025-05-04"],
  ["Asia/Kathmandu", "2025-05-04T18:15:00Z", "2025-05-05", "2025-05-11"],
  ["America/New_York", "2025-03-09T04:59:59Z", "2025-03-08", "2025-03-09"],
])("%s at %s is %s; its week ends on %s", (zone, at, date, sunday) => {
  const days = new LocalDays(zone);
  const timestamp = Date.parse(at) / 1_000;
  expect(days.day(timestamp)).toBe(Date.parse(date) / 86_400_000);
  expect(days.week(timestamp)).toBe(days.week(Date.parse(`${sunday}T12:00:00Z`) / 1_000));
});

test("calls about one card go in order, others overlap, and nobody waits for ever", async () => {
  const locks = new CardLocks(new Set(["a", "b"]));
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name}+`);
    await Bun.sleep(1);
    log.push(`${name}-`);
  };
  await Promise.all([
    locks.run(["a", "b"], work("1")),
    locks.run(["b", "a"], work("2")),
    locks.run(["free"], work("3")),
    locks.run(["a"], work("4")),
  ]);
  const of = (names: string) => log.filter((entry) => names.includes(entry[0] as string)).join(" ");
  expect(of("12")).toBe("1+ 1- 2+ 2-");
  expect(of("24")).toBe("2+ 2- 4+ 4-");
  expect(log.indexOf("3+")).toBeLessThan(log.indexOf("1-"));
});

test("a failed call lets the next one in", async () => {
  const locks = new CardLocks(new Set(["a"]));
  const failed = locks.run(["a"], () => Promise.reject(new Error("down")));
  const after = locks.run(["a"], () => Promise.resolve("up"));
  expect(failed).rejects.toThrow("down");
  expect(await after).toBe("up");
});

test("a pool works off everything, never more at once than it may", async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await pooled([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    running += 1;
    most = Math.max(most, running);
    await Bun.sleep(1);
    running -= 1;
    done.push(item);
  });
  expect([done.sort(), most]).toEqual([[1, 2, 3, 4, 5, 6, 7], 3]);
});

test("findings keep the first in full and count the rest", () => {
  const findings = new Findings();
  for (let i = 0; i < 500; i += 1) findings.same("n", 0, i);
  expect([findings.count, findings.list.length]).toEqual([499, 200]);
  expect(findings.same("deep", { a: [1] }, { a: [1] })).toBe(true);
});
