/**
 * One write on its way through the queue: the work, its effects on memory, and the handle (`tx`) that
 * the work writes through. The handle dies with its turn, so that code which kept it cannot write into
 * somebody else's savepoint.
 */
import type { Param, Statement } from "../../schema/query/statement.ts";
import type { Connection } from "./connection.ts";
import { isStorageFailure, type StoreLog, unavailable } from "./failure.ts";
import type { WriteOptions, Writer, WriteWork } from "./seam.ts";

/** A job awaited something else than its tx and so held up every other writer. A bug of its feature. */
export class WriterHeld extends Error {
  override readonly name = "WriterHeld";
  constructor() {
    super("a write job awaited something other than its tx; it was rolled back");
  }
}

export class Job {
  readonly weight: number;
  readonly urgent: boolean;
  /** Writes one statement at most. */
  readonly single: boolean;
  readonly work: WriteWork<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly effects: (() => void)[] = [];
  readonly undos: (() => void)[] = [];
  outcome: { value: unknown } | { error: unknown } | undefined;

  constructor(
    work: WriteWork<unknown>,
    { weight = 1, urgent = false, single = false }: WriteOptions,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.work = work;
    this.weight = weight;
    this.urgent = urgent;
    this.single = single;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** Newest first; an undo that throws does not keep the others from running. */
  undo(log: StoreLog): void {
    for (let undo = this.undos.pop(); undo !== undefined; undo = this.undos.pop()) {
      try {
        undo();
      } catch (error) {
        log("an onRollback effect threw", error);
      }
    }
    this.effects.length = 0;
  }

  /** After COMMIT. The rows are durable whatever an effect throws: the caller still gets its value. */
  takeEffect(log: StoreLog): void {
    for (const effect of this.effects) {
      try {
        effect();
      } catch (error) {
        log("an onCommit effect threw", error);
      }
    }
  }
}

export class JobWriter implements Writer {
  /** The first storage failure seen, also when the work caught it: the job must not commit. */
  failure: unknown;
  /** Statements of `run` and `many` that went through. */
  writes = 0;
  readonly #connection: Connection;
  readonly #job: Job;
  #open = true;

  constructor(connection: Connection, job: Job) {
    this.#connection = connection;
    this.#job = job;
  }

  get<P extends readonly Param[], R>(
    statement: Statement<P, R>,
    ...params: P
  ): Promise<R | undefined> {
    return this.#call(() => this.#connection.get(statement, params));
  }

  all<P extends readonly Param[], R>(statement: Statement<P, R>, ...params: P): Promise<R[]> {
    return this.#call(() => this.#connection.all(statement, params));
  }

  run<P extends readonly Param[]>(statement: Statement<P, unknown>, ...params: P): Promise<number> {
    return this.#call(() => {
      if (this.#job.single && this.writes > 0) {
        throw new Error(`${statement.name}: a second statement of a single write`);
      }
      const changes = this.#connection.run(statement, params);
      this.writes += 1;
      return changes;
    });
  }

  many<P extends readonly Param[]>(
    statement: Statement<P, unknown>,
    rows: readonly P[],
  ): Promise<void> {
    return this.#call(() => {
      if (this.#job.single) throw new Error(`${statement.name}: many rows in a single write`);
      this.writes += 1;
      this.#connection.many(statement, rows);
    });
  }

  /** A write sees all that was committed before it. */
  isNewest(): boolean {
    return true;
  }

  onCommit(effect: () => void): void {
    this.#assertOpen();
    this.#job.effects.push(effect);
  }

  onRollback(undo: () => void): void {
    this.#assertOpen();
    this.#job.undos.push(undo);
  }

  /** From here on every call of this handle is refused. */
  end(): void {
    this.#open = false;
  }

  #assertOpen(): void {
    if (!this.#open) throw new Error("this tx has ended");
  }

  #call<T>(call: () => T): Promise<T> {
    try {
      this.#assertOpen();
      return Promise.resolve(call());
    } catch (error) {
      if (!isStorageFailure(error)) return Promise.reject(error);
      this.failure ??= error;
      return Promise.reject(unavailable("the storage failed during a write", error));
    }
  }
}
