import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  applicationId,
  describeSchema,
  ForeignDatabase,
  migrate,
  type Schema,
  SchemaTooNew,
  schemaVersion,
} from "../../src/store/migrate.ts";
import { openStore } from "../../src/store/sqlite.ts";
import { temporaryDirectories } from "./fixture.ts";

const directory = temporaryDirectories();
const memory = () => new Database(":memory:", { strict: true });

const owner = `CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;`;
const first: Schema = {
  version: 1,
  migrations: [],
  tables: [
    owner,
    `CREATE TABLE pet (
      id    INTEGER PRIMARY KEY,
      owner INTEGER NOT NULL REFERENCES owner
    ) STRICT;`,
  ],
};
const third: Schema = {
  version: 3,
  tables: [
    `CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER) STRICT;`,
    `CREATE TABLE pet (
      id    INTEGER PRIMARY KEY,
      owner INTEGER NOT NULL REFERENCES owner,
      kind  TEXT NOT NULL DEFAULT 'cat' CHECK (kind IN ('cat', 'dog')) -- no others yet
    ) STRICT;
    CREATE INDEX pet_owner ON pet (owner);
    CREATE TRIGGER pet_stays BEFORE DELETE ON pet BEGIN SELECT raise(ABORT, 'append only'); END;`,
  ],
  migrations: [
    { version: 2, sql: "ALTER TABLE owner ADD COLUMN age INTEGER" },
    {
      version: 3,
      sql: `CREATE TABLE pet_new (
          id INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES owner,
          kind TEXT NOT NULL DEFAULT 'cat' CHECK (kind IN ('cat', 'dog'))) STRICT;
        INSERT INTO pet_new (id, owner) SELECT id, owner FROM pet;
        DROP TABLE pet;
        ALTER TABLE pet_new RENAME TO pet;
        CREATE INDEX pet_owner ON pet (owner);
        CREATE TRIGGER pet_stays BEFORE DELETE ON pet
          BEGIN SELECT raise(ABORT, 'append only'); END;`,
    },
  ],
};

test("fresh and migrated end in the same schema, and rows are kept", () => {
  const fresh = memory();
  migrate(fresh, third);
  const old = memory();
  old.run("PRAGMA foreign_keys = ON");
  migrate(old, first);
  old.run("INSERT INTO owner VALUES (1, 'Ani'); INSERT INTO pet VALUES (5, 1)");
  migrate(old, third);
  expect(describeSchema(old)).toEqual(describeSchema(fresh));
  expect(old.query("SELECT * FROM pet").all()).toEqual([{ id: 5, owner: 1, kind: "cat" }]);
  expect(old.query("PRAGMA foreign_keys").get()).toEqual({ foreign_keys: 1 });
  for (const db of [fresh, old]) {
    expect(schemaVersion(db)).toBe(3);
    expect(db.query("PRAGMA application_id").get()).toEqual({ application_id: applicationId });
    migrate(db, third);
    db.close();
  }
});

test("schemas that differ are told apart", () => {
  const [a, b] = [memory(), memory()];
  migrate(a, first);
  migrate(b, third);
  expect(describeSchema(a)).not.toEqual(describeSchema(b));
});

test("a step that fails leaves the version before it, whole", () => {
  const db = memory();
  migrate(db, first);
  db.run("INSERT INTO owner VALUES (1, 'Ani'); INSERT INTO pet VALUES (5, 1)");
  const before = describeSchema(db);
  const broken = (sql: string): Schema => ({
    ...first,
    version: 2,
    migrations: [{ version: 2, sql }],
  });
  expect(() => migrate(db, broken("CREATE TABLE x (a); INSERT INTO nowhere VALUES (1)"))).toThrow();
  expect(() => migrate(db, broken("CREATE TABLE x (a); DELETE FROM owner"))).toThrow("dangling");
  expect(() => migrate(db, { ...first, version: 2 })).toThrow("no migration leads to schema 2");
  expect(describeSchema(db)).toEqual(before);
  expect(schemaVersion(db)).toBe(1);
});

test("a file of a newer program is refused and left alone", () => {
  const db = memory();
  migrate(db, third);
  expect(() => migrate(db, first)).toThrow(SchemaTooNew);
  expect(schemaVersion(db)).toBe(3);
});

test.each(["CREATE TABLE other (a)", "PRAGMA application_id = 7", "PRAGMA user_version = 4"])(
  "another program's file (%s) is refused before anything is changed",
  async (sql) => {
    const path = join(directory(), "kartu.db");
    const db = new Database(path);
    db.run(sql);
    db.close();
    const before = await Bun.file(path).bytes();
    expect(() => openStore({ path, schema: first })).toThrow(ForeignDatabase);
    expect(await Bun.file(path).bytes()).toEqual(before);
  },
);

test("a file that is no database is refused", () => {
  const path = join(directory(), "kartu.db");
  writeFileSync(
    path,
    "not a database, but long enough to be taken for the header of one".repeat(9),
  );
  expect(() => openStore({ path, schema: first })).toThrow(ForeignDatabase);
});

test("opening migrates, and opening again finds nothing to do", async () => {
  const path = join(directory(), "kartu.db");
  await openStore({ path, schema: first }).close();
  await openStore({ path, schema: third }).close();
  await openStore({ path, schema: third }).close();
  const db = new Database(path, { readonly: true });
  expect(schemaVersion(db)).toBe(3);
  db.close();
});
