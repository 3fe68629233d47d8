/**
 * The embedded engine: one file, one writer connection, a pool of read-only ones. It keeps what it
 * acknowledged through a power cut. It holds no lock against a second process: see lock.ts.
 */
import { Database } from "bun:sqlite";
import { Connection } from "./connection.ts";
import { type StoreLog, warn } from "./failure.ts";
import { WriteQueue } from "./group.ts";
import { migrate, refuseForeign, type Schema } from "./migrate.ts";
import { ReaderPool } from "./readers.ts";
import type { ReadWork, Store, WriteOptions, WriteWork } from "./seam.ts";

export interface StoreOptions {
  /** The database file; made when missing, its directory is not. */
  path: string;
  /** Brought up to date before anything is served. */
  schema: Schema;
  /** Writes that may wait, and reads that may wait for a connection. */
  queueMax?: number;
  /** Rows of one group commit: a bound on what a waiting grant has to sit through. */
  groupWeightMax?: number;
  /** How long a group takes further jobs; with the COMMIT it is what an urgent write waits at most. */
  groupBusyMsMax?: number;
  /** Read-only connections. */
  readersMax?: number;
  /** Without a write for this long, the WAL is carried over into the file. */
  idleCheckpointMs?: number;
  log?: StoreLog;
}

/** What operators watch; counts at this instant. */
export interface StoreGauges {
  /** Writes waiting in the queue. */
  readonly depth: number;
  readonly readsBusy: number;
  readonly readsWaiting: number;
}

/** Older ones can lose commits when a WAL is reset (https://sqlite.org/wal.html#walresetbug). */
const sqliteVersionMin = [3, 51, 3] as const;

const sharedPragmas = [
  "PRAGMA busy_timeout = 5000", // the default is 0: an outside reader's checkpoint would be an error
  "PRAGMA foreign_keys = ON", // the default is off
  "PRAGMA temp_store = MEMORY", // sorting and savepoints never touch the disk
];

const writerPragmas = [
  "PRAGMA journal_mode = WAL", // readers beside the writer; a commit is one append and one sync
  "PRAGMA synchronous = FULL", // syncs the WAL at each COMMIT: acknowledged is durable
  "PRAGMA cache_size = -65536", // 64 MiB: the hot pages of a busy day stay in memory
  "PRAGMA wal_autocheckpoint = 4000", // 16 MB: short pauses, yet pages are rewritten many times first
  "PRAGMA journal_size_limit = 67108864", // a WAL that a long read let grow is cut back afterwards
];

const readerPragmas = [
  "PRAGMA cache_size = -16384", // 16 MiB for each; the system's page cache is shared behind it
];

/**
 * Opens the store and migrates it.
 * @throws ForeignDatabase the file is not Kartu's. SchemaTooNew a newer Kartu wrote it.
 */
export function openStore(options: StoreOptions): Store & StoreGauges {
  return new SqliteStore(options);
}

class SqliteStore implements Store, StoreGauges {
  readonly #writer: Connection;
  readonly #queue: WriteQueue;
  readonly #readers: ReaderPool;
  readonly #checkpointer: IdleCheckpointer;
  readonly #log: StoreLog;
  #closing: Promise<void> | undefined;

  constructor(options: StoreOptions) {
    const { path, schema, queueMax = 4096, readersMax = 4, log = warn } = options;
    this.#log = log;
    this.#writer = openWriter(path, schema);
    this.#checkpointer = new IdleCheckpointer(
      this.#writer.db,
      options.idleCheckpointMs ?? 1000,
      log,
    );
    this.#queue = new WriteQueue(this.#writer, {
      queueMax,
      groupWeightMax: options.groupWeightMax ?? 4_000,
      groupBusyMsMax: options.groupBusyMsMax ?? 8,
      log,
      onGroup: () => this.#checkpointer.touch(),
    });
    this.#readers = new ReaderPool({ readersMax, queueMax, log, open: () => openReader(path) });
  }

  get depth(): number {
    return this.#queue.depth;
  }

  get readsBusy(): number {
    return this.#readers.busy;
  }

  get readsWaiting(): number {
    return this.#readers.depth;
  }

  read<T>(work: ReadWork<T>): Promise<T> {
    return this.#readers.read(work);
  }

  write<T>(work: WriteWork<T>, options?: WriteOptions): Promise<T> {
    return this.#queue.write(work, options);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#queue.close(), this.#readers.close()]);
    this.#checkpointer.stop();
    try {
      this.#writer.db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      this.#log("the last checkpoint failed; the WAL keeps the rows", error);
    }
    this.#writer.close();
  }
}

function openWriter(path: string, schema: Schema): Connection {
  const db = new Database(path, { create: true, readwrite: true, strict: true });
  try {
    refuseForeign(db);
    assertVersion(db);
    for (const pragma of [...sharedPragmas, ...writerPragmas]) db.run(pragma);
    migrate(db, schema);
  } catch (error) {
    db.close(true);
    throw error;
  }
  return new Connection(db);
}

function openReader(path: string): Connection {
  const db = new Database(path, { readonly: true, strict: true });
  for (const pragma of [...sharedPragmas, ...readerPragmas]) db.run(pragma);
  return new Connection(db);
}

function assertVersion(db: Database): void {
  const row = db.prepare<{ version: string }, []>("SELECT sqlite_version() AS version").get();
  const found = (row?.version ?? "").split(".").map(Number);
  for (const [i, least] of sqliteVersionMin.entries()) {
    const part = found[i] ?? 0;
    if (part > least) return;
    if (part < least) {
      throw new Error(
        `SQLite ${row?.version} can lose commits; ${sqliteVersionMin.join(".")} needed`,
      );
    }
  }
}

/** PASSIVE once nothing has been written for a while, so that a busy moment need not do it. */
class IdleCheckpointer {
  readonly #db: Database;
  readonly #idleMs: number;
  readonly #log: StoreLog;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #touched = false;

  constructor(db: Database, idleMs: number, log: StoreLog) {
    this.#db = db;
    this.#idleMs = idleMs;
    this.#log = log;
  }

  touch(): void {
    this.#touched = true;
    if (this.#timer === undefined) this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    this.#touched = false;
    this.#timer = setTimeout(() => this.#tick(), this.#idleMs);
    this.#timer.unref();
  }

  #tick(): void {
    this.#timer = undefined;
    if (this.#touched || this.#db.inTransaction) {
      this.#arm();
      return;
    }
    try {
      this.#db.run("PRAGMA wal_checkpoint(PASSIVE)");
    } catch (error) {
      this.#log("an idle checkpoint failed", error);
    }
  }
}
