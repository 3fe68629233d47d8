/**
 * `kartu init`: makes a data directory with its key, its first tenant and that tenant's owner. A start
 * that was cut off is taken up again; a directory that holds anything else is left alone.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { databasePath, openKartu } from "../app.ts";
import { checkNewPassword } from "../domain/password.ts";
import { checkEmail, checkName } from "../domain/text.ts";
import { syncDirectory } from "../store/backup.ts";
import { lockDirectory, lockName } from "../store/lock.ts";
import { createMasterKey, masterKeyPath, readMasterKey } from "../system/masterkey.ts";
import { type Context, contextOf, UsageError } from "./context.ts";
import { cli } from "./operation.ts";
import { socketName } from "./socket.ts";

export interface InitOptions {
  readonly tenant: string;
  readonly ownerEmail: string;
  /** Absent: one is made. */
  readonly ownerPassword?: string;
}

export const initDefaults: InitOptions = { tenant: "Kartu", ownerEmail: "owner@localhost" };

export interface InitResult {
  readonly tenantId: string;
  readonly ownerEmail: string;
  readonly ownerPassword?: string;
}

const masterKeyName = "master.key";
const stagingName = ".init";
/** What a directory may hold before there is a database in it: also what a start that was cut off left. */
const strayNames: ReadonlySet<string> = new Set([
  lockName,
  socketName,
  stagingName,
  masterKeyName,
  "lost+found",
]);

/** A directory that has a database is complete: it is put there last. */
export const isInitialised = ({ dataDir }: Pick<Context, "dataDir">): boolean =>
  existsSync(databasePath(dataDir));

/** @throws UsageError the directory is not ours to fill, or the options are not valid */
export async function initDirectory(context: Context, options: InitOptions): Promise<InitResult> {
  const { dataDir } = context;
  checkName("tenant", options.tenant);
  checkEmail("owner-email", options.ownerEmail);
  if (options.ownerPassword !== undefined) {
    checkNewPassword(options.ownerPassword, options.ownerEmail, "owner-password");
  }
  refuseFilled(dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(dataDir);
  try {
    refuseFilled(dataDir);
    chmodSync(dataDir, 0o700);
    return await fill(context, options);
  } finally {
    lock.release();
  }
}

function refuseFilled(dataDir: string): void {
  if (!existsSync(dataDir)) return;
  if (isInitialised({ dataDir })) throw new UsageError(`${dataDir} is initialised already`);
  if (readdirSync(dataDir).every((name) => strayNames.has(name))) return;
  throw new UsageError(`${dataDir} holds something else: choose an empty directory`);
}

/** All is made in a directory within, then moved up, the database last. */
async function fill(context: Context, options: InitOptions): Promise<InitResult> {
  const { dataDir, config, random } = context;
  const staging = join(dataDir, stagingName);
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { mode: 0o700 });
  const hasKey = existsSync(masterKeyPath(dataDir));
  const given = hasKey ? readMasterKey(dataDir, config.masterKey) : config.masterKey;
  const masterKey = given ?? createMasterKey(staging, random);
  const made = await initialise({ ...context, dataDir: staging }, masterKey, options);
  if (existsSync(masterKeyPath(staging))) {
    renameSync(masterKeyPath(staging), masterKeyPath(dataDir));
    await syncDirectory(dataDir);
  }
  renameSync(databasePath(staging), databasePath(dataDir));
  await syncDirectory(dataDir);
  rmSync(staging, { recursive: true, force: true });
  return made;
}

async function initialise(
  { dataDir, config, clock, random, log }: Context,
  masterKey: Uint8Array,
  { tenant, ownerEmail, ownerPassword }: InitOptions,
): Promise<InitResult> {
  const kartu = await openKartu({ dataDir, config: { ...config, masterKey }, clock, random, log });
  try {
    const draft = { tenant: { name: tenant }, ownerEmail };
    const made = await kartu.tenant.initialise(
      ownerPassword === undefined ? draft : { ...draft, ownerPassword },
      { actor: cli },
      clock.nowMs(),
    );
    return {
      tenantId: made.tenant.uuid,
      ownerEmail: made.ownerEmail,
      ...(made.ownerPassword !== undefined && { ownerPassword: made.ownerPassword }),
    };
  } finally {
    await kartu.close();
  }
}

/** What people are told once of a new directory. */
export const initWords = ({ dataDir }: Context, made: InitResult): string =>
  [
    `initialised ${dataDir}`,
    `owner     ${made.ownerEmail}`,
    ...(made.ownerPassword === undefined
      ? []
      : [`password  ${made.ownerPassword}   (shown this once)`]),
    "Keep the master key safe and apart from backups: without it the data's secrets are lost.",
  ].join("\n");

export function addInit(program: Command): void {
  program
    .command("init")
    .description("make a data directory: database, key, first tenant and its owner")
    .option("--owner-email <email>", "the owner's address", initDefaults.ownerEmail)
    .option("--owner-password <password>", "made and shown once where absent")
    .addHelpText("after", "\n--tenant is the name of the first tenant here.")
    .action(async (options: { ownerEmail: string; ownerPassword?: string }, command: Command) => {
      const context = contextOf(command);
      const made = await initDirectory(context, {
        tenant: context.tenant ?? initDefaults.tenant,
        ...options,
      });
      context.out.result(made, initWords(context, made));
    });
}
