/**
 * The body of a request as bytes: its declared length, its media type, and reading it against a limit.
 * Not what the bytes say: that is `json.ts`.
 */
import { Refused } from "../domain/refused.ts";

/** What the server must be started with so that every refusal of a body is ours, in our words. */
export const serverLimits = {
  /**
   * Off in effect: Bun's own 413 has no body and no request id. Nothing is buffered on trust: bodies
   * are read here alone, against a limit, and the socket is not read ahead of that.
   */
  maxRequestBodySize: 2 ** 40,
  /** Between two bytes, and for an answer to come; the default of 10 s cuts long batches. */
  idleTimeout: 60,
} as const;

const none = new Uint8Array(0);

/** @throws Refused payload_too_large when the length that the request declares is over the limit. */
export function checkDeclaredLength(request: Request, bytesMax: number): void {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > bytesMax) throw new Refused("payload_too_large");
}

/** Whether there is a body to read, by its headers (RFC 9112 §6). */
export function hasBody(request: Request): boolean {
  const declared = request.headers.get("content-length");
  return declared === null ? request.body !== null : declared !== "0";
}

/**
 * `application/json`, at most with a charset of UTF-8, and no content coding.
 * @throws Refused unsupported_media_type. A request without a body that names no type passes.
 */
export function checkMediaType(request: Request, hasContent: boolean): void {
  const type = request.headers.get("content-type");
  if (type === null ? hasContent : type !== "application/json" && !isJsonType(type)) {
    throw new Refused("unsupported_media_type");
  }
  const coding = request.headers.get("content-encoding");
  if (coding !== null && coding.toLowerCase() !== "identity") {
    throw new Refused("unsupported_media_type", {
      message: "The request body must not be compressed.",
    });
  }
}

function isJsonType(type: string): boolean {
  const [essence = "", ...parameters] = type.toLowerCase().split(";");
  if (essence.trim() !== "application/json") return false;
  return parameters.every((parameter) => {
    const [name = "", value = ""] = parameter.split("=", 2);
    if (name.trim() !== "charset") return name.trim() !== "";
    return /^"?utf-?8"?$/.test(value.trim());
  });
}

/**
 * The body as it came; empty when there is none.
 * @throws Refused payload_too_large past `bytesMax`, counted while reading where no length was declared;
 * malformed_payload when the caller stopped half-way.
 */
export async function readBody(request: Request, bytesMax: number): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared === "0" || (declared === null && request.body === null)) return none;
  try {
    if (declared !== null) return new Uint8Array(await request.arrayBuffer());
    return await readCounted(request.body as unknown as AsyncIterable<Uint8Array>, bytesMax);
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused("malformed_payload", { message: "body: is not complete" });
  }
}

async function readCounted(
  stream: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of stream) {
    total += chunk.length;
    // Leaving the loop cancels the stream: the rest is not read.
    if (total > bytesMax) throw new Refused("payload_too_large");
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] ?? none) : Buffer.concat(chunks, total);
}
