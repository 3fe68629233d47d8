/**
 * Keys of one card under one session key: HKDF-SHA256 (RFC 5869), one block each.
 *
 *   encryptionKey = HKDF(sessionKey, salt = cardId (6), info = "enc", 32)
 *   authKey       = HKDF(sessionKey, salt = cardId (6), info = "auth", 32)
 *   nonce         = HKDF(sessionKey, salt = cardId (6) ‖ counter (8, LE), info = "nonce", 12)
 *
 * Written with keyed native hashers, which beat node's hkdfSync; the vectors pin the result.
 */
export interface CardKeys {
  /** 32 bytes, shared by all cards of a tenant and key version. */
  readonly sessionKey: Uint8Array;
  /** 6 bytes. */
  readonly cardId: Uint8Array;
  /** AES-256. */
  readonly encryptionKey: Uint8Array;
  /** HMAC-SHA256 of the trailer. */
  readonly authKey: Uint8Array;
}

const cardNonceBytes = 12;

// The single byte 01 that ends the first block of the expansion (RFC 5869 §2.3).
const encInfo = new TextEncoder().encode("enc\u0001");
const authInfo = new TextEncoder().encode("auth\u0001");
const nonceInfo = new TextEncoder().encode("nonce\u0001");

const hmac = (key: Uint8Array, data: Uint8Array): Uint8Array =>
  new Bun.CryptoHasher("sha256", key).update(data).digest();

/** @throws RangeError if the session key is not 32 bytes or the card id not 6. */
export function deriveCardKeys(sessionKey: Uint8Array, cardId: Uint8Array): CardKeys {
  if (sessionKey.length !== 32) throw new RangeError("sessionKey: 32 bytes expected");
  if (cardId.length !== 6) throw new RangeError("cardId: 6 bytes expected");
  const extract = hmac(cardId, sessionKey);
  return {
    sessionKey,
    cardId: cardId.slice(),
    encryptionKey: hmac(extract, encInfo),
    authKey: hmac(extract, authInfo),
  };
}

/** 12 bytes for the image with this counter, an integer 1 … 2^53−1; never used for two contents. */
export function deriveNonce(keys: CardKeys, counter: number): Uint8Array {
  const salt = new Uint8Array(14);
  salt.set(keys.cardId);
  new DataView(salt.buffer).setBigUint64(6, BigInt(counter), true);
  return hmac(hmac(salt, keys.sessionKey), nonceInfo).subarray(0, cardNonceBytes);
}
