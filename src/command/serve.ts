/** `kartu serve`: the server, until it is told to stop. An empty directory is initialised first. */
import type { Command } from "commander";
import { type Kartu, openKartu } from "../app.ts";
import { type Serving, serveKartu } from "../serve.ts";
import { systemClock } from "../system/clock.ts";
import { watchClock } from "../system/jump.ts";
import { createLog } from "../system/log.ts";
import { readOffset } from "../system/offset.ts";
import { CommandFailed, type Context, contextOf, UsageError } from "./context.ts";
import { tellFalls } from "./fall.ts";
import { type InitResult, initDefaults, initDirectory, initWords, isInitialised } from "./init.ts";
import { serveSocket } from "./socket.ts";

interface ServeOptions {
  readonly host?: string;
  readonly port?: string;
  readonly clockOffset?: string;
}

const offsetMaxSec = 10 * 366 * 86_400;

export interface Running {
  readonly kartu: Kartu;
  readonly serving: Serving;
  /** Takes no more, finishes what runs, checkpoints. */
  stop(): Promise<void>;
}

/** Opens the directory, serves it and listens for commands. */
export async function start(context: Context, offsetSec: number): Promise<Running> {
  const { dataDir, config, random } = context;
  const logOptions = { level: config.logLevel, json: config.logJson };
  const clock = systemClock({
    offsetSec,
    onError: (error) => log.error("a timer failed", { error }),
  });
  const log = createLog({ ...logOptions, nowMs: () => clock.nowMs() });
  tellFalls({ ...logOptions, nowMs: () => clock.nowMs() });
  const kartu = await openKartu({ dataDir, config, clock, random, log });
  if ((await kartu.tenant.tenantBySlug()) === undefined) {
    await kartu.close();
    throw new CommandFailed(`the database in ${dataDir} has no tenant: it was not made by init`);
  }
  let serving: Serving;
  try {
    serving = await serveKartu(kartu, { host: config.host, port: config.port });
  } catch (error) {
    await kartu.close();
    throw error;
  }
  const socket = serveSocket(
    { ...kartu, ...(config.env === "development" && { advance: serving.advance }) },
    dataDir,
  );
  const unwatch = watchClock(log);
  return {
    kartu,
    serving,
    stop: () => {
      unwatch();
      return serving.stop(config.shutdownTimeoutSec, socket.close());
    },
  };
}

/** Whoever ends a whole group of processes signals the server too, beside the one that started it. */
const sameStopMs = 1_000;

/** Resolves with the first signal to stop; one that comes a while later ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let askedAt: number | undefined;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (askedAt !== undefined && performance.now() - askedAt > sameStopMs) process.exit(1);
      askedAt ??= performance.now();
      resolve(signal);
    });
  }
  return promise;
}

function offsetOf({ config, dataDir }: Context, text: string | undefined): number {
  const development = config.env === "development";
  if (text === undefined) return development ? readOffset(dataDir) : 0;
  if (!development) {
    throw new UsageError("--clock-offset needs KARTU_ENV=development");
  }
  const value = /^-?[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Math.abs(value) <= offsetMaxSec) return value;
  throw new UsageError(`--clock-offset must be whole seconds, at most ${offsetMaxSec} either way`);
}

async function serve(context: Context, options: ServeOptions): Promise<void> {
  const { out } = context;
  const offsetSec = offsetOf(context, options.clockOffset);
  for (const warning of context.warnings) out.warn(`kartu: ${warning}`);
  let made: InitResult | undefined;
  if (!isInitialised(context)) {
    made = await initDirectory(context, initDefaults);
    if (!out.json) out.say(initWords(context, made));
  }
  const stopping = stopSignal();
  const running = await start(context, offsetSec).catch((error: unknown) => {
    // A login that was made is told, even if nothing is served.
    if (made !== undefined && out.json) out.result({ initialised: made }, "");
    throw error;
  });
  const { url } = running.serving;
  out.result({ url, ...(made && { initialised: made }) }, `listening on ${url}`);
  await stopping;
  await running.stop();
}

export function addServe(program: Command): void {
  program
    .command("serve")
    .description("serve the device surface and the documents")
    .option("--host <address>", "address to listen on (KARTU_HOST, 127.0.0.1)")
    .option("--port <number>", "port to listen on, 0 picks one (KARTU_PORT, 8080)")
    .option("--clock-offset <seconds>", "move the clock; only with KARTU_ENV=development")
    .action(async (options: ServeOptions, command: Command) => {
      const over = { KARTU_HOST: options.host, KARTU_PORT: options.port };
      await serve(contextOf(command, over), options);
    });
}
