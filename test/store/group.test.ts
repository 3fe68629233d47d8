import { SQLiteError } from "bun:sqlite";
import { expect, test } from "bun:test";
import { WriterHeld } from "../../src/store/job.ts";
import { StoreUnavailable, type Writer } from "../../src/store/seam.ts";
import {
  allItems,
  countItems,
  insertItem,
  itemById,
  openItems,
  rejection,
  temporaryDirectories,
} from "./fixture.ts";

const directory = temporaryDirectories();

test("a job that throws loses its own rows and no neighbour's", async () => {
  const store = openItems(directory());
  const results = await Promise.allSettled([
    store.write((tx) => tx.run(insertItem, 1, "one")),
    store.write(async (tx) => {
      await tx.run(insertItem, 2, "two");
      throw new Error("refused");
    }),
    store.write(async (tx) => {
      expect(await tx.get(itemById, 2)).toBeUndefined();
      return tx.run(insertItem, 3, "three");
    }),
  ]);
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await store.read((q) => q.all(allItems))).toEqual([
    { id: 1, label: "one" },
    { id: 3, label: "three" },
  ]);
  await store.close();
});

test("a constraint passes through as SQLite says it", async () => {
  const store = openItems(directory());
  await store.write((tx) => tx.run(insertItem, 1, "one"));
  const error = await rejection(store.write((tx) => tx.run(insertItem, 2, "one")));
  expect(error).toBeInstanceOf(SQLiteError);
  expect((error as SQLiteError).code).toBe("SQLITE_CONSTRAINT_UNIQUE");
  await store.close();
});

test("a job may catch a constraint and go on", async () => {
  const store = openItems(directory());
  await store.write(async (tx) => {
    await tx.run(insertItem, 1, "one");
    await rejection(tx.run(insertItem, 2, "one"));
    await tx.run(insertItem, 3, "three");
  });
  expect(await store.read((q) => q.get(countItems))).toEqual({ n: 2 });
  await store.close();
});

test("jobs run in order, urgent ones first and by themselves, and replies come after all work", async () => {
  const store = openItems(directory());
  const steps: string[] = [];
  const write = (name: string, urgent: boolean) =>
    store
      .write(
        (tx) => {
          steps.push(name);
          tx.onCommit(() => steps.push(`${name} durable`));
          return tx.get(countItems);
        },
        { urgent },
      )
      .then(() => steps.push(`${name} answered`));
  await Promise.all([write("a", false), write("b", false), write("u", true), write("v", true)]);
  const group = (...names: string[]) => [
    ...names,
    ...names.map((name) => `${name} durable`),
    ...names.map((name) => `${name} answered`),
  ];
  expect(steps).toEqual([...group("u", "v"), ...group("a", "b")]);
  await store.close();
});

test("a group takes no more than its weight, and a heavier job goes alone", async () => {
  const store = openItems(directory(), { groupWeightMax: 10 });
  const groups: number[][] = [];
  let group: number[] = [];
  const write = (weight: number, urgent = false) =>
    store.write(
      (tx) => {
        group.push(weight);
        tx.onCommit(() => {
          if (group.length > 0) groups.push(group);
          group = [];
        });
        return Promise.resolve();
      },
      { weight, urgent },
    );
  await Promise.all([write(6), write(5), write(4), write(1), write(25), write(1), write(7, true)]);
  expect(groups).toEqual([[7], [6], [5, 4, 1], [25], [1]]);
  await store.close();
});

test("a group that has run for long leaves the rest, in order, to the next ones", async () => {
  const store = openItems(directory(), { groupBusyMsMax: 0 });
  const steps: string[] = [];
  const write = (name: string, urgent = false) =>
    store.write(
      (tx) => {
        steps.push(name);
        tx.onCommit(() => steps.push(`${name} durable`));
        return Promise.resolve();
      },
      { urgent },
    );
  await Promise.all([write("a"), write("b"), write("u", true), write("v", true)]);
  const order = ["u", "a", "v", "b"];
  expect(steps).toEqual(order.flatMap((name) => [name, `${name} durable`]));
  await store.close();
});

test("urgent jobs take every second group and no more, so that others get on", async () => {
  const store = openItems(directory(), { groupWeightMax: 10 });
  const order: string[] = [];
  const write = (name: string, weight: number, urgent: boolean) =>
    store.write(
      () => {
        order.push(name);
        return Promise.resolve();
      },
      { weight, urgent },
    );
  await Promise.all([write("n", 1, false), write("u", 6, true), write("v", 6, true)]);
  expect(order).toEqual(["u", "n", "v"]);
  await store.close();
});

test("undo runs newest first, before the next job; effects of a failed job never run", async () => {
  const store = openItems(directory());
  const steps: string[] = [];
  await Promise.allSettled([
    store.write((tx) => {
      tx.onRollback(() => steps.push("undo 1"));
      tx.onRollback(() => steps.push("undo 2"));
      tx.onCommit(() => steps.push("never"));
      return Promise.reject(new Error("refused"));
    }),
    store.write((tx) => {
      steps.push("next");
      tx.onRollback(() => steps.push("never"));
      return Promise.resolve();
    }),
  ]);
  expect(steps).toEqual(["undo 2", "undo 1", "next"]);
  await store.close();
});

test("an effect that throws is logged and harms nobody", async () => {
  const logged: unknown[] = [];
  const store = openItems(directory(), { log: (_event, error) => logged.push(error) });
  const broken = new Error("broken effect");
  const failing = store.write((tx) => {
    tx.onCommit(() => {
      throw broken;
    });
    return tx.run(insertItem, 1, "one");
  });
  let ran = false;
  const next = store.write((tx) => {
    tx.onCommit(() => {
      ran = true;
    });
    return tx.run(insertItem, 2, "two");
  });
  expect(await Promise.all([failing, next])).toEqual([1, 1]);
  expect(ran).toBe(true);
  expect(logged).toEqual([broken]);
  await store.close();
});

