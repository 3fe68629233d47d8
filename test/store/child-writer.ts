/**
 * Writes rows in pairs (2n and 2n+1) from 64 writers at once and prints an id as soon as the store has
 * acknowledged it, until killed. Not a test by itself.
 */
import { writeSync } from "node:fs";
import { openStore } from "../../src/store/sqlite.ts";
import { insertItem, itemSchema } from "./fixture.ts";

const [path = "", from = "0"] = process.argv.slice(2);
const store = openStore({ path, schema: itemSchema });
let next = Number(from);

async function writeOn(): Promise<never> {
  for (;;) {
    const id = next;
    next += 2;
    await store.write(async (tx) => {
      await tx.run(insertItem, id, `first ${id}`);
      await tx.run(insertItem, id + 1, `second ${id}`);
    });
    writeSync(1, `${id}\n`);
  }
}

await Promise.all(Array.from({ length: 64 }, writeOn));
