/**
 * A virtual NTAG215: 484 bytes that are written page by page, and that may be torn off the reader in
 * between. It knows nothing of keys or of what the bytes mean.
 */
import { imageBytes } from "../domain/image.ts";
import { pageBytes } from "../domain/write.ts";

export class Chip {
  #bytes: Uint8Array;

  constructor(bytes: Uint8Array = new Uint8Array(imageBytes)) {
    this.#bytes = bytes;
  }

  /** A copy, as a reader gets it. */
  read(): Uint8Array {
    return this.#bytes.slice();
  }

  holds(image: Uint8Array): boolean {
    return Buffer.compare(this.#bytes, image) === 0;
  }

  /**
   * Writes the given pages of an image in their order. The field is lost after `pagesMax` pages;
   * returns whether all were written.
   */
  program(image: Uint8Array, pages: readonly number[], pagesMax = pages.length): boolean {
    // A new array, so that whoever was given the old bytes keeps what it read.
    const bytes = this.#bytes.slice();
    const count = Math.min(pagesMax, pages.length);
    for (let i = 0; i < count; i += 1) {
      const at = (pages[i] as number) * pageBytes;
      bytes.set(image.subarray(at, at + pageBytes), at);
    }
    this.#bytes = bytes;
    return count === pages.length;
  }

  /** Another chip with the same bytes. */
  clone(): Chip {
    return new Chip(this.#bytes.slice());
  }

  /** Puts back what a copy was taken of. */
  rollback(snapshot: Uint8Array): void {
    this.#bytes = snapshot.slice();
  }

  /** Flips one bit, counted from the first bit of the first byte. */
  flip(bit: number): void {
    const bytes = this.#bytes.slice();
    const at = bit >>> 3;
    bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
    this.#bytes = bytes;
  }
}
