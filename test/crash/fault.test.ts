/**
 * Each of the machine's faults once, under load; `bun run crash --faults` has them many times. When they
 * strike is random each time.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { faultRounds } from "./fault.ts";
import { type CrashVenue, dice, openCrashVenue } from "./venue.ts";

const seed = Date.now() % 1_000_000;
let venue: CrashVenue;

beforeAll(async () => {
  venue = await openCrashVenue({ seed, tills: 8, cards: 3 });
}, 60_000);

afterAll(() => venue.remove());

for (const { name, lack, run } of faultRounds) {
  const missing = lack();
  // Where mounting is not allowed, no package brings it.
  if (missing === undefined) test(`${name} (${seed})`, () => run(venue, dice(seed)), 180_000);
  else if (process.env.CI === "true" && missing.startsWith("no ")) {
    test(name, () => expect(missing).toBeUndefined());
  } else test.skip(`not run: ${missing} (${name})`, () => undefined);
}
