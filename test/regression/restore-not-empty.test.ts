/**
 * Restore into a folder that held something ended with exit code 1 after reading the whole backup, and
 * left its lock there. It is refused before anything is read or written.
 */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const main = resolve(import.meta.dir, "../../src/main.ts");
const folder = mkdtempSync(join(tmpdir(), "kartu-restore-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a folder that is not empty is refused and left as it was", () => {
  const backup = join(folder, "backup.tar");
  const target = mkdtempSync(join(folder, "target-"));
  writeFileSync(backup, "not even a backup");
  writeFileSync(join(target, "mine.txt"), "mine");
  const key = new Uint8Array(32).toBase64();
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    [process.execPath, main, "restore", backup, "--data", target, "--json"],
    { env: { ...process.env, KARTU_MASTER_KEY: key } },
  );
  expect({ exitCode, stdout: stdout.toString() }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr.toString()).toContain("is not empty");
  expect(readdirSync(target)).toEqual(["mine.txt"]);
});
