import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BackupError, type BackupSource, backup } from "../../src/store/backup.ts";
import { DirectoryLocked, lockDirectory } from "../../src/store/lock.ts";
import { restore, verifyBackup } from "../../src/store/restore.ts";
import { StoreUnavailable } from "../../src/store/seam.ts";
import {
  allItems,
  countItems,
  insertItem,
  openItems,
  rejection,
  temporaryDirectories,
} from "./fixture.ts";

const directory = temporaryDirectories();
const anyKey = () => undefined;
const longName = `${"deep/".repeat(20)}${"n".repeat(90)}.bin`;

/** A data directory with a live store, a file store and a key; and where its backup goes. */
async function live() {
  const path = directory();
  const store = openItems(path);
  await store.write((tx) => tx.run(insertItem, 1, "one"));
  const files = join(path, "files");
  const contents: Record<string, Uint8Array> = {
    "a.bin": new Uint8Array([1, 2, 3]),
    empty: new Uint8Array(0),
    "ab/block": new Uint8Array(512).fill(7),
    "ab/wide": crypto.getRandomValues(new Uint8Array(60_000)),
    "ab/kopi ☕": new Uint8Array(3_000_001).fill(9),
    [longName]: new Uint8Array([4]),
  };
  for (const [name, bytes] of Object.entries(contents)) {
    mkdirSync(dirname(join(files, name)), { recursive: true });
    writeFileSync(join(files, name), bytes);
  }
  writeFileSync(join(path, "master.key"), "the secret that never travels");
  const source: BackupSource = {
    database: join(path, "kartu.db"),
    files,
    kartuVersion: "0.1.0",
    nowMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  };
  return { store, source, contents, file: join(directory(), "kartu.backup") };
}

