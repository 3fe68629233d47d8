/** The figures on a terminal. */
import { type Measured, ratiosOf } from "./result.ts";
import type { Outcome } from "./run.ts";
import type { SoakReport, Trend } from "./soak/trend.ts";
import { percentile } from "./stat.ts";

export const shownValue = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));

export const shownMs = (ms: number): string => (ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3));

const shares = [0.5, 0.9, 0.99, 0.999] as const;

function rowOf({ result, latenciesMs }: Measured): string[] {
  const { name, unit, median, min, max } = result;
  const latencies = shares.map((share) => shownMs(percentile(latenciesMs, share)));
  return [name, shownValue(median), unit, `${shownValue(min)} … ${shownValue(max)}`, ...latencies];
}

const gaugesOf = ({ result: { cpuUs, rssMb } }: Measured): string[] =>
  [cpuUs, rssMb].map((value) => (value === undefined ? "" : shownValue(value)));

/** Columns as wide as their widest cell; all but those named are set to the right. */
function aligned(rows: readonly string[][], left: ReadonlySet<number>): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return left.has(column) ? cell.padEnd(width) : cell.padStart(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Machine and settings in two lines. */
export function circumstances({ machine: m, settings: s }: Outcome): string[] {
  return [
    `${m.cpu}, ${m.cores} cores, ${m.memoryGb} GB, ${m.os}, Bun ${m.bun}, SQLite ${m.sqlite}, ` +
      `${m.fileSystem}, fdatasync ${m.syncMs} ms`,
    `${s.repeats} repeats of ${s.windowMs} ms, interleaved; synchronous=${s.synchronous}; ` +
      `${s.devices} devices, ${s.cards} cards, seed ${s.seed}; server on cores ${s.serverCores}, ` +
      `load on ${s.loadCores}`,
  ];
}

/** How a trend reads, but for its name: mean, climb, bound, verdict. */
export const trendCells = ({ unit, mean, climb, climbMax, flat }: Trend): string[] => [
  `${shownValue(mean)} ${unit}`.trim(),
  `${climb > 0 ? "+" : ""}${shownValue(climb)}`,
  climbMax === null ? "" : `+${shownValue(climbMax)}`,
  climbMax === null ? "grows by design" : flat ? "flat" : "NOT FLAT",
];

const soakLines = ({ trends, flat, seconds }: SoakReport): string[] => [
  aligned(
    [
      ["over the last two thirds", "mean", "climb", "at most", ""],
      ...trends.map((trend) => [trend.title, ...trendCells(trend)]),
    ],
    new Set([0, 4]),
  ),
  "",
  `verdict after ${seconds} s: ${flat ? "flat" : "NOT FLAT"}`,
];

export function table(outcome: Outcome): string {
  const gauged = outcome.all.some(({ result }) => result.cpuUs !== undefined);
  const latencies = ["workload", "median", "", "min … max", "p50 ms", "p90", "p99", "p99.9"];
  const head = gauged ? [...latencies, "CPU µs/event", "RSS MB"] : latencies;
  const rows = outcome.all.map((one) => (gauged ? [...rowOf(one), ...gaugesOf(one)] : rowOf(one)));
  const figures = aligned([head, ...rows], new Set([0, 2]));
  const ratios = ratiosOf(outcome.all).map(({ name, median, min, max }) => [
    name,
    String(median),
    `${min} … ${max}`,
  ]);
  const parts = [...circumstances(outcome), "", figures];
  if (ratios.length > 0) {
    parts.push("", aligned([["ratio", "median", "min … max"], ...ratios], new Set([0])));
  }
  if (outcome.soak !== undefined) parts.push("", ...soakLines(outcome.soak));
  if (outcome.notes.length > 0) parts.push("", ...outcome.notes);
  return parts.join("\n");
}
