/** The arguments of a run. */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { rootDir } from "./http/process.ts";
import { type PeerName, peerNames } from "./peer/prepare.ts";

export interface Options {
  /** JSON alone on stdout. */
  readonly json: boolean;
  /** Names of workloads; empty = the usual ones, or all of them. */
  readonly only: readonly string[];
  /** Those too that take long to set up. */
  readonly every: boolean;
  /** Measured time of a workload, all its repeats together. */
  readonly seconds: number;
  readonly devices: number;
  readonly cards: number;
  readonly seed: number;
  /** Folder of the report. */
  readonly report: string;
  /** What is measured beside Kartu. */
  readonly peers: readonly PeerName[];
  /** `--scale`: these workloads and no others. */
  readonly scale: ScaleOptions | null;
  /** `--soak`: this alone. */
  readonly soak: boolean;
}

export interface ScaleOptions {
  /** Of the largest file. */
  readonly cards: number;
  readonly events: number;
  /** Folder where the files stay for the next run; undefined: they go with this one. */
  readonly keep: string | undefined;
}

export class BadOption extends Error {
  override readonly name = "BadOption";
}

export const usage = `bun run bench [options]
  --only a,b     workloads to run, by name (the usual ones)
  --all          those too that take long to set up: about five minutes
  --seconds n    measured seconds of a workload, all its repeats together (4)
  --json         the last line of stdout is the result as JSON, nothing else is there
  --devices n    commissioned devices of the venue (10000)
  --cards n      cards of the venue (20000)
  --seed n       of cards, amounts and draws (1)
  --peers[=a,b]  grants and reconcile-500 by other stacks too: ${peerNames.join(", ")} (none)
  --scale        instead: the cost of an event on files of many cards and events
  --scale-cards n, --scale-events n   of the largest file (1000000 and 50000000)
  --keep-scale dir   keep its files there for the next run
  --soak         instead: mixed traffic for half an hour, or --seconds
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

const measuredSec = 4;
const soakSec = 1_800;

function readScale(
  text: (name: string) => string,
  keep: string | boolean | undefined,
): ScaleOptions {
  const cards = wholeOf("scale-cards", text("scale-cards"), 64, 3_000_000);
  const events = wholeOf("scale-events", text("scale-events"), cards, 4_000_000_000);
  return { cards, events, keep: typeof keep === "string" ? resolve(keep) : undefined };
}

/** @returns null when help was asked for. @throws BadOption */
export function readOptions(args: readonly string[], names: readonly string[]): Options | null {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: args.map((arg) => (arg === "--peers" ? `--peers=${peerNames.join()}` : arg)),
      options: {
        help: { type: "boolean", short: "h" },
        json: { type: "boolean" },
        only: { type: "string", default: "" },
        all: { type: "boolean" },
        peers: { type: "string", default: "" },
        seconds: { type: "string" },
        scale: { type: "boolean" },
        "scale-cards": { type: "string", default: "1000000" },
        "scale-events": { type: "string", default: "50000000" },
        "keep-scale": { type: "string" },
        soak: { type: "boolean" },
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
  const list = (name: string): string[] =>
    text(name)
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== "");
  const only = list("only");
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new BadOption(`there is no workload "${unknown}"; there are ${names.join(", ")}`);
  }
  const soak = values.soak === true;
  if (soak && values.scale === true)
    throw new BadOption("--scale and --soak are runs of their own");
  const seconds = String(values.seconds ?? (soak ? soakSec : measuredSec));
  return {
    json: values.json === true,
    only,
    every: values.all === true,
    scale: values.scale === true ? readScale(text, values["keep-scale"]) : null,
    soak,
    seconds: soak
      ? numberOf("seconds", seconds, 5, 86_400)
      : numberOf("seconds", seconds, 0.1, 3_600),
    devices: wholeOf("devices", text("devices"), 100, 60_000),
    cards: wholeOf("cards", text("cards"), 64, 90_000),
    seed: wholeOf("seed", text("seed"), 0, 2 ** 31 - 1),
    report: resolve(text("report")),
    peers: list("peers").map((name) => {
      const peer = peerNames.find((each) => each === name);
      if (peer !== undefined) return peer;
      throw new BadOption(`there is no peer "${name}"; there are ${peerNames.join(", ")}`);
    }),
  };
}
