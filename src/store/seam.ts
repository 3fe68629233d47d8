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
  /** What is read here is the newest there is: no group was committed since the snapshot began. */
  isNewest(): boolean;
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
  /**
   * Its last step is the one statement that it writes with, by `run`: where that fails it undoes itself, so
   * no savepoint is due, which would cost more than the statement. Another one, or failing afterwards, is a
   * bug, and undoes the whole group.
   */
  single?: boolean;
  /** Waits for one group of what is not urgent, and goes without it (grants beside a flood of batches). */
  urgent?: boolean;
  /** Rows that this job is about to write, to bound a group. Default 1. */
  weight?: number;
}

/**
 * Rows that memory is ahead of, because what they lack can be worked out from other rows: written a few
 * at a time within the transactions of others, or when there is nothing else to do, and all at close.
 */
export interface Behind {
  /** So much was recorded that some rows should be written with it. */
  isDue(): boolean;
  /** Some row is not written yet. */
  isOwed(): boolean;
  /** Writes what is due, or `eager` a good many. */
  sweep(tx: Writer, eager: boolean): Promise<void>;
}

export interface Store {
  read<T>(work: ReadWork<T>): Promise<T>;
  /**
   * Queues `work` for the writer. It runs in a SAVEPOINT of the next group; the promise settles after
   * the group's COMMIT. What `work` throws rolls back its own savepoint only and is rethrown here.
   * @throws StoreUnavailable queue full, closing, or the COMMIT failed: nothing of it was recorded.
   */
  write<T>(work: WriteWork<T>, options?: WriteOptions): Promise<T>;
  /** From now on has rows written that memory is ahead of. Once. */
  keep(behind: Behind): void;
  /** Writes every row that memory is ahead of. @throws StoreUnavailable */
  settle(): Promise<void>;
  /** Finishes what is queued, settles, checkpoints, closes. */
  close(): Promise<void>;
}

/** Queue full, shutting down, disk full or I/O failure: nothing was recorded; a retry is safe. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}
