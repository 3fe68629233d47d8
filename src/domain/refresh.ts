/**
 * What a used refresh token keeps for its few seconds of grace: the answer that its first use gave,
 * readable only by who shows the old token again. Layout version 1:
 *
 *   key   = HKDF-SHA-256 (RFC 5869), input: the old token as ASCII, no salt,
 *           info "kartu refresh grace 1", 32 bytes
 *   grace = nonce (12) | AES-256-GCM ciphertext (as long as the plaintext) | tag (16)
 *   plaintext = UTF-8 of the JSON that `Grace` describes
 *
 * AES comes from the runtime: this is sealed at every refresh, and the key is used for one value only.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

export interface Grace {
  /** Body of the answer, as text: it is repeated byte by byte. */
  readonly body: string;
  /** The new refresh token where it went into a cookie, else null. */
  readonly cookie: string | null;
}

export const graceNonceBytes = 12;
const tagBytes = 16;
const algorithm = "aes-256-gcm";
const info = "kartu refresh grace 1";

const graceKey = (oldToken: string): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", oldToken, "", info, 32));

/** @param nonce 12 random bytes. */
export function sealGrace(oldToken: string, nonce: Uint8Array, grace: Grace): Uint8Array {
  const cipher = createCipheriv(algorithm, graceKey(oldToken), nonce);
  const body = cipher.update(JSON.stringify([grace.body, grace.cookie]), "utf8");
  return Buffer.concat([nonce, body, cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error if it was sealed under another token, or is damaged. */
export function openGrace(oldToken: string, sealed: Uint8Array): Grace {
  const end = sealed.length - tagBytes;
  const cipher = createDecipheriv(
    algorithm,
    graceKey(oldToken),
    sealed.subarray(0, graceNonceBytes),
  );
  cipher.setAuthTag(sealed.subarray(end));
  const text = Buffer.concat([
    cipher.update(sealed.subarray(graceNonceBytes, end)),
    cipher.final(),
  ]).toString();
  const [body, cookie] = JSON.parse(text) as [string, string | null];
  return { body, cookie };
}
