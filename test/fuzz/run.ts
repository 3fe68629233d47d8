/**
 * `bun run fuzz`: as many hostile calls as it is told, in some processes at once, each with servers and
 * seeds of its own; says how far it is, and the result as a line of JSON.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Presets, SingleBar } from "cli-progress";
import type { FuzzResult } from "./fuzz.ts";
import { type Finding, Tally } from "./tally.ts";
import { Walk } from "./walk.ts";

const usage = `bun run fuzz [options]
  --requests n   calls in all (100000)
  --seed n       of what is called (the time); process p begins with seed n + 1000 p
  --jobs n       processes (as many as there are processors)
  --socket n     which of a hundred go over a socket (10)
  --replay file  makes the calls that lead to a finding again: JSON of one, as it was told
`;

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    jobs: { type: "string", default: String(availableParallelism()) },
    socket: { type: "string", default: "10" },
    replay: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const seedsOfJob = 1_000;
const plainMs = 5_000;
/** A process that makes no call for so long hangs. */
const silenceMsMax = 120_000;

interface Progress {
  at(calls: number, findings: number): void;
  end(): void;
}

/** A bar for people who watch, a line now and then for those who don't. */
function progressOf(total: number): Progress {
  if (process.stderr.isTTY) {
    const format =
      "{bar} {percentage}% | {value} of {total} calls | {findings} findings | {eta} s left";
    const bar = new SingleBar({ format, stream: process.stderr }, Presets.shades_classic);
    bar.start(total, 0, { findings: 0 });
    return {
      at: (calls, findings) => bar.update(Math.min(calls, total), { findings }),
      end: () => bar.stop(),
    };
  }
  let toldMs = performance.now();
  return {
    at: (calls, findings) => {
      if (performance.now() - toldMs < plainMs) return;
      toldMs = performance.now();
      process.stderr.write(`${calls} of ${total} calls, ${findings} findings\n`);
    },
    end: () => undefined,
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** What a process says in a line. */
type Told =
  | { readonly calls: number; readonly findings: number }
  | { readonly finding: Finding }
  | { readonly result: FuzzResult };

/** One process; what it found. @throws when it ends without a result */
async function job(
  options: object,
  tell: (calls: number, findings: number) => void,
): Promise<FuzzResult> {
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "child-fuzz.ts"), JSON.stringify(options)],
    { stdout: "pipe", stderr: "inherit", stdin: "ignore" },
  );
  let result: FuzzResult | undefined;
  const hang = setTimeout(() => child.kill("SIGKILL"), silenceMsMax);
  for await (const line of linesOf(child.stdout)) {
    hang.refresh();
    const told = JSON.parse(line) as Told;
    if ("result" in told) result = told.result;
    else if ("finding" in told) process.stderr.write(`\n${JSON.stringify(told.finding)}\n`);
    else tell(told.calls, told.findings);
  }
  clearTimeout(hang);
  if (result === undefined) {
    throw new Error(`a process hung or fell: ${(await child.exited) || child.signalCode}`);
  }
  return result;
}

function summed(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const each of all) {
    for (const [name, count] of Object.entries(each)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

/** Of each route the calls, those below both bases as one. */
const withoutAlias = (byRoute: Readonly<Record<string, number>>): Record<string, number> =>
  summed(
    Object.entries(byRoute).map(([name, count]) => ({
      [name.replace(" /v1/", " /api/v1/")]: count,
    })),
  );

async function walkAll(
  calls: number,
  seed: number,
  jobs: number,
  socketPercent: number,
): Promise<void> {
  const startMs = performance.now();
  const progress = progressOf(calls);
  const at = new Array<readonly [number, number]>(jobs).fill([0, 0]);
  const results = await Promise.all(
    at.map((_, index) => {
      const options = {
        ...{ seed: seed + seedsOfJob * index, calls: Math.ceil(calls / jobs), socketPercent },
      };
      return job(options, (made, findings) => {
        at[index] = [made, findings];
        const sum = (which: 0 | 1): number => at.reduce((total, each) => total + each[which], 0);
        progress.at(sum(0), sum(1));
      });
    }),
  );
  progress.end();
  const seconds = (performance.now() - startMs) / 1000;
  const made = results.reduce((total, { calls: each }) => total + each, 0);
  const { nothing: _nowhere, ...byRoute } = withoutAlias(
    summed(results.map((each) => each.byRoute)),
  );
  const counts = Object.values(byRoute);
  const right = new Set(
    results.flatMap((each) => each.right.map((name) => name.replace(" /v1/", " /api/v1/"))),
  );
  const findings = results.flatMap((each) => each.findings);
  const told = {
    ...{
      seed,
      jobs,
      requests: made,
      unsent: results.reduce((total, { unsent }) => total + unsent, 0),
    },
    byStatus: summed(results.map((each) => each.byStatus)),
    byOperation: { count: counts.length, min: Math.min(...counts), max: Math.max(...counts) },
    missed: [...new Set(results.flatMap(({ missed }) => missed))],
    neverRight: Object.keys(byRoute).filter((name) => !right.has(name)),
    ends: summed(results.map((each) => each.ends)),
    rssMib: results.map(({ rssMib }) => rssMib),
    ...{ seconds: Math.round(seconds), requestsPerSec: Math.round(made / seconds) },
    findings,
  };
  process.stdout.write(`${JSON.stringify(told)}\n`);
  if (findings.length > 0) process.exitCode = 1;
}

/** Walks again to where something was found. */
async function replay(file: string, socketPercent: number): Promise<void> {
  const { seed, at } = (await Bun.file(file).json()) as Finding;
  const tally = new Tally();
  const walk = await Walk.open({ seed, socketPercent }, tally);
  const progress = progressOf(at);
  try {
    await walk.run(at, () => progress.at(walk.calls, tally.findings.length));
  } finally {
    await walk.close();
    progress.end();
  }
  process.stdout.write(
    `${JSON.stringify({ seed, calls: walk.calls, findings: tally.findings })}\n`,
  );
  if (tally.findings.length > 0) process.exitCode = 1;
}

const numbers = [values.requests, values.seed, values.jobs, values.socket].map(Number);
const [requests = 0, seed = 0, jobs = 0, socketPercent = 0] = numbers;
const isRight =
  numbers.every((each) => Number.isInteger(each) && each >= 0) && requests > 0 && jobs > 0;
if (values.help || !isRight) {
  process.stderr.write(usage);
  process.exitCode = values.help ? 0 : 2;
} else if (values.replay !== undefined) await replay(values.replay, socketPercent);
else await walkAll(requests, seed, jobs, socketPercent);
// Servers that were given up leave timers behind.
process.exit();
