/**
 * `bun run bench`: measures the server against itself and against what its parts can do at best, and
 * prints figures with their spread. What each workload does and how to read it: README.md.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { grantWorkload } from "./http/grant.ts";
import { mixedWorkload } from "./http/mixed.ts";
import { rootDir } from "./http/process.ts";
import { ceilingHttp, readWorkloads } from "./http/read.ts";
import { reconcileWorkload, replayWorkload } from "./http/reconcile.ts";
import { coldStart } from "./http/start.ts";
import { topupWorkload } from "./http/topup.ts";
import { BadOption, readOptions, usage } from "./option.ts";
import { page } from "./page.ts";
import { Progress } from "./progress.ts";
import { ratiosOf } from "./result.ts";
import { type Outcome, run } from "./run.ts";
import { ceilingSqlite } from "./store/bare.ts";
import { table } from "./table.ts";
import type { Workload } from "./workload.ts";

/** In the order of the table; the names stay as they are. */
const workloads: readonly Workload[] = [
  grantWorkload,
  reconcileWorkload(50),
  reconcileWorkload(500),
  reconcileWorkload(1000),
  replayWorkload,
  mixedWorkload,
  ...readWorkloads(),
  topupWorkload,
  coldStart,
  ceilingSqlite,
  ceilingHttp,
];

/** The result as programs read it. */
function jsonOf({ machine, settings, all }: Outcome): string {
  const ratios = Object.fromEntries(ratiosOf(all).map(({ name, median }) => [name, median]));
  return JSON.stringify({ machine, settings, results: all.map(({ result }) => result), ratios });
}

async function main(): Promise<number> {
  const names = workloads.map(({ name }) => name);
  const options = readOptions(process.argv.slice(2), names);
  if (options === null) {
    process.stdout.write(`${usage}workloads: ${names.join(", ")}\n`);
    return 0;
  }
  const { only, json } = options;
  const chosen = workloads.filter(({ name }) => only.length === 0 || only.includes(name));
  const outcome = await run(options, chosen, new Progress());
  const reportDir = join(rootDir, "bench", "report");
  mkdirSync(reportDir, { recursive: true });
  const text = jsonOf(outcome);
  writeFileSync(join(reportDir, "result.json"), `${text}\n`);
  writeFileSync(join(reportDir, "index.html"), page(outcome));
  if (json) process.stdout.write(`${text}\n`);
  else process.stdout.write(`${table(outcome)}\nbench/report/index.html shows it as charts\n`);
  return 0;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const usageFault = error instanceof BadOption;
    const words = error instanceof Error ? (usageFault ? error.message : error.stack) : error;
    process.stderr.write(`bench: ${words}\n`);
    process.exit(usageFault ? 2 : 1);
  },
);
