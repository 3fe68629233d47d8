/**
 * What a command says, and to whom: results to stdout, words for people to stderr where a program reads
 * stdout. With `--json` stdout carries JSON alone, one object a line.
 */
import { Presets, SingleBar } from "cli-progress";

export interface Progress {
  /** `done` of `total`; both may be told as often as one likes. */
  at(done: number, total: number): void;
  end(): void;
}

export interface Column<T> {
  readonly title: string;
  value(row: T): string | number | null | undefined;
}

const barUpdateMs = 100;
/** Where there is no terminal, a line each so many parts of the whole. */
const plainSteps = 10;

export class Output {
  constructor(readonly json: boolean) {}

  /** The result: `value` for programs, `text` for people. */
  result(value: unknown, text: string): void {
    process.stdout.write(this.json ? `${JSON.stringify(value)}\n` : `${text}\n`);
  }

  /** Words for people, beside the result. */
  say(text: string): void {
    (this.json ? process.stderr : process.stdout).write(`${text}\n`);
  }

  /** What is not the result: trouble, and what is being done. Never on stdout. */
  warn(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** A list, page by page: an object a line, or a table with its head once. */
  async list<T extends object>(
    pages: AsyncIterable<readonly T[]>,
    columns: readonly Column<T>[],
    nothing: string,
  ): Promise<void> {
    let widths: number[] | undefined;
    let any = false;
    for await (const rows of pages) {
      if (rows.length === 0) continue;
      any = true;
      if (this.json) {
        await printed(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
        continue;
      }
      const isFirst = widths === undefined;
      widths ??= widthsOf(rows, columns);
      await printed(tableOf(rows, columns, widths, isFirst));
    }
    if (!any && !this.json) this.say(nothing);
  }

  /** A bar on a terminal, plain lines elsewhere; both on stderr. */
  progress(label: string): Progress {
    return process.stderr.isTTY ? bar(label) : plain(label);
  }
}

/** Resolves when stdout has taken the text, so that a long list waits for a slow reader. */
const printed = (text: string): Promise<void> =>
  new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });

const cell = <T>(column: Column<T>, row: T): string => String(column.value(row) ?? "-");

const widthsOf = <T>(rows: readonly T[], columns: readonly Column<T>[]): number[] =>
  columns.map((column) =>
    Math.max(column.title.length, ...rows.map((row) => cell(column, row).length)),
  );

function tableOf<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  widths: readonly number[],
  withHead: boolean,
): string {
  const line = (cells: readonly string[]): string =>
    `${cells.map((text, at) => text.padEnd(widths[at] ?? 0)).join("  ")}`.trimEnd();
  const lines = rows.map((row) => line(columns.map((column) => cell(column, row))));
  if (withHead) lines.unshift(line(columns.map(({ title }) => title)));
  return `${lines.join("\n")}\n`;
}

/** Rows of text in columns, with a head. */
export const table = <T>(rows: readonly T[], columns: readonly Column<T>[]): string =>
  tableOf(rows, columns, widthsOf(rows, columns), true).trimEnd();

/** One record, a line a member. */
export function fields(record: object): string {
  const entries = Object.entries(record).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === "object" && value !== null ? Object.values(value).join(" ") : value,
  ]);
  const width = Math.max(...entries.map(([name]) => String(name).length));
  return entries
    .map(([name, value]) => `${String(name).padEnd(width)}  ${value ?? "-"}`)
    .join("\n");
}

function bar(label: string): Progress {
  const shown = new SingleBar(
    { format: `${label} {bar} {percentage}% {value}/{total} {eta_formatted}`, etaBuffer: 100 },
    Presets.shades_classic,
  );
  let lastMs = 0;
  let started = false;
  return {
    at: (done, total) => {
      if (!started) {
        started = true;
        shown.start(total, done);
      }
      const nowMs = performance.now();
      if (nowMs - lastMs < barUpdateMs && done < total) return;
      lastMs = nowMs;
      shown.setTotal(total);
      shown.update(done);
    },
    end: () => {
      if (started) shown.stop();
    },
  };
}

function plain(label: string): Progress {
  let told = -1;
  return {
    at: (done, total) => {
      const step = total <= 0 ? 0 : Math.floor((done / total) * plainSteps);
      if (step <= told) return;
      told = step;
      process.stderr.write(`${label}: ${done} of ${total}\n`);
    },
    end: () => undefined,
  };
}
