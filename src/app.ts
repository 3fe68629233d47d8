/**
 * Opens a data directory: locks it, migrates its file, reads its key and makes the features over it.
 * Serving it is `serve.ts`.
 */
import { join } from "node:path";
import { migrations, schemaVersion, tables } from "../schema/tables.ts";
import { compose, type Services } from "./compose.ts";
import type { Config } from "./config.ts";
import type { BookOptions } from "./feature/card/service.ts";
import { lockDirectory } from "./store/lock.ts";
import type { Store } from "./store/seam.ts";
import { openStore, type StoreGauges } from "./store/sqlite.ts";
import type { Argon } from "./system/argon.ts";
import type { Clock } from "./system/clock.ts";
import type { Log } from "./system/log.ts";
import { openMailer } from "./system/mail.ts";
import { readMasterKey } from "./system/masterkey.ts";
import type { Random } from "./system/random.ts";

export const databaseName = "kartu.db";
/** Where letters go as files when no mail server is set. */
const mailName = "mail";
export const schema = { tables, migrations, version: schemaVersion };
export const databasePath = (dataDir: string): string => join(dataDir, databaseName);

export interface KartuOptions {
  readonly dataDir: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly book?: BookOptions;
  readonly passwords?: Argon;
}

/** An open data directory that nobody else may write. */
export interface Kartu extends Services, Omit<KartuOptions, "passwords"> {
  readonly store: Store & StoreGauges;
  /** Settings with the address that is served under. */
  settings(): Config;
  readonly masterKey: Uint8Array;
  /** Told once the port is known. */
  useSettings(config: Config): void;
  /** Finishes what is queued, checkpoints, lets go of the directory. */
  close(): Promise<void>;
}

/**
 * Opens a data directory, migrating its file; it must exist and have a key. The directory stays locked
 * until `close`.
 * @throws DirectoryLocked · MasterKeyMissing · ForeignDatabase · SchemaTooNew · SealBroken (the key is
 * not the one that sealed the data)
 */
export async function openKartu(options: KartuOptions): Promise<Kartu> {
  const { dataDir, random, log } = options;
  let config = options.config;
  const lock = lockDirectory(dataDir);
  let store: Store | undefined;
  try {
    const masterKey = readMasterKey(dataDir, config.masterKey);
    const opened = openStore({
      path: databasePath(dataDir),
      schema,
      log: (event, error) => log.error(event, { error }),
    });
    store = opened;
    const mailer = openMailer({
      smtpUrl: config.smtpUrl,
      from: config.mailFrom,
      directory: join(dataDir, mailName),
    });
    const services = compose({
      store: opened,
      masterKey,
      random,
      config,
      publicUrl: () => config.publicUrl,
      issuer: () => config.issuer,
      mailer,
      log,
      ...(options.book && { book: options.book }),
      ...(options.passwords && { passwords: options.passwords }),
    });
    await services.card.recover();
    if ((await services.tenant.tenantBySlug()) !== undefined) await services.signing.signer("grt_");
    return {
      ...services,
      ...options,
      store: opened,
      masterKey,
      settings: () => config,
      useSettings: (next) => {
        config = next;
      },
      close: async () => {
        await services.job.stop();
        await services.mail.idle();
        mailer.close();
        await opened.close();
        lock.release();
      },
    };
  } catch (error) {
    await store?.close();
    lock.release();
    throw error;
  }
}
