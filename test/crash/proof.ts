/**
 * What a file says, looked at on a copy of its own so that the one that was killed is opened first by
 * the server: every event against the journal, and all that `kartu verify` proves.
 */
import { Database } from "bun:sqlite";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseName, schema } from "../../src/app.ts";
import { compose } from "../../src/compose.ts";
import { readConfig } from "../../src/config.ts";
import { openReader } from "../../src/store/reader.ts";
import { systemRandom } from "../../src/system/random.ts";
import type { EventRow, Journal } from "./journal.ts";
import { environmentOf, masterKey } from "./process.ts";

/** The files as a kill left them. The caller removes the directory. */
export function copyOf(dataDir: string): string {
  const directory = mkdtempSync(join(tmpdir(), "kartu-killed-"));
  for (const name of [databaseName, `${databaseName}-wal`]) {
    if (existsSync(join(dataDir, name))) copyFileSync(join(dataDir, name), join(directory, name));
  }
  return directory;
}

/** What is wrong with a file, a line each; beside a server or without one. */
export async function faultsIn(directory: string): Promise<string[]> {
  const read = readConfig(environmentOf(directory));
  if ("faults" in read) throw new Error(read.faults.join("\n"));
  const store = openReader(join(directory, databaseName), schema);
  try {
    const { config } = read;
    const random = systemRandom();
    const services = compose({ store, random, masterKey, config, publicUrl: () => "" });
    const { faults } = await store.scan((q) => services.verify.verify(q));
    return faults.map((fault) => JSON.stringify(fault));
  } finally {
    await store.close();
  }
}

function eventsAfter(db: Database, eventId: number): EventRow[] {
  return db
    .query<EventRow, [number]>(
      `SELECT e.event_id, e.tenant_id, c.card_id, e.counter, e.type, e.amount, e.balance_after,
         e.timestamp_sec, e.hash FROM event e JOIN card c ON c.card_no = e.card_no
       WHERE e.event_id > ? ORDER BY e.event_id`,
    )
    .all(eventId);
}

/** Events that rows of heads lack. */
export function lacked(dataDir: string): number {
  const db = new Database(join(dataDir, databaseName), { readonly: true });
  try {
    const row = db
      .query<{ lacked: number }, []>(
        "SELECT count(*) AS lacked FROM event e JOIN head h ON h.card_no = e.card_no WHERE e.event_id > h.applied",
      )
      .get();
    return row?.lacked ?? 0;
  } finally {
    db.close(true);
  }
}

/** Proves the copy in `directory`. @throws Error it is not what was acknowledged, or is unsound */
export async function prove(directory: string, journal: Journal): Promise<void> {
  const db = new Database(join(directory, databaseName));
  try {
    const batch = db.query<{ n: number }, [string]>(
      "SELECT count(*) AS n FROM batch WHERE uuid = ?",
    );
    journal.prove(eventsAfter(db, journal.lastId), (uuid) => batch.get(uuid)?.n === 1);
  } finally {
    db.close(true);
  }
  const faults = await faultsIn(directory);
  if (faults.length > 0) throw new Error(`verify: ${faults.join("\n")}`);
}

/** As `prove`, of the directory as it is now. */
export async function proveCopy(dataDir: string, journal: Journal): Promise<void> {
  const directory = copyOf(dataDir);
  try {
    await prove(directory, journal);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
