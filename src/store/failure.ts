/**
 * Which errors of SQLite are about the storage (disk, file, lock) and not about what a statement asked.
 * Judged by result code alone: message texts change between versions. Constraint errors are not here;
 * they pass to the caller as they are.
 */
import { SQLiteError } from "bun:sqlite";
import { StoreUnavailable } from "./seam.ts";

/** Primary result codes (https://sqlite.org/rescode.html) after which a retry later may succeed. */
const storageCodes: ReadonlySet<number> = new Set([
  3, // PERM
  5, // BUSY: another process holds the file past busy_timeout
  7, // NOMEM
  8, // READONLY
  9, // INTERRUPT
  10, // IOERR
  11, // CORRUPT
  13, // FULL
  14, // CANTOPEN
  15, // PROTOCOL: WAL locking
  22, // NOLFS
  26, // NOTADB
]);

const readonlyCode = 8;

/** The low byte of an extended result code is its primary code. */
const primaryCode = (error: SQLiteError): number => error.errno & 0xff;

/** Told to the operator's log; `error` carries the details. */
export type StoreLog = (event: string, error: unknown) => void;

export const warn: StoreLog = (event, error) => {
  process.emitWarning(`${event}: ${error instanceof Error ? error.stack : String(error)}`, "Store");
};

export function isStorageFailure(error: unknown): error is SQLiteError {
  return error instanceof SQLiteError && storageCodes.has(primaryCode(error));
}

/** A write sent through a read-only connection: a bug of the caller, not a failure of the disk. */
export function isReadonlyRefusal(error: unknown): boolean {
  return error instanceof SQLiteError && primaryCode(error) === readonlyCode;
}

export function unavailable(reason: string, cause?: unknown): StoreUnavailable {
  return new StoreUnavailable(reason, cause === undefined ? undefined : { cause });
}
