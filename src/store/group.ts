/**
 * The write queue and group commit: all writes that wait share one BEGIN IMMEDIATE … COMMIT, each in a
 * SAVEPOINT of its own, so that one sync of the disk pays for many. There is no delay window: a group
 * is what gathered while the last one ran. Nobody is answered before the COMMIT, not even a refusal,
 * because it may rest on rows of a neighbour that are not durable yet.
 */
import type { Connection } from "./connection.ts";
import { isStorageFailure, type StoreLog, unavailable } from "./failure.ts";
import { Job, JobWriter, WriterHeld } from "./job.ts";
import { Outage } from "./outage.ts";
import type { Behind, StoreUnavailable, WriteOptions, Writer, WriteWork } from "./seam.ts";
import { tailUpdate } from "./tail.ts";

export interface GroupOptions {
  /** Jobs that may wait; one more is refused. */
  queueMax: number;
  /** Sum of the weights of one group; a heavier job goes alone. */
  groupWeightMax: number;
  /** A group that has run for so long takes no further job: who waits is in the next one. */
  groupBusyMsMax: number;
  log: StoreLog;
  /** Told after every group. */
  onGroup: () => void;
  /** Told right after a COMMIT. */
  onDurable: () => void;
}

/** The whole group is gone; no job of it may be acknowledged. */
class GroupLost extends Error {
  override readonly name = "GroupLost";
}

export class WriteQueue {
  readonly #connection: Connection;
  readonly #options: GroupOptions;
  readonly #statements;
  readonly #outage: Outage;
  #urgent: Job[] = [];
  #normal: Job[] = [];
  #active = false;
  /** Of the last group. */
  #wasUrgent = false;
  #closed = false;
  #onDrained: (() => void) | undefined;
  /** Rows that a group writes last, where they are due. */
  behind: Behind | undefined;
  /** Rejects the job at work; set while one runs. */
  #abandon: ((reason: Error) => void) | undefined;

