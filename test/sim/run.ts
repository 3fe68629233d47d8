/**
 * `bun run sim`: plays many seeds in as many processes as there are cores, or one seed aloud. What fails is
 * shrunk and printed with its seed, so that `--seed n --acts file` shows it again.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Presets, SingleBar } from "cli-progress";
import type { Act } from "./workload/act.ts";
import { plan } from "./workload/plan.ts";
import { type Outcome, play } from "./workload/play.ts";
import { markOf, shrink } from "./workload/shrink.ts";
import { addCounts, type Counts, unmet } from "./workload/tally.ts";
import { removeTemplates } from "./workload/template.ts";

const usage = `bun run sim [options]
  --seeds n    play so many seeds (1000)
  --from n     the first of them (0)
  --jobs n     processes at once (one a core)
  --size n     acts of a seed, about, after its set-up (80)
  --seed n     play this seed alone and print each call
  --acts file  with --seed: these acts (JSON) in place of the seed's own
  --shrink     with --seed: make a failing list of acts short
`;
/** A process plays so many seeds and ends. */
const chunk = 200;
const plainEverySec = 5;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "0" },
    jobs: { type: "string", default: String(availableParallelism()) },
    size: { type: "string", default: "80" },
    seed: { type: "string" },
    acts: { type: "string" },
    shrink: { type: "boolean", default: false },
    worker: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const [seeds, from, jobs, size] = [values.seeds, values.from, values.jobs, values.size].map(
  Number,
) as [number, number, number, number];

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function aloud(seed: number): Promise<boolean> {
  const acts: Act[] =
    values.acts === undefined ? plan(seed, size) : ((await Bun.file(values.acts).json()) as Act[]);
  if (values.shrink) return await shrunk(seed, acts);
  const outcome = await play(seed, acts, {
    onAct: (act, at) => say(`${at} ${JSON.stringify(act)}`),
    onCall: (line) => say(`    ${line.slice(0, 2_000)}`),
  });
  if (outcome.fault !== undefined) say(`at act ${outcome.fault.at}: ${outcome.fault.message}`);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  return outcome.fault === undefined;
}

/** Prints the shortest list of acts that shows what is wrong with a seed. */
async function shrunk(seed: number, acts: readonly Act[]): Promise<boolean> {
  const { fault } = await play(seed, acts);
  if (fault === undefined) return true;
  const found = await shrink((some) => play(seed, some), acts, fault);
  say(`seed ${seed}, ${found.acts.length} acts (of ${acts.length}):`);
  say(JSON.stringify(found.acts));
  say(found.fault.message);
  return false;
}

/** Plays a range and prints each outcome as a line. */
async function work(): Promise<void> {
  for (let seed = from; seed < from + seeds; seed += 1) {
    process.stdout.write(`${JSON.stringify(await play(seed, plan(seed, size)))}\n`);
  }
}

class Total {
  readonly counts: Counts = {};
  readonly failed: Outcome[] = [];
  readonly sums = { seeds: 0, acts: 0, calls: 0, events: 0, restarts: 0 };
  readonly #startMs = performance.now();
  readonly #bar: SingleBar | undefined;
  #toldMs = 0;

  constructor() {
    if (!process.stderr.isTTY) return;
    const format = "{bar} {value}/{total} seeds, {rate}/s, {failures} failed";
    this.#bar = new SingleBar({ format, stream: process.stderr }, Presets.shades_classic);
    this.#bar.start(seeds, 0, { rate: 0, failures: 0 });
  }

  get #rate(): number {
    return Math.round((10_000 * this.sums.seeds) / (performance.now() - this.#startMs)) / 10;
  }

  add(outcome: Outcome): void {
    const { sums } = this;
    sums.seeds += 1;
    for (const name of ["acts", "calls", "events", "restarts"] as const)
      sums[name] += outcome[name];
    addCounts(this.counts, outcome.counts);
    if (outcome.fault !== undefined) {
      this.failed.push(outcome);
      say(`seed ${outcome.seed}: ${markOf(outcome.fault)}`);
    }
    const rate = this.#rate;
    this.#bar?.update(sums.seeds, { rate, failures: this.failed.length });
    const nowMs = performance.now();
    if (this.#bar !== undefined || nowMs - this.#toldMs < plainEverySec * 1000) return;
    this.#toldMs = nowMs;
    say(`${sums.seeds} of ${seeds} seeds, ${rate}/s, ${this.failed.length} failed`);
  }

  end(): void {
    this.#bar?.stop();
    process.stdout.write(
      `${JSON.stringify({
        ...{ from, ...this.sums, seedsPerSec: this.#rate },
        failed: this.failed.map(({ seed }) => seed),
        unmet: unmet(this.counts),
        met: Object.fromEntries(Object.entries(this.counts).sort()),
      })}\n`,
    );
  }
}

async function playChunk(first: number, total: Total): Promise<void> {
  const count = Math.min(chunk, from + seeds - first);
  const args = ["--worker", `--from=${first}`, `--seeds=${count}`, `--size=${size}`];
  const child = Bun.spawn([process.execPath, import.meta.path, ...args], {
    ...{ stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  });
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of child.stdout) {
    const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) total.add(JSON.parse(line) as Outcome);
  }
  const code = await child.exited;
  if (code !== 0) throw new Error(`the process of the seeds from ${first} ended with ${code}`);
}

async function many(): Promise<boolean> {
  const total = new Total();
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < from + seeds) {
      const first = next;
      next += chunk;
      await playChunk(first, total);
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  total.end();
  const marks = new Map<string, Outcome>();
  for (const outcome of total.failed.sort((a, b) => a.seed - b.seed)) {
    const mark = outcome.fault === undefined ? "" : markOf(outcome.fault);
    if (!marks.has(mark)) marks.set(mark, outcome);
  }
  // One of each kind is shrunk, a few kinds at the most.
  for (const { seed } of [...marks.values()].slice(0, 3)) await shrunk(seed, plan(seed, size));
  return total.failed.length === 0;
}

async function main(): Promise<void> {
  const isRight = [seeds, from, jobs, size].every((n) => Number.isInteger(n) && n >= 0) && jobs > 0;
  if (values.help || !isRight) {
    process.stderr.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  if (values.worker) await work();
  else {
    const isWell = values.seed === undefined ? await many() : await aloud(Number(values.seed));
    process.exitCode = isWell ? 0 : 1;
  }
  await removeTemplates();
}

await main();
