/** Rows that memory is ahead of: written last in a group, alone when there is nothing else, all at close. */
import { expect, test } from "bun:test";
import type { Behind, Writer } from "../../src/store/seam.ts";
import { allItems, insertItem, openItems, rejection, temporaryDirectories } from "./fixture.ts";

const directory = temporaryDirectories();

/** Items that are owed until a turn writes them, `eagerly` or as many as are due. */
function owing(...ids: number[]) {
  const owed = [...ids];
  const turns: string[] = [];
  let due = 0;
  const behind: Behind = {
    isDue: () => due > 0,
    isOwed: () => owed.length > 0,
    sweep: async (tx: Writer, eager: boolean) => {
      const taken = owed.splice(0, eager ? 2 : due);
      const dueBefore = due;
      due = 0;
      tx.onRollback(() => {
        owed.unshift(...taken);
        due = dueBefore;
      });
      turns.push(`${eager ? "eager" : "due"} ${taken.join(" ")}`);
      for (const id of taken) await tx.run(insertItem, id, `behind ${id}`);
    },
  };
  return { behind, turns, makeDue: (count: number) => (due = count) };
}

test("what is due goes with the group that made it due, as its last job", async () => {
  const store = openItems(directory());
  const { behind, turns, makeDue } = owing(1, 2, 3);
  store.keep(behind);
  await store.write((tx) => tx.run(insertItem, 10, "own"));
  expect(turns).toEqual([]);
  await Promise.all([
    store.write(async (tx) => {
      makeDue(1);
      await tx.run(insertItem, 11, "own too");
    }),
    store.write(async () => void turns.push("other")),
  ]);
  expect(turns).toEqual(["other", "due 1"]);
  expect(await store.read((q) => q.all(allItems))).toMatchObject([
    { id: 1 },
    { id: 10 },
    { id: 11 },
  ]);
  await store.close();
});

test("a group that is lost takes what was behind with it, and nothing of it is forgotten", async () => {
  const store = openItems(directory());
  const { behind, turns, makeDue } = owing(1, 2);
  store.keep(behind);
  await store.write((tx) => tx.run(insertItem, 1, "in the way"));
  makeDue(2);
  // The turn breaks a key: its savepoint alone is rolled back, and it stays owed.
  await store.write((tx) => tx.run(insertItem, 5, "fine"));
  expect(behind.isOwed()).toBe(true);
  expect(turns).toEqual(["due 1 2"]);
  const labels = (await store.read((q) => q.all(allItems))).map(({ label }) => label);
  expect(labels).toEqual(["in the way", "fine"]);
  await store.write((tx) => tx.run({ name: "item.clear", sql: "DELETE FROM item" }));
  await store.close();
});

test("settling writes all of it, closing too, and only one may keep rows", async () => {
  const path = directory();
  const store = openItems(path);
  const { behind, turns } = owing(1, 2, 3, 4, 5);
  store.keep(behind);
  expect(() => store.keep(behind)).toThrow("already");
  const settling = store.settle();
  const beside = store.write((tx) => tx.run(insertItem, 9, "beside"));
  await Promise.all([settling, beside]);
  expect(turns).toEqual(["eager 1 2", "eager 3 4", "eager 5"]);
  await store.close();

  const again = openItems(path);
  const more = owing(6, 7, 8);
  again.keep(more.behind);
  await again.close();
  expect(more.turns).toEqual(["eager 6 7", "eager 8"]);
  expect(await rejection(again.write(async () => undefined))).toBeInstanceOf(Error);
  const last = openItems(path);
  const ids = (await last.read((q) => q.all(allItems))).map(({ id }) => id);
  expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await last.close();
});
