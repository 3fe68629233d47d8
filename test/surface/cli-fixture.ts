/** The command line as people run it: the program in a process of its own, in a temporary directory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = join(import.meta.dir, "../../src/main.ts");

/** What a command is given besides its arguments; nothing of ours leaks in. */
const cleanEnvironment = (env: Record<string, string>): Record<string, string> => {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !/^kartu_/i.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: "1", ...env };
};

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly stdin?: string;
}

const spawn = (args: readonly string[], { env = {}, cwd, stdin }: CommandOptions) =>
  Bun.spawn([process.execPath, program, ...args], {
    env: cleanEnvironment(env),
    ...(cwd !== undefined && { cwd }),
    stdin: stdin === undefined ? "ignore" : new TextEncoder().encode(stdin),
    stdout: "pipe",
    stderr: "pipe",
  });

/** Runs a command to its end. */
export async function kartu(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const child = spawn(args, options);
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

/** Runs a command that must succeed. Returns what it printed. */
export async function done(args: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await kartu(args, options);
  if (code !== 0) throw new Error(`kartu ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** The objects of a command with `--json`, one a line. */
export async function objects<T = Record<string, unknown>>(
  args: readonly string[],
  options?: CommandOptions,
): Promise<T[]> {
  const stdout = await done([...args, "--json"], options);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

/** The one object of a command with `--json`. */
export async function object<T = Record<string, unknown>>(
  args: readonly string[],
  options?: CommandOptions,
): Promise<T> {
  const [first, ...more] = await objects<T>(args, options);
  if (first === undefined || more.length > 0) throw new Error("not one object");
  return first;
}

export interface Server {
  readonly url: string;
  /** The first line that it printed. */
  readonly line: string;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended>;
}

/** Starts `serve` and waits until it says where it listens. */
export async function serve(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Server> {
  const child = spawn(["serve", "--port", "0", ...args], options);
  const stderr = child.stderr.text();
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let stdout = "";
  const more = async (): Promise<boolean> => {
    const { value, done: isOver } = await reader.read();
    stdout += decoder.decode(value, { stream: true });
    return !isOver;
  };
  while (!/listening on \S+\n|"url".*\n/.test(stdout)) {
    if (!(await more())) throw new Error(`serve ended with ${await child.exited}: ${await stderr}`);
  }
  const rest = (async () => {
    while (await more());
  })();
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  const url = line.startsWith("{") ? (JSON.parse(line) as { url: string }).url : line.slice(13);
  return {
    url,
    line,
    end: async (signal) => {
      child.kill(signal);
      const code = await child.exited;
      await rest;
      return { code, stdout, stderr: await stderr };
    },
  };
}

/** A directory for one test file, and its removal. */
export function workspace(): { readonly path: (name: string) => string; remove(): void } {
  const root = mkdtempSync(join(tmpdir(), "kartu-cli-"));
  return {
    path: (name) => join(root, name),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** A call with a JSON body. */
export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; json: Record<string, unknown>; type: string }> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const json = (await response.json()) as Record<string, unknown>;
  return { status: response.status, json, type: response.headers.get("content-type") ?? "" };
}
