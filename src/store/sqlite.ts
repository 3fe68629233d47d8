/**
 * The embedded engine: one file, one writer connection, a pool of read-only ones. It keeps what it
 * acknowledged through a power cut. It holds no lock against a second process: see lock.ts.
 */
import { Database } from "bun:sqlite";
import { writeQueueMax } from "../../schema/bound.ts";
import { Connection } from "./connection.ts";
import { type StoreLog, warn } from "./failure.ts";
import { WriteQueue } from "./group.ts";
import { migrate, refuseForeign, type Schema } from "./migrate.ts";
import { ReaderPool } from "./readers.ts";
import type { Behind, ReadWork, Store, WriteOptions, WriteWork } from "./seam.ts";
import { assertTail, makeTail } from "./tail.ts";

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
  /** Without a write for this long, what is behind is written and the WAL carried over into the file. */
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

/** The default is 0: an outside reader's checkpoint would be an error. */
const busyTimeout = "PRAGMA busy_timeout = 5000";

const sharedPragmas = [
  busyTimeout,
  "PRAGMA foreign_keys = ON", // the default is off
  "PRAGMA temp_store = MEMORY", // sorting and savepoints never touch the disk
];

const writerPragmas = [
  "PRAGMA journal_mode = WAL", // readers beside the writer; a commit is one append and one sync
  "PRAGMA synchronous = FULL", // syncs the WAL at each COMMIT: acknowledged is durable
  "PRAGMA cache_size = -65536", // 64 MiB: the hot pages of a busy day stay in memory
  "PRAGMA wal_autocheckpoint = 1000", // 4 MB: a COMMIT that carries the WAL over pauses for a few ms only
  "PRAGMA journal_size_limit = 67108864", // a WAL that a long read let grow is cut back afterwards
];

const readerPragmas = [
  "PRAGMA cache_size = -16384", // 16 MiB for each; the system's page cache is shared behind it
];

/**
 * Opens the store and migrates it.
 * @throws ForeignDatabase the file is not Kartu's. SchemaTooNew a newer Kartu wrote it. WalDamaged
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
  /** Groups committed. */
  #version = 0;
  #closing: Promise<void> | undefined;

  constructor(options: StoreOptions) {
    const { path, schema, queueMax = writeQueueMax, readersMax = 4, log = warn } = options;
    this.#log = log;
    this.#writer = openWriter(path, schema);
    this.#checkpointer = new IdleCheckpointer({
      db: this.#writer.db,
      idleMs: options.idleCheckpointMs ?? 1000,
      settle: () => this.#queue.settle(true),
      log,
    });
    this.#queue = new WriteQueue(this.#writer, {
      queueMax,
      groupWeightMax: options.groupWeightMax ?? 4_000,
      groupBusyMsMax: options.groupBusyMsMax ?? 8,
      log,
      onGroup: () => this.#checkpointer.touch(),
      onDurable: () => {
        this.#version += 1;
      },
    });
    this.#readers = new ReaderPool({
      readersMax,
      queueMax,
      log,
      open: () => openReader(path),
      version: () => this.#version,
    });
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

  keep(behind: Behind): void {
    if (this.#queue.behind !== undefined) throw new Error("the store keeps rows for one already");
    this.#queue.behind = behind;
  }

  settle(): Promise<void> {
    return this.#queue.settle();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#queue.close(), this.#readers.close()]);
    this.#checkpointer.stop();
    try {
      await this.settle();
    } catch (error) {
      this.#log("some rows stay behind; they are completed when the file is opened", error);
    }
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
    assertTail(db, path);
    migrate(db, schema);
    makeTail(db);
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

/**
 * Carries the WAL over into the file, and empties it where nobody reads: what is in the file already
 * can then not be taken back by a WAL that is cut off. Waits for no reader.
 */
function carryOver(db: Database): void {
  db.run("PRAGMA busy_timeout = 0");
  try {
    db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    db.run(busyTimeout);
  }
}

interface IdleOptions {
  readonly db: Database;
  readonly idleMs: number;
  /** Writes what is behind. */
  readonly settle: () => Promise<void>;
  readonly log: StoreLog;
}

/** What waits until nothing has been written for a while, so that a busy moment need not do it. */
class IdleCheckpointer {
  readonly #options: IdleOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #touched = false;
  #stopped = false;

  constructor(options: IdleOptions) {
    this.#options = options;
  }

  touch(): void {
    this.#touched = true;
    if (this.#timer === undefined && !this.#stopped) this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    this.#touched = false;
    this.#timer = setTimeout(() => void this.#tick(), this.#options.idleMs);
    this.#timer.unref();
  }

  async #tick(): Promise<void> {
    const { db, settle, log } = this.#options;
    if (this.#touched || db.inTransaction) {
      this.#arm();
      return;
    }
    try {
      await settle();
      if (!this.#stopped && !db.inTransaction) carryOver(db);
    } catch (error) {
      log("an idle checkpoint failed", error);
    }
    this.#timer = undefined;
    if (this.#touched && !this.#stopped) this.#arm();
  }
}
