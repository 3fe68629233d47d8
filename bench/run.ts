/**
 * A run from the empty folder to the figures: makes the venue, starts what is to be measured, warms it
 * up, then measures in rounds. A round has one repeat of each workload in an order that shifts from
 * round to round, so that a minute in which the machine is slow falls on all alike.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choosePins, pinSelf, rootDir } from "./http/process.ts";
import { describeMachine, fileSystemOf, type Machine } from "./machine.ts";
import type { Options } from "./option.ts";
import type { Progress } from "./progress.ts";
import { type Measured, measured } from "./result.ts";
import type { SoakReport } from "./soak/trend.ts";
import type { Sample } from "./stat.ts";
import { makeVenue } from "./store/make.ts";
import type { Running, Site, Workload } from "./workload.ts";

export interface Settings {
  readonly seconds: number;
  readonly repeats: number;
  readonly windowMs: number;
  readonly devices: number;
  readonly cards: number;
  readonly seed: number;
  readonly synchronous: "FULL";
  readonly serverCores: string;
  readonly loadCores: string;
}

export interface Outcome {
  readonly machine: Machine;
  readonly settings: Settings;
  readonly all: readonly Measured[];
  /** Lines below the figures. */
  readonly notes: readonly string[];
  readonly soak?: SoakReport;
}

const repeatsUsual = 5;
const windowMinMs = 300;
/** Longer runs get more repeats, so that the batches made in advance fit into memory. */
const windowMaxMs = 4_000;

/** How the measured time of a workload is cut into repeats. */
export function cut(seconds: number): { repeats: number; windowMs: number } {
  const totalMs = seconds * 1000;
  const most = Math.max(1, Math.floor(totalMs / windowMinMs));
  const least = Math.ceil(totalMs / windowMaxMs);
  const repeats = Math.max(least, Math.min(repeatsUsual, most));
  return { repeats, windowMs: totalMs / repeats };
}

/** Not in memory: a file system without a disk would make every COMMIT free. */
function workFolder(): string {
  const temporary = tmpdir();
  if (fileSystemOf(temporary) !== "tmpfs") return mkdtempSync(join(temporary, "kartu-bench-"));
  const beside = join(rootDir, "bench", "report");
  mkdirSync(beside, { recursive: true });
  return mkdtempSync(join(beside, "data-"));
}

interface Entry {
  readonly workload: Workload;
  readonly running: Running;
}

async function rounds(
  entries: readonly Entry[],
  repeats: number,
  windowMs: number,
  progress: Progress,
): Promise<Sample[][]> {
  const samples: Sample[][] = entries.map(() => []);
  for (let round = 0; round < repeats; round++) {
    for (let i = 0; i < entries.length; i++) {
      const at = (i + round) % entries.length;
      const entry = entries[at];
      if (entry === undefined) continue;
      progress.step(`${entry.workload.name}, repeat ${round + 1} of ${repeats}`);
      samples[at]?.push(await entry.running.sample(windowMs));
    }
  }
  return samples;
}

/** Those that come last have rounds of their own. Samples in the order of `entries`. */
async function allRounds(
  entries: readonly Entry[],
  repeats: number,
  windowMs: number,
  progress: Progress,
): Promise<Sample[][]> {
  const samples = new Map<Entry, Sample[]>();
  const first = entries.filter(({ workload }) => workload.last !== true);
  const last = entries.filter(({ workload }) => workload.last === true);
  for (const some of [first, last]) {
    const done = await rounds(some, repeats, windowMs, progress);
    for (const [at, entry] of some.entries()) samples.set(entry, done[at] ?? []);
  }
  return entries.map((entry) => samples.get(entry) ?? []);
}

/** @throws when anything answered is wrong: there are no figures then */
export async function run(
  options: Options,
  workloads: readonly Workload[],
  progress: Progress,
): Promise<Outcome> {
  const folder = workFolder();
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    const inOne = workloads.every(({ whole }) => whole === true);
    const { repeats, windowMs } = inOne
      ? { repeats: 1, windowMs: options.seconds * 1000 }
      : cut(options.seconds);
    const { devices, cards, seed, seconds } = options;
    progress.begin(1 + workloads.length * (repeats + 2));
    progress.step(`making a venue of ${devices} devices and ${cards} cards`);
    const template = join(folder, "venue");
    const venue = await makeVenue(template, devices, cards);
    const machine = describeMachine(folder);
    const pins = choosePins();
    const notes: string[] = [];
    const site: Site = {
      ...{ venue, pins, template, folder, seed },
      warn: (text) => progress.warn(text),
      note: (text) => notes.push(text),
    };
    const entries: Entry[] = [];
    for (const workload of workloads) {
      progress.step(`starting ${workload.name}`);
      entries.push({ workload, running: await workload.start(site) });
    }
    pinSelf(pins.load);
    for (const { running } of entries) await running.warmUp();
    const samples = await allRounds(entries, repeats, windowMs, progress);
    for (const { workload, running } of entries) {
      progress.step(`checking what ${workload.name} left behind`);
      await running.finish();
    }
    const settings: Settings = {
      ...{ seconds, repeats, windowMs: Math.round(windowMs), devices, cards, seed },
      synchronous: "FULL",
      serverCores: pins.server ?? "any",
      loadCores: pins.load ?? "any",
    };
    const all = workloads.map((workload, at) => measured(workload, samples[at] ?? []));
    return { machine, settings, all, notes };
  } finally {
    progress.end();
    process.off("exit", remove);
    remove();
  }
}
