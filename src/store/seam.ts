/**
 * The engine seam: all that features know of storage. `read` hands out a snapshot, `write` a turn of
 * the single writer. Inside either only `q` or `tx` may be awaited, so that the embedded engine runs a
 * whole group in one turn of the event loop. No engine is named here.
 */
import type { Param, Statement } from "../../schema/query/statement.ts";

export interface Reader {
  /** First row, or undefined. */
  get<P extends readonly Param[], R>(
    statement: Statement<P, R>,
    ...params: P
  ): Promise<R | undefined>;
  all<P extends readonly Param[], R>(statement: Statement<P, R>, ...params: P): Promise<R[]>;
}

export interface Writer extends Reader {
  /** Number of rows changed. */
  run<P extends readonly Param[]>(statement: Statement<P, unknown>, ...params: P): Promise<number>;
  /** One statement over many rows of parameters, prepared once. */
  many<P extends readonly Param[]>(
    statement: Statement<P, unknown>,
    rows: readonly P[],
  ): Promise<void>;
  /** Runs once the group's COMMIT is durable, before the caller's promise resolves. */
  onCommit(effect: () => void): void;
  /** Runs, newest first, when this job's savepoint or the whole group rolls back: undoes memory. */
  onRollback(undo: () => void): void;
}

export type ReadWork<T> = (q: Reader) => Promise<T>;
export type WriteWork<T> = (tx: Writer) => Promise<T>;

export interface WriteOptions {
  /** Goes before all that waits and is not urgent (grants beside a flood of batches). */
  urgent?: boolean;
  /** Rows that this job is about to write, to bound a group. Default 1. */
  weight?: number;
}

export interface Store {
  read<T>(work: ReadWork<T>): Promise<T>;
  /**
   * Queues `work` for the writer. It runs in a SAVEPOINT of the next group; the promise settles after
   * the group's COMMIT. What `work` throws rolls back its own savepoint only and is rethrown here.
   * @throws StoreUnavailable queue full, closing, or the COMMIT failed: nothing of it was recorded.
   */
  write<T>(work: WriteWork<T>, options?: WriteOptions): Promise<T>;
  /** Finishes what is queued, checkpoints, closes. */
  close(): Promise<void>;
}

/** Queue full, shutting down, disk full or I/O failure: nothing was recorded; a retry is safe. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}
