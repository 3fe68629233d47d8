/**
 * The session key of a tenant and key version: one key for every device and grant of it.
 *
 *   secret     = 32 random bytes of the key version, kept only sealed
 *   sessionKey = HKDF-SHA256(ikm = secret, salt = tenant uuid (16 bytes),
 *                            info = "kartu session key v1" | version (1 byte), 32 bytes)
 *
 * Frozen: every card in the field is encrypted under keys derived from it.
 */
import { hkdfSync } from "node:crypto";
import { keyVersionMax } from "../../schema/bound.ts";

export const keySecretBytes = 32;
const sessionKeyBytes = 32;

const label = new TextEncoder().encode("kartu session key v1");

/** @param tenant 16 bytes. @throws RangeError on a version outside 1 … 255. */
export function deriveSessionKey(
  secret: Uint8Array,
  tenant: Uint8Array,
  version: number,
): Uint8Array {
  if (!Number.isInteger(version) || version < 1 || version > keyVersionMax) {
    throw new RangeError("version: 1 to 255 expected");
  }
  const info = new Uint8Array(label.length + 1);
  info.set(label);
  info[label.length] = version;
  return new Uint8Array(hkdfSync("sha256", secret, tenant, info, sessionKeyBytes));
}
