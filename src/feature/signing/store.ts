/** Signing keys as rows; the private halves are sealed. */
import {
  type SigningKeyRow,
  signingKeyInsert,
  signingKeyRetire,
  signingKeys,
} from "../../../schema/query/signing.ts";
import type { Reader, Writer } from "../../store/seam.ts";

/** Live keys whose kid starts with `prefix` (empty: all), oldest first. */
export const liveKeys = (q: Reader, prefix: string): Promise<SigningKeyRow[]> =>
  q.all(signingKeys, prefix, `${prefix}\u{10ffff}`);

export async function insertKey(
  tx: Writer,
  kid: string,
  publicJwk: string,
  sealedPrivate: Uint8Array,
  nowMs: number,
): Promise<void> {
  await tx.run(signingKeyInsert, kid, publicJwk, sealedPrivate, nowMs);
}

export async function retireKey(tx: Writer, kid: string, nowMs: number): Promise<void> {
  await tx.run(signingKeyRetire, kid, nowMs);
}
