/**
 * `kartu backup` and `kartu restore`: the whole data as one file, and back. The master key is never in
 * it; restoring asks for it and proves that it opens the data before anything is in place.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { databasePath } from "../app.ts";
import { compose } from "../compose.ts";
import { SealBroken } from "../domain/seal.ts";
import { backup, filesPrefix, type Manifest } from "../store/backup.ts";
import { lockName } from "../store/lock.ts";
import { openReader } from "../store/reader.ts";
import { restore } from "../store/restore.ts";
import { writeMasterKey } from "../system/masterkey.ts";
import { kartuVersion } from "../system/version.ts";
import { type Context, contextOf, UsageError } from "./context.ts";
import { type GivenKey, givenKey } from "./key.ts";
import { assertInitialised } from "./perform.ts";

const filesOf = (dataDir: string): string => join(dataDir, filesPrefix.slice(0, -1));

function summary(file: string, { createdAt, kartuVersion: by, schemaVersion, files }: Manifest) {
  const bytes = files.reduce((sum, each) => sum + each.size, 0);
  return { file, createdAt, kartuVersion: by, schemaVersion, files: files.length, bytes };
}

async function makeBackup(context: Context, to: string): Promise<void> {
  const { dataDir, clock, out } = context;
  assertInitialised(context);
  const file = resolve(to);
  if (existsSync(file)) throw new UsageError(`${file} exists`);
  out.warn(`copying ${dataDir}`);
  const source = {
    database: databasePath(dataDir),
    files: filesOf(dataDir),
    kartuVersion,
    nowMs: clock.nowMs(),
  };
  const made = summary(file, await backup(source, file));
  const words = `${file}: ${made.bytes} bytes of data, every one with its checksum`;
  out.result(
    made,
    `${words}\nThe master key is not in it: keep that apart, or this backup is worth nothing.`,
  );
}

/** @throws UsageError the key is not the one that sealed the data */
async function prove(context: Context, database: string, { key, from }: GivenKey): Promise<void> {
  const { config, random } = context;
  const store = openReader(database);
  try {
    const publicUrl = () => config.publicUrl;
    const services = compose({ store, masterKey: key, random, config, publicUrl });
    await services.signing.signer("grt_");
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error;
    throw new UsageError(
      `the master key of ${from} does not open this backup; nothing was restored`,
    );
  } finally {
    await store.close();
  }
}

/** @throws UsageError before anything is read or written */
function assertEmpty(dataDir: string): void {
  if (!existsSync(dataDir)) return;
  if (existsSync(databasePath(dataDir))) throw new UsageError(`${dataDir} holds data already`);
  const held = readdirSync(dataDir).filter((name) => name !== lockName);
  if (held.includes("master.key")) {
    throw new UsageError(`${dataDir} holds a master.key: move it out and name it with --key-file`);
  }
  if (held.length > 0) throw new UsageError(`${dataDir} is not empty: it holds ${held[0]}`);
}

async function putBack(context: Context, from: string, keyFile: string | undefined): Promise<void> {
  const { dataDir, out } = context;
  const file = resolve(from);
  if (!existsSync(file)) throw new UsageError(`${file} does not exist`);
  assertEmpty(dataDir);
  const given = await givenKey(context, keyFile);
  out.warn(`checking ${file}`);
  const manifest = await restore(file, dataDir, (database) =>
    prove(context, database, given),
  ).catch((error: unknown) => {
    // Nothing was restored: the lock is all that this left in an empty directory.
    rmSync(join(dataDir, lockName), { force: true });
    throw error;
  });
  if (given.keep) writeMasterKey(dataDir, given.key);
  const where = given.keep ? "with its master.key" : "the key stays in KARTU_MASTER_KEY";
  out.result(
    { ...summary(file, manifest), dataDir },
    `restored ${dataDir} as of ${manifest.createdAt}, ${where}`,
  );
}

export function addBackup(program: Command): void {
  program
    .command("backup <file>")
    .description("a consistent copy of everything but the master key, while the server runs")
    .action((file: string, _: unknown, command: Command) => makeBackup(contextOf(command), file));
  program
    .command("restore <file>")
    .description("put a backup into an empty directory, checked first")
    .option("--key-file <file>", "the master key, else KARTU_MASTER_KEY, else asked for")
    .action((file: string, options: { keyFile?: string }, command: Command) =>
      putBack(contextOf(command), file, options.keyFile),
    );
}
