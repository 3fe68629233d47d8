/**
 * One keep-alive HTTP/1.1 connection of the load generator: a request that was made ready goes out as it
 * is, the answer comes back with the status, the head and the body as text. One request at a time; no
 * chunked answers, no redirects, no TLS. All text here is ASCII.
 */
import type { Socket } from "bun";

export interface Answer {
  readonly status: number;
  /** Status line and header lines. */
  readonly head: string;
  readonly body: string;
}

export interface WireEvents {
  onAnswer(answer: Answer): void;
  /** The connection broke, or what came is not an answer. */
  onLost(reason: Error): void;
}

/** The server, or the way to it, is gone. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

const headEnd = "\r\n\r\n";
const lengthPattern = /\r\ncontent-length: *(\d+)/i;
const bodyless = new Set([204, 304]);

/** A request as it goes over the wire. `path` with its query. */
export function requestBytes(
  url: URL,
  method: "GET" | "POST",
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body = "",
): Uint8Array {
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${url.host}\r\n`;
  for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`;
  if (body !== "") text += `content-type: application/json\r\ncontent-length: ${body.length}\r\n`;
  return Buffer.from(`${text}\r\n${body}`, "latin1");
}

export const bearer = (token: string): Record<string, string> => ({
  authorization: `Bearer ${token}`,
});

/** Value of a header in an answer's head, or undefined. `name` in lower case. */
export function headerOf(head: string, name: string): string | undefined {
  const at = head.toLowerCase().indexOf(`\r\n${name}:`);
  if (at < 0) return undefined;
  const from = at + name.length + 3;
  const to = head.indexOf("\r\n", from);
  return head.slice(from, to < 0 ? undefined : to).trim();
}

export class Wire {
  #socket: Socket | undefined;
  /** What the system has not taken yet of the request. */
  #unsent: Uint8Array | undefined;
  /** What came of an answer that is not complete. */
  #partial = "";
  #closed = false;

  private constructor(readonly events: WireEvents) {}

  static async open(url: URL, events: WireEvents): Promise<Wire> {
    const wire = new Wire(events);
    wire.#socket = await Bun.connect({
      hostname: url.hostname,
      port: Number(url.port),
      socket: {
        data: (_, chunk) => wire.#take(chunk),
        drain: () => wire.#flush(),
        close: () => wire.#lose(new ConnectionLost("the server closed a connection")),
        error: (_, error) => wire.#lose(new ConnectionLost(error.message)),
      },
    });
    return wire;
  }

  send(request: Uint8Array): void {
    this.#unsent = request;
    this.#flush();
  }

  close(): void {
    this.#closed = true;
    this.#socket?.end();
  }

  #flush(): void {
    const { unsent, socket } = { unsent: this.#unsent, socket: this.#socket };
    if (unsent === undefined || socket === undefined) return;
    const written = socket.write(unsent);
    this.#unsent = written < unsent.length ? unsent.subarray(Math.max(written, 0)) : undefined;
  }

  #lose(reason: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.events.onLost(reason);
  }

  #take(chunk: Buffer): void {
    const text = this.#partial + chunk.toString("latin1");
    const at = text.indexOf(headEnd);
    if (at < 0) {
      this.#partial = text;
      return;
    }
    const head = text.slice(0, at);
    const status = Number(head.slice(9, 12));
    const length = bodyless.has(status) ? 0 : Number(lengthPattern.exec(head)?.[1] ?? Number.NaN);
    const missing = at + headEnd.length + length - text.length;
    if (missing > 0) {
      this.#partial = text;
      return;
    }
    this.#partial = "";
    if (missing === 0) this.events.onAnswer({ status, head, body: text.slice(at + 4) });
    else this.#lose(new Error(`an answer without a plain length: ${head}`));
  }
}

/** One call on a connection of its own. */
export async function once(url: URL, request: Uint8Array): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const wire = await Wire.open(url, { onAnswer: resolve, onLost: reject });
  wire.send(request);
  try {
    return await promise;
  } finally {
    wire.close();
  }
}
