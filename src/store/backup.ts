/**
 * A backup is one tar file of the database and the file store; it holds no key, because only what is
 * named here goes in. Every content is in the manifest with its SHA-256, and the manifest in a sum of
 * its own; both come last, so that writing and reading are one pass and a file cut short has none.
 *
 *   kartu.db          copy of one instant
 *   files/…           the file store, as walked after that instant
 *   manifest.json     {format, createdAt, kartuVersion, schemaVersion, files: [{path, size, sha256}]}
 *   manifest.sha256   "<hex>  manifest.json\n", as sha256sum writes it
 */
import { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import { type FileHandle, mkdtemp, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { schemaVersion } from "./migrate.ts";
import { snapshot } from "./snapshot.ts";
import { TarWriter } from "./tar.ts";

export const backupFormat = "kartu-backup-1";
export const databaseEntry = "kartu.db";
export const filesPrefix = "files/";
export const manifestEntry = "manifest.json";
export const manifestSumEntry = "manifest.sha256";

export interface BackupFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hex, lower case. */
  readonly sha256: string;
}

export interface Manifest {
  readonly format: typeof backupFormat;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly kartuVersion: string;
  readonly schemaVersion: number;
  readonly files: readonly BackupFile[];
}

export interface BackupSource {
  /** The database file; it may be in use. */
  readonly database: string;
  /** The directory of the file store; left out when there is none. */
  readonly files?: string;
  readonly kartuVersion: string;
  readonly nowMs: number;
}

/** What is in the way; nothing was changed. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}

/**
 * Writes a backup to `file`, which must not exist; it appears under that name only when complete and
 * durable. Needs room for the database twice beside `file`.
 * @throws BackupError `file` exists. StoreUnavailable the database cannot be copied.
 */
export async function backup(source: BackupSource, file: string): Promise<Manifest> {
  const target = resolve(file);
  if (await exists(target)) throw new BackupError(`${target} exists`);
  const work = await mkdtemp(`${target}.partial-`);
  try {
    const copy = join(work, databaseEntry);
    await snapshot(source.database, copy);
    const archive = join(work, "archive");
    const handle = await open(archive, "wx", 0o600);
    let manifest: Manifest;
    try {
      manifest = await pack(source, copy, new TarWriter(handle, Math.floor(source.nowMs / 1000)));
    } finally {
      await handle.close();
    }
    if (await exists(target)) throw new BackupError(`${target} exists`);
    await rename(archive, target);
    await syncDirectory(dirname(target));
    return manifest;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Makes renames within `directory` durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function pack(source: BackupSource, copy: string, tar: TarWriter): Promise<Manifest> {
  const files: BackupFile[] = [];
  const add = async (path: string, handle: FileHandle): Promise<void> => {
    const hash = createHash("sha256");
    const size = await tar.addFile(path, handle, (chunk) => hash.update(chunk));
    files.push({ path, size, sha256: hash.digest("hex") });
  };
  await withFile(copy, (handle) => add(databaseEntry, handle));
  if (source.files !== undefined) {
    for await (const name of walk(source.files)) {
      await withFile(join(source.files, name), (handle) => add(filesPrefix + name, handle));
    }
  }
  const manifest: Manifest = {
    format: backupFormat,
    createdAt: new Date(source.nowMs).toISOString(),
    kartuVersion: source.kartuVersion,
    schemaVersion: readSchemaVersion(copy),
    files,
  };
  const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`);
  const sum = createHash("sha256").update(bytes).digest("hex");
  await tar.addBytes(manifestEntry, bytes);
  await tar.addBytes(manifestSumEntry, Buffer.from(`${sum}  ${manifestEntry}\n`));
  await tar.end();
  return manifest;
}

/** Plain files below `directory`, as relative paths with slashes, in order; links are not followed. */
async function* walk(directory: string, below = ""): AsyncGenerator<string> {
  const entries = await orMissing(readdir(join(directory, below), { withFileTypes: true }));
  for (const entry of (entries ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(directory, path);
    else if (entry.isFile()) yield path;
  }
}

/** A file that was destroyed since the walk saw it is not missed. */
async function withFile(path: string, use: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await orMissing(open(path, "r"));
  if (handle === undefined) return;
  try {
    await use(handle);
  } finally {
    await handle.close();
  }
}

function readSchemaVersion(path: string): number {
  const db = new Database(path, { readonly: true });
  try {
    return schemaVersion(db);
  } finally {
    db.close(true);
  }
}

async function exists(path: string): Promise<boolean> {
  return (await orMissing(stat(path))) !== undefined;
}

async function orMissing<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