test("what was backed up from a live store comes back, and nothing else", async () => {
  const { store, source, contents, file } = await live();
  const made = await backup(source, file);
  await store.write((tx) => tx.run(insertItem, 2, "after the backup"));
  await store.close();
  expect(readdirSync(dirname(file))).toEqual(["kartu.backup"]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(made).toMatchObject({
    format: "kartu-backup-1",
    createdAt: "2026-01-02T03:04:05.000Z",
    kartuVersion: "0.1.0",
    schemaVersion: 1,
  });
  expect(await verifyBackup(file)).toEqual(made);
  expect((await Bun.file(file).text()).includes("the secret that never travels")).toBe(false);

  const target = join(directory(), "data");
  let proved = "";
  await restore(file, target, (database) => {
    const db = new Database(database, { readonly: true });
    proved = JSON.stringify(db.query("SELECT label FROM item").all());
    db.close();
  });
  expect(proved).toBe('[{"label":"one"}]');
  expect(readdirSync(target).toSorted()).toEqual(["files", "kartu.db", "kartu.lock"]);
  expect(readdirSync(dirname(target))).toEqual(["data"]);
  expect(statSync(target).mode & 0o777).toBe(0o700);
  for (const [name, bytes] of Object.entries(contents)) {
    expect(Buffer.compare(await Bun.file(join(target, "files", name)).bytes(), bytes)).toBe(0);
  }
  const restored = openItems(target);
  expect(await restored.read((q) => q.all(allItems))).toEqual([{ id: 1, label: "one" }]);
  await restored.close();
});

test("a copy taken while rows are written is of one instant", async () => {
  const { store, source, file } = await live();
  let writing = true;
  const writer = (async () => {
    for (let id = 10; writing; id += 2) {
      await store.write((tx) =>
        tx.many(insertItem, [
          [id, `${id}`],
          [id + 1, `${id + 1}`],
        ]),
      );
    }
  })();
  await backup(source, file);
  writing = false;
  await writer;
  await store.close();
  const target = directory();
  await restore(file, target, anyKey);
  const restored = openItems(target);
  const rows = await restored.read((q) => q.get(countItems));
  expect((rows?.n ?? 0) % 2).toBe(1);
  await restored.close();
});

test("tar can list and unpack it", async () => {
  const { store, source, file } = await live();
  await backup(source, file);
  await store.close();
  const target = directory();
  const tar = Bun.spawnSync(["tar", "-xf", file, "-C", target]);
  expect(tar.stderr.toString()).toBe("");
  expect([...(await Bun.file(join(target, "files", longName)).bytes())]).toEqual([4]);
  const sums = Bun.spawnSync(["sha256sum", "-c", "manifest.sha256"], { cwd: target });
  expect(sums.stdout.toString()).toBe("manifest.json: OK\n");
});

test("every flipped byte and every cut is noticed, and restores nothing", async () => {
  const { store, source, file } = await live();
  await backup({ ...source, files: join(source.files ?? "", "none") }, file);
  await store.close();
  const whole = await Bun.file(file).bytes();
  const damaged = `${file}.damaged`;
  const target = join(directory(), "data");
  const meaningless = (at: number) => isPadding(whole, at);
  for (let at = 0; at < whole.length; at += 97) {
    if (meaningless(at)) continue;
    const bytes = Uint8Array.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 0x41;
    writeFileSync(damaged, bytes);
    expect(await rejection(verifyBackup(damaged))).toBeInstanceOf(BackupError);
  }
  for (const length of [0, 1, 512, 5000, whole.length - 1024, whole.length - 1]) {
    writeFileSync(damaged, whole);
    truncateSync(damaged, length);
    expect(await rejection(restore(damaged, target, anyKey))).toBeInstanceOf(BackupError);
    expect(readdirSync(target)).toEqual(["kartu.lock"]);
  }
  expect(readdirSync(dirname(target))).toEqual(["data"]);
});

/** Bytes between an entry's content and its next block carry nothing. */
function isPadding(archive: Uint8Array, at: number): boolean {
  for (let header = 0; header < archive.length; ) {
    const field = new TextDecoder().decode(archive.subarray(header + 124, header + 135));
    const size = Number.parseInt(field, 8);
    if (Number.isNaN(size)) return false;
    const end = header + 512 + size;
    const next = Math.ceil(end / 512) * 512;
    if (at >= end && at < next) return true;
    header = next;
  }
  return false;
}

test("a directory with anything in it, or a wrong key, stops a restore", async () => {
  const { store, source, file } = await live();
  await backup(source, file);
  await store.close();
  const full = directory();
  writeFileSync(join(full, "x"), "");
  expect(await rejection(restore(file, full, anyKey))).toBeInstanceOf(BackupError);
  expect(readdirSync(full).toSorted()).toEqual(["kartu.lock", "x"]);
  const wrong = new Error("this key does not open the data");
  const target = directory();
  expect(await rejection(restore(file, target, () => Promise.reject(wrong)))).toBe(wrong);
  expect(readdirSync(target)).toEqual(["kartu.lock"]);
});

test("a restore keeps off a directory in use, and clears what a crashed one left", async () => {
  const { store, source, file } = await live();
  await backup(source, file);
  await store.close();
  const target = directory();
  const lock = lockDirectory(target);
  expect(await rejection(restore(file, target, anyKey))).toBeInstanceOf(DirectoryLocked);
  lock.release();
  mkdirSync(join(target, ".restore"));
  writeFileSync(join(target, ".restore", "kartu.db"), "half");
  await restore(file, target, () => {
    expect(() => lockDirectory(target)).toThrow(DirectoryLocked);
    expect(existsSync(join(target, "kartu.db"))).toBe(false);
  });
  expect(readdirSync(target).toSorted()).toEqual(["files", "kartu.db", "kartu.lock"]);
  lockDirectory(target).release();
});

test("a backup overwrites nothing and leaves nothing behind when it fails", async () => {
  const { store, source, file } = await live();
  await store.close();
  const missing = { ...source, database: join(directory(), "none.db") };
  expect(await rejection(backup(missing, file))).toBeInstanceOf(StoreUnavailable);
  expect(readdirSync(dirname(file))).toEqual([]);
  writeFileSync(file, "precious");
  expect(await rejection(backup(source, file))).toBeInstanceOf(BackupError);
  expect(await Bun.file(file).text()).toBe("precious");
});

test("entries that lead out of the directory are refused", async () => {
  const outside = directory();
  const evil = join(outside, "evil");
  for (const name of ["../escape", "files/../../escape", "/tmp/escape", "master.key"]) {
    writeFileSync(join(outside, "content"), "x");
    const made = Bun.spawnSync(
      ["tar", "--format=ustar", "-P", "-cf", evil, `--transform=s,.*,${name},`, "content"],
      { cwd: outside },
    );
    expect(made.stderr.toString()).toBe("");
    const target = join(outside, "target");
    expect(await rejection(restore(evil, target, anyKey))).toBeInstanceOf(BackupError);
    expect(existsSync(join(outside, "escape"))).toBe(false);
  }
});
