/**
 * A few of the crashes of `bun run crash`: under load, in a start, in a backup, and a stop under load.
 * When the server is cut off is random each time, so that the suite sees more the more often it runs.
 */
import { expect, test } from "bun:test";
import { crash } from "./crash.ts";

const kills = 20;

test("what was acknowledged is there once, whenever the server is killed", async () => {
  const tally = await crash({ kills, seed: Date.now() % 1_000_000 });
  expect(tally.kills).toBeGreaterThanOrEqual(kills);
  expect(tally.events).toBeGreaterThan(0);
  expect(tally.recoveries).toBeGreaterThan(0);
}, 120_000);
