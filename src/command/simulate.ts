/** `kartu simulate`: a virtual fleet against any server, every answer checked against a model. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { isRole } from "../domain/identity.ts";
import type { SimulateOptions, SimulateResult } from "../sim/option.ts";
import { simulate } from "../sim/simulate.ts";
import type { DeviceSpec } from "../sim/world.ts";
import { CommandFailed, type Context, contextOf, UsageError, wholeNumber } from "./context.ts";
import {
  type Ask,
  clockOf,
  fillMembers,
  fleetFor,
  makeDevices,
  makeMembers,
  operatorOf,
  serverClock,
} from "./fleet.ts";
import { type Output, type Progress, table } from "./output.ts";
import { perform } from "./perform.ts";

interface Options {
  readonly url?: string;
  readonly devices?: string;
  readonly users?: string;
  readonly cards: string;
  readonly events: string;
  readonly seed?: string;
  readonly rate?: string;
  readonly realTime?: boolean;
}

const mismatchesShown = 20;
const cardsMax = 100_000;
const eventsMax = 100_000_000;

/** JSON lines as `kartu device add --json` prints them. @throws UsageError */
function readDevices(file: string): DeviceSpec[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new UsageError(`${file} cannot be read`, { cause });
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, at) => deviceOf(line, `${file}, line ${at + 1}`));
}

function deviceOf(line: string, where: string): DeviceSpec {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch (cause) {
    throw new UsageError(`${where}: not JSON`, { cause });
  }
  const { deviceId, role, terminalId, secret, token } = value;
  if (typeof deviceId !== "string" || typeof role !== "string" || !isRole(role)) {
    throw new UsageError(`${where}: deviceId and role are needed`);
  }
  if (typeof terminalId !== "number") throw new UsageError(`${where}: terminalId is needed`);
  if (typeof token === "string") return { deviceId, role, terminalId, token };
  if (typeof secret === "string") return { deviceId, role, terminalId, secret };
  throw new UsageError(`${where}: a secret or a token is needed`);
}

function usersOf(text: string): readonly [number, number] {
  const [from = "", to = "", ...more] = text.split("-");
  if (more.length > 0) throw new UsageError("--users is FROM-TO");
  const first = wholeNumber(from, "--users", 1, 2 ** 32 - 1);
  return [first, wholeNumber(to, "--users", first, 2 ** 32 - 1)];
}

/** Bars, one a phase. */
function phases(out: Output): { tell: SimulateOptions["onProgress"]; end(): void } {
  let phase = "";
  let bar: Progress | undefined;
  return {
    tell: (progress) => {
      if (progress.phase !== phase) {
        bar?.end();
        phase = progress.phase;
        bar = out.progress(phase);
      }
      bar?.at(progress.done, progress.total);
    },
    end: () => bar?.end(),
  };
}

const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .map(([word, count]) => `${word} ${count}`)
    .join(", ") || "none";

/** The result for people. */
function resultWords(result: SimulateResult): string {
  const calls = table(result.calls, [
    { title: "CALL", value: (c) => c.kind },
    { title: "COUNT", value: (c) => c.count },
    { title: "P50 ms", value: (c) => c.p50Ms },
    { title: "P90 ms", value: (c) => c.p90Ms },
    { title: "P99 ms", value: (c) => c.p99Ms },
    { title: "MAX ms", value: (c) => c.maxMs },
    { title: "STATUSES", value: (c) => counts(c.statuses) },
  ]);
  return [
    calls,
    "",
    `events accepted   ${result.accepted}, ${result.eventsPerSec} a second`,
    `flagged, rejected ${counts(result.reasons)}`,
    `refused by itself ${counts(result.refusals)}`,
    `cards compared    ${result.cardsCompared}`,
    `elapsed           ${result.elapsedSec} s, seed ${result.seed}`,
    `mismatches        ${result.mismatchCount}`,
    ...result.mismatches.slice(0, mismatchesShown).map((each) => JSON.stringify(each)),
  ].join("\n");
}

/** Devices and members as given, or made beside the server's data. */
async function crewOf(
  context: Context,
  options: Options,
  seed: string,
  cards: number,
): Promise<Pick<SimulateOptions, "devices" | "users" | "rotate" | "suspend">> {
  const { tenant } = context;
  if (options.devices !== undefined) {
    if (options.users === undefined) throw new UsageError("--devices needs --users FROM-TO");
    return { devices: readDevices(options.devices), users: usersOf(options.users) };
  }
  if (!context.dataGiven) {
    throw new UsageError("give --devices FILE and --users FROM-TO, or the server's --data DIR");
  }
  const ask: Ask = (name, args, tell) => perform(context, name, args, tell);
  const name = `sim-${seed}`;
  return {
    devices: await makeDevices(ask, name, fleetFor(cards), tenant),
    users: await membersOf(ask, options.users, `Virtual ${seed}`, cards, tenant),
    ...operatorOf(ask, tenant),
  };
}

/** The members asked for, those that are missing made; or as many new ones as there are cards. */
async function membersOf(
  ask: Ask,
  users: string | undefined,
  name: string,
  cards: number,
  tenant: string | undefined,
): Promise<readonly [number, number]> {
  if (users === undefined) return await makeMembers(ask, name, cards, tenant);
  const range = usersOf(users);
  await fillMembers(ask, name, range[1], tenant);
  return range;
}

async function run(context: Context, options: Options): Promise<void> {
  const { out, config, random } = context;
  const url = (options.url ?? config.publicUrl).replace(/\/+$/, "");
  const cards = wholeNumber(options.cards, "--cards", 1, cardsMax);
  const events = wholeNumber(options.events, "--events", 1, eventsMax);
  const rate =
    options.rate === undefined ? undefined : wholeNumber(options.rate, "--rate", 1, 1_000_000);
  const seed = options.seed ?? random.bytes(4).toHex();
  const isMoved = options.realTime !== true && context.dataGiven;
  const clock = await serverClock(url, isMoved ? clockOf(context.dataDir) : undefined);
  const crew = await crewOf(context, options, seed, cards);
  const { tell, end } = phases(out);
  const base = { url, cards, events, seed, clock, ...crew, ...(rate !== undefined && { rate }) };
  const result = await simulate(tell === undefined ? base : { ...base, onProgress: tell })
    .catch((error: unknown) => {
      throw error instanceof RangeError ? new UsageError(error.message) : error;
    })
    .finally(end);
  out.result(result, resultWords(result));
  if (result.mismatchCount > 0) {
    throw new CommandFailed(`${result.mismatchCount} answers were not what the model says`);
  }
}

export function addSimulate(program: Command): void {
  program
    .command("simulate")
    .description("drive a virtual fleet against a server and check every answer")
    .option("--url <url>", "the server (KARTU_PUBLIC_URL)")
    .option("--devices <file>", "JSON lines {deviceId, role, secret or token, terminalId}")
    .option(
      "--users <from-to>",
      "members that hold no active card; beside --data the missing are made",
    )
    .option("--cards <number>", "cards, one a member", "50")
    .option("--events <number>", "about so many events", "1000")
    .option("--seed <text>", "the same seed makes the same taps; each run needs its own")
    .option("--rate <number>", "events a second at most")
    .option("--real-time", "leave the clock of a development server (with --data) alone")
    .addHelpText(
      "after",
      "\nWithout --devices, --data of the live server is needed: devices and members are made there.\n" +
        "A fleet behind one address meets the limits per address: KARTU_RATE_IP_PER_MIN=0 and\n" +
        "KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN=0 on the server take them off.",
    )
    .action((options: Options, command: Command) => run(contextOf(command), options));
}
