/**
 * A file that is being filled: the server's own statements, prepared once, without durable journal, syncs or
 * checks of values and references. If the process dies the file is lost; nothing serves it before `close`.
 */
import { Database, type Statement as Prepared } from "bun:sqlite";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Param, Statement } from "../../schema/query/statement.ts";

const pragmas = [
  "PRAGMA journal_mode = DELETE", // out of the WAL first
  "PRAGMA journal_mode = MEMORY", // holds pages that were there before; nearly all are new
  "PRAGMA locking_mode = EXCLUSIVE",
  "PRAGMA synchronous = OFF",
  "PRAGMA foreign_keys = OFF",
  "PRAGMA ignore_check_constraints = ON", // `kartu verify` holds every row against them
  "PRAGMA temp_store = MEMORY",
  "PRAGMA cache_size = -262144", // 256 MiB: the pages that cards share stay in memory
];

/** Runs one statement; the values in the order of its parameters. */
export type Run<P extends readonly Param[]> = (...params: P) => void;

/** As the server binds: a bare parameter may be planned by its value, anew at every call. */
const hideParams = (sql: string): string => sql.replace(/\?(\d+)/g, "+?$1");

export class Bulk {
  readonly #db: Database;
  readonly #path: string;
  readonly #prepared = new Map<string, Prepared<unknown, Param[]>>();

  constructor(dataDir: string) {
    this.#path = join(dataDir, "kartu.db");
    this.#db = new Database(this.#path, { readwrite: true, strict: true });
    for (const pragma of pragmas) this.#db.run(pragma);
    this.#db.run("BEGIN");
  }

  /** The statement as a function, for loops. */
  use<P extends readonly Param[]>(statement: Statement<P, unknown>): Run<P> {
    let prepared = this.#prepared.get(statement.name);
    if (prepared === undefined) {
      prepared = this.#db.prepare<unknown, Param[]>(hideParams(statement.sql));
      this.#prepared.set(statement.name, prepared);
    }
    const ready = prepared;
    return (...params) => {
      ready.run(...params);
    };
  }

  get<P extends readonly Param[], R>(statement: Statement<P, R>, ...params: P): R | undefined {
    return this.rows<R>(statement.sql, ...params)[0];
  }

  rows<R>(sql: string, ...params: Param[]): R[] {
    return this.#db.prepare<R, Param[]>(sql).all(...params);
  }

  /** The highest number of a table's key; 0 for an empty one. */
  last(table: string, key: string): number {
    const sql = `SELECT coalesce(max(${key}), 0) AS n FROM ${table}`;
    return this.rows<{ n: number }>(sql)[0]?.n ?? 0;
  }

  /** On the disk, as a server leaves its file. */
  close(): void {
    this.#db.run("COMMIT");
    for (const prepared of this.#prepared.values()) prepared.finalize();
    this.#db.run("PRAGMA journal_mode = WAL");
    this.#db.close(true);
    const handle = openSync(this.#path, "r+");
    fsyncSync(handle);
    closeSync(handle);
  }
}
