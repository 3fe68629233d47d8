/**
 * The simulator in small: some hundred seeds of stations, gates, terminals, scouts and operators on the whole
 * server, every answer judged. Thousands: `bun run sim --seeds 10000`.
 */
import { afterAll, expect, test } from "bun:test";
import { plan } from "./workload/plan.ts";
import { type Outcome, play } from "./workload/play.ts";
import { shrink } from "./workload/shrink.ts";
import { addCounts, type Counts, unmet } from "./workload/tally.ts";
import { removeTemplates } from "./workload/template.ts";
import type { Alter } from "./workload/tenancy.ts";

const seeds = 300;
/** Acts after a seed's set-up. */
const size = 40;
/** A machine may have two slow cores and another suite beside. */
const timeoutMs = 600_000;

afterAll(removeTemplates);

/** What somebody needs to see it again. */
async function explained({ seed, fault }: Outcome): Promise<string> {
  if (fault === undefined) return "";
  const found = await shrink((acts) => play(seed, acts), plan(seed, size), fault, 150);
  return `seed ${seed}, size ${size}: ${JSON.stringify(found.acts)}\n${found.fault.message}`;
}

test(
  `${seeds} seeds: every answer is due, every balance, head and flag is right, every reason is met`,
  async () => {
    const counts: Counts = {};
    for (let seed = 0; seed < seeds; seed += 1) {
      const outcome = await play(seed, plan(seed, size));
      if (outcome.fault !== undefined) throw new Error(await explained(outcome));
      addCounts(counts, outcome.counts);
    }
    expect(unmet(counts)).toEqual([]);
  },
  timeoutMs,
);

test(
  "the same seed gives the same acts and the same answers",
  async () => {
    for (const seed of [1, 2, 3, 5, 8, 13]) {
      const [first, second] = [plan(seed, size), plan(seed, size)];
      expect(second).toEqual(first);
      const [one, other] = [await play(seed, first), await play(seed, second)];
      expect([seed, other.digest, other.counts]).toEqual([seed, one.digest, one.counts]);
    }
    expect((await play(1, plan(1, size))).digest).not.toBe((await play(2, plan(2, size))).digest);
  },
  timeoutMs,
);

/** Top-ups are told one unit too high. */
const oneTooMany: Alter = ({ path }, answer) => {
  if (!path.endsWith("/topup") || answer.status !== 200) return answer;
  const json = answer.json as { balance: number };
  return { ...answer, json: { ...json, balance: json.balance + 1 } };
};

test(
  "a planted fault is noticed, and shrinks to what it takes",
  async () => {
    const seed = 4;
    const run = (acts: Parameters<typeof play>[1]) => play(seed, acts, { alter: oneTooMany });
    const acts = plan(seed, size);
    const { fault } = await run(acts);
    expect(fault).toMatchObject({ kind: "Divergence" });
    if (fault === undefined) return;
    const found = await shrink(run, acts, fault);
    expect(found.acts.map((act) => act.do)).toEqual(["member", "enrol", "make", "topup"]);
    // And what is left plays well where nothing is wrong.
    expect((await play(seed, found.acts)).fault).toBeUndefined();
  },
  timeoutMs,
);
