/** Secrets and tokens of devices as rows; of either only the hash is there. */
import {
  type CredentialRow,
  credentialByDeviceId,
  secretInsert,
  secretSpend,
  secretsKill,
  type TokenRow,
  tokenByHash,
  tokenFirstTenant,
  tokenInsert,
  tokenSeen,
  tokensRevoke,
  tokenUse,
} from "../../../schema/query/token.ts";
import type { Reader, Writer } from "../../store/seam.ts";

/** A device of the whole server with its live secret, if it has one. */
export const findCredential = (q: Reader, deviceId: string): Promise<CredentialRow | undefined> =>
  q.get(credentialByDeviceId, deviceId);

export const findToken = (q: Reader, tokenHash: Uint8Array): Promise<TokenRow | undefined> =>
  q.get(tokenByHash, tokenHash);

/** @throws Error before the first tenant is made. */
export async function firstTenant(q: Reader): Promise<number> {
  const row = await q.get(tokenFirstTenant);
  if (row === undefined) throw new Error("there is no tenant");
  return row.tenant_id;
}

export async function insertSecret(
  tx: Writer,
  tenantId: number,
  deviceNo: number,
  secretHash: Uint8Array,
  nowMs: number,
  expiresAtSec: number,
): Promise<void> {
  await tx.run(secretInsert, tenantId, deviceNo, secretHash, nowMs, expiresAtSec);
}

export async function killSecrets(tx: Writer, deviceNo: number, nowMs: number): Promise<void> {
  await tx.run(secretsKill, deviceNo, nowMs);
}

export async function spendSecret(tx: Writer, secretNo: number, nowMs: number): Promise<void> {
  await tx.run(secretSpend, secretNo, nowMs);
}

export interface NewToken {
  readonly tokenHash: Uint8Array;
  readonly tenantId: number;
  readonly deviceNo: number;
  readonly secretNo: number;
  readonly issuedAtMs: number;
  readonly expiresAtSec: number;
}

export async function insertToken(tx: Writer, t: NewToken): Promise<void> {
  await tx.run(
    tokenInsert,
    t.tokenHash,
    t.tenantId,
    t.deviceNo,
    t.secretNo,
    t.issuedAtMs,
    t.expiresAtSec,
  );
}

export async function revokeTokens(tx: Writer, deviceNo: number, nowMs: number): Promise<void> {
  await tx.run(tokensRevoke, deviceNo, nowMs);
}

/** True if this was the first use of a token that is still alive. */
export async function markUsed(tx: Writer, tokenHash: Uint8Array, nowMs: number): Promise<boolean> {
  return (await tx.run(tokenUse, tokenHash, nowMs)) === 1;
}

/** When devices called last; a later moment that is there already stays. */
export const writeSeen = (
  tx: Writer,
  seen: readonly [deviceNo: number, seenAtMs: number][],
): Promise<void> => tx.many(tokenSeen, seen);
