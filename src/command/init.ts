/**
 * `kartu init`: makes a data directory with its key, its first tenant and that tenant's owner. A start
 * that was cut off is taken up again; a directory that holds anything else is left alone.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import type { Command } from "commander";
import { databaseName, openKartu } from "../app.ts";
import { checkPassword } from "../domain/tenant.ts";
import { checkEmail, checkName } from "../domain/text.ts";
import { lockName } from "../store/lock.ts";
import { createMasterKey, masterKeyPath } from "../system/masterkey.ts";
import { type Context, contextOf, UsageError } from "./context.ts";
import { cli } from "./operation.ts";
import { reading } from "./reading.ts";
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

/** What a directory may hold before there is a database in it. */
const strayNames: ReadonlySet<string> = new Set([lockName, socketName, "lost+found"]);

/** `fresh`: nothing is there; `begun`: an init did not end; `done`; `foreign`: somebody else's. */
export async function stateOf(context: Context): Promise<"fresh" | "begun" | "done" | "foreign"> {
  const { dataDir } = context;
  if (!existsSync(dataDir)) return "fresh";
  const names = readdirSync(dataDir).filter((name) => !strayNames.has(name));
  if (names.length === 0) return "fresh";
  if (names.includes(databaseName)) {
    if (isEmptyFile(context)) return "begun";
    const first = await reading(context, (host) => host.iam.tenantBySlug());
    return first === undefined ? "begun" : "done";
  }
  return names.every((name) => masterKeyPath(dataDir).endsWith(`/${name}`)) ? "begun" : "foreign";
}

/** A database that was opened for the first time and never written. */
const isEmptyFile = ({ dataDir }: Context): boolean =>
  Bun.file(`${dataDir}/${databaseName}`).size === 0;

/** @throws UsageError the directory is not ours to fill, or the options are not valid */
export async function initDirectory(context: Context, options: InitOptions): Promise<InitResult> {
  const { dataDir, config, clock, random, log } = context;
  const { tenant, ownerEmail, ownerPassword } = options;
  checkName("tenant", tenant);
  checkEmail("owner-email", ownerEmail);
  if (ownerPassword !== undefined) checkPassword(ownerPassword, ownerEmail);
  const state = await stateOf(context);
  if (state === "done") throw new UsageError(`${dataDir} is initialised already`);
  if (state === "foreign")
    throw new UsageError(`${dataDir} is not empty: choose another directory`);

  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  chmodSync(dataDir, 0o700);
  if (config.masterKey === undefined && !existsSync(masterKeyPath(dataDir))) {
    createMasterKey(dataDir, random);
  }
  const kartu = await openKartu({ dataDir, config, clock, random, log });
  try {
    const made = await kartu.iam.initialise(
      {
        tenant: { name: tenant },
        ownerEmail,
        ...(ownerPassword !== undefined && { ownerPassword }),
      },
      cli,
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
    `Keep ${masterKeyPath(dataDir)} safe and apart from backups: without it the data's secrets are lost.`,
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
