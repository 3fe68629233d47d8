/**
 * A secret at rest: XChaCha20-Poly1305 under the master key, with a fresh random nonce a value and the
 * place of the value as associated data, so that a sealed value moved elsewhere does not open.
 *
 *   sealed = nonce (24) | ciphertext (as long as the plaintext) | tag (16)
 *   associated data = UTF-8 of "<table>/<row>/<column>"
 *
 * Frozen: stored values depend on it.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";

export const sealNonceBytes = 24;
const tagBytes = 16;

/** A sealed value that is not what was sealed: another key, another place, or damage. */
export class SealBroken extends Error {
  override readonly name = "SealBroken";
}

export interface SealPlace {
  readonly table: string;
  /** What identifies the row for ever. */
  readonly row: string;
  readonly column: string;
}

/** @param nonce 24 random bytes, never used twice under one key. */
export function seal(
  masterKey: Uint8Array,
  nonce: Uint8Array,
  place: SealPlace,
  plaintext: Uint8Array,
): Uint8Array {
  const sealed = new Uint8Array(sealNonceBytes + plaintext.length + tagBytes);
  sealed.set(nonce);
  const body = xchacha20poly1305(masterKey, nonce, placeBytes(place)).encrypt(plaintext);
  sealed.set(body, sealNonceBytes);
  return sealed;
}

/** The plaintext; the caller wipes it. @throws SealBroken */
export function unseal(masterKey: Uint8Array, place: SealPlace, sealed: Uint8Array): Uint8Array {
  if (sealed.length < sealNonceBytes + tagBytes) throw new SealBroken("sealed value is too short");
  const nonce = sealed.subarray(0, sealNonceBytes);
  const cipher = xchacha20poly1305(masterKey, nonce, placeBytes(place));
  try {
    return cipher.decrypt(sealed.subarray(sealNonceBytes));
  } catch {
    // Which check failed tells an attacker something and an operator nothing.
    throw new SealBroken(`the master key does not open ${place.table}.${place.column}`);
  }
}

/** As far as JavaScript lets us: copies that the runtime made stay until they are collected. */
export const wipe = (secret: Uint8Array): void => {
  secret.fill(0);
};

const placeBytes = ({ table, row, column }: SealPlace): Uint8Array =>
  new TextEncoder().encode(`${table}/${row}/${column}`);