  constructor(connection: Connection, options: GroupOptions) {
    this.#connection = connection;
    this.#options = options;
    const { db } = connection;
    this.#outage = new Outage(options.log);
    this.#statements = {
      begin: db.prepare("BEGIN IMMEDIATE"),
      savepoint: db.prepare("SAVEPOINT job"),
      release: db.prepare("RELEASE job"),
      rollbackTo: db.prepare("ROLLBACK TO job"),
      changes: db.prepare<{ n: number }, []>("SELECT total_changes() AS n"),
      tail: db.prepare(tailUpdate),
      commit: db.prepare("COMMIT"),
      rollback: db.prepare("ROLLBACK"),
    };
  }

  /** Jobs waiting, those of the running group not counted. */
  get depth(): number {
    return this.#urgent.length + this.#normal.length;
  }

  /** @throws StoreUnavailable see `Store.write`. */
  write<T>(work: WriteWork<T>, options: WriteOptions = {}): Promise<T> {
    if (this.#closed) return Promise.reject(unavailable("the store is closing"));
    if (this.depth >= this.#options.queueMax) {
      return Promise.reject(unavailable("the write queue is full"));
    }
    return this.#enter(work, options);
  }

  /**
   * Writes all rows that are behind, also while closing; `idly` only as long as nobody waits, so that
   * it ends when there is something else to do. @throws StoreUnavailable
   */
  async settle(idly = false): Promise<void> {
    const { behind } = this;
    if (behind === undefined) return;
    const work = (tx: Writer): Promise<void> => behind.sweep(tx, true);
    while (behind.isOwed() && !(idly && this.depth > 0)) await this.#enter(work, {});
  }

  #enter<T>(work: WriteWork<T>, options: WriteOptions): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const settle = resolve as (value: unknown) => void;
    const lane = options.urgent === true ? this.#urgent : this.#normal;
    lane.push(new Job(work, options, settle, reject));
    this.#wake();
    return promise;
  }

  /** Takes no more; resolves when all that waited has been settled. */
  close(): Promise<void> {
    this.#closed = true;
    if (!this.#active) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onDrained = resolve;
    return promise;
  }

  #wake(): void {
    if (this.#active) return;
    this.#active = true;
    setImmediate(this.#turn);
  }

  readonly #turn = async (): Promise<void> => {
    const jobs = this.#take();
    const watch = new TurnWatch(() => this.#abandon?.(new WriterHeld()));
    const failure = await this.#runGroup(jobs);
    watch.stop();
    if (failure === undefined) {
      this.#putBack(jobs);
      for (const job of jobs) job.takeEffect(this.#options.log);
    } else {
      for (const job of jobs.toReversed()) job.undo(this.#options.log);
    }
    for (const job of jobs) answer(job, failure);
    this.#options.onGroup();
    if (this.depth > 0) {
      setImmediate(this.#turn);
      return;
    }
    this.#active = false;
    this.#wasUrgent = false;
    this.#onDrained?.();
    this.#onDrained = undefined;
  };

  /**
   * In order, up to groupWeightMax; at least one. What is urgent has groups of its own, so that it does
   * not sit through the work of others before its COMMIT; every second one, so that others get on too.
   */
  #take(): Job[] {
    const urgently = this.#urgent.length > 0 && (!this.#wasUrgent || this.#normal.length === 0);
    this.#wasUrgent = urgently;
    const lane = urgently ? this.#urgent : this.#normal;
    let weight = 0;
    let taken = 0;
    for (const job of lane) {
      if (taken > 0 && weight + job.weight > this.#options.groupWeightMax) break;
      weight += job.weight;
      taken++;
    }
    return lane.splice(0, taken);
  }

  /** What the group had no time for is first in line again. */
  #putBack(jobs: Job[]): void {
    const ran = jobs.findIndex((job) => job.outcome === undefined);
    if (ran <= 0) return;
    const left = jobs.splice(ran);
    this.#urgent.unshift(...left.filter((job) => job.urgent));
    this.#normal.unshift(...left.filter((job) => !job.urgent));
  }

  /** Undefined when all is durable; otherwise nothing of the group was recorded. */
  async #runGroup(jobs: Job[]): Promise<StoreUnavailable | undefined> {
    const { begin, tail, commit } = this.#statements;
    const busyUntil = performance.now() + this.#options.groupBusyMsMax;
    try {
      begin.run();
      const before = this.#changes();
      for (const job of jobs) {
        await this.#runJob(job);
        if (performance.now() >= busyUntil) break;
      }
      await this.#sweep(jobs);
      // Where the storage fails, a group without a write would be told that all is well.
      if (this.#outage.isOn || this.#changes() !== before) tail.run();
      commit.run();
      this.#outage.wrote();
      this.#options.onDurable();
      return undefined;
    } catch (error) {
      this.#rollBack();
      const cause = error instanceof GroupLost ? (error.cause ?? error) : error;
      if (isStorageFailure(cause)) this.#outage.failed(cause);
      else this.#options.log("a group of writes was rolled back", cause);
      return unavailable("the storage failed; nothing was recorded", cause);
    }
  }

  /** Rows that were changed since the connection was opened. */
  #changes(): number {
    return this.#statements.changes.get()?.n ?? 0;
  }

  /** Rows that are due go with the group, as its last job, in a savepoint like the others. */
  async #sweep(jobs: Job[]): Promise<void> {
    const { behind } = this;
    if (behind === undefined || !behind.isDue()) return;
    const job = new Job(
      (tx) => behind.sweep(tx, false),
      {},
      ignore,
      (error) => this.#options.log("rows that are behind could not be written", error),
    );
    const at = jobs.findIndex(({ outcome }) => outcome === undefined);
    jobs.splice(at < 0 ? jobs.length : at, 0, job);
    await this.#runJob(job);
  }

  async #runJob(job: Job): Promise<void> {
    const { savepoint, release, rollbackTo } = this.#statements;
    if (!job.single) savepoint.run();
    const tx = new JobWriter(this.#connection, job);
    try {
      const value = await this.#guarded(job.work(tx));
      if (tx.failure !== undefined) throw tx.failure;
      job.outcome = { value };
    } catch (error) {
      job.outcome = { error };
      if (error instanceof WriterHeld) this.#options.log("a write job held the writer", error);
    }
    tx.end();
    this.#assertAlive(tx);
    if ("error" in job.outcome) {
      if (job.single && tx.writes > 0) {
        throw new GroupLost("a single write failed after its statement", {
          cause: job.outcome.error,
        });
      }
      if (!job.single) rollbackTo.run();
      job.undo(this.#options.log);
    }
    if (!job.single) release.run();
  }

  /**
   * SQLite undoes the whole transaction itself on some errors (FULL, IOERR, NOMEM, …) and asks for a
   * ROLLBACK after the others of that kind (https://sqlite.org/lang_transaction.html, "Response To
   * Errors Within A Transaction"): the neighbours' work cannot be trusted either.
   */
  #assertAlive(tx: JobWriter): void {
    if (tx.failure !== undefined) throw new GroupLost("storage", { cause: tx.failure });
    if (!this.#connection.db.inTransaction) {
      throw new GroupLost("a job ended the transaction of its group");
    }
  }

  #guarded<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#abandon = reject;
      work.then(resolve, reject);
    });
  }

  #rollBack(): void {
    if (!this.#connection.db.inTransaction) return;
    try {
      this.#statements.rollback.run();
    } catch (error) {
      this.#options.log("ROLLBACK failed", error);
    }
  }
}

const ignore = (): void => undefined;

/**
 * Calls back in every later turn of the event loop until stopped. Whatever awaits only resolved
 * promises is over before the first of them.
 */
class TurnWatch {
  #handle: NodeJS.Immediate;

  constructor(onTurn: () => void) {
    const tick = (): void => {
      this.#handle = setImmediate(tick);
      onTurn();
    };
    this.#handle = setImmediate(tick);
  }

  stop(): void {
    clearImmediate(this.#handle);
  }
}

function answer(job: Job, failure: StoreUnavailable | undefined): void {
  if (failure !== undefined) job.reject(failure);
  else if (job.outcome === undefined) job.reject(new Error("a job was committed without running"));
  else if ("error" in job.outcome) job.reject(job.outcome.error);
  else job.resolve(job.outcome.value);
}
