/** A master key handed in by a person: from a file, from the environment, or typed unseen. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { readConfig } from "../config.ts";
import { type Context, UsageError } from "./context.ts";

export interface GivenKey {
  readonly key: Uint8Array;
  /** In words; not the key. */
  readonly from: string;
  /** It is to be kept as a file: whoever has it in the environment keeps it there. */
  readonly keep: boolean;
}

/** @throws UsageError there is none, or it is not 32 bytes in base64 */
export async function givenKey(context: Context, file: string | undefined): Promise<GivenKey> {
  const fromEnvironment = context.config.masterKey;
  if (file !== undefined) return { key: parse(readText(file), file), from: file, keep: true };
  if (fromEnvironment !== undefined) {
    return { key: fromEnvironment, from: "KARTU_MASTER_KEY", keep: false };
  }
  if (!process.stdin.isTTY) {
    throw new UsageError("the master key is needed: --key-file FILE or KARTU_MASTER_KEY");
  }
  return {
    key: parse(await ask("master key (base64): "), "what was typed"),
    from: "what was typed",
    keep: true,
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new UsageError(`${file} cannot be read`, { cause });
  }
}

/** By the one reader of keys there is. */
function parse(text: string, from: string): Uint8Array {
  const read = readConfig({ KARTU_MASTER_KEY: text });
  const key = "config" in read ? read.config.masterKey : undefined;
  if (key === undefined) throw new UsageError(`${from} does not hold 32 bytes in base64`);
  return key;
}

/** Asks on the terminal; what is typed is not shown. */
async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const mute = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: mute, terminal: true });
  try {
    return (await lines.question("")).trim();
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
