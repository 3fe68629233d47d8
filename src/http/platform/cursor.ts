/**
 * Cursors of lists: where the next page begins, signed, so that nobody makes one up or carries one to
 * another tenant, list, filter or sort. They do not lapse.
 *
 *   cursor = base64url( tag (16 bytes) | place as a JSON array )
 *   tag    = first 16 bytes of HMAC-SHA256(key, binding | 0x00 | place)
 *   key    = HKDF-SHA256(ikm = master key, info = "kartu cursor key v1", 32 bytes)
 */
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { Problem } from "../../domain/problem.ts";
import type { Place } from "./page.ts";

const tagBytes = 16;
const cursorMaxChars = 2_048;

/** What a cursor belongs to, as one text: equal lists, equal text. */
export type Binding = string;

export class Cursors {
  readonly #key: Uint8Array;

  constructor(masterKey: Uint8Array) {
    this.#key = new Uint8Array(hkdfSync("sha256", masterKey, "", "kartu cursor key v1", 32));
  }

  write(binding: Binding, place: Place): string {
    const text = JSON.stringify(place);
    return Buffer.concat([this.#tag(binding, text), Buffer.from(text)]).toString("base64url");
  }

  /** @throws Problem invalid-cursor: tampered, foreign, or of another filter. */
  read(binding: Binding, cursor: string): Place {
    const bytes = cursor.length > cursorMaxChars ? Buffer.alloc(0) : fromBase64url(cursor);
    if (bytes.length > tagBytes) {
      const text = bytes.subarray(tagBytes).toString();
      if (timingSafeEqual(bytes.subarray(0, tagBytes), this.#tag(binding, text))) {
        return JSON.parse(text) as Place;
      }
    }
    throw new Problem("invalid-cursor", "The cursor does not belong to this list and filter.");
  }

  #tag(binding: Binding, text: string): Buffer {
    const hmac = createHmac("sha256", this.#key).update(binding).update("\u0000").update(text);
    return hmac.digest().subarray(0, tagBytes);
  }
}

/** Strictly: one text for the same bytes, so that a changed cursor is never a good one. */
function fromBase64url(text: string): Buffer {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : Buffer.alloc(0);
}
