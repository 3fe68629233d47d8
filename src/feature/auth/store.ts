/** Refresh families, proofs and what signing in changes of an account, as rows. */
import * as sql from "../../../schema/query/auth.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export type { ProofKind } from "../../../schema/query/auth.ts";

/** A person as signing in sees them. */
export interface SignInUser {
  readonly userNo: number;
  readonly uuid: string;
  readonly email: string;
  readonly name: string | null;
  readonly locale: string;
  /** Argon2id; null until a password is set. */
  readonly passwordHash: string | null;
  readonly emailVerifiedAtMs: number | null;
  readonly mfaSealed: Uint8Array | null;
  readonly mfaEnabled: boolean;
  /** Which steps are spent: see `domain/totp.ts`. */
  readonly mfaSpent: number;
  readonly rememberedTenantId: number | null;
  readonly lastLoginAtMs: number | null;
  readonly tokensFromMs: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly version: number;
}

const userOf = (row: sql.SignInRow): SignInUser => ({
  userNo: row.user_no,
  uuid: row.uuid,
  email: row.email,
  name: row.name,
  locale: row.locale,
  passwordHash: row.password_hash,
  emailVerifiedAtMs: row.email_verified_at_ms,
  mfaSealed: row.mfa_sealed,
  mfaEnabled: row.mfa_enabled === 1,
  mfaSpent: row.mfa_step,
  rememberedTenantId: row.remembered_tenant_id,
  lastLoginAtMs: row.last_login_at_ms,
  tokensFromMs: row.tokens_from_ms,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
  version: row.version,
});

export async function userByEmail(q: Reader, email: string): Promise<SignInUser | undefined> {
  const row = await q.get(sql.signInByEmail, email);
  return row && userOf(row);
}

export async function userByNo(q: Reader, userNo: number): Promise<SignInUser | undefined> {
  const row = await q.get(sql.signInByNo, userNo);
  return row && userOf(row);
}

export const placesOf = (
  q: Reader,
  userNo: number,
): Promise<{ tenant_id: number; status: "active" | "invited" | "blocked" | "deleted" }[]> =>
  q.all(sql.signInPlaces, userNo);

export async function markSignedIn(tx: Writer, userNo: number, nowMs: number): Promise<void> {
  await tx.run(sql.signedIn, userNo, nowMs);
}

export async function rememberTenant(tx: Writer, userNo: number, tenantId: number): Promise<void> {
  await tx.run(sql.signInRemember, userNo, tenantId);
}

/** False if another sign-in spent a step meanwhile. */
export const spendStep = async (
  tx: Writer,
  { userNo, mfaSpent }: SignInUser,
  spent: number,
): Promise<boolean> => (await tx.run(sql.signInStep, userNo, mfaSpent, spent)) === 1;

export async function endTokens(
  tx: Writer,
  userNo: number,
  tenantId: number | null,
  untilMs: number,
): Promise<void> {
  if (tenantId === null) await tx.run(sql.userTokensFrom, userNo, untilMs);
  else await tx.run(sql.memberTokensFrom, tenantId, userNo, untilMs);
}

/** Unused ones. */
export const codesOf = (q: Reader, userNo: number): Promise<{ place: number; hash: string }[]> =>
  q.all(sql.recoveryCodes, userNo);

/** False if it was used meanwhile. */
export const spendCodeAt = async (
  tx: Writer,
  userNo: number,
  place: number,
  nowMs: number,
): Promise<boolean> => (await tx.run(sql.recoverySpend, userNo, place, nowMs)) === 1;

/** A refresh family. */
export interface Family {
  readonly sessionNo: number;
  readonly sid: string;
  readonly tenantId: number;
  /** Null for an application that calls by itself. */
  readonly userNo: number | null;
  readonly clientNo: number | null;
  readonly scopes: readonly string[] | null;
  readonly cookie: boolean;
}

const familyOf = (row: sql.FamilyRow): Family => ({
  sessionNo: row.session_no,
  sid: row.uuid,
  tenantId: row.tenant_id,
  userNo: row.user_no,
  clientNo: row.client_no,
  scopes: row.scopes === null ? null : (JSON.parse(row.scopes) as string[]),
  cookie: row.cookie === 1,
});

export interface NewFamily extends Omit<Family, "sessionNo"> {
  readonly ip: string;
  readonly userAgent: string;
}

export async function insertFamily(
  tx: Writer,
  family: NewFamily,
  nowMs: number,
  expiresAtMs: number,
): Promise<number> {
  const { scopes } = family;
  const row = await tx.get(
    sql.familyInsert,
    family.sid,
    family.tenantId,
    family.userNo,
    family.clientNo,
    scopes === null ? null : JSON.stringify(scopes),
    family.cookie ? 1 : 0,
    family.ip,
    family.userAgent,
    nowMs,
    expiresAtMs,
  );
  if (row === undefined) throw new RangeError("session: nothing inserted");
  return row.session_no;
}

