/**
 * A WAL that was carried over into the file and then lost its end took the file back: SQLite laid its
 * older pages over newer ones, and the store opened what came of it without a word. It is refused where
 * it shows, and what is idle has no such WAL any more.
 */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { copyFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { openStore, WalDamaged } from "../../src/store/sqlite.ts";
import { countItems, insertBody, itemSchema, temporaryDirectories } from "../store/fixture.ts";

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
