/**
 * The pool of read-only connections. Each `read` holds one for its whole duration, inside BEGIN …
 * COMMIT, so that all its statements see one snapshot and never another's uncommitted rows. Unlike a
 * write it may await other things, at the price of its connection and of a WAL that cannot shrink.
 */
import type { Param, Statement } from "../../schema/query/statement.ts";
import { statement } from "../../schema/query/statement.ts";
import type { Connection } from "./connection.ts";
import { isReadonlyRefusal, isStorageFailure, type StoreLog, unavailable } from "./failure.ts";
import type { Reader, ReadWork } from "./seam.ts";

const begin = statement<[]>("store.read.begin", "BEGIN");
const commit = statement<[]>("store.read.commit", "COMMIT");

export interface ReaderOptions {
  readersMax: number;
  /** Reads that may wait for a connection; one more is refused. */
  queueMax: number;
  log: StoreLog;
  open: () => Connection;
  /** Rises with every commit of this process; left out where another one writes. */
  version?: () => number;
}

export class ReaderPool {
  readonly #options: ReaderOptions;
  readonly #free: Connection[] = [];
  readonly #waiting: PromiseWithResolvers<Connection>[] = [];
  #open = 0;
  #closed = false;
  #onIdle: (() => void) | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Reads at work. */
  get busy(): number {
    return this.#open - this.#free.length;
  }

  /** Reads waiting for a connection. */
  get depth(): number {
    return this.#waiting.length;
  }

  /** @throws StoreUnavailable closing, line full, or the storage failed. */
  async read<T>(work: ReadWork<T>): Promise<T> {
    const connection = this.#take() ?? (await this.#wait());
    const q = new SnapshotReader(connection, this.#options.version);
    try {
      connection.run(begin, []);
      return await work(q);
    } catch (error) {
      if (!isStorageFailure(error) || isReadonlyRefusal(error)) throw error;
      throw unavailable("the storage failed during a read", error);
    } finally {
      q.end();
      this.#giveBack(connection);
    }
  }

  /** Takes no more; resolves when every read has ended and every connection is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.busy > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onIdle = resolve;
      await promise;
    }
    for (const connection of this.#free.splice(0)) connection.close();
    this.#open = 0;
  }

  #take(): Connection | undefined {
    if (this.#closed) throw unavailable("the store is closing");
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#open >= this.#options.readersMax) return undefined;
    try {
      const connection = this.#options.open();
      this.#open++;
      return connection;
    } catch (error) {
      throw unavailable("a reader could not be opened", error);
    }
  }

  #wait(): Promise<Connection> {
    if (this.#waiting.length >= this.#options.queueMax) {
      throw unavailable("too many reads wait");
    }
    const turn = Promise.withResolvers<Connection>();
    this.#waiting.push(turn);
    return turn.promise;
  }

  /** To the first in line, else into the pool. A connection whose snapshot does not end is not reused. */
  #giveBack(connection: Connection): void {
    try {
      if (connection.db.inTransaction) connection.run(commit, []);
    } catch (error) {
      this.#options.log("a read could not be ended", error);
      this.#discard(connection);
      return;
    }
    const next = this.#waiting.shift();
    if (next !== undefined) next.resolve(connection);
    else this.#free.push(connection);
    if (this.busy === 0) this.#onIdle?.();
  }

  #discard(connection: Connection): void {
    this.#open--;
    connection.close();
    const next = this.#waiting.shift();
    if (next !== undefined) {
      try {
        const fresh = this.#options.open();
        this.#open++;
        next.resolve(fresh);
      } catch (error) {
        next.reject(unavailable("a reader could not be opened", error));
      }
    }
    if (this.busy === 0) this.#onIdle?.();
  }
}

class SnapshotReader implements Reader {
  readonly #connection: Connection;
  readonly #version: (() => number) | undefined;
  /** Of the snapshot, which the first statement takes. */
  #seen: number | undefined;
  #open = true;

  constructor(connection: Connection, version: (() => number) | undefined) {
    this.#connection = connection;
    this.#version = version;
  }

  isNewest(): boolean {
    if (this.#version === undefined) return false;
    return this.#seen === undefined || this.#seen === this.#version();
  }

  get<P extends readonly Param[], R>(query: Statement<P, R>, ...params: P): Promise<R | undefined> {
    return this.#call(() => this.#connection.get(query, params));
  }

  all<P extends readonly Param[], R>(query: Statement<P, R>, ...params: P): Promise<R[]> {
    return this.#call(() => this.#connection.all(query, params));
  }

  /** From here on every call is refused: the connection belongs to another read. */
  end(): void {
    this.#open = false;
  }

  #call<T>(call: () => T): Promise<T> {
    try {
      if (!this.#open) throw new Error("this read has ended");
      this.#seen ??= this.#version?.();
      return Promise.resolve(call());
    } catch (error) {
      return Promise.reject(error);
    }
  }
}
