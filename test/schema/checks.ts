/** The CHECKs of the schema that bound one column, read out of its SQL: which column, from where to where. */
import { freshDatabase } from "./fresh.ts";

export interface ColumnBound {
  readonly table: string;
  readonly column: string;
  /** Of what the bounds are: the number itself, or the length of a text or of bytes. */
  readonly of: "value" | "length";
  readonly min: number | null;
  readonly max: number | null;
}

/** The inside of each `CHECK (…)` of a text. */
function* checksOf(sql: string): Generator<string> {
  for (const { index } of sql.matchAll(/\bCHECK \(/g)) {
    const start = index + "CHECK (".length;
    let depth = 1;
    let end = start;
    for (; depth > 0; end++) depth += sql[end] === "(" ? 1 : sql[end] === ")" ? -1 : 0;
    yield sql.slice(start, end - 1);
  }
}

const shape =
  /(?:^| AND )(?:length\((\w+)\)|(\w+)) (?:BETWEEN (-?\d+) AND (-?\d+)|(<=|>=|=) (\d+))(?= AND |$)/g;

function boundsIn(table: string, check: string): ColumnBound[] {
  const bounds: ColumnBound[] = [];
  for (const [, sized, plain, from, to, sign, limit] of check.matchAll(shape)) {
    const column = sized ?? plain ?? "";
    const of = sized === undefined ? "value" : "length";
    if (from !== undefined) bounds.push({ table, column, of, min: Number(from), max: Number(to) });
    else if (sign === "=" && of === "value") continue;
    else {
      const min = sign === "<=" ? null : Number(limit);
      bounds.push({ table, column, of, min, max: sign === ">=" ? null : Number(limit) });
    }
  }
  return bounds;
}

/** Every column that a CHECK of its own bounds; those that also ask for another column are left out. */
export function columnBounds(): ColumnBound[] {
  const db = freshDatabase();
  const found = db
    .prepare<{ name: string; sql: string }, []>(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL",
    )
    .all();
  return found.flatMap(({ name, sql }) =>
    [...checksOf(sql.replaceAll(/--[^\n]*/g, "").replaceAll(/\s+/g, " "))].flatMap((check) =>
      / OR |NULL/.test(check) ? [] : boundsIn(name, check),
    ),
  );
}
