/**
 * A card's whole image, 484 bytes: its layout, and reading one under a key and proving it. Writing
 * the next image and mending a torn one are in files of their own.
 *
 *   0            210           420         484
 *   | buffer A   | buffer B    | trailer   |
 *
 *   buffer: | 4B 4F 50 57 | version 1 | type 1 | cardId (6) | ciphertext (198) |
 *
 * The 12 bytes in clear are the associated data of AES-256-GCM, whose tag lies in the trailer. Each
 * write fills the buffer that is not active, then the trailer: at any moment one buffer is whole.
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { type CardKeys, deriveNonce } from "./cardkey.ts";
import { decodePlaintext, type Plaintext } from "./plaintext.ts";
import {
  type BufferPtr,
  decodeTrailer,
  hasMac,
  tagAt,
  tagBytes,
  trailerBytes,
  trailerMac,
} from "./trailer.ts";

export const imageBytes = 484;
export const bufferBytes = 210;
const headerBytes = 12;
const trailerAt = 420;
const header = Uint8Array.of(0x4b, 0x4f, 0x50, 0x57, 1, 1);
const cipher = "aes-256-gcm";
/** How far below the active counter the other buffer may have been written (skips included). */
const inactiveReach = 8;

/** Why an image is not believed, in the order in which it is looked at. */
export type ImageFault = "blank" | "magic" | "version" | "trailer" | "hmac" | "gcm" | "content";

/** What stands in clear: enough to know which key is wanted. Nothing of it is proven. */
export interface Peek {
  /** 6 bytes, a copy. */
  readonly cardId: Uint8Array;
  readonly keyVersion: number;
}

/**
 * The buffer that is not active: `blank` (never written), `opens` (an older write), `shut`: the trace
 * of a write that did not end.
 */
export type Inactive = "blank" | "opens" | "shut";

export interface OpenCard {
  readonly image: Uint8Array;
  readonly plain: Plaintext;
  readonly keyVersion: number;
  readonly expiresAt: number;
  readonly rootHash: number;
  readonly counterBind: number;
  readonly active: BufferPtr;
  readonly inactive: Inactive;
  /** Recovered from a torn trailer: keyVersion, expiresAt and rootHash are then not proven. */
  readonly torn: boolean;
}

export const bufferOf = (image: Uint8Array, ptr: BufferPtr): Uint8Array =>
  image.subarray(ptr * bufferBytes, (ptr + 1) * bufferBytes);
export const trailerOf = (image: Uint8Array): Uint8Array =>
  image.subarray(trailerAt, trailerAt + trailerBytes);

const isAll = (bytes: Uint8Array, value: number): boolean => bytes.every((byte) => byte === value);

/**
 * Looks at the clear part of the buffer that the trailer points at. A new chip (magic all 00 or all
 * FF) is `blank`, not tampered.
 */
export function peek(image: Uint8Array): Peek | ImageFault {
  const buffer = bufferOf(image, image[trailerAt + 5] === 1 ? 1 : 0);
  const magic = buffer.subarray(0, 4);
  if (isAll(magic, 0) || isAll(magic, 0xff)) return "blank";
  if (!magic.every((byte, i) => byte === header[i])) return "magic";
  if (buffer[4] !== header[4] || buffer[5] !== header[5]) return "version";
  return {
    cardId: buffer.slice(6, headerBytes),
    keyVersion: image[trailerAt + 4] as number,
  };
}

/** The plaintext of one buffer under one counter's nonce, or null if its tag does not hold. */
export function openBuffer(
  image: Uint8Array,
  ptr: BufferPtr,
  keys: CardKeys,
  counter: number,
): Uint8Array | null {
  const buffer = bufferOf(image, ptr);
  const at = trailerAt + tagAt(ptr);
  const decipher = createDecipheriv(cipher, keys.encryptionKey, deriveNonce(keys, counter));
  decipher.setAAD(buffer.subarray(0, headerBytes));
  decipher.setAuthTag(image.subarray(at, at + tagBytes));
  const plain = decipher.update(buffer.subarray(headerBytes));
  try {
    decipher.final();
    return plain;
  } catch {
    return null;
  }
}

/** Encrypts 198 bytes into a buffer of the image, header and tag included. */
export function sealBuffer(
  image: Uint8Array,
  ptr: BufferPtr,
  keys: CardKeys,
  counter: number,
  plain: Uint8Array,
): void {
  const buffer = bufferOf(image, ptr);
  buffer.set(header);
  buffer.set(keys.cardId, header.length);
  const encipher = createCipheriv(cipher, keys.encryptionKey, deriveNonce(keys, counter));
  encipher.setAAD(buffer.subarray(0, headerBytes));
  buffer.set(encipher.update(plain), headerBytes);
  encipher.final();
  image.set(encipher.getAuthTag(), trailerAt + tagAt(ptr));
}

/** Whether the other buffer is the trace of a broken write. `older`: keys from before a rekey. */
export function inactiveOf(
  image: Uint8Array,
  ptr: BufferPtr,
  counter: number,
  keys: readonly CardKeys[],
): Inactive {
  const tag = image.subarray(trailerAt + tagAt(ptr), trailerAt + tagAt(ptr) + tagBytes);
  if (isAll(tag, 0) && isAll(bufferOf(image, ptr), 0)) return "blank";
  for (const key of keys) {
    for (let c = counter - 1; c >= Math.max(1, counter - inactiveReach); c -= 1) {
      if (openBuffer(image, ptr, key, c)) return "opens";
    }
  }
  return "shut";
}

/**
 * Reads and proves an image: header → HMAC → GCM → contents. The log is not judged (`logFault`).
 * `older` are this card's keys under earlier versions, if the reader has any: a buffer left from
 * before a rekey opens with them. Without them it counts as `shut`, which only costs two counters.
 */
export function openImage(
  image: Uint8Array,
  keys: CardKeys,
  older: readonly CardKeys[] = [],
): OpenCard | ImageFault {
  const seen = peek(image);
  if (typeof seen === "string") return seen;
  const tail = trailerOf(image);
  const trailer = decodeTrailer(tail);
  if (!trailer) return "trailer";
  const active = bufferOf(image, trailer.activePtr);
  if (!hasMac(tail, trailerMac(keys.authKey, active, tail))) return "hmac";
  const bytes = openBuffer(image, trailer.activePtr, keys, trailer.counterBind);
  if (!bytes) return "gcm";
  const plain = decodePlaintext(bytes);
  if (plain?.counter !== trailer.counterBind) return "content";
  const other = trailer.activePtr === 0 ? 1 : 0;
  return {
    image,
    plain,
    keyVersion: trailer.keyVersion,
    expiresAt: trailer.expiresAt,
    rootHash: trailer.rootHash,
    counterBind: trailer.counterBind,
    active: trailer.activePtr,
    inactive: inactiveOf(image, other, plain.counter, [keys, ...older]),
    torn: false,
  };
}
