/**
 * What SQLite can say about the health of a file: pages, indexes and constraints, and references that
 * lead nowhere. It says nothing about sums or chains; those are the features' to prove.
 */
import type { Database } from "bun:sqlite";

export interface ForeignKeyFault {
  /** The table that holds the reference, and the row in it (null: WITHOUT ROWID). */
  readonly table: string;
  readonly rowid: number | null;
  /** The table that lacks the row referred to. */
  readonly parent: string;
}

/** Faults listed at most; a badly broken file has no end of them. */
const faultsMax = 100;

/** One line a fault, empty when sound. Reads the whole file: seconds for each gigabyte. */
export function integrityFaults(db: Database): string[] {
  const rows = db
    .prepare<{ integrity_check: string }, []>(`PRAGMA integrity_check(${faultsMax})`)
    .all();
  return rows.map((row) => row.integrity_check).filter((line) => line !== "ok");
}

/** Rows whose foreign key refers to nothing, at most 100. */
export function foreignKeyFaults(db: Database): ForeignKeyFault[] {
  return db
    .prepare<ForeignKeyFault, [number]>(
      'SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT ?1',
    )
    .all(faultsMax);
}
