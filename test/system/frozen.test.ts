/** Files that are written once: whole or not there, never overwritten, and finished after a crash. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { frozenFiles } from "../../src/system/frozen.ts";

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

const fresh = () => {
  const directory = mkdtempSync(join(tmpdir(), "kartu-frozen-"));
  made.push(directory);
  return { directory, files: frozenFiles(directory) };
};
const name = "api-specs/v1/openapi.yaml";

test("put aside, then named: for this user alone, and nothing else is left", async () => {
  const { directory, files } = fresh();
  const hash = await files.put(name, "first\n");
  expect(readdirSync(join(directory, "api-specs/v1"))).toEqual([`openapi.yaml.${hash.toHex()}`]);
  await files.fix(name, hash);
  expect(readdirSync(join(directory, "api-specs/v1"))).toEqual(["openapi.yaml"]);
  expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
  expect(await files.read(name, hash)).toBe("first\n");
});

test("a second text does not replace the first", async () => {
  const { directory, files } = fresh();
  await files.fix(name, await files.put(name, "first\n"));
  await files.fix(name, await files.put(name, "second\n"));
  expect(readFileSync(join(directory, name), "utf8")).toBe("first\n");
  expect(readdirSync(join(directory, "api-specs/v1"))).toEqual(["openapi.yaml"]);
});

test("what a crash left aside is named by whoever reads it first", async () => {
  const { files } = fresh();
  const lost = await files.put(name, "of an attempt that was refused\n");
  const hash = await files.put(name, "committed\n");
  expect(lost).not.toEqual(hash);
  expect(await files.read(name, hash)).toBe("committed\n");
  expect(await files.read(name, hash)).toBe("committed\n");
});

test("a text that never was is an error", async () => {
  const { files } = fresh();
  await files.put(name, "x");
  expect(files.read("api-specs/v2/openapi.yaml", new Uint8Array(32))).rejects.toThrow();
});
