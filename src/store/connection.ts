/**
 * One connection of bun:sqlite with its prepared statements. Synchronous; knows nothing of queues or
 * promises. It closes three gaps of the driver: a missing bind keeps the value of the call before, NaN
 * becomes NULL, and an integer beyond 2^53−1 arrives rounded. Each is an error here.
 */
import type { Database, Statement as Prepared } from "bun:sqlite";
import type { Param, Statement } from "../../schema/query/statement.ts";

/** bun:sqlite takes one array for all parameters too: a fifth cheaper than spreading it. */
interface ArrayRun {
  run(params: readonly Param[]): unknown;
}

interface Entry {
  readonly prepared: Prepared<unknown, Param[]>;
  readonly paramsCount: number;
}

function checkParams(statement: Statement, expected: number, params: readonly Param[]): void {
  if (params.length !== expected) {
    throw new TypeError(
      `statement ${statement.name}: ${expected} parameters expected, ${params.length} given`,
    );
  }
  for (let i = 0; i < expected; i++) {
    const value: unknown = params[i];
    if (typeof value === "string" || value === null || value instanceof Uint8Array) continue;
    if (typeof value !== "number") {
      throw new TypeError(`statement ${statement.name}: ?${i + 1} cannot be ${typeof value}`);
    }
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
      throw new RangeError(`statement ${statement.name}: ?${i + 1} is ${value}`);
    }
  }
}

/** bun:sqlite rounds a wider integer to a double, and every rounded one lies outside ±(2^53−1). */
function checkRow(statement: Statement, row: object): void {
  const cells = row as Record<string, unknown>;
  for (const column in cells) {
    const value = cells[column];
    if (
      typeof value === "number" &&
      (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER)
    ) {
      throw new RangeError(`statement ${statement.name}: column ${column} is beyond 2^53−1`);
    }
  }
}

/**
 * `+?1` for `?1`. SQLite may plan by the value of a bare parameter (a LIMIT, a key of a join), and then
 * prepares the statement anew at every bind: 5 to 30 µs a call. A unary plus keeps the value, and the
 * use of indexes on the other side, and hides the parameter from the planner.
 */
const hideParams = (sql: string): string => sql.replace(/\?(\d+)/g, "+?$1");

export class Connection {
  readonly db: Database;
  /** By identity of the statement; a statement made for one use goes with its maker. */
  readonly #entries = new WeakMap<Statement, Entry>();

  constructor(db: Database) {
    this.db = db;
  }

  /** First row, or undefined. */
  get<P extends readonly Param[], R>(statement: Statement<P, R>, params: P): R | undefined {
    const row = this.#bindable(statement, params).get(...params);
    if (row === null || row === undefined) return undefined;
    checkRow(statement, row);
    return row as R;
  }

  all<P extends readonly Param[], R>(statement: Statement<P, R>, params: P): R[] {
    const rows = this.#bindable(statement, params).all(...params);
    for (const row of rows) checkRow(statement, row as object);
    return rows as R[];
  }

  /** Number of rows changed, those of triggers not counted. */
  run<P extends readonly Param[]>(statement: Statement<P, unknown>, params: P): number {
    return this.#bindable(statement, params).run(...params).changes;
  }

  many<P extends readonly Param[]>(statement: Statement<P, unknown>, rows: readonly P[]): void {
    const { prepared, paramsCount } = this.#entry(statement);
    const each = prepared as unknown as ArrayRun;
    for (const params of rows) {
      checkParams(statement, paramsCount, params);
      each.run(params);
    }
  }

  /** True also ends the statements; one left over would keep the file, its locks and its WAL. */
  close(): void {
    this.db.close(true);
  }

  #bindable(statement: Statement, params: readonly Param[]): Entry["prepared"] {
    const { prepared, paramsCount } = this.#entry(statement);
    checkParams(statement, paramsCount, params);
    return prepared;
  }

  #entry(statement: Statement): Entry {
    let entry = this.#entries.get(statement);
    if (entry === undefined) {
      const prepared = this.db.prepare<unknown, Param[]>(hideParams(statement.sql));
      entry = { prepared, paramsCount: prepared.paramsCount };
      this.#entries.set(statement, entry);
    }
    return entry;
  }
}
