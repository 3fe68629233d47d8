/**
 * How many groups were committed, in a row of the store's own that each of them writes: so that a file
 * whose WAL lost its end is known. SQLite carries pages over from the WAL into the file, and believes
 * afterwards whatever the WAL still holds: from one that ends before what was carried over it takes older
 * pages, lays them over newer ones, and says nothing.
 *
 * Told apart, by the row as it is in the file itself and as it is through the WAL:
 *   a WAL cut off, damaged or replaced by an older one, so that it ends before what was carried over
 *   from it: the file knows of a later group, and the store does not open
 *   a WAL that lost an end which was not carried over yet: what is left is a whole, earlier state
 * Not told apart: a WAL that lost every group while it was being carried over (a kill in the midst of a
 * checkpoint, and then the WAL is gone or its first group damaged), and a newer WAL beside an older file.
 * What comes of these is for `kartu verify` to find.
 */
import { constants, Database } from "bun:sqlite";
import { statSync } from "node:fs";

/** The WAL was cut off or damaged after it was carried over: the file cannot be what it was. */
export class WalDamaged extends Error {
  override readonly name = "WalDamaged";
}

export const tailTable = "store_tail";

/** Writes the row; within a group. */
export const tailUpdate = `UPDATE ${tailTable} SET groups = groups + 1`;

/** Makes the row where it is not there yet. */
export function makeTail(db: Database): void {
  if (hasTable(db)) return;
  db.run("BEGIN IMMEDIATE");
  db.run(`CREATE TABLE ${tailTable} (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    groups INTEGER NOT NULL CHECK (groups >= 0)
  ) STRICT`);
  db.run(`INSERT INTO ${tailTable} (id, groups) VALUES (1, 0)`);
  db.run("COMMIT");
}

/** To be asked before anything is written. @throws WalDamaged */
export function assertTail(db: Database, path: string): void {
  const isNewer = carriedOver(path) > (hasTable(db) ? groupsOf(db) : 0);
  if (!isNewer && !isLonger(db, path)) return;
  throw new WalDamaged(
    `${path}-wal is damaged: it ends before what was carried over from it; restore a backup`,
  );
}

const hasTable = (db: Database): boolean =>
  db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1").get(tailTable) !==
  null;

const groupsOf = (db: Database): number =>
  db.prepare<{ groups: number }, []>(`SELECT groups FROM ${tailTable}`).get()?.groups ?? 0;

/** What the file says without its WAL; 0 where that says nothing, as in the midst of being carried over. */
function carriedOver(path: string): number {
  let file: Database | undefined;
  try {
    const name = encodeURI(path).replace(/[?#]/g, encodeURIComponent);
    const flags = constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI;
    file = new Database(`file:${name}?immutable=1`, flags);
    return groupsOf(file);
  } catch {
    return 0;
  } finally {
    file?.close(true);
  }
}

/** The file has more pages than the last commit knows of: those of files that have no such row yet. */
function isLonger(db: Database, path: string): boolean {
  const pragma = (name: string): number =>
    db.prepare<Record<string, number>, []>(`PRAGMA ${name}`).get()?.[name] ?? 0;
  const known = pragma("page_count") * pragma("page_size");
  return known > 0 && statSync(path).size > known;
}
