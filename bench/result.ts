/** What a run yields: a figure with its spread for each workload, and the ratios between them. */
import { median, percentile, type Sample, significant, sorted } from "./stat.ts";
import type { Workload } from "./workload.ts";

/** One workload in the JSON. */
export interface Result {
  readonly name: string;
  readonly unit: string;
  /** Over the repeats. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Of single calls, all repeats together. */
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  /** Of the server: time of its threads for each event, and resident memory, where they were measured. */
  readonly cpuUs?: number;
  readonly rssMb?: number;
}

/** The same with what only people look at. */
export interface Measured {
  readonly workload: Workload;
  readonly samples: readonly Sample[];
  readonly result: Result;
  /** All latencies, ascending. */
  readonly latenciesMs: Float64Array;
}

export interface Ratio {
  readonly name: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Each round. */
  readonly each: readonly number[];
}

export function measured(workload: Workload, samples: readonly Sample[]): Measured {
  const values = samples.map((sample) => sample.value);
  const latenciesMs = sorted(samples.map((sample) => sample.latenciesMs));
  const at = (share: number): number => significant(percentile(latenciesMs, share), 4);
  const result = {
    name: workload.name,
    unit: workload.unit,
    median: significant(median(values), 5),
    min: significant(Math.min(...values), 5),
    max: significant(Math.max(...values), 5),
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p99Ms: at(0.99),
    ...gauged(samples),
  };
  return { workload, samples, result, latenciesMs };
}

/** Medians of what was read of the server's process. */
function gauged(samples: readonly Sample[]): { cpuUs?: number; rssMb?: number } {
  const cpu = samples.flatMap(({ cpuUs }) => cpuUs ?? []);
  const rss = samples.flatMap(({ rssMb }) => rssMb ?? []);
  return {
    ...(cpu.length === 0 ? {} : { cpuUs: significant(median(cpu), 3) }),
    ...(rss.length === 0 ? {} : { rssMb: Math.round(median(rss)) }),
  };
}

/** Which figure stands over which; both have the same unit. */
const pairs: readonly (readonly [string, string])[] = [
  ["reconcile-50", "ceiling-sqlite"],
  ["reconcile-500", "ceiling-sqlite"],
  ["reconcile-1000", "ceiling-sqlite"],
  ["mixed", "reconcile-500"],
  ["grant", "ceiling-http"],
  ["topup", "ceiling-http"],
  ["card-read", "ceiling-http"],
  ["policy-304", "ceiling-http"],
  ["blocklist-304", "ceiling-http"],
  ["auth-get", "ceiling-http"],
  ["auth-list", "ceiling-http"],
];

/** Repeat by repeat, since both were measured within the same seconds; then the median. */
export function ratiosOf(all: readonly Measured[]): Ratio[] {
  const byName = new Map(all.map((one) => [one.workload.name, one]));
  const own = all.flatMap(({ workload: { name, over } }): (readonly [string, string])[] =>
    over === undefined ? [] : [[name, over]],
  );
  // `x@peer` does what `x` does.
  const played = all.flatMap(({ workload: { name } }): (readonly [string, string])[] =>
    name.includes("@") ? [[name.slice(0, name.indexOf("@")), name]] : [],
  );
  return [...pairs, ...own, ...played].flatMap(([over, under]) => {
    const [a, b] = [byName.get(over), byName.get(under)];
    if (a === undefined || b === undefined) return [];
    const each = a.samples.map((sample, round) => sample.value / (b.samples[round]?.value ?? 0));
    return [
      {
        name: `${over}/${under}`,
        median: significant(median(each), 3),
        min: significant(Math.min(...each), 3),
        max: significant(Math.max(...each), 3),
        each,
      },
    ];
  });
}
