import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DirectoryLocked, lockDirectory } from "../../src/store/lock.ts";
import { temporaryDirectories } from "./fixture.ts";

const directory = temporaryDirectories();

/** A second process that takes the lock, says so, and stays. */
async function spawnHolder(path: string) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "child-lock.ts"), path], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  return { child, said: new TextDecoder().decode(value) };
}

test("a second process is refused until the first is gone, also by kill -9", async () => {
  const path = directory();
  const { child, said } = await spawnHolder(path);
  expect(said).toBe("held");
  expect(() => lockDirectory(path)).toThrow(DirectoryLocked);
  expect(() => lockDirectory(path)).toThrow(path);
  child.kill("SIGKILL");
  await child.exited;
  const lock = lockDirectory(path);
  const late = await spawnHolder(path);
  expect(late.said).toBe("DirectoryLocked");
  await late.child.exited;
  lock.release();
});

test("this process is refused a second time, and released cleanly", () => {
  const path = directory();
  const lock = lockDirectory(path);
  Bun.gc(true);
  expect(() => lockDirectory(path)).toThrow(DirectoryLocked);
  lock.release();
  lock.release();
  lockDirectory(path).release();
  expect(readdirSync(path)).toEqual(["kartu.lock"]);
});

test("a directory that is not there is not called locked", () => {
  expect(() => lockDirectory(join(directory(), "missing"))).not.toThrow(DirectoryLocked);
  expect(() => lockDirectory(join(directory(), "missing"))).toThrow();
});
