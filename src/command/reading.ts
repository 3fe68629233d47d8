/**
 * The features over a data directory that is only read: beside a live server or with none. No lock, no
 * migration, and no master key, since nothing that is shown is sealed.
 */
import { databasePath, schema } from "../app.ts";
import { compose } from "../compose.ts";
import { NotReadable, openReader, type ReaderStore } from "../store/reader.ts";
import { CommandFailed, type Context } from "./context.ts";
import type { Host } from "./operation.ts";

const noKey = new Uint8Array(32);

export interface ReadingHost extends Host {
  readonly store: ReaderStore;
}

/** @throws CommandFailed the file cannot be read as it is */
export async function reading<T>(
  { dataDir, config, clock, random, log }: Context,
  work: (host: ReadingHost) => Promise<T>,
): Promise<T> {
  let store: ReaderStore;
  try {
    store = openReader(databasePath(dataDir), schema, (event, error) =>
      log.error(event, { error }),
    );
  } catch (error) {
    if (error instanceof NotReadable) throw new CommandFailed(error.message, { cause: error });
    throw error;
  }
  try {
    const publicUrl = () => config.publicUrl;
    const services = compose({ store, masterKey: noKey, random, config, publicUrl });
    return await work({ ...services, store, clock });
  } finally {
    await store.close();
  }
}
