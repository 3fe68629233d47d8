/**
 * Some of the rounds of `npm run once`: each call once with one key and once with none or each its own,
 * and a few of the other ways. What happens at one instant differs each time, so that the suite sees more
 * the more often it runs.
 */
import { expect, test } from "bun:test";
import { once } from "./once.ts";

test("a call that many make at once has one effect", async () => {
  const seed = Date.now() % 1_000_000;
  const tally = await once({ rounds: 1, clients: 64, stands: 2, percent: 20, seed });
  expect({ seed, faults: tally.faults }).toEqual({ seed, faults: [] });
  expect(tally.waits).toBeGreaterThan(0);
  expect(tally.rounds.restart + tally.rounds.kill).toBeGreaterThan(0);
}, 240_000);
