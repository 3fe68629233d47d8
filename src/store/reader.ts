/**
 * A store that only reads, for a process beside the one that writes, or with none. It migrates nothing,
 * takes no lock and refuses every write. Besides what the seam offers it can walk long results row by
 * row, sorting on disk, so that proving a large file takes no more memory than a small one.
 */
import { Database } from "bun:sqlite";
import type { Param, Statement } from "../../schema/query/statement.ts";
import { Connection } from "./connection.ts";
import { type StoreLog, warn } from "./failure.ts";
import { applicationId, type Schema, schemaVersion } from "./migrate.ts";
import { ReaderPool } from "./readers.ts";
import type { Reader, ReadWork, Store } from "./seam.ts";

/** One snapshot that can also be walked; one walk at a time for each statement. */
export interface ScanReader extends Reader {
  each<P extends readonly Param[], R>(statement: Statement<P, R>, ...params: P): Iterable<R>;
}

export interface ReaderStore extends Store {
  /** Like `read`, on a connection of its own whose sorts go to disk. */
  scan<T>(work: (q: ScanReader) => Promise<T>): Promise<T>;
}

/** The file is missing, not Kartu's, or of another schema than this program's. */
export class NotReadable extends Error {
  override readonly name = "NotReadable";
}

/**
 * @param schema what the file must be at; left out: whatever it is at
 * @throws NotReadable
 */
export function openReader(
  path: string,
  schema?: Pick<Schema, "version">,
  log: StoreLog = warn,
): ReaderStore {
  assertReadable(path, schema?.version);
  const pool = new ReaderPool({
    readersMax: 2,
    queueMax: 1024,
    log,
    open: () => connect(path, ["PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -16384"]),
  });
  return {
    read: <T>(work: ReadWork<T>): Promise<T> => pool.read(work),
    write: () => Promise.reject(new Error("this store was opened to be read")),
    scan: (work) => scan(path, work),
    keep: () => undefined,
    settle: () => Promise.resolve(),
    close: () => pool.close(),
  };
}

function connect(path: string, pragmas: readonly string[]): Connection {
  return prepare(new Database(path, { readonly: true, strict: true }), pragmas);
}

/** SQLite knows no CHECK of a file that it opened read-only, so `integrity_check` needs it otherwise. */
function connectToProve(path: string): Connection {
  const db = new Database(path, { create: false, readwrite: true, strict: true });
  return prepare(db, [
    "PRAGMA query_only = ON",
    "PRAGMA temp_store = FILE",
    "PRAGMA cache_size = -65536",
  ]);
}

function prepare(db: Database, pragmas: readonly string[]): Connection {
  for (const pragma of ["PRAGMA busy_timeout = 5000", ...pragmas]) db.run(pragma);
  return new Connection(db);
}

async function scan<T>(path: string, work: (q: ScanReader) => Promise<T>): Promise<T> {
  const connection = connectToProve(path);
  try {
    connection.db.run("BEGIN");
    return await work(new Scanner(connection));
  } finally {
    connection.close();
  }
}

class Scanner implements ScanReader {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async get<P extends readonly Param[], R>(
    query: Statement<P, R>,
    ...params: P
  ): Promise<R | undefined> {
    return this.#connection.get(query, params);
  }

  async all<P extends readonly Param[], R>(query: Statement<P, R>, ...params: P): Promise<R[]> {
    return this.#connection.all(query, params);
  }

  isNewest(): boolean {
    return false;
  }

  *each<P extends readonly Param[], R>(query: Statement<P, R>, ...params: P): Generator<R> {
    const prepared = this.#connection.db.prepare<R, Param[]>(query.sql);
    try {
      yield* prepared.iterate(...params);
    } finally {
      prepared.finalize();
    }
  }
}

function assertReadable(path: string, wanted: number | undefined): void {
  let db: Database;
  try {
    db = new Database(path, { readonly: true });
  } catch (error) {
    throw new NotReadable(`${path} cannot be opened`, { cause: error });
  }
  try {
    const id = db.prepare<{ application_id: number }, []>("PRAGMA application_id").get();
    if (id?.application_id !== applicationId)
      throw new NotReadable(`${path} is not a database of Kartu`);
    const found = schemaVersion(db);
    if (wanted === undefined || found === wanted) return;
    throw new NotReadable(
      found > wanted
        ? `${path} has schema ${found}, this program knows ${wanted}: use a newer Kartu`
        : `${path} has schema ${found}: start \`kartu serve\` once to bring it to ${wanted}`,
    );
  } catch (error) {
    if (error instanceof NotReadable) throw error;
    throw new NotReadable(`${path} cannot be read`, { cause: error });
  } finally {
    db.close(true);
  }
}
