/** The tables that `schema/README.md` lists, as values, so that tests can hold it to the schema. */
import { join } from "node:path";

export type Kind = "appended" | "kept" | "changed";

export interface Listed {
  readonly table: string;
  /** Columns of the primary key. */
  readonly key: readonly string[];
  readonly kind: Kind;
  /** The feature that puts rows in, or the part of http that does. */
  readonly writer: string;
  /** Others that change a column of their own. */
  readonly touchedBy: readonly string[];
}

const text = await Bun.file(join(import.meta.dir, "../../schema/README.md")).text();

const names = (cell: string): string[] =>
  [...cell.matchAll(/`([a-z_]+)`/g)].map(([, name = ""]) => name);

function isKind(text: string): text is Kind {
  return text === "appended" || text === "kept" || text === "changed";
}

function readRow(line: string): Listed | null {
  const [, first = "", key = "", kind = "", writers = ""] = line
    .split("|")
    .map((cell) => cell.trim());
  const table = /^`([a-z_]+)`$/.exec(first)?.[1];
  if (table === undefined) return null;
  if (!isKind(kind)) throw new Error(`schema/README.md: ${table} is ${kind}`);
  const [writer = "", ...touchedBy] = names(writers);
  return { table, key: names(key), kind, writer, touchedBy };
}

export const readme: { readonly tables: readonly Listed[] } = {
  tables: text.split("\n").flatMap((line) => readRow(line) ?? []),
};
