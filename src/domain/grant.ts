/**
 * A session grant as bytes: the order of the operations, what exactly is signed, and whether a
 * signature holds. Issuing (which ops, how long, storing it) is not here.
 *
 * Signed with ECDSA P-256/SHA-256, raw r‖s (64 bytes), over the RFC 8785 (JCS) form of the four
 * fields, in the order of their names, without spaces:
 *
 *   {"allowedOps":["read",…],"expiresAt":<integer>,"keyVersion":<integer>,"sessionKey":"<base64>"}
 */
import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** Operations in the order in which a grant lists them; bit i of a mask is `OPS[i]`. */
export const OPS = ["read", "debit", "checkin", "checkout", "topup", "reissue", "block"] as const;
export type Op = (typeof OPS)[number];

export interface Grant {
  readonly allowedOps: readonly Op[];
  /** UTC seconds. */
  readonly expiresAt: number;
  readonly keyVersion: number;
  /** 32 bytes in standard base64 with padding. */
  readonly sessionKey: string;
}

export interface SignedGrant extends Grant {
  /** 64 bytes r‖s in standard base64 with padding. */
  readonly signature: string;
}

/** The mask of a list of operations, in any order. */
export function opsMask(ops: readonly Op[]): number {
  let mask = 0;
  for (const op of ops) mask |= 1 << OPS.indexOf(op);
  return mask;
}

/** The operations of a mask, in the order of `OPS`. */
export const opsOf = (mask: number): Op[] => OPS.filter((_, bit) => (mask & (1 << bit)) !== 0);

/**
 * The signed text. Base64, digits and the words of `OPS` need no escape in JSON, so concatenation is
 * the canonical form; numbers are integers below 2^53, which JCS writes as JavaScript does.
 */
export function grantText(grant: Grant): string {
  const ops = grant.allowedOps.length === 0 ? "" : `"${grant.allowedOps.join('","')}"`;
  return (
    `{"allowedOps":[${ops}],"expiresAt":${grant.expiresAt},` +
    `"keyVersion":${grant.keyVersion},"sessionKey":"${grant.sessionKey}"}`
  );
}

/** UTF-8 of `grantText`. */
export const grantBytes = (grant: Grant): Uint8Array => new TextEncoder().encode(grantText(grant));

/** The members of a public P-256 JWK (RFC 7517) that matter here. */
export interface GrantJwk {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y: string;
  readonly kid?: string;
}

/** Public key of a JWK of kty EC, crv P-256. @throws on any other or malformed key. */
export function grantKey(jwk: GrantJwk): KeyObject {
  const { kty, crv, x, y } = jwk;
  if (kty !== "EC" || crv !== "P-256") throw new TypeError("jwk: EC P-256 expected");
  return createPublicKey({ key: { kty, crv, x, y }, format: "jwk" });
}

const base64Bytes = (text: string): Uint8Array =>
  Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });

/** Only such a grant has one text: a stray quote in a field could spell another grant's bytes. */
const isWellFormed = (grant: Grant): boolean =>
  grant.allowedOps.every((op) => OPS.includes(op)) &&
  Number.isSafeInteger(grant.expiresAt) &&
  Number.isSafeInteger(grant.keyVersion) &&
  base64Bytes(grant.sessionKey).length === 32;

/** True if the signature is this key's over exactly these four fields. Never throws. */
export function verifyGrant(grant: SignedGrant, key: KeyObject): boolean {
  try {
    const signature = base64Bytes(grant.signature);
    if (signature.length !== 64 || !isWellFormed(grant)) return false;
    return verify("sha256", grantBytes(grant), { key, dsaEncoding: "ieee-p1363" }, signature);
  } catch {
    return false;
  }
}
