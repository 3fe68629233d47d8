/**
 * Checks a backup and puts it back. Nothing shows up under the directory's name before every sum has
 * been compared, SQLite has found the database sound and the caller's key has been proved to open it.
 * It does not migrate: the store does when it opens.
 */
import { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  BackupError,
  type BackupFile,
  backupFormat,
  databaseEntry,
  filesPrefix,
  type Manifest,
  manifestEntry,
  manifestSumEntry,
  syncDirectory,
} from "./backup.ts";
import { integrityFaults } from "./integrity.ts";
import { lockDirectory, lockName } from "./lock.ts";
import { refuseForeign } from "./migrate.ts";
import { readTar, type Sink, type TarEntry, TarError, writeAll } from "./tar.ts";

const stagingName = ".restore";
/** What an empty directory may hold: what a crash of ours left, our lock, a file system's own. */
const emptyNames: ReadonlySet<string> = new Set([stagingName, lockName, "lost+found"]);

/** About two million files of the file store. */
const manifestBytesMax = 256 * 1024 * 1024;

interface Target {
  write: Sink;
  close: () => Promise<void>;
}

/** Given the path of the restored database; throws when the key does not open it. */
export type ProveKey = (database: string) => void | Promise<void>;

/**
 * Reads the whole backup and compares every size and sum.
 * @throws BackupError it is damaged, cut off or not a backup.
 */
export function verifyBackup(file: string): Promise<Manifest> {
  return unpack(file, () => Promise.resolve({ write: nothing, close: nothing }));
}

/**
 * Puts the backup into `directory`, which is missing or empty, and holds its lock meanwhile. All of it
 * or nothing; after a crash there is at most a directory without a database. Blocks the event loop
 * while SQLite checks the file.
 * @throws BackupError as verifyBackup, or the directory is not empty; DirectoryLocked it is in use;
 * whatever `proveKey` throws.
 */
export async function restore(
  file: string,
  directory: string,
  proveKey: ProveKey,
): Promise<Manifest> {
  const target = resolve(directory);
  await mkdir(target, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(target);
  try {
    await assertEmpty(target);
    // Inside, not beside: the directory may be a mount point, which cannot be renamed over.
    const staging = join(target, stagingName);
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging, { mode: 0o700 });
    try {
      const manifest = await unpack(file, (path) => createFile(join(staging, path)));
      assertSound(join(staging, databaseEntry));
      await proveKey(join(staging, databaseEntry));
      await moveUp(staging, target);
      return manifest;
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  } finally {
    lock.release();
  }
}

/** Unpacks through `create`, and returns only when everything agrees with the manifest. */
async function unpack(file: string, create: (path: string) => Promise<Target>): Promise<Manifest> {
  const found = new Map<string, BackupFile>();
  const trailers = new Map<string, Uint8Array>();
  let finish = nothing;
  const finishEntry = (): Promise<void> => {
    const last = finish;
    finish = nothing;
    return last();
  };
  const onEntry = async (entry: TarEntry): Promise<Sink> => {
    await finishEntry();
    const { path, size } = entry;
    if (path === manifestEntry || path === manifestSumEntry) {
      const collected = collect(entry);
      trailers.set(path, collected.bytes);
      return collected.write;
    }
    if (!isContentPath(path) || found.has(path)) {
      throw new BackupError(`a backup has no such entry: ${path}`);
    }
    const target = await create(path);
    const hash = createHash("sha256");
    finish = async () => {
      await target.close();
      found.set(path, { path, size, sha256: hash.digest("hex") });
    };
    return async (chunk) => {
      hash.update(chunk);
      await target.write(chunk);
    };
  };
  try {
    await readTar(file, onEntry);
  } catch (error) {
    if (!(error instanceof TarError)) throw error;
    throw new BackupError(`${file} is not a whole backup: ${error.message}`, { cause: error });
  } finally {
    await finishEntry();
  }
  const manifest = readManifest(trailers);
  compare(manifest, found);
  return manifest;
}

function collect({ path, size }: TarEntry): { bytes: Uint8Array; write: Sink } {
  if (size > manifestBytesMax) throw new BackupError(`${path} is too long`);
  const bytes = new Uint8Array(size);
  let done = 0;
  const write = (chunk: Uint8Array): Promise<void> => {
    bytes.set(chunk, done);
    done += chunk.length;
    return Promise.resolve();
  };
  return { bytes, write };
}

/** The database, or a path below files/ that cannot lead elsewhere. */
function isContentPath(path: string): boolean {
  if (path === databaseEntry) return true;
  if (!path.startsWith(filesPrefix) || path.includes("\\")) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function readManifest(trailers: ReadonlyMap<string, Uint8Array>): Manifest {
  const bytes = trailers.get(manifestEntry);
  const sum = trailers.get(manifestSumEntry);
  if (bytes === undefined || sum === undefined) throw new BackupError("the manifest is missing");
  const hex = createHash("sha256").update(bytes).digest("hex");
  if (new TextDecoder().decode(sum) !== `${hex}  ${manifestEntry}\n`) {
    throw new BackupError("the manifest does not match its sum");
  }
  const manifest = JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
  if (manifest.format !== backupFormat) {
    throw new BackupError(`backup format ${manifest.format} is not known here`);
  }
  return manifest;
}

function compare(manifest: Manifest, found: ReadonlyMap<string, BackupFile>): void {
  for (const { path, size, sha256 } of manifest.files) {
    const file = found.get(path);
    if (file === undefined) throw new BackupError(`${path} is missing`);
    if (file.size !== size || file.sha256 !== sha256) throw new BackupError(`${path} is damaged`);
  }
  if (manifest.files.length !== found.size) {
    throw new BackupError("there are files that the manifest does not list");
  }
  if (!found.has(databaseEntry)) throw new BackupError("the database is missing");
}

function assertSound(database: string): void {
  const db = new Database(database, { readonly: true });
  try {
    refuseForeign(db);
    const fault = integrityFaults(db)[0];
    if (fault !== undefined) throw new BackupError(`the database is damaged: ${fault}`);
  } finally {
    db.close(true);
  }
}

async function createFile(path: string): Promise<Target> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const handle = await open(path, "wx", 0o600);
  return {
    write: (chunk) => writeAll(handle, chunk),
    close: async () => {
      await handle.sync();
      await handle.close();
    },
  };
}

const nothing = (): Promise<void> => Promise.resolve();

async function assertEmpty(directory: string): Promise<void> {
  const names = await readdir(directory);
  if (names.some((name) => !emptyNames.has(name))) {
    throw new BackupError(`${directory} is not empty`);
  }
}

/** The database last: a directory that has one is complete. */
async function moveUp(staging: string, target: string): Promise<void> {
  const files = filesPrefix.slice(0, -1);
  if ((await readdir(staging)).includes(files)) {
    await rename(join(staging, files), join(target, files));
    await syncDirectory(target);
  }
  await rename(join(staging, databaseEntry), join(target, databaseEntry));
  await syncDirectory(target);
}
