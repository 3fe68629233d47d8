/**
 * The last 64 bytes of a card: which buffer holds, and the proof. Reading one proves nothing; the
 * image compares `trailerMac` and opens the buffer with its tag. Little-endian:
 *
 *   0 expiresAt 4 (0 = never)   4 keyVersion 1   5 activePtr 1 (0 = A, 1 = B)
 *   6 rootHash 6                12 counterBind 8
 *   20 tagA 16                  36 tagB 16        (outside the HMAC: GCM guards them)
 *   52 hmac 8                   60 zero 4
 *
 *   hmac = HMAC-SHA256(authKey, activeBuffer (210) ‖ expiresAt (4) ‖ keyVersion (1) ‖
 *                      rootHash (6) ‖ counterBind (8) ‖ activePtr (1))[0..7]
 */
import { safeIntegerMax } from "../../schema/bound.ts";
import { read48, write48 } from "./chain.ts";

export const trailerBytes = 64;
export const tagBytes = 16;
const macAt = 52;
const macBytes = 8;

/** 0 = buffer A, 1 = buffer B. */
export type BufferPtr = 0 | 1;

export interface Trailer {
  readonly expiresAt: number;
  readonly keyVersion: number;
  readonly activePtr: BufferPtr;
  /** 48 bits. */
  readonly rootHash: number;
  readonly counterBind: number;
}

export const tagAt = (ptr: BufferPtr): number => 20 + ptr * tagBytes;

/** Writes the fields before the tags; tags, hmac and the last four bytes stay as they are. */
export function encodeTrailer(trailer: Trailer, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, trailerBytes);
  view.setUint32(0, trailer.expiresAt, true);
  bytes[4] = trailer.keyVersion;
  bytes[5] = trailer.activePtr;
  write48(bytes, 6, trailer.rootHash);
  view.setBigUint64(12, BigInt(trailer.counterBind), true);
}

/**
 * The fields of 64 bytes, or null if a pointer or counter is impossible. A torn one may decode to a
 * mixture of two writes.
 */
export function decodeTrailer(bytes: Uint8Array): Trailer | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, trailerBytes);
  const counterBind = Number(view.getBigUint64(12, true));
  const activePtr = view.getUint8(5);
  if (activePtr > 1 || counterBind > safeIntegerMax) return null;
  return {
    expiresAt: view.getUint32(0, true),
    keyVersion: view.getUint8(4),
    activePtr: activePtr as BufferPtr,
    rootHash: read48(bytes, 6),
    counterBind,
  };
}

/** The 8 bytes that bind the active buffer (210) to the trailer. */
export function trailerMac(
  authKey: Uint8Array,
  active: Uint8Array,
  trailer: Uint8Array,
): Uint8Array {
  return new Bun.CryptoHasher("sha256", authKey)
    .update(active)
    .update(trailer.subarray(0, 5))
    .update(trailer.subarray(6, 20))
    .update(trailer.subarray(5, 6))
    .digest()
    .subarray(0, macBytes);
}

export const setMac = (trailer: Uint8Array, mac: Uint8Array): void => trailer.set(mac, macAt);

/** True if the trailer carries this mac; looks at every byte whatever it finds. */
export function hasMac(trailer: Uint8Array, mac: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < macBytes; i += 1) {
    difference |= (trailer[macAt + i] as number) ^ (mac[i] as number);
  }
  return difference === 0;
}
