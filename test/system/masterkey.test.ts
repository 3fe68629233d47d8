/** The master key's file: made once, for its owner alone, and read back or explained. */
import { afterEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createMasterKey,
  MasterKeyMissing,
  masterKeyExposure,
  masterKeyPath,
  readMasterKey,
} from "../../src/system/masterkey.ts";
import { seededRandom } from "../../src/system/random.ts";

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});
const directory = (): string => {
  const path = mkdtempSync(join(tmpdir(), "kartu-key-"));
  made.push(path);
  return path;
};

test("made with mode 0600, read back, never overwritten", () => {
  const dir = directory();
  const key = createMasterKey(dir, seededRandom(1));
  expect(key).toHaveLength(32);
  expect(statSync(masterKeyPath(dir)).mode & 0o777).toBe(0o600);
  expect(readMasterKey(dir, undefined)).toEqual(key);
  expect(() => createMasterKey(dir, seededRandom(2))).toThrow("EEXIST");
  expect(readMasterKey(dir, undefined)).toEqual(key);
});

test("the environment's key wins, without a file too", () => {
  const given = new Uint8Array(32).fill(9);
  expect(readMasterKey(directory(), given)).toBe(given);
});

test("no file, or one that holds something else, is explained without its content", () => {
  const dir = directory();
  expect(() => readMasterKey(dir, undefined)).toThrow(MasterKeyMissing);
  for (const text of ["", "c2hvcnQ=", "not base64!", "A".repeat(64)]) {
    writeFileSync(masterKeyPath(dir), text);
    expect(() => readMasterKey(dir, undefined)).toThrow("does not hold 32 bytes");
  }
});

test("who else may read it is told", () => {
  const dir = directory();
  expect(masterKeyExposure(dir)).toBeUndefined();
  createMasterKey(dir, seededRandom(1));
  expect(masterKeyExposure(dir)).toBeUndefined();
  chmodSync(masterKeyPath(dir), 0o640);
  expect(masterKeyExposure(dir)).toContain("chmod 600");
});
