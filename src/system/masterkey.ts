/**
 * The master key: 32 bytes that open every stored secret. From the environment, or from `master.key`
 * beside the data (base64, one line, for its owner's eyes only). Never in a backup; without it what is
 * sealed is lost.
 */
import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "./random.ts";

const keyBytes = 32;
const fileName = "master.key";
/** Bits of a mode that let anyone but the owner in. */
const othersMask = 0o077;

/** No usable master key. The message says what to do and never holds a part of the key. */
export class MasterKeyMissing extends Error {
  override readonly name = "MasterKeyMissing";
}

export const masterKeyPath = (dataDir: string): string => join(dataDir, fileName);

/**
 * The key given in the environment, else the one in the file.
 * @throws MasterKeyMissing there is neither, or the file does not hold 32 bytes in base64
 */
export function readMasterKey(dataDir: string, given: Uint8Array | undefined): Uint8Array {
  if (given !== undefined) return given;
  const path = masterKeyPath(dataDir);
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    const message = `there is no readable ${path}; put the key back or set KARTU_MASTER_KEY`;
    throw new MasterKeyMissing(message, { cause });
  }
  const key = decode(text);
  if (key === undefined) throw new MasterKeyMissing(`${path} does not hold 32 bytes in base64`);
  return key;
}

function decode(text: string): Uint8Array | undefined {
  try {
    const key = Uint8Array.fromBase64(text);
    return key.length === keyBytes ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Makes a key and its file, which must not be there yet; on the disk before this returns. */
export function createMasterKey(dataDir: string, random: Random): Uint8Array {
  const key = random.bytes(keyBytes);
  writeMasterKey(dataDir, key);
  return key;
}

/** Writes a key's file, which must not be there yet; on the disk before this returns. */
export function writeMasterKey(dataDir: string, key: Uint8Array): void {
  const file = openSync(masterKeyPath(dataDir), "wx", 0o600);
  try {
    writeSync(file, `${key.toBase64()}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  const directory = openSync(dataDir, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** What is wrong with who may read the key's file, or undefined; also when there is no file. */
export function masterKeyExposure(dataDir: string): string | undefined {
  const path = masterKeyPath(dataDir);
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & othersMask) === 0) return undefined;
  return `${path} can be read by others: run chmod 600 ${path}`;
}
