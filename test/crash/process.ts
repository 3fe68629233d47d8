/**
 * The processes that are killed: the server, as people run it or with a small memory, under a program
 * that makes its calls of the system fail, and commands beside it. What they say on stderr is kept,
 * since an error there is one that nobody was told of, unless it was to be expected.
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

export interface ChildOptions {
  /** Program and arguments in front, which become the process itself by exec. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Errors are what it is to tell of. */
  readonly isTelling?: boolean;
}

export class Child {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #isTelling: boolean;
  readonly #telling: Promise<void>;
  readonly #unheard = new AbortController();
  #told = "";

  constructor(args: readonly string[], dataDir: string, options: ChildOptions = {}) {
    const { under = [], env, isTelling = false } = options;
    this.#isTelling = isTelling;
    this.#child = Bun.spawn([...under, process.execPath, ...args], {
      env: { ...environmentOf(dataDir), ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#telling = this.#listen();
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    const reader = this.#child.stderr.getReader();
    this.#unheard.signal.addEventListener("abort", () => void reader.cancel());
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.#told += decoder.decode(value, { stream: true });
    }
  }

  /** What it said on stderr so far. */
  get told(): string {
    return this.#told;
  }

  get pid(): number {
    return this.#child.pid;
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

  /** Whoever reads what it says goes away. */
  async deafen(): Promise<void> {
    this.#unheard.abort();
    await this.#child.stdout.cancel();
  }

  /** Resolves when it has ended; with 128 and its number where a signal did it. @throws if it told of an error */
  async ended(): Promise<number> {
    const code = await this.#child.exited;
    await this.#telling;
    if (this.#isTelling) return code;
    const told = this.#told;
    if (told !== "" && !this.#child.killed) throw new Error(`a process said: ${told}`);
    if (/\berror\b/i.test(told)) throw new Error(`a process said: ${told}`);
    return code;
  }
}

/** Without `book` the program itself. */
export const serve = (dataDir: string, book?: BookOptions, options?: ChildOptions): Child =>
  new Child(
    book === undefined ? [program, "serve", "--json"] : [childServer, JSON.stringify(book)],
    dataDir,
    options,
  );

export const command = (dataDir: string, ...args: readonly string[]): Child =>
  new Child([program, ...args], dataDir);
