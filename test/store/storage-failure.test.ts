import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { statement } from "../../schema/query/statement.ts";
import { StoreUnavailable } from "../../src/store/seam.ts";
import {
  allItems,
  insertBody,
  insertItem,
  itemById,
  itemSchema,
  openItems,
  rejection,
  temporaryDirectories,
} from "./fixture.ts";

const directory = temporaryDirectories();
const quiet = { log: () => undefined };
const pageCount = statement<[], { page_count: number }>("test.pageCount", "PRAGMA page_count");
const wide = new Uint8Array(64 * 1024);

/** A file that cannot grow is a full disk to SQLite. */
async function fill(store: ReturnType<typeof openItems>): Promise<void> {
  await store.write(async (tx) => {
    const pages = (await tx.get(pageCount))?.page_count ?? 0;
    await tx.all(statement<[]>("test.limit", `PRAGMA max_page_count = ${pages + 2}`));
  });
}

const empty = (store: ReturnType<typeof openItems>) =>
  store.write((tx) => tx.all(statement<[]>("test.unlimit", "PRAGMA max_page_count = 1000000")));

test("a full disk fails the whole group, undoes memory, and is over when there is room", async () => {
  const store = openItems(directory(), quiet);
  await store.write((tx) => tx.run(insertItem, 1, "one"));
  await fill(store);
  const undone: string[] = [];
  let effects = 0;
  const write = (name: string, body: Uint8Array) =>
    store.write(async (tx) => {
      tx.onRollback(() => undone.push(`${name}1`));
      tx.onRollback(() => undone.push(`${name}2`));
      tx.onCommit(() => effects++);
      await tx.run(insertBody, name, body);
    });
  const refused = store.write(() => Promise.reject(new Error("judged on rows that are lost")));
  const group = [write("a", new Uint8Array(1)), refused, write("b", wide), write("c", wide)];
  const failures = await Promise.all(group.map(rejection));
  for (const failure of failures) expect(failure).toBeInstanceOf(StoreUnavailable);
  expect(undone).toEqual(["b2", "b1", "a2", "a1"]);
  expect(effects).toBe(0);
  expect(await store.read((q) => q.all(allItems))).toEqual([{ id: 1, label: "one" }]);

  expect(await store.write((tx) => tx.run(insertItem, 5, "small"))).toBe(1);
  await empty(store);
  await store.write((tx) => tx.run(insertBody, "wide", wide));
  expect(await store.read((q) => q.get(itemById, 6))).toEqual({ id: 6, label: "wide" });
  await store.close();
});

test("a full disk is told of once, not with each write", async () => {
  const told: string[] = [];
  const store = openItems(directory(), { log: (event) => told.push(event) });
  await fill(store);
  for (let i = 0; i < 20; i += 1) {
    const failure = await rejection(store.write((tx) => tx.run(insertBody, `${i}`, wide)));
    expect(failure).toBeInstanceOf(StoreUnavailable);
    // What fits between them does not begin it anew.
    await store.write((tx) => tx.run(insertItem, i + 1, `small ${i}`));
  }
  expect(told).toEqual(["the storage fails; writes are refused until it works"]);
  await store.close();
});

test("a job cannot swallow a storage failure and commit the rest", async () => {
  const store = openItems(directory(), quiet);
  await fill(store);
  const write = store.write(async (tx) => {
    await tx.run(insertItem, 1, "one");
    const inner = await rejection(tx.run(insertBody, "wide", wide));
    expect(inner).toBeInstanceOf(StoreUnavailable);
  });
  expect(await rejection(write)).toBeInstanceOf(StoreUnavailable);
  expect(await store.read((q) => q.all(allItems))).toEqual([]);
  await store.close();
});

test("a COMMIT that fails undoes every job, newest first", async () => {
  const tables = [
    ...itemSchema.tables,
    `CREATE TABLE tag (item INTEGER REFERENCES item DEFERRABLE INITIALLY DEFERRED) STRICT;`,
  ];
  const store = openItems(directory(), { ...quiet, schema: { ...itemSchema, tables } });
  const tag = statement<[item: number]>("tag.insert", "INSERT INTO tag (item) VALUES (?1)");
  const undone: number[] = [];
  const write = (id: number) =>
    store.write((tx) => {
      tx.onRollback(() => undone.push(id));
      return tx.run(insertItem, id, `${id}`);
    });
  const dangling = store.write((tx) => {
    tx.onRollback(() => undone.push(99));
    return tx.run(tag, 99);
  });
  const failures = await Promise.all([write(1), dangling, write(2)].map(rejection));
  for (const failure of failures) expect(failure).toBeInstanceOf(StoreUnavailable);
  expect(undone).toEqual([2, 1, 99]);
  expect(await write(3)).toBe(1);
  expect(await store.read((q) => q.all(allItems))).toEqual([{ id: 3, label: "3" }]);
  await store.close();
});

test("a job that ends its group's transaction takes nobody's word for durable", async () => {
  const store = openItems(directory(), quiet);
  const results = await Promise.all(
    [
      store.write((tx) => tx.run(insertItem, 1, "one")),
      store.write((tx) => tx.run(statement<[]>("test.rollback", "ROLLBACK"))),
    ].map(rejection),
  );
  for (const failure of results) expect(failure).toBeInstanceOf(StoreUnavailable);
  expect(await store.write((tx) => tx.run(insertItem, 2, "two"))).toBe(1);
  expect(await store.read((q) => q.all(allItems))).toEqual([{ id: 2, label: "two" }]);
  await store.close();
});

test("another process's write lock is waited out or refused, never a wrong answer", async () => {
  const path = directory();
  const store = openItems(path, quiet);
  await store.write((tx) => tx.all(statement<[]>("test.timeout", "PRAGMA busy_timeout = 1")));
  const other = new Database(join(path, "kartu.db"), { strict: true });
  other.run("BEGIN IMMEDIATE");
  expect(await rejection(store.write((tx) => tx.run(insertItem, 1, "one")))).toBeInstanceOf(
    StoreUnavailable,
  );
  other.run("ROLLBACK");
  other.close();
  expect(await store.write((tx) => tx.run(insertItem, 1, "one"))).toBe(1);
  await store.close();
});

/** The limit on file size makes the kernel refuse the WAL's growth at COMMIT itself. */
test("a write error of the system at COMMIT loses that group only", async () => {
  const path = join(directory(), "kartu.db");
  const child = Bun.spawn(
    [
      "sh",
      "-c",
      `trap "" XFSZ; ulimit -S -f 512; exec "$0" "$1" "$2"`,
      process.execPath,
      join(import.meta.dir, "child-full.ts"),
      path,
    ],
    { stdout: "pipe", stderr: "inherit" },
  );
  const said: unknown = JSON.parse(await child.stdout.text());
  expect(said).toEqual({
    before: "durable",
    wide: "StoreUnavailable",
    neighbour: "StoreUnavailable",
    after: "durable",
    labels: ["before", "after"],
  });
  expect(await child.exited).toBe(0);
});
