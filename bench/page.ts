/** The report as one HTML page: no script, no file beside it, light or dark as the reader's system. */
import { type Bar, bars, type Curve, costOverRows, escaped, percentileCurves } from "./chart.ts";
import { type Measured, ratiosOf } from "./result.ts";
import type { Outcome } from "./run.ts";
import { percentile } from "./stat.ts";
import { circumstances, shownMs, shownValue } from "./table.ts";

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

/** Workloads that add events, where there are two repeats to compare. */
function costs(all: readonly Measured[]): Curve[] {
  return all.flatMap(({ result, samples }) => {
    const points = samples
      .filter((sample) => sample.rows !== undefined && sample.value > 0)
      .map((sample) => [sample.rows ?? 0, 1_000_000 / sample.value] as const)
      .sort((a, b) => a[0] - b[0]);
    return points.length > 1 ? [{ name: result.name, points }] : [];
  });
}

const shares = [0.5, 0.9, 0.99, 0.999];

function figures(all: readonly Measured[]): string {
  const rows = all.map(({ workload, result, latenciesMs }) => {
    const cells = [
      result.name,
      `${shownValue(result.median)} ${result.unit}`,
      `${shownValue(result.min)} … ${shownValue(result.max)}`,
      ...shares.map((share) => shownMs(percentile(latenciesMs, share))),
      workload.about,
    ];
    return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`;
  });
  const head = ["workload", "median", "min … max", "p50 ms", "p90", "p99", "p99.9", "what it does"];
  return `<div class="wide"><table><tr>${head.map((name) => `<th>${name}</th>`).join("")}</tr>${rows.join("")}</table></div>`;
}

const section = (title: string, words: string, inner: string): string =>
  `<h2>${title}</h2><p>${words}</p>${inner}`;

export function page(outcome: Outcome): string {
  const { all } = outcome;
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
    section("Figures", "", figures(all)),
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