test("the queue is bounded", async () => {
  const store = openItems(directory(), { queueMax: 3 });
  const waiting = [1, 2, 3].map((id) => store.write((tx) => tx.run(insertItem, id, `${id}`)));
  expect(store.depth).toBe(3);
  const refused = store.write((tx) => tx.run(insertItem, 4, "4"), { urgent: true });
  expect(await rejection(refused)).toBeInstanceOf(StoreUnavailable);
  expect(await Promise.all(waiting)).toEqual([1, 1, 1]);
  expect(store.depth).toBe(0);
  await store.close();
});

test("close finishes what is queued and refuses what comes later", async () => {
  const path = directory();
  const store = openItems(path, { groupWeightMax: 1 });
  const waiting = [1, 2, 3].map((id) => store.write((tx) => tx.run(insertItem, id, `${id}`)));
  const closing = store.close();
  expect(await rejection(store.write((tx) => tx.run(insertItem, 4, "4")))).toBeInstanceOf(
    StoreUnavailable,
  );
  await closing;
  expect(await Promise.all(waiting)).toEqual([1, 1, 1]);
  await store.close();
  const again = openItems(path);
  expect(await again.read((q) => q.get(countItems))).toEqual({ n: 3 });
  await again.close();
});

test("a job that awaits the outside is rolled back and the writer goes on", async () => {
  const logged: unknown[] = [];
  const store = openItems(directory(), { log: (_event, error) => logged.push(error) });
  let late: unknown;
  let undone = false;
  const finished = Promise.withResolvers<void>();
  const held = store.write(async (tx) => {
    tx.onRollback(() => {
      undone = true;
    });
    await tx.run(insertItem, 1, "one");
    await Bun.sleep(5);
    late = await rejection(tx.run(insertItem, 2, "two"));
    finished.resolve();
  });
  const nested = store.write(() => store.write((tx) => tx.run(insertItem, 3, "three")));
  const neighbour = store.write((tx) => tx.run(insertItem, 4, "four"));
  expect(await rejection(held)).toBeInstanceOf(WriterHeld);
  expect(await rejection(nested)).toBeInstanceOf(WriterHeld);
  expect(await neighbour).toBe(1);
  expect(undone).toBe(true);
  expect(logged).toHaveLength(2);
  await finished.promise;
  expect(late).toBeInstanceOf(Error);
  await store.close();
});

test("a job that awaits only resolved promises may await many", async () => {
  const store = openItems(directory());
  const rows = await store.write(async (tx) => {
    for (let id = 0; id < 2000; id++) {
      await tx.run(insertItem, id, `${id}`);
      await Promise.resolve();
    }
    return tx.get(countItems);
  });
  expect(rows).toEqual({ n: 2000 });
  await store.close();
});

test("many runs one statement for each row", async () => {
  const store = openItems(directory());
  await store.write((tx) =>
    tx.many(insertItem, [
      [1, "one"],
      [2, "two"],
    ]),
  );
  expect(await store.read((q) => q.get(countItems))).toEqual({ n: 2 });
  await store.close();
});

test("a tx is dead after its turn", async () => {
  const store = openItems(directory());
  const kept: Writer[] = [];
  await store.write((tx) => {
    kept.push(tx);
    return Promise.resolve();
  });
  const tx = kept[0];
  if (tx === undefined) throw new Error("no tx");
  expect(await rejection(tx.run(insertItem, 1, "one"))).toBeInstanceOf(Error);
  expect(() => tx.onCommit(() => undefined)).toThrow();
  expect(await store.read((q) => q.get(countItems))).toEqual({ n: 0 });
  await store.close();
});

test("a single write that fails undoes itself, and no neighbour", async () => {
  const store = openItems(directory());
  const results = await Promise.allSettled([
    store.write((tx) => tx.run(insertItem, 1, "one"), { single: true }),
    store.write((tx) => tx.run(insertItem, 2, "one"), { single: true }),
    store.write(() => Promise.reject(new Error("refused")), { single: true }),
    store.write((tx) => tx.run(insertItem, 3, "three"), { single: true }),
  ]);
  const statuses = results.map((result) => result.status);
  expect(statuses).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
  expect(await store.read((q) => q.all(allItems))).toEqual([
    { id: 1, label: "one" },
    { id: 3, label: "three" },
  ]);
  await store.close();
});

test("a single write that writes again, or fails after its statement, undoes the whole group", async () => {
  for (const then of [
    (tx: Writer) => tx.run(insertItem, 3, "three"),
    (tx: Writer) => tx.many(insertItem, [[3, "three"]]),
    () => Promise.reject(new Error("too late")),
  ]) {
    const logged: string[] = [];
    const store = openItems(directory(), { log: (text) => void logged.push(text) });
    const undone: string[] = [];
    const results = await Promise.allSettled([
      store.write((tx) => tx.run(insertItem, 1, "one")),
      store.write(
        async (tx) => {
          tx.onRollback(() => void undone.push("two"));
          await tx.run(insertItem, 2, "two");
          await then(tx);
        },
        { single: true },
      ),
    ]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "rejected"]);
    expect(undone).toEqual(["two"]);
    expect(logged).toEqual(["a group of writes was rolled back"]);
    expect(await store.read((q) => q.all(allItems))).toEqual([]);
    await store.close();
  }
});
