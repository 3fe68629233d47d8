/**
 * `bun run bench`: measures the server against itself and against what its parts can do at best, and
 * prints figures with their spread. What each workload does and how to read it: README.md.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { grantWorkload } from "./http/grant.ts";
import { mixedWorkload } from "./http/mixed.ts";
import { moneyWorkloads } from "./http/money.ts";
import { platformWorkloads } from "./http/platform.ts";
import { ceilingHttp, readWorkloads } from "./http/read.ts";
import { reconcileWorkload, replayWorkload } from "./http/reconcile.ts";
import { settlementWorkload } from "./http/settlement.ts";
import { coldStart } from "./http/start.ts";
import { topupWorkload } from "./http/topup.ts";
import { BadOption, type Options, readOptions, usage } from "./option.ts";
import { page } from "./page.ts";
import { preparePeers, standsOn, whyNot } from "./peer/prepare.ts";
import { peerWorkloads } from "./peer/workload.ts";
import { Progress } from "./progress.ts";
import { ratiosOf } from "./result.ts";
import { type Outcome, run } from "./run.ts";
import { scaleWorkloads } from "./scale/workload.ts";
import { soakWorkloads } from "./soak/workload.ts";
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
  settlementWorkload,
  ...platformWorkloads,
  ...moneyWorkloads,
  coldStart,
  ceilingSqlite,
  ceilingHttp,
];

/** Take long to set up: measured when they are asked for. */
const long = new Set([
  "settlement",
  "auth-get-10k",
  "auth-get-staging",
  "auth-list-10k",
  "transfer-spread",
  "hold-confirm",
  "statement",
]);

/** What the peers do of what is chosen, each behind Kartu's own; `notes` gets a line of each. */
async function withPeers(
  chosen: readonly Workload[],
  peers: Options["peers"],
  notes: string[],
): Promise<readonly Workload[]> {
  const able = peers.filter((peer) => {
    const reason = whyNot(peer);
    notes.push(reason === undefined ? `${peer}: ${standsOn(peer)}` : `${peer}: not run, ${reason}`);
    return reason === undefined;
  });
  if (able.length > 0) await preparePeers();
  const played = able.flatMap(peerWorkloads);
  return chosen.flatMap((own) => [
    own,
    ...played.filter(({ name }) => name.startsWith(`${own.name}@`)),
  ]);
}

/** The result as programs read it. */
function jsonOf({ machine, settings, all, notes, soak }: Outcome): string {
  const ratios = Object.fromEntries(ratiosOf(all).map(({ name, median }) => [name, median]));
  return JSON.stringify({
    machine,
    settings,
    results: all.map(({ result }) => result),
    ratios,
    notes: notes.length > 0 ? notes : undefined,
    soak,
  });
}

async function main(): Promise<number> {
  const names = workloads.map(({ name }) => name);
  const options = readOptions(process.argv.slice(2), names);
  if (options === null) {
    process.stdout.write(`${usage}workloads: ${names.join(", ")}\n`);
    return 0;
  }
  const { only, json, report, scale, soak } = options;
  const usual = options.every ? workloads : workloads.filter(({ name }) => !long.has(name));
  const ordinary = only.length === 0 ? usual : workloads.filter(({ name }) => only.includes(name));
  const soaking = soak ? soakWorkloads() : null;
  const chosen = soaking?.workloads ?? (scale === null ? ordinary : scaleWorkloads(options, scale));
  const progress = new Progress();
  const peerNotes: string[] = [];
  const all = await withPeers(chosen, options.peers, peerNotes);
  const measured = await run(options, all, progress);
  const ran = { ...measured, notes: [...peerNotes, ...measured.notes] };
  const outcome = soaking === null ? ran : { ...ran, soak: soaking.report() };
  mkdirSync(report, { recursive: true });
  const text = jsonOf(outcome);
  const html = join(report, "index.html");
  writeFileSync(join(report, "result.json"), `${text}\n`);
  writeFileSync(html, page(outcome));
  process.stdout.write(json ? `${text}\n` : `${table(outcome)}\n\ncharts: ${html}\n`);
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
