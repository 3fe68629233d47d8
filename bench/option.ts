/** The arguments of a run. */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { rootDir } from "./http/process.ts";

export interface Options {
  /** JSON alone on stdout. */
  readonly json: boolean;
  /** Names of workloads; empty = all. */
  readonly only: readonly string[];
  /** Measured time of a workload, all its repeats together. */
  readonly seconds: number;
  readonly devices: number;
  readonly cards: number;
  readonly seed: number;
  /** Folder of the report. */
  readonly report: string;
}

export class BadOption extends Error {
  override readonly name = "BadOption";
}

export const usage = `bun run bench [options]
  --only a,b     workloads to run, by name (all)
  --seconds n    measured seconds of a workload, all its repeats together (5)
  --json         the last line of stdout is the result as JSON, nothing else is there
  --devices n    commissioned devices of the venue (10000)
  --cards n      cards of the venue (20000)
  --seed n       of cards, amounts and draws (1)
  --report dir   where result.json and index.html go (bench/report)
`;

function numberOf(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= min && value <= max) return value;
  throw new BadOption(`--${name} must be a number from ${min} to ${max}`);
}

const wholeOf = (name: string, text: string, min: number, max: number): number => {
  const value = numberOf(name, text, min, max);
  if (Number.isInteger(value)) return value;
  throw new BadOption(`--${name} must be a whole number`);
};

/** @returns null when help was asked for. @throws BadOption */
export function readOptions(args: readonly string[], names: readonly string[]): Options | null {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        json: { type: "boolean" },
        only: { type: "string", default: "" },
        seconds: { type: "string", default: "5" },
        devices: { type: "string", default: "10000" },
        cards: { type: "string", default: "20000" },
        seed: { type: "string", default: "1" },
        report: { type: "string", default: join(rootDir, "bench", "report") },
      },
    }));
  } catch (error) {
    throw new BadOption(error instanceof Error ? error.message : String(error));
  }
  if (values.help === true) return null;
  const text = (name: string): string => String(values[name]);
  const only = text("only")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new BadOption(`there is no workload "${unknown}"; there are ${names.join(", ")}`);
  }
  return {
    json: values.json === true,
    only,
    seconds: numberOf("seconds", text("seconds"), 0.1, 3_600),
    devices: wholeOf("devices", text("devices"), 100, 60_000),
    cards: wholeOf("cards", text("cards"), 64, 90_000),
    seed: wholeOf("seed", text("seed"), 0, 2 ** 31 - 1),
    report: resolve(text("report")),
  };
}
