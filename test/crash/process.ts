/**
 * The processes that are killed: the server, as people run it or with a small memory, and a backup
 * beside it. What they say on stderr is kept, since an error there is one that nobody was told of.
 */
import { join } from "node:path";
import type { BookOptions } from "../../src/feature/card/service.ts";

const program = join(import.meta.dir, "../../src/main.ts");
const childServer = join(import.meta.dir, "child-server.ts");

/** One key for all directories; rate limits are off, since all calls come from one address. */
export const masterKey = new Uint8Array(32).fill(9);

export const environmentOf = (dataDir: string): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !/^kartu_/i.test(entry[0]),
    ),
  ),
  NO_COLOR: "1",
  KARTU_DATA: dataDir,
  KARTU_PORT: "0",
  KARTU_ENV: "staging",
  KARTU_LOG_LEVEL: "error",
  KARTU_MASTER_KEY: masterKey.toBase64(),
  KARTU_RATE_IP_PER_MIN: "0",
  KARTU_RATE_DEVICE_TOKEN_PER_MIN: "0",
  KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN: "0",
  KARTU_RATE_GRANT_PER_MIN: "0",
  KARTU_RATE_DEVICE_PER_MIN: "0",
  KARTU_RATE_REPORT_PER_MIN: "0",
});

export class Child {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #errors: Promise<string>;

  constructor(args: readonly string[], dataDir: string) {
    this.#child = Bun.spawn([process.execPath, ...args], {
      env: environmentOf(dataDir),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#errors = this.#child.stderr.text();
  }

  /** Where a server listens; undefined if it ended before. */
  async url(): Promise<string | undefined> {
    const reader = this.#child.stdout.getReader();
    const decoder = new TextDecoder();
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) return undefined;
      text += decoder.decode(value, { stream: true });
    }
    reader.releaseLock();
    return (JSON.parse(text.slice(0, text.indexOf("\n"))) as { url: string }).url;
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when it has ended. @throws if it told of an error */
  async ended(): Promise<number> {
    const code = await this.#child.exited;
    const errors = await this.#errors;
    if (errors !== "" && !this.#child.killed) throw new Error(`a process said: ${errors}`);
    if (/\berror\b/i.test(errors)) throw new Error(`a process said: ${errors}`);
    return code;
  }
}

/** Without `book` the program itself. */
export const serve = (dataDir: string, book?: BookOptions): Child =>
  new Child(
    book === undefined ? [program, "serve", "--json"] : [childServer, JSON.stringify(book)],
    dataDir,
  );

export const command = (dataDir: string, ...args: readonly string[]): Child =>
  new Child([program, ...args], dataDir);
