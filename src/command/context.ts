/**
 * What every command starts from: the settings with the options of the command line over them, where
 * the data is, and how to speak. Also which failure ends with which code: 1 failed, 2 wrong or refused.
 */
import { resolve } from "node:path";
import type { Command } from "commander";
import { type Config, readConfig } from "../config.ts";
import { Problem } from "../domain/problem.ts";
import { Refused } from "../domain/refused.ts";
import { type Clock, systemClock } from "../system/clock.ts";
import { createLog, type Log } from "../system/log.ts";
import { type Random, systemRandom } from "../system/random.ts";
import { Output } from "./output.ts";

/** Wrong usage, or something that is not to be done; exit 2. `message` may have several lines. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** It was tried and did not work; exit 1. Everything that had to be said may be said already. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}

/** The live server ended before it answered; whether it did what was asked is not known. */
export class ServerWentAway extends CommandFailed {}

export interface GlobalOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly tenant?: string;
}

export interface Context {
  readonly config: Config;
  /** Variables that nothing here reads. */
  readonly warnings: readonly string[];
  /** Absolute. */
  readonly dataDir: string;
  /** `--data` or KARTU_DATA was given. */
  readonly dataGiven: boolean;
  readonly tenant: string | undefined;
  readonly out: Output;
  readonly clock: Clock;
  readonly random: Random;
  /** For what goes wrong beside the result: warnings and errors, on stderr. */
  readonly log: Log;
}

/** @param over variables that options of the command stand for. @throws UsageError all faults at once */
export function contextOf(
  command: Command,
  over: Record<string, string | undefined> = {},
): Context {
  const options = command.optsWithGlobals<GlobalOptions>();
  const given = Object.entries({ ...over, KARTU_DATA: options.data }).filter(
    ([, value]) => value !== undefined,
  );
  const env = { ...process.env, ...Object.fromEntries(given) };
  const read = readConfig(env);
  if ("faults" in read) throw new UsageError(read.faults.join("\n"));
  const { config, warnings } = read;
  const clock = systemClock();
  const log = createLog({ level: "warn", json: false, nowMs: () => clock.nowMs() });
  for (const warning of read.warnings) log.warn(warning);
  return {
    config,
    warnings,
    dataDir: resolve(config.dataDir),
    dataGiven: (env.KARTU_DATA ?? "") !== "",
    tenant: options.tenant,
    out: new Output(options.json === true),
    clock,
    random: systemRandom(),
    log,
  };
}

/** What was refused, with each input that is at fault. */
const wordsOf = ({ message, extra }: Problem): string =>
  extra.errors === undefined
    ? message
    : extra.errors.map((fault) => `${fault.field}: ${fault.message}`).join("\n");

/** The code that the program ends with, and the words for it. */
export function endingOf(error: unknown): { code: 1 | 2; text: string } {
  if (error instanceof UsageError) return { code: 2, text: error.message };
  if (error instanceof Problem) return { code: 2, text: wordsOf(error) };
  if (error instanceof Refused) return { code: 2, text: error.message };
  return { code: 1, text: error instanceof Error ? error.message : String(error) };
}

/** A whole number as an option's text. @throws UsageError */
export function wholeNumber(text: string, name: string, min: number, max: number): number {
  const value = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${name} must be a whole number from ${min} to ${max}`);
}
