/** Counting tries by window: so many, then none until it ends; one of a key at a time. */
import { expect, test } from "bun:test";
import { Attempts } from "../../src/system/attempts.ts";

const made = (more = {}) => new Attempts({ max: 3, windowSec: 60, keysMax: 100, ...more });

test("so many, then the seconds to the end of the window, which began with the first", () => {
  const attempts = made();
  expect([0, 10_000, 20_000].map((atMs) => attempts.take("a", atMs))).toEqual([0, 0, 0]);
  expect(attempts.take("a", 30_000)).toBe(30);
  expect(attempts.waitSec("a", 59_999)).toBe(1);
  expect(attempts.waitSec("b", 59_999)).toBe(0);
  expect(attempts.take("a", 60_000)).toBe(0);
  expect(attempts.waitSec("a", 60_000)).toBe(0);
});

test("a clock that was set back forgets what was tried", () => {
  const attempts = made();
  for (let at = 0; at < 3; at++) attempts.note("a", 1_000_000);
  expect(attempts.waitSec("a", 0)).toBe(0);
});

test("what is cleared begins anew; past the bound the eldest goes", () => {
  const attempts = made({ max: 1, keysMax: 2 });
  for (const key of ["a", "b", "c"]) attempts.note(key, 0);
  expect(["a", "b", "c"].map((key) => attempts.waitSec(key, 1))).toEqual([0, 60, 60]);
  attempts.clear("b");
  expect(attempts.waitSec("b", 1)).toBe(0);
});

test("work of one key runs one after the other, of another beside it, whatever throws", async () => {
  const attempts = made();
  const log: string[] = [];
  const work =
    (name: string, fails = false) =>
    async () => {
      log.push(`${name} begins`);
      await Bun.sleep(1);
      log.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const settled = await Promise.allSettled([
    attempts.inTurn("a", work("1", true)),
    attempts.inTurn("a", work("2")),
    attempts.inTurn("b", work("3")),
  ]);
  expect(settled.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(log.indexOf("1 ends")).toBeLessThan(log.indexOf("2 begins"));
  expect(log.indexOf("3 begins")).toBeLessThan(log.indexOf("1 ends"));
});
