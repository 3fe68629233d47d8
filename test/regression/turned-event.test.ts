/**
 * The proof of a file held counts and sums against each other, but no event against the one below it:
 * a hash, a balance or a session's start that a failing disk had turned in the midst of a card's history
 * went through.
 */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { databaseName } from "../../src/app.ts";
import { openReader } from "../../src/store/reader.ts";
import { venues } from "../harness.ts";

const open = venues();

const turned: Readonly<Record<string, string>> = {
  hash: "hash + 1",
  balance_after: "balance_after + 16384",
  timestamp_sec: "timestamp_sec + 32",
  start_sec: "start_sec + 8",
  state: "0",
  flags: "0",
};

test("what was turned in an event below the head is found", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, 500);
  const sound = chain.debit(5);
  await terminal.hand(sound);
  const late = chain.debit(7);
  await terminal.hand(chain.debit(8), chain.debit(9));
  await terminal.hand(late);
  const flagged = { ...chain.debit(6), hash: "0000000000ff" };
  await terminal.hand(flagged);
  await venue.kartu.store.settle();

  const path = join(venue.dataDir, databaseName);
  const db = new Database(path);
  const trigger = db
    .query<{ sql: string }, []>("SELECT sql FROM sqlite_schema WHERE name = 'event_no_update'")
    .get();
  db.run("DROP TRIGGER event_no_update");
  for (const [column, value] of Object.entries(turned)) {
    const { counter } = column === "flags" ? flagged : sound;
    const where = `WHERE card_no = 1 AND counter = ${counter}`;
    const kept = db.query<Record<string, number>, []>(`SELECT * FROM event ${where}`).get();
    db.run(`UPDATE event SET ${column} = ${value} ${where}`);
    const file = openReader(path);
    const { faults } = await file.scan((q) => venue.kartu.verify.verify(q));
    await file.close();
    expect(`${column}: ${faults.map(({ check }) => check)}`).toContain("link");
    db.run(`UPDATE event SET ${column} = ? ${where}`, [kept?.[column] ?? null]);
  }
  db.run(trigger?.sql ?? "");
  db.close(true);
});