export async function markFamilyUsed(
  tx: Writer,
  sessionNo: number,
  { ip, userAgent }: { readonly ip: string; readonly userAgent: string },
  nowMs: number,
  expiresAtMs: number,
): Promise<void> {
  await tx.run(sql.familyUsed, sessionNo, ip, userAgent, nowMs, expiresAtMs);
}

/** Live ones; null = of every tenant, of any application or none. */
export async function familiesOf(
  q: Reader,
  userNo: number,
  tenantId: number | null,
  clientNo: number | null,
): Promise<Family[]> {
  return (await q.all(sql.familiesOfUser, userNo, tenantId, clientNo)).map(familyOf);
}

/** False if it had ended before. */
export const endFamily = async (tx: Writer, sessionNo: number, nowMs: number): Promise<boolean> =>
  (await tx.run(sql.familyRevoke, sessionNo, nowMs)) === 1;

export interface RefreshToken {
  readonly family: Family;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
  /** The answer of its first use, sealed; null once it is dropped. */
  readonly grace: Uint8Array | null;
  readonly isRevoked: boolean;
}

export async function findRefresh(q: Reader, hash: Uint8Array): Promise<RefreshToken | undefined> {
  const row = await q.get(sql.refreshByHash, hash);
  return (
    row && {
      family: familyOf(row),
      expiresAtMs: row.expires_at_ms,
      usedAtMs: row.used_at_ms,
      grace: row.grace,
      isRevoked: row.revoked_at_ms !== null,
    }
  );
}

export async function insertRefresh(
  tx: Writer,
  hash: Uint8Array,
  sessionNo: number,
  expiresAtMs: number,
): Promise<void> {
  await tx.run(sql.refreshInsert, hash, sessionNo, expiresAtMs);
}

/**
 * False if it was used before, or its family has ended.
 * @param grace the answer of this use, sealed.
 */
export async function useRefresh(
  tx: Writer,
  hash: Uint8Array,
  nowMs: number,
  grace: Uint8Array,
): Promise<boolean> {
  const kept = await tx.get(sql.graceInsert, nowMs, grace);
  if (kept === undefined) throw new RangeError("refresh_grace: nothing inserted");
  return (await tx.run(sql.refreshUse, hash, nowMs, kept.grace_no)) === 1;
}

/** Each tells how many rows it changed. */
export const purgeGraces = (tx: Writer, usedUntilMs: number, limit: number): Promise<number> =>
  tx.run(sql.gracePurge, usedUntilMs, limit);
export const purgeRefresh = (tx: Writer, untilMs: number, limit: number): Promise<number> =>
  tx.run(sql.refreshPurge, untilMs, limit);
export const purgeFamilies = (tx: Writer, untilMs: number, limit: number): Promise<number> =>
  tx.run(sql.familyPurge, untilMs, limit);
export const purgeProofs = (tx: Writer, untilMs: number, limit: number): Promise<number> =>
  tx.run(sql.proofPurge, untilMs, limit);

export interface NewProof {
  readonly hash: Uint8Array;
  readonly kind: sql.ProofKind;
  readonly userNo: number | null;
  /** JSON text. */
  readonly data: string;
  readonly expiresAtMs: number;
}

export async function insertProof(tx: Writer, p: NewProof, nowMs: number): Promise<void> {
  await tx.run(sql.proofInsert, p.hash, p.kind, p.userNo, p.data, p.expiresAtMs, nowMs);
}

export interface Proof {
  readonly userNo: number | null;
  /** JSON text. */
  readonly data: string;
  readonly expiresAtMs: number;
  readonly isUsed: boolean;
}

export async function findProof(
  q: Reader,
  kind: sql.ProofKind,
  hash: Uint8Array,
): Promise<Proof | undefined> {
  const row = await q.get(sql.proofByHash, hash, kind);
  return (
    row && {
      userNo: row.user_no,
      data: row.data,
      expiresAtMs: row.expires_at_ms,
      isUsed: row.used_at_ms !== null,
    }
  );
}

/** False if it was used before. */
export const spendProof = async (
  tx: Writer,
  kind: sql.ProofKind,
  hash: Uint8Array,
  nowMs: number,
): Promise<boolean> => (await tx.run(sql.proofUse, hash, kind, nowMs)) === 1;

export async function endProofs(
  tx: Writer,
  kind: sql.ProofKind,
  userNo: number,
  nowMs: number,
): Promise<void> {
  await tx.run(sql.proofsEnd, userNo, kind, nowMs);
}

export const keyWithHash = async (q: Reader, hash: Uint8Array): Promise<string | undefined> =>
  (await q.get(sql.keyByHash, hash))?.uuid;

export async function markKeyUsed(tx: Writer, apiKeyNo: number, nowMs: number): Promise<void> {
  await tx.run(sql.keyUsed, apiKeyNo, nowMs);
}
