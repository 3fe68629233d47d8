/** A process whose files cannot grow past a limit; tells how its writes fared. Not a test by itself. */
import { openStore } from "../../src/store/sqlite.ts";
import { allItems, insertBody, itemSchema } from "./fixture.ts";

const store = openStore({
  path: process.argv[2] ?? "",
  schema: itemSchema,
  log: () => undefined,
});
const attempt = (label: string, bytes: number): Promise<string> =>
  store
    .write((tx) => tx.run(insertBody, label, new Uint8Array(bytes)))
    .then(
      () => "durable",
      (error: Error) => error.name,
    );

const before = await attempt("before", 10);
const [wide, neighbour] = await Promise.all([attempt("wide", 400_000), attempt("neighbour", 10)]);
const after = await attempt("after", 10);
const labels = (await store.read((q) => q.all(allItems))).map((item) => item.label);
await store.close();
process.stdout.write(JSON.stringify({ before, wide, neighbour, after, labels }));
