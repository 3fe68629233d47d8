/**
 * Whether a quantity stays where it is: a straight line through the last two thirds of what was read
 * (least squares; the first third is for caches to fill), and how far it climbs from its left to its
 * right end, held against a bound. Falling is flat.
 */
import { significant } from "../stat.ts";

/** What is read of the server every few seconds. */
export interface Gauge {
  readonly atSec: number;
  readonly rssMb: number;
  readonly walMb: number;
  readonly openFiles: number;
  /** Of card reads since the gauge before, but for bursts, from when each was due. */
  readonly p99Ms: number;
  readonly databaseMb: number;
}

type Reading = Exclude<keyof Gauge, "atSec">;

interface Bound {
  readonly reading: Reading;
  readonly title: string;
  readonly unit: string;
  /** It may climb by the larger of the two, `share` being of its mean; null: it grows by design. */
  readonly climbMax: number | null;
  readonly share: number;
}

const bounds: readonly Bound[] = [
  { reading: "rssMb", title: "resident memory", unit: "MB", climbMax: 32, share: 0.1 },
  { reading: "walMb", title: "WAL", unit: "MB", climbMax: 16, share: 0.1 },
  { reading: "openFiles", title: "open files", unit: "", climbMax: 10, share: 0 },
  { reading: "p99Ms", title: "p99 of card reads", unit: "ms", climbMax: 10, share: 0.5 },
  { reading: "databaseMb", title: "database", unit: "MB", climbMax: null, share: 0 },
];

export interface Trend {
  readonly reading: Reading;
  readonly title: string;
  readonly unit: string;
  readonly mean: number;
  /** Over the last two thirds. */
  readonly climb: number;
  readonly climbMax: number | null;
  readonly flat: boolean;
}

export interface SoakReport {
  readonly seconds: number;
  readonly gauges: readonly Gauge[];
  readonly trends: readonly Trend[];
  readonly flat: boolean;
}

/** Rise of the least-squares line over the span of the points; 0 with fewer than two. */
export function climbOf(points: readonly (readonly [x: number, y: number])[]): number {
  const n = points.length;
  const first = points[0]?.[0] ?? 0;
  const span = (points.at(-1)?.[0] ?? first) - first;
  if (n < 2 || span === 0) return 0;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  let over = 0;
  let under = 0;
  for (const [x, y] of points) {
    over += (x - meanX) * (y - meanY);
    under += (x - meanX) ** 2;
  }
  return (over / under) * span;
}

export function reportOf(seconds: number, gauges: readonly Gauge[]): SoakReport {
  const late = gauges.filter(({ atSec }) => atSec > seconds / 3);
  const trends = bounds.map(({ reading, title, unit, climbMax, share }): Trend => {
    const points = late.map((gauge) => [gauge.atSec, gauge[reading]] as const);
    const mean = points.reduce((sum, [, y]) => sum + y, 0) / Math.max(1, points.length);
    const climb = climbOf(points);
    const most = climbMax === null ? null : Math.max(climbMax, share * mean);
    return {
      ...{ reading, title, unit },
      mean: significant(mean, 4),
      climb: significant(climb, 3),
      climbMax: most === null ? null : significant(most, 3),
      flat: most === null || climb <= most,
    };
  });
  return { seconds, gauges, trends, flat: trends.every(({ flat }) => flat) };
}
