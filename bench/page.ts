/** The report as one HTML page: no script, no file beside it, light or dark as the reader's system. */
import {
  type Bar,
  bars,
  type Curve,
  costOverRows,
  escaped,
  overTime,
  percentileCurves,
} from "./chart.ts";
import { type Measured, ratiosOf } from "./result.ts";
import type { Outcome } from "./run.ts";
import type { SoakReport } from "./soak/trend.ts";
import { median, percentile } from "./stat.ts";
import { circumstances, shownMs, shownValue, trendCells } from "./table.ts";

const hues = [210, 25, 150, 280, 340, 60, 185, 110, 0, 250];

const style = `
:root { color-scheme: light dark; --ink: #1b2330; --soft: #66707f; --line: #d9dee6; --paper: #fff;
  --bar: #3b7dd8; --light: 42%; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa5b4; --line: #303947;
  --paper: #12161d; --bar: #4f8fe6; --light: 65%; } }
body { margin: 2.5rem auto; max-width: 900px; padding: 0 1rem; color: var(--ink);
  background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.4rem 0 .4rem; }
p { color: var(--soft); margin: .2rem 0; }
svg { width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 12px; }
.bar { fill: var(--bar); opacity: .55; } .spread { stroke: var(--ink); stroke-width: 1.5; }
.dot { fill: var(--ink); } .grid { stroke: var(--line); } .mark { stroke: var(--soft);
  stroke-dasharray: 4 3; }
polyline { fill: none; stroke-width: 2; }
${hues.map((hue, i) => `.c${i} polyline { stroke: hsl(${hue} 65% var(--light)); } svg .c${i} text { fill: hsl(${hue} 65% var(--light)); }`).join("\n")}
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid var(--line);
  white-space: nowrap; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 500; }
th:first-child, td:first-child, td:last-child, th:last-child { text-align: left; }
td:last-child { white-space: normal; color: var(--soft); min-width: 16rem; }
`;

const barOf = ({ result, samples }: Measured): Bar => ({
  ...{ name: result.name, unit: result.unit },
  ...{ median: result.median, min: result.min, max: result.max },
  values: samples.map((sample) => sample.value),
});

/** One chart a unit, because bars of different units compare nothing. */
function throughput(all: readonly Measured[]): string {
  const charts = Map.groupBy(all, ({ workload: { name, unit, apart, lessIsBetter } }) => {
    if (apart === true) return name;
    return unit === "events/s" || lessIsBetter === true ? unit : "/s";
  });
  return [...charts]
    .map(([of, some]) => bars(`median by workload, ${of}`, some.map(barOf)))
    .join("");
}

const steps = Array.from({ length: 81 }, (_, i) => 1 - 10 ** (-i / 20));

const curveOf = ({ result, latenciesMs }: Measured): Curve => ({
  name: result.name,
  points: steps
    .filter((share) => latenciesMs.length * (1 - share) >= 1)
    .map((share) => [share, Math.max(percentile(latenciesMs, share), 0.001)]),
});

const byRows = (a: readonly [number, number], b: readonly [number, number]): number => a[0] - b[0];

/** Repeats of workloads that add events; of those on one curve, a point each. Two points at least. */
function costs(all: readonly Measured[]): Curve[] {
  const own: Curve[] = [];
  const joined = new Map<string, (readonly [number, number])[]>();
  for (const { workload, result, samples } of all) {
    const points = samples.flatMap(({ rows, value }) =>
      rows === undefined || value === 0 ? [] : [[rows, 1_000_000 / value] as const],
    );
    const { curve } = workload;
    if (curve === undefined) own.push({ name: result.name, points: points.sort(byRows) });
    else if (points.length > 0) {
      const middle = [0, 1].map((at) => median(points.map((point) => point[at] ?? 0)));
      const [rows = 0, us = 0] = middle;
      joined.set(curve, [...(joined.get(curve) ?? []), [rows, us]]);
    }
  }
  const lines = [...joined].map(([name, points]) => ({ name, points: points.sort(byRows) }));
  return [...own, ...lines].filter(({ points }) => points.length > 1);
}

const shares = [0.5, 0.9, 0.99, 0.999];

function figures(all: readonly Measured[]): string {
  const gauged = all.some(({ result }) => result.cpuUs !== undefined);
  const rows = all.map(({ workload, result, latenciesMs }) => {
    const gauges = [result.cpuUs, result.rssMb].map((value) =>
      value === undefined ? "" : shownValue(value),
    );
    const cells = [
      result.name,
      `${shownValue(result.median)} ${result.unit}`,
      `${shownValue(result.min)} … ${shownValue(result.max)}`,
      ...shares.map((share) => shownMs(percentile(latenciesMs, share))),
      ...(gauged ? gauges : []),
      workload.about,
    ];
    return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`;
  });
  const latencies = ["workload", "median", "min … max", "p50 ms", "p90", "p99", "p99.9"];
  const head = [...latencies, ...(gauged ? ["CPU µs/event", "RSS MB"] : []), "what it does"];
  return `<div class="wide"><table><tr>${head.map((name) => `<th>${name}</th>`).join("")}</tr>${rows.join("")}</table></div>`;
}

const section = (title: string, words: string, inner: string): string =>
  `<h2>${title}</h2><p>${words}</p>${inner}`;

/** The verdict, and each reading over time. */
function soakSection({ gauges, trends, flat, seconds }: SoakReport): string {
  const cells = (tag: "td" | "th", words: readonly string[]): string =>
    `<tr>${words.map((word) => `<${tag}>${escaped(word)}</${tag}>`).join("")}</tr>`;
  const head = cells("th", ["over the last two thirds", "mean", "climb", "at most", ""]);
  const rows = trends.map((trend) => cells("td", [trend.title, ...trendCells(trend)]));
  const charts = trends.map(({ reading, title, unit }) => {
    const points = gauges.map((gauge) => [gauge.atSec, gauge[reading]] as const);
    return overTime(`${title} over time`, unit, { name: title, points });
  });
  return section(
    "Soak",
    `Mixed traffic for ${seconds} s. Verdict: ${flat ? "flat" : "not flat"}.`,
    `<div class="wide"><table>${head}${rows.join("")}</table></div>${charts.join("")}`,
  );
}

export function page(outcome: Outcome): string {
  const { all, soak } = outcome;
  const ratios = ratiosOf(all);
  const curves = costs(all);
  const parts = [
    section(
      "Throughput",
      "Bar: median of the repeats; line: least to most; dots: each repeat.",
      throughput(all),
    ),
    ratios.length === 0
      ? ""
      : section(
          "Ratios",
          "Each over its yardstick within the same round; the dashed line is 1.",
          bars(
            "ratios",
            ratios.map((ratio) => ({ ...ratio, unit: "", values: ratio.each })),
            1,
          ),
        ),
    section(
      "Latency",
      "Of single calls, all repeats together. Of <code>mixed</code>: the grants, from when each was due.",
      percentileCurves("latency by percentile", all.map(curveOf)),
    ),
    curves.length === 0
      ? ""
      : section(
          "Cost of an event",
          "Against the events that were in the file.",
          costOverRows("cost of an event over rows in the file", curves),
        ),
    soak === undefined ? "" : soakSection(soak),
    section("Figures", outcome.notes.map(escaped).join("<br>"), figures(all)),
  ];
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Kartu: benchmark</title><style>${style}</style>
<h1>Kartu: benchmark</h1>
${circumstances(outcome)
  .map((line) => `<p>${escaped(line)}</p>`)
  .join("\n")}
${parts.join("\n")}
</html>
`;
}
