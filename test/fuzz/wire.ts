/**
 * A call as it goes to the server, through the handler that sockets feed or over a socket, byte by byte as
 * it is written; and what came back.
 */
import { connect } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import type { Elysia } from "elysia";
import type { Caller, Plan, Twist } from "./plan.ts";
import { brokenTexts } from "./word.ts";

export interface Wire {
  readonly who: Caller;
  readonly method: string;
  /** With query. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | null;
  readonly stream: { readonly chunk: number; readonly isCut: boolean } | null;
}

/** The path that a call is for: dot segments and backslashes are taken away on the way (WHATWG URL §4.4). */
export function pathOf({ target }: Wire): string {
  try {
    return new URL(`http://localhost${target}`).pathname;
  } catch {
    return target;
  }
}

export interface Seen {
  readonly status: number;
  readonly headers: Headers;
  /** Empty of an answer that goes on without end. */
  readonly text: string;
}

function charset(text: string, as: (Twist & { kind: "charset" })["as"]): Uint8Array {
  switch (as) {
    case "utf16le":
      return Buffer.from(`\ufeff${text}`, "utf16le");
    case "utf16be":
      return Buffer.from(`\ufeff${text}`, "utf16le").swap16();
    case "latin1":
      return Buffer.from(text.replace(/[a-z]/, "\u00e9"), "latin1");
    case "bom":
      return Buffer.from(`\ufeff${text}`);
    default:
      // Half a surrogate pair, an overlong slash, a byte that is none.
      return Buffer.from(text.replace(/[a-z]/, "\u00ed\u00a0\u0080\u00c0\u00af\u00ff"), "latin1");
  }
}

const coders = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };

/** A body's bytes, as a plan wants them. */
export function bytesOf(text: string, { twist }: Plan): Uint8Array {
  switch (twist.kind) {
    case "broken":
      return Buffer.from(brokenTexts[twist.at]?.(text) ?? text);
    case "coded":
      return coders[twist.coding](text);
    case "charset":
      return charset(text, twist.as);
    case "size":
      return Buffer.from(text + " ".repeat(Math.max(0, twist.bytes - Buffer.byteLength(text))));
    default:
      return Buffer.from(text);
  }
}

function streamOf(
  bytes: Uint8Array,
  { chunk, isCut }: NonNullable<Wire["stream"]>,
): ReadableStream {
  const size = Math.max(chunk, Math.ceil(bytes.length / 200));
  const end = isCut ? Math.floor(bytes.length / 2) : bytes.length;
  let at = 0;
  return new ReadableStream({
    pull: (controller) => {
      if (at >= end) {
        if (isCut) controller.error(new Error("the caller went away"));
        else controller.close();
        return;
      }
      controller.enqueue(bytes.subarray(at, Math.min(end, at + size)));
      at += size;
    },
  });
}

/** Null where no request can be made of it that way. */
function requestOf(wire: Wire): Request | null {
  try {
    const { method, body, stream } = wire;
    const headers = new Headers();
    for (const [name, value] of wire.headers) headers.append(name, value);
    const given = body !== null && stream !== null ? streamOf(body, stream) : body;
    const init = { method, headers, ...(given !== null && { body: given as Bun.BodyInit }) };
    return new Request(`http://localhost${wire.target}`, init);
  } catch {
    return null;
  }
}

const isEndless = (headers: Headers): boolean =>
  headers.get("content-type")?.startsWith("text/event-stream") === true;

export type Send = (wire: Wire) => Promise<Seen | null>;

export const inProcess =
  (app: Elysia): Send =>
  async (wire) => {
    const request = requestOf(wire);
    if (request === null) return null;
    const answer = await app.handle(request);
    const { status, headers } = answer;
    if (!isEndless(headers)) return { status, headers, text: await answer.text() };
    await answer.body?.cancel();
    return { status, headers, text: "" };
  };

/** The head of a request, as it is written. */
function headOf({ method, target, headers, body, stream }: Wire): Uint8Array {
  const names = new Set(headers.map(([name]) => name));
  const lines = [`${method} ${target.replaceAll(/[^\x21-\xff]/g, encodeURIComponent)} HTTP/1.1`];
  if (!names.has("host")) lines.push("Host: localhost");
  for (const [name, value] of headers)
    if (!connectionNames.has(name)) lines.push(`${name}: ${value}`);
  if (body !== null && stream !== null) lines.push("Transfer-Encoding: chunked");
  else if (body !== null || method === "POST") lines.push(`Content-Length: ${body?.length ?? 0}`);
  return Buffer.from(`${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`, "latin1");
}

/** Headers with which a connection itself is attacked, which is no matter of operations. */
const connectionNames = new Set([
  "content-length",
  "connection",
  "expect",
  "upgrade",
  "te",
  "trailer",
]);

function chunksOf(bytes: Uint8Array, { chunk, isCut }: NonNullable<Wire["stream"]>): Uint8Array {
  const size = Math.max(chunk, Math.ceil(bytes.length / 200));
  const end = isCut ? Math.floor(bytes.length / 2) : bytes.length;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < end; at += size) {
    const part = bytes.subarray(at, Math.min(end, at + size));
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
  }
  if (!isCut) parts.push(Buffer.from("0\r\n\r\n"));
  return Buffer.concat(parts);
}

/** The body of an answer in chunks. */
function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\r\n", at);
    const size = end < 0 ? 0 : Number.parseInt(bytes.toString("latin1", at, end), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

/** Null as long as the head is not complete. */
function headIn(bytes: Buffer): { status: number; headers: Headers; end: number } | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return { status: Number(first.split(" ")[1]), headers, end: end + 4 };
}

function seenIn(bytes: Buffer): Seen | null {
  const head = headIn(bytes);
  if (head === null) return null;
  const rest = bytes.subarray(head.end);
  const isChunked = head.headers.get("transfer-encoding") === "chunked";
  const text = (isChunked ? unchunked(rest) : rest).toString();
  return { status: head.status, headers: head.headers, text };
}

/** Over a socket of its own, byte by byte as it is written. A call that stops half-way has no answer. */
export const overSocket =
  (url: string): Send =>
  (wire) =>
    new Promise((resolve) => {
      const { hostname, port } = new URL(url);
      let bytes = Buffer.alloc(0);
      const socket = connect(Number(port), hostname, () => {
        socket.write(headOf(wire));
        const { body, stream } = wire;
        if (body === null) return;
        socket.write(stream === null ? body : chunksOf(body, stream));
        if (stream?.isCut) socket.end();
      });
      socket.on("data", (more: Buffer) => {
        bytes = Buffer.concat([bytes, more]);
        const head = headIn(bytes);
        if (head === null || !isEndless(head.headers)) return;
        resolve({ status: head.status, headers: head.headers, text: "" });
        socket.destroy();
      });
      socket.on("error", () => resolve(seenIn(bytes)));
      socket.on("close", () => resolve(seenIn(bytes)));
    });
