/**
 * The socket between a command and the live server of the same directory: one request, one operation of
 * the table, answered line by line. Only the owner of the directory can open it.
 *
 *   POST /   {"command": name, "args": {…}}
 *   200      {"done": n, "total": m}            any number of times
 *            {"result": …}                      or
 *            {"refused": message}               wrong or not to be done
 *            {"failed": message}                tried, did not work
 */
import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CommandFailed, endingOf, ServerWentAway, UsageError } from "./context.ts";
import { type Host, operationFor, type Tell } from "./operation.ts";

export const socketName = "kartu.sock";
const requestMaxBytes = 1 << 20;

export interface Request {
  readonly command: string;
  readonly args: unknown;
}

type Line =
  | { readonly done: number; readonly total: number }
  | { readonly result: unknown }
  | { readonly refused: string }
  | { readonly failed: string };

export interface CommandSocket {
  /** Takes the file away, so that nobody comes any more; resolves when what runs has ended. */
  close(): Promise<void>;
}

/** Opens the socket of a directory whose lock this process holds; one left behind is replaced. */
export function serveSocket(host: Host, dataDir: string): CommandSocket {
  const path = join(dataDir, socketName);
  rmSync(path, { force: true });
  const server = Bun.serve({
    unix: path,
    maxRequestBodySize: requestMaxBytes,
    fetch: async (request, itself) => {
      itself.timeout(request, 0); // a long operation is silent for as long as it takes
      return new Response(answer(host, await request.json()));
    },
    error: () => new Response(null, { status: 400 }),
  });
  chmodSync(path, 0o600);
  return {
    close: async () => {
      rmSync(path, { force: true });
      await server.stop();
    },
  };
}

async function* answer(host: Host, request: unknown): AsyncGenerator<string> {
  const line = (value: Line): string => `${JSON.stringify(value)}\n`;
  const { command, args } = request as Request;
  const told: string[] = [];
  let wake: () => void = () => undefined;
  const run = async (): Promise<Line> => {
    try {
      const operation = operationFor(command, args);
      const tell: Tell = (done, total) => {
        told.push(line({ done, total }));
        wake();
      };
      return { result: await operation.run(host, args as never, tell) };
    } catch (error) {
      const { code, text } = endingOf(error);
      return code === 2 ? { refused: text } : { failed: text };
    }
  };
  let last: Line | undefined;
  const running = run().then((end) => {
    last = end;
    wake();
  });
  while (last === undefined) {
    yield* told.splice(0);
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    if (last === undefined && told.length === 0) await promise;
  }
  await running;
  yield line(last);
}

/** The codes of a socket at which nobody listens. */
const nobody: ReadonlySet<unknown> = new Set(["ENOENT", "ECONNREFUSED", "FailedToOpenSocket"]);

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/**
 * Has the live server do it; undefined when there is none.
 * @throws UsageError it refused; CommandFailed it failed, or went away before it answered
 */
export async function askServer(
  dataDir: string,
  request: Request,
  tell: Tell,
): Promise<{ readonly result: unknown } | undefined> {
  let response: Response;
  try {
    response = await fetch("http://kartu/", {
      unix: join(dataDir, socketName),
      method: "POST",
      body: JSON.stringify(request),
    });
  } catch (error) {
    if (nobody.has(codeOf(error))) return undefined;
    throw wentAway(error);
  }
  const line = await lastLine(response, tell);
  if ("result" in line) return line;
  if ("refused" in line) throw new UsageError(line.refused);
  throw new CommandFailed("failed" in line ? line.failed : "the server said nothing");
}

const wentAway = (cause: unknown): CommandFailed =>
  new ServerWentAway("the server went away before it answered: look whether it was done", {
    cause,
  });

async function lastLine(response: Response, tell: Tell): Promise<Line> {
  if (!response.ok || response.body === null)
    throw new CommandFailed("the server did not understand");
  let rest = "";
  let last: Line | undefined;
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const text of lines) {
        last = JSON.parse(text) as Line;
        if ("done" in last) tell(last.done, last.total);
      }
    }
  } catch (error) {
    throw wentAway(error);
  }
  if (last === undefined) throw wentAway(undefined);
  return last;
}

/** Whether a live server listens on the directory's socket. */
export async function isListening(dataDir: string): Promise<boolean> {
  try {
    await fetch("http://kartu/", { unix: join(dataDir, socketName), method: "POST", body: "{}" });
    return true;
  } catch {
    return false;
  }
}
