/**
 * `bun run crash`: kills servers, and lets machines fail them, as often as it is told, in several
 * processes side by side. Tells on stderr how far it is, and ends with one line of JSON on stdout; when
 * one process finds something wrong the others end their rounds, and it ends with 1.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Presets, SingleBar } from "cli-progress";
import { type CrashTally, crash } from "./crash.ts";
import { type FaultTally, faultLacks, runFaults } from "./faults.ts";

const usage = `bun run crash [options]
  --kills n   kill -9 this often (1000; 0 with --faults alone)
  --faults n  rounds of failing syncs and writes, slow and full disks, clocks that are moved (0)
  --jobs n    processes side by side (the cores, at most 4)
  --seed n    of what the tills do (the time); when they are cut off is always random
`;

interface Work {
  readonly kills: number;
  readonly faults: number;
  readonly seed: number;
}

interface Done {
  readonly crashes: CrashTally | undefined;
  readonly faults: FaultTally;
}

/** What a process tells the one that started it. */
type Told = { readonly more: number } | Done | { readonly wrong: string };

const lineMs = 5_000;
const jobsMax = 4;

async function work({ kills, faults, seed }: Work, tell: (more: number) => void): Promise<Done> {
  let isOver = false;
  process.on("message", () => {
    isOver = true;
  });
  const rest = { seed, isOver: () => isOver };
  return {
    faults: await runFaults({ ...rest, rounds: faults, onRound: () => tell(1) }),
    crashes: kills === 0 ? undefined : await crash({ ...rest, kills, onKill: tell }),
  };
}

/** Of `whole`, what the process `at` of `jobs` has to do. */
const shareOf = (whole: number, at: number, jobs: number): number =>
  Math.floor(whole / jobs) + (at < whole % jobs ? 1 : 0);

/** A process of its own for a part of the work. */
function start(work: Work, onTold: (told: Told) => void): Bun.Subprocess {
  const { kills, faults, seed } = work;
  const args = Object.entries({ kills, faults, seed }).flatMap(([name, n]) => [
    `--${name}`,
    `${n}`,
  ]);
  return Bun.spawn([process.execPath, import.meta.path, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    ipc: (told: Told) => onTold(told),
  });
}

/** A bar on a terminal; a line every few seconds elsewhere. */
function progress(total: number): { at(done: number): void; end(): void } {
  if (process.stderr.isTTY) {
    const bar = new SingleBar(
      { format: "crash {bar} {value} of {total}, {duration_formatted}", stream: process.stderr },
      Presets.shades_classic,
    );
    bar.start(total, 0);
    return { at: (done) => bar.update(Math.min(done, total)), end: () => bar.stop() };
  }
  const startMs = performance.now();
  let toldMs = startMs;
  return {
    at(done) {
      const nowMs = performance.now();
      if (nowMs - toldMs < lineMs) return;
      toldMs = nowMs;
      process.stderr.write(
        `${Math.min(done, total)} of ${total}, ${Math.round((nowMs - startMs) / 1000)} s\n`,
      );
    },
    end: () => undefined,
  };
}

function add(to: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [key, n] of Object.entries(more)) to[key] = (to[key] ?? 0) + n;
}

function tellOver(child: Bun.Subprocess): void {
  try {
    child.send("over");
  } catch {
    // It is ending by itself.
  }
}

async function runAll(whole: Work, jobs: number): Promise<void> {
  const startMs = performance.now();
  for (const lack of whole.faults > 0 ? faultLacks() : [])
    process.stderr.write(`not run: ${lack}\n`);
  const bar = progress(whole.kills + whole.faults);
  const crashes: Record<string, number> = {};
  const faults: Record<string, number> = {};
  const findings: string[] = [];
  let done = 0;
  const children: Bun.Subprocess[] = [];
  const onTold = (told: Told): void => {
    if ("more" in told) {
      done += told.more;
      bar.at(done);
    } else if ("wrong" in told) {
      findings.push(told.wrong);
      for (const child of children) tellOver(child);
    } else {
      add(crashes, { ...told.crashes });
      add(faults, told.faults);
    }
  };
  for (let at = 0; at < jobs; at += 1) {
    const [kills, rounds] = [shareOf(whole.kills, at, jobs), shareOf(whole.faults, at, jobs)];
    if (kills + rounds === 0) continue;
    children.push(start({ kills, faults: rounds, seed: whole.seed + at * 1_000 }, onTold));
  }
  const codes = await Promise.all(children.map((child) => child.exited));
  bar.end();
  if (findings.length === 0 && codes.some((code) => code !== 0)) {
    findings.push(`a process ended with ${codes}`);
  }
  const seconds = Math.round((performance.now() - startMs) / 1000);
  const { seed } = whole;
  const told = { seed, jobs, seconds, ...crashes, ...(whole.faults > 0 && { faults }), findings };
  process.stdout.write(`${JSON.stringify(told)}\n`);
  if (findings.length > 0) process.exitCode = 1;
}

/** As one of several: tells the process that started it. */
async function runPart(part: Work, tell: (told: Told) => void): Promise<void> {
  try {
    tell(await work(part, (more) => tell({ more })));
  } catch (error) {
    tell({ wrong: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kills: { type: "string" },
      faults: { type: "string", default: "0" },
      jobs: { type: "string", default: String(Math.min(jobsMax, availableParallelism())) },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      help: { type: "boolean", default: false },
    },
  });
  const faults = Number(values.faults);
  const kills = Number(values.kills ?? (faults > 0 ? 0 : 1000));
  const [jobs, seed] = [Number(values.jobs), Number(values.seed)];
  const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
  if (values.help || ![kills, faults, seed, jobs].every(isCount) || jobs < 1) {
    process.stderr.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  if (process.send === undefined) return await runAll({ kills, faults, seed }, jobs);
  await runPart({ kills, faults, seed }, (told) => void process.send?.(told));
  process.disconnect?.();
}

await main();
