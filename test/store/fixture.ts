/**
 * What the tests of the store share: a temporary directory for each test and a schema small enough to
 * see through. It knows nothing of Kartu's own tables.
 */
import { afterEach } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { statement } from "../../schema/query/statement.ts";
import type { Schema } from "../../src/store/migrate.ts";
import { openStore, type StoreOptions } from "../../src/store/sqlite.ts";

export const itemSchema: Schema = {
  version: 1,
  migrations: [],
  tables: [
    `CREATE TABLE item (
      id    INTEGER PRIMARY KEY CHECK (id BETWEEN 0 AND 1000000000), -- chosen by the test
      label TEXT NOT NULL UNIQUE,
      body  BLOB
    ) STRICT;`,
  ],
};

export interface Item {
  id: number;
  label: string;
}

export const insertItem = statement<[id: number, label: string]>(
  "item.insert",
  "INSERT INTO item (id, label) VALUES (?1, ?2)",
);
export const insertBody = statement<[label: string, body: Uint8Array]>(
  "item.insertBody",
  "INSERT INTO item (label, body) VALUES (?1, ?2)",
);
export const allItems = statement<[], Item>("item.all", "SELECT id, label FROM item ORDER BY id");
export const itemById = statement<[id: number], Item>(
  "item.byId",
  "SELECT id, label FROM item WHERE id = ?1",
);
export const countItems = statement<[], { n: number }>(
  "item.count",
  "SELECT count(*) AS n FROM item",
);

/** To be called once in each test file, at its top; the directories go after each test. */
export function temporaryDirectories(): () => string {
  const made: string[] = [];
  afterEach(() => {
    for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
  });
  return () => {
    const directory = mkdtempSync(join(tmpdir(), "kartu-store-"));
    made.push(directory);
    return directory;
  };
}

export function openItems(directory: string, options: Partial<StoreOptions> = {}) {
  // However slow the machine is, a group is what the test says.
  const groupBusyMsMax = Number.POSITIVE_INFINITY;
  const path = join(directory, "kartu.db");
  return openStore({ path, schema: itemSchema, groupBusyMsMax, ...options });
}

/** What a promise was rejected with. */
export async function rejection(pending: Promise<unknown>): Promise<unknown> {
  try {
    await pending;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}
