/**
 * The processes of a run: servers under test and helpers, each on the cores meant for it where the
 * system lets us say so. A process that serves prints one line of JSON with its `url` when it is ready.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";

type Piped = Subprocess<"pipe" | "ignore", "pipe", "pipe">;

export const rootDir = join(import.meta.dir, "..", "..");

export interface Pins {
  /** Cores of the servers and of the load, as taskset writes them; undefined = not pinned. */
  readonly server: string | undefined;
  readonly load: string | undefined;
}

/** One core in four is the load's; with fewer than four nothing is pinned. */
export function choosePins(): Pins {
  const cores = availableParallelism();
  if (process.platform !== "linux" || cores < 4 || Bun.which("taskset") === null) {
    return { server: undefined, load: undefined };
  }
  const load = Math.max(1, Math.floor(cores / 4));
  const first = cores - load;
  return { server: `0-${first - 1}`, load: load === 1 ? `${first}` : `${first}-${cores - 1}` };
}

/** Keeps this process and its threads on `cores`. */
export function pinSelf(cores: string | undefined): void {
  if (cores === undefined) return;
  Bun.spawnSync(["taskset", "-a", "-c", "-p", cores, String(process.pid)]);
}

/** The environment without anyone's settings of Kartu. */
function cleanEnv(extra: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && !pair[0].startsWith("KARTU_"),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

/** Limits of calls a minute are off: the load comes from one address, and from few devices. */
export const serverEnv = {
  KARTU_ENV: "production",
  KARTU_LOG_LEVEL: "error",
  KARTU_RATE_IP_PER_MIN: "0",
  KARTU_RATE_DEVICE_TOKEN_PER_MIN: "0",
  KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN: "0",
  KARTU_RATE_GRANT_PER_MIN: "0",
  KARTU_RATE_DEVICE_PER_MIN: "0",
  KARTU_RATE_REPORT_PER_MIN: "0",
};

const running = new Set<Piped>();

/** What is still there when this process ends goes with it. */
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs a program in the checkout. */
export function spawn(
  command: readonly string[],
  cores: string | undefined,
  env: Readonly<Record<string, string>> = {},
  stdin: "pipe" | "ignore" = "ignore",
): Piped {
  const pinned = cores === undefined ? [] : ["taskset", "-c", cores];
  const child = Bun.spawn([...pinned, ...command], {
    cwd: rootDir,
    env: cleanEnv(env),
    stdin,
    stdout: "pipe",
    stderr: "pipe",
  });
  running.add(child);
  void child.exited.then(() => running.delete(child));
  return child;
}

/** Runs this Bun on a script of the checkout. */
export const spawnBun = (
  args: readonly string[],
  ...rest: [cores: string | undefined, env?: Record<string, string>, stdin?: "pipe" | "ignore"]
): Piped => spawn([process.execPath, ...args], ...rest);

/** Lines of a stream, one at a time. */
export class Lines {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** The next line, or undefined at the end. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const at = this.#text.indexOf("\n");
      if (at >= 0) {
        const line = this.#text.slice(0, at);
        this.#text = this.#text.slice(at + 1);
        return line;
      }
      const { done, value } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }
}

/** Runs a script to its end; its one line of JSON. @throws with what it said on stderr */
export async function runScript(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<unknown> {
  const child = spawnBun(args, undefined, env);
  const [out, said] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`${args[0]} failed:\n${said}`);
  return JSON.parse(out);
}

export interface Served {
  readonly url: URL;
  readonly pid: number;
  /** Asks it to end and waits. @throws unless it ends well */
  stop(): Promise<void>;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
}

/** Starts something that serves, by this Bun or `program`. @throws when it ends before it is ready */
export async function serve(
  args: readonly string[],
  cores: string | undefined,
  env: Readonly<Record<string, string>> = {},
  program = process.execPath,
): Promise<Served> {
  const child = spawn([program, ...args], cores, env);
  const said = new Response(child.stderr).text();
  const line = await new Lines(child.stdout).next();
  if (line === undefined) throw new Error(`${args[0]} did not start:\n${await said}`);
  const { url } = JSON.parse(line) as { url: string };
  return {
    url: new URL(url),
    pid: child.pid,
    stop: async () => {
      child.kill("SIGTERM");
      const code = await child.exited;
      const words = await said;
      if (words.trim() !== "") throw new Error(`${args[0]} complained:\n${words}`);
      if (code !== 0) throw new Error(`${args[0]} ended with ${child.signalCode ?? code}`);
    },
    kill: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** The server under test, as people run it; `port` 0 takes a free one. */
export const serveKartu = (
  dataDir: string,
  cores: string | undefined,
  port = "0",
): Promise<Served> =>
  serve(["src/main.ts", "serve", "--data", dataDir, "--port", port, "--json"], cores, serverEnv);
