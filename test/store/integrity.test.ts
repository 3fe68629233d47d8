import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { foreignKeyFaults, integrityFaults } from "../../src/store/integrity.ts";
import { temporaryDirectories } from "./fixture.ts";

const directory = temporaryDirectories();

function sound(path: string): void {
  const db = new Database(path);
  db.run("CREATE TABLE owner (id INTEGER PRIMARY KEY); CREATE TABLE pet (owner REFERENCES owner)");
  db.run("CREATE INDEX pet_owner ON pet (owner); INSERT INTO owner VALUES (1)");
  db.run(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    INSERT INTO pet SELECT 1 FROM n`);
  db.close();
}

test("a sound file has no faults", () => {
  const path = join(directory(), "a.db");
  sound(path);
  const db = new Database(path, { readonly: true });
  expect(integrityFaults(db)).toEqual([]);
  expect(foreignKeyFaults(db)).toEqual([]);
  db.close();
});

test("a row that refers to nothing is listed", () => {
  const path = join(directory(), "a.db");
  sound(path);
  const db = new Database(path);
  db.run("PRAGMA foreign_keys = OFF; INSERT INTO pet (rowid, owner) VALUES (9000, 77)");
  expect(foreignKeyFaults(db)).toEqual([{ table: "pet", rowid: 9000, parent: "owner" }]);
  db.close();
});

test("an overwritten page is found", () => {
  const path = join(directory(), "a.db");
  sound(path);
  const file = openSync(path, "r+");
  writeSync(file, new Uint8Array(200).fill(0x55), 0, 200, 5 * 4096 + 8);
  closeSync(file);
  const db = new Database(path, { readonly: true });
  expect(integrityFaults(db).length).toBeGreaterThan(0);
  db.close();
});
