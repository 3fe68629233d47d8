/**
 * Keeps a second process off a data directory, by an exclusive SQLite transaction on `kartu.lock` that
 * lasts as long as its holder. The operating system drops it with the process, also after kill -9, so
 * there is no stale lock to clear. The file stays behind, empty, and means nothing by itself.
 */
import { Database, SQLiteError } from "bun:sqlite";
import { join } from "node:path";

export const lockName = "kartu.lock";

export class DirectoryLocked extends Error {
  override readonly name = "DirectoryLocked";
}

export interface DirectoryLock {
  release(): void;
}

/** A handle that got collected would close its file and with it drop the lock. */
const held = new Set<Database>();

/**
 * Nothing else in this process may open `kartu.lock`: POSIX drops a process's locks on a file when any
 * of its descriptors on it is closed.
 * @throws DirectoryLocked another process (or this one) holds `directory`.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const db = new Database(join(directory, lockName), { create: true, readwrite: true });
  try {
    db.run("PRAGMA busy_timeout = 0"); // answer at once
    db.run("PRAGMA journal_mode = MEMORY"); // no files beside it; nothing is ever written
    db.run("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close(true);
    if (!isBusy(error)) throw error;
    throw new DirectoryLocked(`another Kartu process is using ${directory}`, { cause: error });
  }
  held.add(db);
  return {
    release() {
      if (!held.delete(db)) return;
      db.run("ROLLBACK");
      db.close(true);
    },
  };
}

/** SQLITE_BUSY, in any of its extended forms. */
function isBusy(error: unknown): boolean {
  return error instanceof SQLiteError && (error.errno & 0xff) === 5;
}
