/**
 * One-time codes of a second factor: TOTP (RFC 6238) over HMAC-SHA-1 (RFC 4226 §5.3), 6 digits, 30 s,
 * one step either side, and each step once. Keeping and sealing the secret is not here.
 *
 * Which steps are spent is one integer; older ones than two before the highest no longer match anyway:
 *
 *   spent = highest step × 4 | 2 if the step two before it is spent | 1 if the step before it is
 */
import { createHmac } from "node:crypto";

export const totpSecretBytes = 20;
const stepSec = 30;
const digits = 6;
const skewSteps = 1;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648 §6, without padding: as authenticator apps take a secret. */
export function base32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31];
  }
  return bits === 0 ? text : text + alphabet[(held << (5 - bits)) & 31];
}

export const stepOf = (nowSec: number): number => Math.floor(nowSec / stepSec);

/** The code of one step (RFC 4226 §5.3: dynamic truncation). */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const offset = mac.readUInt8(mac.length - 1) & 0xf;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

function isSpent(spent: number, step: number): boolean {
  const behind = Math.floor(spent / 4) - step;
  if (behind === 1 || behind === 2) return (spent & behind) !== 0;
  return behind >= 0;
}

function spend(spent: number, step: number): number {
  const highest = Math.floor(spent / 4);
  if (step <= highest) return spent | (highest - step);
  const ahead = step - highest;
  if (highest === 0 || ahead > 2) return step * 4;
  return step * 4 + (ahead === 1 ? 1 | ((spent & 1) << 1) : 2);
}

/**
 * What `spent` becomes when the code is good now, or undefined: wrong, or its step is spent.
 * @param spent 0 = nothing yet.
 */
export function spendCode(
  secret: Uint8Array,
  code: string,
  nowSec: number,
  spent: number,
): number | undefined {
  const now = stepOf(nowSec);
  for (const step of [now, now - skewSteps, now + skewSteps]) {
    if (totpCode(secret, step) === code && !isSpent(spent, step)) return spend(spent, step);
  }
  return undefined;
}

const issuer = "Kartu";

/** What an authenticator app takes as a QR code. */
export const otpauthUri = (email: string, secret: string): string =>
  `otpauth://totp/${issuer}:${encodeURIComponent(email)}?secret=${secret}&issuer=${issuer}` +
  `&algorithm=SHA1&digits=${digits}&period=${stepSec}`;
