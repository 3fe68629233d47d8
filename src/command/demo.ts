/**
 * `kartu demo`: a server with a venue on it that lives until it is stopped: members, cards, and a fleet
 * that checks in, pays, tops up, goes offline and reconciles, with a few frauds among it. Without
 * --data it lives in a temporary directory, which goes when the demo does.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { simulate } from "../sim/simulate.ts";
import type { DeviceSpec } from "../sim/world.ts";
import { type Context, contextOf } from "./context.ts";
import { type Ask, makeDevices, makeMembers, operatorOf, serverClock } from "./fleet.ts";
import { type InitResult, initDirectory } from "./init.ts";
import { operationFor, type ResultOf } from "./operation.ts";
import { type Running, start, stopSignal } from "./serve.ts";

const crew = { stations: 2, terminals: 6, gates: 2, scouts: 1 };
/** A round is one day of the venue; the next one has cards of its own. */
const round = { cards: 40, events: 600, rate: 4 };
/** The first day is over in seconds, so that there is something to look at. */
const firstRate = 60;
const pauseMs = 5_000;

interface Venue {
  readonly context: Context;
  readonly running: Running;
  readonly ask: Ask;
  readonly devices: readonly DeviceSpec[];
}

async function open(context: Context): Promise<{ venue: Venue; made: InitResult }> {
  const made = await initDirectory(context, {
    tenant: "Demo Venue",
    ownerEmail: "owner@demo.localhost",
  });
  const running = await start(context, 0);
  const { kartu } = running;
  const ask: Ask = async (name, args, tell) =>
    (await operationFor(name, args).run(
      kartu,
      args as never,
      tell ?? (() => undefined),
    )) as ResultOf<typeof name>;
  const devices = await makeDevices(ask, "demo", crew, undefined);
  return { venue: { context, running, ask, devices }, made };
}

/** Tokens of the day before are gone; a device that was suspended is back. */
async function freshSecrets({ ask, devices }: Venue): Promise<DeviceSpec[]> {
  const fresh: DeviceSpec[] = [];
  for (const { deviceId, role, terminalId } of devices) {
    await ask("device.resume", { deviceId });
    const { secret } = await ask("device.secret", { deviceId, keepToken: false });
    fresh.push({ deviceId, role, terminalId, secret });
  }
  return fresh;
}

async function live(venue: Venue): Promise<void> {
  const { context, running, ask } = venue;
  const { url } = running.serving;
  const clock = await serverClock(url);
  for (let day = 1; ; day++) {
    const devices = day === 1 ? venue.devices : await freshSecrets(venue);
    const users = await makeMembers(ask, `Guest of day ${day}`, round.cards, undefined);
    const { rotate, suspend } = operatorOf(ask, undefined);
    const seed = `demo-${context.random.bytes(4).toHex()}`;
    const base = { url, devices, users, seed, clock, suspend, ...round };
    // Key versions are few; one rotation shows how it goes.
    const result = await simulate(day === 1 ? { ...base, rate: firstRate, rotate } : base);
    const waiting = (await ask("flag.list", { status: "open", below: flagsAll, limit: 1_000 }))
      .length;
    context.out.say(`day ${day}: ${result.accepted} events, ${waiting} flags wait for review`);
    if (result.mismatchCount > 0) {
      context.out.warn(`day ${day}: ${result.mismatchCount} answers were not as modelled`);
    }
    await Bun.sleep(pauseMs);
  }
}

const flagsAll = Number.MAX_SAFE_INTEGER;

function words(url: string, dataDir: string, made: InitResult): string {
  return [
    `Kartu demo at ${url}/`,
    `  start page     ${url}/`,
    `  API to try     ${url}/api-docs/terminal`,
    `  API to read    ${url}/api-docs/terminal/redoc`,
    `  API document   ${url}/api/v1/terminal/openapi.json`,
    `  data           ${dataDir}`,
    `  login          ${made.ownerEmail} / ${made.ownerPassword ?? ""}`,
    `Look at it: npm run -s kartu -- flag list --data ${dataDir}`,
    "Stop it with ^C.",
  ].join("\n");
}

async function demo(given: Context): Promise<void> {
  const temporary = given.dataGiven ? undefined : mkdtempSync(join(tmpdir(), "kartu-demo-"));
  const context = temporary === undefined ? given : { ...given, dataDir: temporary };
  const { dataDir, out, log } = context;
  const stopping = stopSignal();
  try {
    const { venue, made } = await open(context);
    const { url } = venue.running.serving;
    const { ownerEmail, ownerPassword } = made;
    out.result({ url, dataDir, ownerEmail, ownerPassword }, words(url, dataDir, made));
    let ended = false;
    live(venue).catch((error: unknown) => {
      if (!ended) log.error("the fleet stopped", { error });
    });
    await stopping;
    ended = true;
    await venue.running.stop();
  } finally {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  }
}

export function addDemo(program: Command): void {
  program
    .command("demo")
    .description("a server with a venue that lives on it, until it is stopped")
    .option("--port <number>", "port to listen on, 0 picks one (KARTU_PORT, 8080)")
    .action(async ({ port }: { port?: string }, command: Command) => {
      const level = process.env.KARTU_LOG_LEVEL ?? "warn";
      await demo(contextOf(command, { KARTU_PORT: port, KARTU_LOG_LEVEL: level }));
    });
}
