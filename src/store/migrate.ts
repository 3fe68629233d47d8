/**
 * Brings a database file to the schema of this program: a fresh file gets the tables as they are now,
 * an older one each migration in turn. It knows no table. The header of the file says whose it is
 * (application_id) and how old (user_version); both are changed in the transaction they speak of.
 */
import { type Database, SQLiteError } from "bun:sqlite";
import { foreignKeyFaults } from "./integrity.ts";
import { tailTable } from "./tail.ts";

export interface Migration {
  /** The version that the file has afterwards; consecutive. */
  readonly version: number;
  readonly sql: string;
}

export interface Schema {
  /** SQL of every table as it is at `version`, in order of creation. */
  readonly tables: readonly string[];
  readonly migrations: readonly Migration[];
  /** From 1. */
  readonly version: number;
}

/** The bytes "Krtu" at offset 68 of the file, as `file(1)` and PRAGMA application_id show it. */
export const applicationId = 0x4b727475;

export class ForeignDatabase extends Error {
  override readonly name = "ForeignDatabase";
}

export class SchemaTooNew extends Error {
  override readonly name = "SchemaTooNew";
}

/** @throws ForeignDatabase the file holds something that Kartu did not make. Changes nothing. */
export function refuseForeign(db: Database): void {
  let id: number;
  let objects: number;
  try {
    id = pragmaNumber(db, "application_id");
    objects = count(db);
  } catch (error) {
    if (error instanceof SQLiteError && error.code === "SQLITE_NOTADB") {
      throw new ForeignDatabase(`${db.filename} is not a SQLite database`, { cause: error });
    }
    throw error;
  }
  const fresh = id === 0 && objects === 0 && pragmaNumber(db, "user_version") === 0;
  if (id !== applicationId && !fresh) {
    throw new ForeignDatabase(`${db.filename} is a database of another program`);
  }
}

/** The version of the schema that the file has; 0 for a fresh one. */
export function schemaVersion(db: Database): number {
  return pragmaNumber(db, "user_version");
}

/**
 * Each step is one transaction: a crash leaves the file at one version or the next.
 * @throws ForeignDatabase, SchemaTooNew; an Error when a step is missing or leaves dangling foreign keys.
 */
export function migrate(db: Database, schema: Schema): void {
  if (!Number.isSafeInteger(schema.version) || schema.version < 1) {
    throw new RangeError(`schema version ${schema.version}`);
  }
  refuseForeign(db);
  const found = schemaVersion(db);
  if (found > schema.version) {
    throw new SchemaTooNew(
      `${db.filename} has schema ${found}, this program knows ${schema.version}: use a newer Kartu`,
    );
  }
  if (found === schema.version) return;
  const enforced = pragmaNumber(db, "foreign_keys");
  // Rebuilding a table drops rows that others refer to; off only works outside a transaction.
  db.run("PRAGMA foreign_keys = OFF");
  try {
    if (found === 0) step(db, schema.version, schema.tables);
    else for (const { version, sql } of stepsFrom(schema, found)) step(db, version, [sql]);
  } finally {
    db.run(`PRAGMA foreign_keys = ${enforced}`);
  }
}

/**
 * Every object of the schema as one normalised line, sorted. Comments, white space and the quotes that
 * ALTER TABLE … RENAME puts around names do not count, so fresh and migrated files can be compared. The
 * store's own table is not of the schema.
 */
export function describeSchema(db: Database): string[] {
  const rows = db
    .prepare<{ type: string; name: string; sql: string | null }, [string]>(
      "SELECT type, name, sql FROM sqlite_schema WHERE name <> ?1 ORDER BY type, name",
    )
    .all(tailTable);
  return rows.map(({ type, name, sql }) => {
    const text = (sql ?? "")
      .replaceAll(/--[^\n]*/g, " ")
      .replaceAll('"', "")
      .replaceAll(/\s*([(),])\s*/g, "$1")
      .replaceAll(/\s+/g, " ")
      .trim();
    return `${type} ${name}: ${text}`;
  });
}

function stepsFrom(schema: Schema, found: number): Migration[] {
  const steps: Migration[] = [];
  for (let version = found + 1; version <= schema.version; version++) {
    const migration = schema.migrations.find((candidate) => candidate.version === version);
    if (migration === undefined) throw new Error(`no migration leads to schema ${version}`);
    steps.push(migration);
  }
  return steps;
}

function step(db: Database, version: number, texts: readonly string[]): void {
  db.run("BEGIN IMMEDIATE");
  try {
    for (const sql of texts) db.run(sql);
    const faults = foreignKeyFaults(db);
    if (faults.length > 0) {
      throw new Error(`schema ${version} would leave ${faults.length} dangling foreign keys`);
    }
    db.run(`PRAGMA application_id = ${applicationId}`);
    db.run(`PRAGMA user_version = ${version}`);
    db.run("COMMIT");
  } catch (error) {
    if (db.inTransaction) db.run("ROLLBACK");
    throw error;
  }
}

function pragmaNumber(
  db: Database,
  name: "application_id" | "user_version" | "foreign_keys",
): number {
  const row = db.prepare<Record<string, number>, []>(`PRAGMA ${name}`).get();
  const value = row?.[name];
  if (value === undefined) throw new Error(`PRAGMA ${name} gave nothing`);
  return value;
}

function count(db: Database): number {
  const row = db.prepare<{ n: number }, []>("SELECT count(*) AS n FROM sqlite_schema").get();
  return row?.n ?? 0;
}
