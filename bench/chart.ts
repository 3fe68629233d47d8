/**
 * The charts of the report as SVG text: bars with their spread, curves over percentiles, points over
 * rows. They take their colours from the page's style and need no script.
 */
import { shownMs, shownValue } from "./table.ts";

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => `&#${char.codePointAt(0)};`);

export interface Bar {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Each repeat. */
  readonly values: readonly number[];
}

export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const width = 860;
const labelWidth = 190;
const valueWidth = 130;
const rowHeight = 34;

const svg = (height: number, label: string, inner: string): string =>
  `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}">${inner}</svg>`;

const text = (x: number, y: number, anchor: "start" | "middle" | "end", words: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(words)}</text>`;

/** Medians as bars from 0, a line from the least to the most, a dot for each repeat. */
export function bars(label: string, rows: readonly Bar[], mark?: number): string {
  const most = Math.max(...rows.map((row) => row.max), mark ?? 0, Number.MIN_VALUE);
  const room = width - labelWidth - valueWidth;
  const at = (value: number): number => labelWidth + (value / most) * room;
  let inner = "";
  if (mark !== undefined) {
    const x = at(mark).toFixed(1);
    inner += `<line class="mark" x1="${x}" x2="${x}" y1="0" y2="${rows.length * rowHeight}"/>`;
  }
  for (const [i, row] of rows.entries()) {
    const y = i * rowHeight + rowHeight / 2;
    const [from, to] = [at(row.min).toFixed(1), at(row.max).toFixed(1)];
    const bar = (at(row.median) - labelWidth).toFixed(1);
    inner += `<g><title>${escaped(`${row.name}: ${row.values.map(shownValue).join(", ")}`)}</title>`;
    inner += text(labelWidth - 10, y + 4, "end", row.name);
    inner += `<rect class="bar" x="${labelWidth}" y="${y - 9}" width="${bar}" height="18" rx="2"/>`;
    inner += `<line class="spread" x1="${from}" x2="${to}" y1="${y}" y2="${y}"/>`;
    for (const value of row.values) {
      inner += `<circle class="dot" cx="${at(value).toFixed(1)}" cy="${y}" r="2.6"/>`;
    }
    inner += text(width - 4, y + 4, "end", `${shownValue(row.median)} ${row.unit}`);
    inner += "</g>";
  }
  return svg(rows.length * rowHeight, label, inner);
}

const plot = { left: 70, right: 160, top: 12, bottom: 34, height: 380 };

interface Axis {
  at(value: number): number;
  readonly ticks: readonly (readonly [value: number, words: string])[];
}

/** Powers of ten within, at least two. */
function logAxis(
  values: readonly number[],
  from: number,
  to: number,
  words: (v: number) => string,
) {
  const least = Math.floor(Math.log10(Math.min(...values)));
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(...values))));
  const at = (value: number): number =>
    from + ((Math.log10(value) - least) / (most - least)) * (to - from);
  const ticks: [number, string][] = [];
  for (let power = least; power <= most; power++) ticks.push([10 ** power, words(10 ** power)]);
  return { at, ticks };
}

function lines(label: string, curves: readonly Curve[], x: Axis, y: Axis): string {
  const [left, right] = [plot.left, width - plot.right];
  const [top, bottom] = [plot.top, plot.height - plot.bottom];
  let inner = "";
  for (const [value, words] of y.ticks) {
    const at = y.at(value);
    inner += `<line class="grid" x1="${left}" x2="${right}" y1="${at.toFixed(1)}" y2="${at.toFixed(1)}"/>`;
    inner += text(left - 8, at + 4, "end", words);
  }
  for (const [value, words] of x.ticks) {
    const at = x.at(value);
    inner += `<line class="grid" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${top}" y2="${bottom}"/>`;
    inner += text(at, bottom + 18, "middle", words);
  }
  const ends = curves
    .map((curve, i) => ({ curve, i, y: y.at(curve.points.at(-1)?.[1] ?? 1) }))
    .sort((a, b) => a.y - b.y);
  let free = top;
  for (const { curve, i, y: end } of ends) {
    const path = curve.points.map(([a, b]) => `${x.at(a).toFixed(1)},${y.at(b).toFixed(1)}`);
    const labelY = Math.max(end, free);
    free = labelY + 15;
    inner += `<g class="c${i % 10}"><title>${escaped(curve.name)}</title>`;
    inner += `<polyline points="${path.join(" ")}"/>${text(right + 10, labelY + 4, "start", curve.name)}</g>`;
  }
  return svg(plot.height, label, inner);
}

/** Latency against the share of calls that were faster; each step to the right is a tenth as many. */
export function percentileCurves(label: string, curves: readonly Curve[]): string {
  const ys = curves.flatMap((curve) => curve.points.map(([, ms]) => ms));
  const [left, right] = [plot.left, width - plot.right];
  const nines = (share: number): number => -Math.log10(1 - share);
  const most = nines(0.9999);
  const x = {
    at: (share: number) => left + (nines(share) / most) * (right - left),
    ticks: [0, 0.5, 0.9, 0.99, 0.999, 0.9999].map(
      (share) => [share, share === 0 ? "all" : `p${Number((share * 100).toFixed(2))}`] as const,
    ),
  };
  const y = logAxis(ys, plot.height - plot.bottom, plot.top, (ms) => `${shownMs(ms)} ms`);
  return lines(label, curves, x, y);
}

/** One reading over seconds, from 0 up. */
export function overTime(label: string, unit: string, curve: Curve): string {
  const { points } = curve;
  const [lastSec, most] = [0, 1].map((at) => Math.max(...points.map((point) => point[at] ?? 0), 1));
  const [left, right] = [plot.left, width - plot.right];
  const [top, bottom] = [plot.top, plot.height - plot.bottom];
  const parts = [0, 0.25, 0.5, 0.75, 1];
  const axis = (from: number, to: number, max: number, of: string): Axis => ({
    at: (value) => from + (value / max) * (to - from),
    ticks: parts.map((part) => [part * max, `${shownValue(part * max)} ${of}`.trim()] as const),
  });
  const x = axis(left, right, lastSec ?? 1, "s");
  return lines(label, [curve], x, axis(bottom, top, (most ?? 1) * 1.1, unit));
}

/** Cost of an event in microseconds against the events that were in the file by then. */
export function costOverRows(label: string, curves: readonly Curve[]): string {
  const all = curves.flatMap((curve) => curve.points);
  const most = Math.max(...all.map(([rows]) => rows));
  const [left, right] = [plot.left, width - plot.right];
  const x = {
    at: (rows: number) => left + (rows / most) * (right - left),
    ticks: [0, 0.25, 0.5, 0.75, 1].map((part) => [part * most, shownValue(part * most)] as const),
  };
  const costs = all.map(([, us]) => us);
  const y = logAxis(costs, plot.height - plot.bottom, plot.top, (us) => `${shownValue(us)} µs`);
  return lines(label, curves, x, y);
}
