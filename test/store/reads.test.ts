import { SQLiteError } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { statement } from "../../schema/query/statement.ts";
import { type Reader, StoreUnavailable } from "../../src/store/seam.ts";
import { countItems, insertItem, openItems, rejection, temporaryDirectories } from "./fixture.ts";

const directory = temporaryDirectories();

test("a read never sees what is not committed, and sees it once it is answered", async () => {
  const store = openItems(directory());
  const seen: unknown[] = [];
  const answered = store.write(async (tx) => {
    await tx.run(insertItem, 1, "one");
    await store.read(async (q) => seen.push(await q.get(countItems)));
  });
  await answered;
  seen.push(await store.read((q) => q.get(countItems)));
  expect(seen).toEqual([{ n: 0 }, { n: 1 }]);
  await store.close();
});

test("all statements of a read see one snapshot, whatever is written meanwhile", async () => {
  const store = openItems(directory());
  const counts = await store.read(async (q) => {
    const before = await q.get(countItems);
    await store.write((tx) => tx.run(insertItem, 1, "one"));
    return [before, await q.get(countItems), await store.read((other) => other.get(countItems))];
  });
  expect(counts).toEqual([{ n: 0 }, { n: 0 }, { n: 1 }]);
  await store.close();
});

test("past readersMax reads wait in line, past queueMax they are refused", async () => {
  const store = openItems(directory(), { readersMax: 2, queueMax: 1 });
  const gate = Promise.withResolvers<void>();
  const order: number[] = [];
  const read = (id: number) =>
    store.read(async (q) => {
      order.push(id);
      await gate.promise;
      return q.get(countItems);
    });
  const reads = [read(1), read(2), read(3)];
  expect(await rejection(read(4))).toBeInstanceOf(StoreUnavailable);
  expect({ busy: store.readsBusy, waiting: store.readsWaiting }).toEqual({ busy: 2, waiting: 1 });
  expect(order).toEqual([1, 2]);
  gate.resolve();
  expect(await Promise.all(reads)).toEqual([{ n: 0 }, { n: 0 }, { n: 0 }]);
  expect(order).toEqual([1, 2, 3]);
  expect(store.readsBusy).toBe(0);
  await store.close();
});

test("a read that throws gives its connection back, and its handle is dead", async () => {
  const store = openItems(directory(), { readersMax: 1 });
  const kept: Reader[] = [];
  const failing = store.read((q) => {
    kept.push(q);
    throw new Error("mine");
  });
  expect(await rejection(failing)).toEqual(new Error("mine"));
  expect(await store.read((q) => q.get(countItems))).toEqual({ n: 0 });
  const q = kept[0];
  if (q === undefined) throw new Error("no reader");
  expect(await rejection(q.get(countItems))).toBeInstanceOf(Error);
  await store.close();
});

test("writing through a read is a bug, not a failure of the disk", async () => {
  const store = openItems(directory());
  const write = statement<[]>("test.write", "DELETE FROM item");
  const error = await rejection(store.read((q) => q.all(write)));
  expect(error).toBeInstanceOf(SQLiteError);
  expect((error as SQLiteError).code).toBe("SQLITE_READONLY");
  await store.close();
});

test("close waits for reads, refuses new ones and leaves no WAL", async () => {
  const path = directory();
  const store = openItems(path);
  const gate = Promise.withResolvers<void>();
  const running = store.read(async (q) => {
    await gate.promise;
    return q.get(countItems);
  });
  await store.write((tx) => tx.run(insertItem, 1, "one"));
  const closing = store.close();
  expect(await rejection(store.read((q) => q.get(countItems)))).toBeInstanceOf(StoreUnavailable);
  gate.resolve();
  expect(await running).toEqual({ n: 1 });
  await closing;
  expect(existsSync(join(path, "kartu.db-wal"))).toBe(false);
});

test("once writing pauses, the WAL is carried over into the file", async () => {
  const path = directory();
  const store = openItems(path, { idleCheckpointMs: 1 });
  const size = () => statSync(join(path, "kartu.db")).size;
  await store.write((tx) =>
    tx.many(
      insertItem,
      Array.from({ length: 5000 }, (_, id): [number, string] => [id, `item ${id}`]),
    ),
  );
  const before = size();
  while (size() === before) await Bun.sleep(1);
  expect(size()).toBeGreaterThan(before);
  await store.close();
});
