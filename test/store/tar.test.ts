import { expect, test } from "bun:test";
import { open } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { readTar, TarError, TarWriter } from "../../src/store/tar.ts";
import { rejection, temporaryDirectories } from "./fixture.ts";

const directory = temporaryDirectories();

async function write(file: string, entries: readonly (readonly [string, Uint8Array])[]) {
  const handle = await open(file, "w");
  const tar = new TarWriter(handle, 1_767_000_000);
  try {
    for (const [path, bytes] of entries) await tar.addBytes(path, bytes);
    await tar.end();
  } finally {
    await handle.close();
  }
}

async function read(file: string): Promise<[string, Uint8Array][]> {
  const entries: [string, Uint8Array][] = [];
  await readTar(file, ({ path, size }) => {
    const bytes = new Uint8Array(size);
    let done = 0;
    entries.push([path, bytes]);
    return Promise.resolve((chunk) => {
      bytes.set(chunk, done);
      done += chunk.length;
      return Promise.resolve();
    });
  });
  return entries;
}

test("what goes in comes out", async () => {
  const file = join(directory(), "a.tar");
  const part = fc.stringMatching(/^[a-zé.]{1,30}$/);
  const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const content = fc.uint8Array({ maxLength: 1500, size: "max" });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(path, content), { maxLength: 4 }), async (entries) => {
      await write(file, entries);
      expect(await read(file)).toEqual(entries);
    }),
    { numRuns: 50 },
  );
});

test("a size past 8 GiB is written so that tar and we read it", async () => {
  const size = 8 ** 11 + 12345;
  const base = directory();
  const big = await open(join(base, "big"), "w+");
  await big.truncate(size);
  const file = join(base, "a.tar");
  const handle = await open(file, "w");
  const stop = new Error("the header is enough");
  const tar = new TarWriter(handle, 0);
  const cut = tar.addFile("big", big, () => {
    throw stop;
  });
  expect(await rejection(cut)).toBe(stop);
  await handle.close();
  await big.close();
  const seen: number[] = [];
  const reading = readTar(file, (entry) => {
    seen.push(entry.size);
    return Promise.resolve(() => Promise.resolve());
  });
  expect(await rejection(reading)).toBeInstanceOf(TarError);
  expect(seen).toEqual([size]);
  const listed = Bun.spawnSync(["tar", "-tvf", file]).stdout.toString();
  expect(listed).toContain(` ${size} `);
});

test("a path that does not fit is refused", async () => {
  const file = join(directory(), "a.tar");
  for (const path of ["x".repeat(101), `${"d/".repeat(100)}${"x".repeat(60)}`]) {
    expect(await rejection(write(file, [[path, new Uint8Array(0)]]))).toBeInstanceOf(TarError);
  }
});
