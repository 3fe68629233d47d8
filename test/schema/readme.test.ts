/** `schema/README.md` says of each table its key and its one writer, and what it says is true. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";
import { freshDatabase } from "./fresh.ts";
import { readme } from "./readme.ts";
import { allStatements } from "./statements.ts";

const db = freshDatabase();
const root = join(import.meta.dir, "../../src");

const tables = db
  .prepare<{ name: string }, []>(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
  )
  .all()
  .map(({ name }) => name);

interface Hands {
  readonly inserts: Set<string>;
  readonly changes: Set<string>;
}

/** The feature of a file of src, or the folder where it is none. */
const ownerOf = (file: string): string =>
  /^feature\/([a-z]+)\//.exec(file)?.[1] ?? file.slice(0, file.indexOf("/"));

/** Who puts rows into each table and who changes or deletes them, by the statements that files import. */
async function handsOfTables(): Promise<Map<string, Hands>> {
  const imported = new Map<string, Set<string>>();
  for (const file of new Glob("**/*.ts").scanSync(root)) {
    const text = await Bun.file(join(root, file)).text();
    for (const [, list = "", query = ""] of text.matchAll(
      /import (?:\{([^}]*)\}|\* as \w+) from "[^"]*schema\/query\/([a-z]+\.ts)"/g,
    )) {
      for (const [name] of (list || text).matchAll(/\b[A-Za-z]\w*/g)) {
        const key = `${query} ${name}`;
        imported.set(key, (imported.get(key) ?? new Set()).add(ownerOf(file)));
      }
    }
  }
  const hands = new Map(
    tables.map((name) => [name, { inserts: new Set<string>(), changes: new Set<string>() }]),
  );
  for (const { file, exportName, statement } of await allStatements()) {
    const [, verb, table = ""] =
      /^\s*(INSERT|UPDATE|DELETE)(?: INTO| FROM)? (\w+)/.exec(statement.sql) ?? [];
    if (verb === undefined) continue;
    const { inserts, changes } = hands.get(table) ?? { inserts: new Set(), changes: new Set() };
    for (const owner of imported.get(`${file} ${exportName}`) ?? []) {
      (verb === "INSERT" ? inserts : changes).add(owner);
    }
  }
  for (const { on, into } of countedByTriggers()) {
    for (const owner of hands.get(on)?.inserts ?? []) hands.get(into)?.inserts.add(owner);
  }
  return hands;
}

/** Tables that triggers put rows into: they are written by whoever writes the table of the trigger. */
function countedByTriggers(): { on: string; into: string }[] {
  const triggers = db.prepare<{ on: string; sql: string }, []>(
    `SELECT tbl_name AS "on", sql FROM sqlite_schema WHERE type = 'trigger'`,
  );
  return triggers
    .all()
    .flatMap(({ on, sql }) =>
      [...sql.matchAll(/\bINSERT INTO (\w+)/g)].map(([, into = ""]) => ({ on, into })),
    );
}

const hands = await handsOfTables();

test("the README lists every table once, and none that is not there", () => {
  expect(readme.tables.map(({ table }) => table).sort()).toEqual(tables.sort());
});

describe("what the README says of", () => {
  for (const { table, key, writer, touchedBy } of readme.tables) {
    test(table, () => {
      const columns = db
        .prepare<{ name: string; pk: number }, []>(`PRAGMA table_info(${table})`)
        .all();
      const keyColumns = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
      expect(key).toEqual(keyColumns.map(({ name }) => name));
      const { inserts = new Set(), changes = new Set() } = hands.get(table) ?? {};
      expect([...inserts]).toEqual([writer]);
      const others = [...changes].filter((owner) => owner !== writer);
      expect(others.sort()).toEqual([...touchedBy].sort());
    });
  }
});
