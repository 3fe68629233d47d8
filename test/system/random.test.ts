/** Ids that ascend and look as RFC 9562 says; bytes that a seed repeats. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Random, seededRandom, systemRandom, uuidSource } from "../../src/system/random.ts";

const nowMs = Date.UTC(2026, 5, 1, 12, 30);
const version7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const timeOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

const sources: [string, () => Random][] = [
  ["system", systemRandom],
  ["seeded", () => seededRandom(7)],
];

for (const [name, make] of sources) {
  describe(name, () => {
    test("bytes have the length asked for", () => {
      const random = make();
      for (const length of [0, 1, 32, 65_536]) expect(random.bytes(length)).toHaveLength(length);
      expect(random.bytes(32)).not.toEqual(random.bytes(32));
    });

    test("ids are version 7 with the time in front", () => {
      const id = make().uuid(nowMs);
      expect(id).toMatch(version7);
      expect(timeOf(id)).toBe(nowMs);
    });

    test("ids of one millisecond ascend and differ in their random part", () => {
      const random = make();
      const ids = Array.from({ length: 20_000 }, () => random.uuid(nowMs));
      expect(ids).toEqual([...ids].sort());
      expect(new Set(ids).size).toBe(ids.length);
      expect(new Set(ids.map((id) => id.slice(24))).size).toBe(ids.length);
      expect(timeOf(ids.at(-1) ?? "")).toBe(nowMs);
    });

    test("ids ascend whatever the clock does", () => {
      const times = fc.array(fc.integer({ min: 0, max: 2 ** 48 - 2 }), { maxLength: 50 });
      fc.assert(
        fc.property(times, (list) => {
          const random = make();
          let last = "";
          for (const ms of list) {
            const id = random.uuid(ms);
            expect(id).toMatch(version7);
            expect(id > last).toBe(true);
            last = id;
          }
        }),
      );
    });
  });
}

test("a full counter borrows from the next millisecond", () => {
  const counterStart = 2 ** 25 - 1;
  const uuid = uuidSource((pool) => pool.fill(0xff), counterStart + 2);
  const ids = Array.from({ length: 7 }, () => uuid(nowMs));
  expect(ids.map((id) => timeOf(id) - nowMs)).toEqual([0, 0, 0, 1, 1, 1, 2]);
  expect(ids).toEqual([...ids].sort());
  expect(timeOf(uuid(nowMs + 1)) - nowMs).toBe(2);
  expect(timeOf(uuid(nowMs + 3)) - nowMs).toBe(3);
});

test("a seed repeats a run; another seed does not", () => {
  const run = (seed: number): string => {
    const random = seededRandom(seed);
    return [
      random.uuid(nowMs),
      Buffer.from(random.bytes(40)).toString("hex"),
      random.uuid(5),
    ].join();
  };
  expect(run(42)).toBe(run(42));
  expect(run(42)).not.toBe(run(43));
});

test("two system sources do not share ids", () => {
  const [one, other] = [systemRandom(), systemRandom()];
  expect(one.uuid(nowMs)).not.toBe(other.uuid(nowMs));
});

test("seeded bytes are even", () => {
  const counts = new Array<number>(256).fill(0);
  for (const byte of seededRandom(3).bytes(256 * 400)) counts[byte]!++;
  for (const count of counts) {
    expect(count).toBeGreaterThan(300);
    expect(count).toBeLessThan(500);
  }
});
