/** How much room is left where the data lies, and whether it can be written to at all. */
import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";

/** Bytes that this user may still write below `directory`. @throws when nothing can be written there */
export async function freeBytes(directory: string): Promise<number> {
  await access(directory, constants.W_OK);
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
