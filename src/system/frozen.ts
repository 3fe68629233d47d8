/**
 * Texts that are written once and never again: the file of a name appears whole or not at all, and
 * nothing here overwrites or deletes it. Between the writing and the naming lies the caller's COMMIT.
 *
 *   <directory>/<name>                  the text
 *   <directory>/<name>.<sha256 hex>     put aside, durable, until `fix` gives it the name
 */
import { constants } from "node:fs";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface FrozenFiles {
  /** Puts a text aside. Returns its SHA-256. */
  put(name: string, text: string): Promise<Uint8Array>;
  /** Gives the text of that hash its name, unless the name has one already. */
  fix(name: string, hash: Uint8Array): Promise<void>;
  /** The text; one that was put aside and never fixed is fixed first. @throws Error there is none */
  read(name: string, hash: Uint8Array): Promise<string>;
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

export function frozenFiles(directory: string): FrozenFiles {
  const pathOf = (name: string): string => join(directory, name);
  const asideOf = (name: string, hash: Uint8Array): string => `${pathOf(name)}.${hash.toHex()}`;

  async function put(name: string, text: string): Promise<Uint8Array> {
    const hash = new Bun.CryptoHasher("sha256").update(text).digest();
    await mkdir(dirname(pathOf(name)), { recursive: true, mode: 0o700 });
    const file = await open(asideOf(name, hash), "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncDirectory(dirname(pathOf(name)));
    return hash;
  }

  async function fix(name: string, hash: Uint8Array): Promise<void> {
    try {
      await link(asideOf(name, hash), pathOf(name));
    } catch (error) {
      // Another run was here before: its text stays.
      if (!hasCode(error, "EEXIST") && !hasCode(error, "ENOENT")) throw error;
    }
    await rm(asideOf(name, hash), { force: true });
    await syncDirectory(dirname(pathOf(name)));
  }

  async function read(name: string, hash: Uint8Array): Promise<string> {
    try {
      return await readFile(pathOf(name), "utf8");
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
      await fix(name, hash);
      return await readFile(pathOf(name), "utf8");
    }
  }

  return { put, fix, read };
}

/** A name is durable only once its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
