/**
 * A WAL that was carried over into the file and then lost its end took the file back: SQLite laid its
 * older pages over newer ones, and the store opened what came of it without a word. It is refused, also
 * where the file has not grown since, and what is idle has no such WAL any more.
 */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { statement } from "../../schema/query/statement.ts";
import { openStore } from "../../src/store/sqlite.ts";
import { WalDamaged } from "../../src/store/tail.ts";
import {
  allItems,
  countItems,
  insertBody,
  insertItem,
  itemSchema,
  temporaryDirectories,
} from "../store/fixture.ts";

const directory = temporaryDirectories();
const commits = 20;
const bodyBytes = 20_000;

const fill = async (path: string, idleCheckpointMs: number) => {
  const store = openStore({ path, schema: itemSchema, idleCheckpointMs });
  for (let i = 0; i < commits; i += 1) {
    await store.write((tx) => tx.run(insertBody, `item ${i}`, new Uint8Array(bodyBytes)));
  }
  return store;
};

test("a WAL without the end that was carried over is refused", async () => {
  const from = join(directory(), "kartu.db");
  const store = await fill(from, 60_000);
  const beside = new Database(from);
  beside.run("PRAGMA wal_checkpoint(PASSIVE)");
  const cut = join(directory(), "kartu.db");
  const whole = join(directory(), "kartu.db");
  for (const to of [cut, whole]) {
    copyFileSync(from, to);
    copyFileSync(`${from}-wal`, `${to}-wal`);
  }
  beside.close(true);
  await store.close();

  truncateSync(`${cut}-wal`, Math.floor(statSync(`${cut}-wal`).size / 2));
  expect(() => openStore({ path: cut, schema: itemSchema })).toThrow(WalDamaged);
  const again = openStore({ path: whole, schema: itemSchema });
  expect(await again.read((q) => q.get(countItems))).toEqual({ n: commits });
  await again.close();
});

test("an idle store has an empty WAL, unless somebody reads", async () => {
  const path = join(directory(), "kartu.db");
  const store = await fill(path, 5);
  const emptied = async (): Promise<void> => {
    while (statSync(`${path}-wal`).size > 0) await Bun.sleep(2);
  };
  await emptied();
  const reading = Promise.withResolvers<void>();
  const read = store.read(async (q) => {
    await q.get(countItems);
    await reading.promise;
  });
  await store.write((tx) => tx.run(insertBody, "beside a reader", new Uint8Array(1)));
  await Bun.sleep(30);
  // It neither waits for the reader nor takes anything from under it.
  expect(await store.read((q) => q.get(countItems))).toEqual({ n: commits + 1 });
  reading.resolve();
  await read;
  await store.write((tx) => tx.run(insertBody, "after it", new Uint8Array(1)));
  await emptied();
  await store.close();
});

/** SQLite's file format, §4.1: a header of 32 bytes, then frames of 24 bytes and a page. */
const walHeaderBytes = 32;
const frameBytes = 24 + 4096;
const relabel = statement<[turn: number]>("test.relabel", "UPDATE item SET label = ?1 * 10 + id");

/** A file and its WAL after 12 changes of the same rows, of which the first 8 were carried over. */
async function changed(): Promise<{ from: string; carriedBytes: number; wal: Uint8Array }> {
  const from = join(directory(), "kartu.db");
  const at = join(directory(), "kartu.db");
  const store = openStore({ path: at, schema: itemSchema, idleCheckpointMs: 60_000 });
  await store.write((tx) => tx.run(insertItem, 1, "1"));
  await store.write((tx) => tx.run(insertItem, 2, "2"));
  const [beside, reader] = [new Database(at), new Database(at)];
  beside.run("PRAGMA wal_checkpoint(TRUNCATE)");
  let carriedBytes = 0;
  for (let i = 1; i <= 12; i += 1) {
    await store.write((tx) => tx.run(relabel, i));
    if (i !== 8) continue;
    carriedBytes = statSync(`${at}-wal`).size;
    // Who reads keeps the WAL from being begun anew.
    reader.run("BEGIN");
    reader.query("SELECT * FROM item").all();
    beside.run("PRAGMA wal_checkpoint(PASSIVE)");
  }
  copyFileSync(at, from);
  const wal = new Uint8Array(readFileSync(`${at}-wal`));
  for (const db of [beside, reader]) db.close(true);
  await store.close();
  return { from, carriedBytes, wal };
}

/** The turn at which all items were labelled, or that it does not open. */
async function turnIn(path: string): Promise<number | "refused"> {
  try {
    const store = openStore({ path, schema: itemSchema });
    const items = await store.read((q) => q.all(allItems));
    await store.close();
    const turns = new Set(items.map(({ label }) => Math.floor(Number(label) / 10)));
    expect([items.length, turns.size]).toEqual([2, 1]);
    return [...turns][0] as number;
  } catch (error) {
    expect(error).toBeInstanceOf(WalDamaged);
    return "refused";
  }
}

test("cut off at any frame, or within one: an earlier state that was whole, or refused", async () => {
  const { from, carriedBytes, wal } = await changed();
  const path = join(directory(), "kartu.db");
  const found = async (bytes: Uint8Array): Promise<number | "refused"> => {
    copyFileSync(from, path);
    writeFileSync(`${path}-wal`, bytes);
    return await turnIn(path);
  };
  const frames = (wal.length - walHeaderBytes) / frameBytes;
  expect(Number.isInteger(frames)).toBe(true);
  const seen = new Map<number | "refused", number>();
  for (let frame = 0; frame <= frames; frame += 1) {
    const whole = walHeaderBytes + frame * frameBytes;
    for (const bytes of [whole, whole + 100].filter((bytes) => bytes <= wal.length)) {
      const turn = await found(wal.subarray(0, bytes));
      // Without a whole group the file stands alone, as it was carried over.
      if (bytes >= carriedBytes) expect(turn).toBeGreaterThanOrEqual(8);
      else expect([8, "refused"]).toContain(turn);
      seen.set(turn, (seen.get(turn) ?? 0) + 1);
    }
  }
  expect(new Set(seen.keys())).toEqual(new Set([8, "refused", 9, 10, 11, 12]));
  const turned = new Uint8Array(wal);
  turned[Math.floor(carriedBytes / 2)]! ^= 1;
  expect(await found(turned)).toBe("refused");
});
