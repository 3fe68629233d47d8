/**
 * Cursors of lists: where the next page begins, signed, so that nobody makes one up or carries one to
 * another tenant, list, filter or sort. They do not lapse.
 *
 *   cursor = base64url( tag (16 bytes) | place as a JSON array )
 *   tag    = first 16 bytes of HMAC-SHA256(key, binding | 0x00 | place)
 *   key    = HKDF-SHA256(ikm = master key, info = "kartu cursor key v1", 32 bytes)
 */
import { hkdfSync, timingSafeEqual } from "node:crypto";
import { Problem } from "../../domain/problem.ts";
import type { Place } from "./page.ts";

const tagBytes = 16;
/** Of the digest 32 are filled; the runtime asks for the room of the longest there is. */
const digestBytes = 64;
/** UTF-8 of one UTF-16 unit. */
const utf8BytesMax = 3;
/** Where cursors are put together: nearly every list makes one, and nothing of it is kept. */
const scratch = Buffer.alloc(1_024);
const cursorMaxChars = 2_048;

/** What a cursor belongs to, as one text: equal lists, equal text. */
export type Binding = string;

export class Cursors {
  /** Keyed, and copied for each cursor. */
  readonly #hmac: Bun.CryptoHasher;

  constructor(masterKey: Uint8Array) {
    const key = new Uint8Array(hkdfSync("sha256", masterKey, "", "kartu cursor key v1", 32));
    this.#hmac = new Bun.CryptoHasher("sha256", key);
  }

  write(binding: Binding, place: Place): string {
    const text = JSON.stringify(place);
    const bytesMax = digestBytes + text.length * utf8BytesMax;
    const bytes = bytesMax > scratch.length ? Buffer.alloc(bytesMax) : scratch;
    this.#sign(binding, text, bytes);
    const end = tagBytes + bytes.write(text, tagBytes);
    return bytes.toString("base64url", 0, end);
  }

  /** @throws Problem invalid-cursor: tampered, foreign, or of another filter. */
  read(binding: Binding, cursor: string): Place {
    const bytes = cursor.length > cursorMaxChars ? Buffer.alloc(0) : fromBase64url(cursor);
    if (bytes.length > tagBytes) {
      const text = bytes.subarray(tagBytes).toString();
      const digest = Buffer.alloc(digestBytes);
      this.#sign(binding, text, digest);
      if (timingSafeEqual(bytes.subarray(0, tagBytes), digest.subarray(0, tagBytes))) {
        return JSON.parse(text) as Place;
      }
    }
    throw new Problem("invalid-cursor", "The cursor does not belong to this list and filter.");
  }

  /** Puts the whole digest at the start of `bytes`; its first 16 are the tag. */
  #sign(binding: Binding, text: string, bytes: Buffer): void {
    this.#hmac.copy().update(`${binding}\u0000${text}`).digest(bytes);
  }
}

/** Strictly: one text for the same bytes, so that a changed cursor is never a good one. */
function fromBase64url(text: string): Buffer {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : Buffer.alloc(0);
}
