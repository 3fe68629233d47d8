/**
 * Tokens that mean nothing by themselves: a prefix that says what they are for, and 32 random bytes.
 * Only SHA-256 of one is kept. Not the access token, which is a JWT.
 *
 *   rt_ refresh · st_ tenant choice · ev_ verify email · pr_ reset password · in_ invitation
 *   ak_ API key · lc_ code that an outside sign-in ends with · tk_ stream ticket
 *   cs_ secret of an application · oc_ code that it gets · os_ state · or_ request of a consent
 *
 *   token = prefix (3) | base64url without padding of 32 bytes (43)
 */
export const opaqueBytes = 32;

export type OpaquePrefix =
  | "rt_"
  | "st_"
  | "ev_"
  | "pr_"
  | "in_"
  | "ak_"
  | "lc_"
  | "tk_"
  | "cs_"
  | "oc_"
  | "os_";

/** @param bytes 32 random ones. */
export function opaqueToken(prefix: OpaquePrefix, bytes: Uint8Array): string {
  if (bytes.length !== opaqueBytes) throw new RangeError("opaque token: 32 bytes expected");
  return prefix + bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** 32 bytes: what is kept of a token, and what it is found by. */
export const hashOf = (token: string): Uint8Array =>
  new Bun.CryptoHasher("sha256").update(token).digest();

/** Whether the text has the form of a token for this use. */
export const isOpaque = (prefix: OpaquePrefix, text: string): boolean =>
  text.startsWith(prefix) && /^[A-Za-z0-9_-]{43}$/.test(text.slice(prefix.length));
