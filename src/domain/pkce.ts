/**
 * Proof Key for Code Exchange (RFC 7636), method S256 alone: who began a sign-in is who ends it. Making
 * verifiers is not here.
 *
 *   challenge = base64url( SHA-256( ASCII of the verifier ) ), 43 characters, no padding
 */
import { createHash, timingSafeEqual } from "node:crypto";

/** What a challenge by S256 looks like. */
export const isChallenge = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text);

/** RFC 7636 §4.1. */
export const isVerifier = (text: string): boolean => /^[A-Za-z0-9._~-]{43,128}$/.test(text);

/** The S256 challenge of a verifier. */
export const challengeOf = (verifier: string): string =>
  createHash("sha256").update(verifier, "ascii").digest("base64url");

/** Whether this verifier is the one behind the challenge. */
export function provesChallenge(verifier: string, challenge: string): boolean {
  if (!isVerifier(verifier) || !isChallenge(challenge)) return false;
  return timingSafeEqual(Buffer.from(challengeOf(verifier)), Buffer.from(challenge));
}
