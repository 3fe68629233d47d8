/**
 * One run of the virtual fleet against any server: devices come up, cards are made, the venue works for
 * three simulated days with everything that goes wrong, and at the end every card is compared with the
 * model. Talks to the server over HTTP alone.
 */
import { compare } from "./compare.ts";
import { Course, ticks } from "./course.ts";
import { type Muster, muster } from "./muster.ts";
import type { SimulateOptions, SimulateProgress, SimulateResult } from "./option.ts";
import { probeScout, probeStation, probeTerminal } from "./probe.ts";

/** @throws Unreachable if the server stays away, RangeError if the options can't make a run. */
export async function simulate(options: SimulateOptions): Promise<SimulateResult> {
  const startMs = performance.now();
  const run = muster(options, ticks);
  const say = (phase: SimulateProgress["phase"], done: number, total: number) =>
    options.onProgress?.({ phase, done, total });
  const course = new Course(options, run, say);
  await course.open();
  await course.issue();
  if (!options.isHonest) await probe(options, run);
  await course.live();
  const cardsCompared = await compare(run, (done, total) => say("compare", done, total));
  const { model } = run.world;
  const elapsedMs = performance.now() - startMs;
  return {
    seed: options.seed,
    accepted: model.accepted,
    reasons: model.tally,
    refusals: run.fleet.refusals,
    cardsCompared,
    elapsedSec: Math.round(elapsedMs / 100) / 10,
    eventsPerSec: Math.round((model.accepted / Math.max(1, course.talkMs)) * 1_000),
    calls: run.meter.summary(),
    mismatchCount: run.findings.count,
    mismatches: run.findings.list,
  };
}

/** What must be refused, tried by one device of each kind. */
async function probe(
  { users }: SimulateOptions,
  { fleet, scouts, findings }: Muster,
): Promise<void> {
  const { terminals, stations } = fleet.crew;
  const [terminal, station, scout] = [terminals[0], stations[0], scouts[0]];
  const wallet = fleet.wallets[0];
  const [from, to] = users;
  const next = from + fleet.wallets.length;
  if (terminal) await probeTerminal(terminal, findings);
  if (station && wallet) {
    const { cardId, member } = wallet;
    const freeUserId = next <= to ? next : null;
    await probeStation(station, findings, { cardId, userId: member.userId, freeUserId });
  }
  if (scout) await probeScout(scout, findings);
}
