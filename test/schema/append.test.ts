/**
 * What the tables refuse whoever writes: rows that are only ever appended can be neither changed nor
 * deleted, others not deleted. Every table is STRICT, and of which kind each is stands in the README.
 */
import { SQLiteError } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { filledDatabase, rows } from "./fresh.ts";
import { readme } from "./readme.ts";

const db = filledDatabase();
// Only the triggers are to speak: else a row that others refer to could not go for that reason.
beforeAll(() => db.run("PRAGMA foreign_keys = OFF"));
afterAll(() => db.close());

/** The code of the error that a statement ends with, or null; leaves the rows as they were. */
function refusal(sql: string): string | null {
  db.run("BEGIN");
  try {
    expect(db.run(sql).changes).toBeGreaterThan(0);
    return null;
  } catch (error) {
    if (error instanceof SQLiteError) return error.code ?? "";
    throw error;
  } finally {
    db.run("ROLLBACK");
  }
}

const trigger = "SQLITE_CONSTRAINT_TRIGGER";
const expected = {
  appended: { update: trigger, delete: trigger },
  kept: { update: null, delete: trigger },
  changed: { update: null, delete: null },
};

describe("rows of", () => {
  for (const { table, kind } of readme.tables) {
    test(`${table} are ${kind}`, () => {
      const [, row = {}] = rows.find(([name]) => name === table) ?? [];
      const refused = new Set(
        Object.keys(row).map((column) => refusal(`UPDATE ${table} SET ${column} = ${column}`)),
      );
      expect([...refused]).toEqual([expected[kind].update]);
      expect(refusal(`DELETE FROM ${table}`)).toBe(expected[kind].delete);
    });
  }
});

describe("audit_detail", () => {
  const blank = "UPDATE audit_detail SET detail = '{}', pii = NULL, pii_salt = NULL, redacted = 1";

  test("is blanked by anonymising alone", () => {
    expect(refusal(blank)).toBeNull();
    expect(refusal(blank.replace("redacted = 1", "redacted = 0"))).toBe(trigger);
    expect(refusal("UPDATE audit_detail SET detail = '{\"a\":1}'")).toBe(trigger);
  });

  test("keeps its salt even then: the commitment to what stays must still open", () => {
    expect(refusal(`${blank}, detail_salt = zeroblob(16)`)).toBe(trigger);
  });
});

test("every table is STRICT and has a valid row above", () => {
  const tables = db
    .prepare<{ name: string; strict: number }, []>(
      "SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    )
    .all();
  expect(tables.filter(({ strict }) => strict !== 1)).toEqual([]);
  expect(tables.map(({ name }) => name).sort()).toEqual(rows.map(([name]) => name).sort());
});

test("a value of the wrong type is refused, not bent", () => {
  expect(refusal("UPDATE card SET user_id = 'seven'")).toBe("SQLITE_CONSTRAINT_DATATYPE");
  expect(refusal("UPDATE card SET user_id = 1.5")).toBe("SQLITE_CONSTRAINT_DATATYPE");
  expect(refusal("UPDATE key_version SET sealed_secret = 'text'")).toBe(
    "SQLITE_CONSTRAINT_DATATYPE",
  );
});
