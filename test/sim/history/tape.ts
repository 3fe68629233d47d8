/**
 * What an auditor was told, to be told again to another: whole, or with one thing in it that is not as it
 * was. What a lie is about has a name, so that each is told once.
 */
import { type Answer, Auditor, type Call, type Start } from "../auditor/auditor.ts";

export type Row = Record<string, unknown>;
export type Told =
  | { readonly call: Call; readonly answer: Answer; readonly nowSec: number }
  | { readonly tick: number };

export interface Tape {
  readonly start: Start;
  readonly told: readonly Told[];
  /** What the last look found, by its SQL. */
  readonly looks: ReadonlyMap<string, readonly Row[]>;
  readonly nowSec: number;
}

/** An answer, or a row of the last look, that is not as it was. */
export interface Lie {
  /** Which answer and which part of it: `POST /api/cards 201 .balance`. */
  readonly about: string;
  readonly at: number | string;
  readonly value: unknown;
}

/** Tells it all to a new auditor. @throws Divergence what it notices */
export async function retell({ start, told, looks, nowSec }: Tape, lie?: Lie): Promise<void> {
  const auditor = new Auditor(start);
  for (const [index, each] of told.entries()) {
    if ("tick" in each) auditor.tick(each.tick);
    else {
      const answer = index === lie?.at ? (lie.value as Answer) : each.answer;
      auditor.judge(each.call, answer, each.nowSec);
    }
  }
  const rows = async <R>(sql: string): Promise<R[]> =>
    (sql === lie?.at ? lie.value : looks.get(sql)) as R[];
  await auditor.audit({ rows }, nowSec);
}

/** Another value of the same kind. */
function altered(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (value === null) return 7;
  const text = String(value);
  return `${text.slice(0, -1)}${text.endsWith("1") ? "2" : "1"}`;
}

type Path = readonly (string | number)[];

/** Every way to alter one leaf, or to leave out the last of a list. */
function* alterations(value: unknown, path: Path = []): Generator<{ path: Path; value: unknown }> {
  if (Array.isArray(value)) {
    if (value.length > 0) yield { path: [...path, "last"], value: value.slice(0, -1) };
    for (const [index, each] of value.entries()) {
      for (const made of alterations(each, [...path, index])) {
        yield { path: made.path, value: value.with(index, made.value) };
      }
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [name, each] of Object.entries(value)) {
      for (const made of alterations(each, [...path, name])) {
        yield { path: made.path, value: { ...value, [name]: made.value } };
      }
    }
  } else if (value !== undefined) yield { path, value: altered(value) };
}

const named = (path: Path): string =>
  path.map((part) => (typeof part === "number" ? "[]" : `.${part}`)).join("");

const nameOf = ({ method, path }: Call): string =>
  `${method} ${path
    .replace(/\?.*$/, "")
    .replace(/[0-9a-f]{12}|[0-9a-f-]{36}/g, ":id")
    .replace(/:id-.*?(?=\/|$)/, ":id")}`;

/** Lies about the answers and about what the last look found. */
export function* liesOf({ told, looks }: Tape): Generator<Lie> {
  for (const [at, each] of told.entries()) {
    if ("tick" in each) continue;
    const { call, answer } = each;
    const name = `${nameOf(call)} ${answer.status}`;
    yield { about: `${name} status`, at, value: { ...answer, status: answer.status + 1 } };
    for (const { path, value: json } of alterations(answer.json)) {
      yield { about: `${name} ${named(path)}`, at, value: { ...answer, json } };
    }
  }
  for (const [sql, rows] of looks) {
    const table = / FROM (\w+)/.exec(sql)?.[1] ?? sql;
    for (const { path, value } of alterations(rows)) {
      yield { about: `table ${table} ${named(path)}`, at: sql, value };
    }
  }
}
