/** Statements on refresh families, their tokens, proofs, and on accounts where signing in changes them. */
import { statement } from "./statement.ts";

export interface SignInRow {
  user_no: number;
  uuid: string;
  email: string;
  name: string | null;
  locale: string;
  password_hash: string | null;
  email_verified_at_ms: number | null;
  mfa_sealed: Uint8Array | null;
  mfa_enabled: number;
  /** Which steps are spent: see `domain/totp.ts`. */
  mfa_step: number;
  remembered_tenant_id: number | null;
  last_login_at_ms: number | null;
  tokens_from_ms: number;
  created_at_ms: number;
  updated_at_ms: number;
  version: number;
}

const columns = `user_no, uuid, email, name, locale, password_hash, email_verified_at_ms, mfa_sealed,
  mfa_enabled, mfa_step, remembered_tenant_id, last_login_at_ms, tokens_from_ms, created_at_ms,
  updated_at_ms, version`;

export const signInByEmail = statement<[email: string], SignInRow>(
  "auth.byEmail",
  `SELECT ${columns} FROM user_account WHERE email = ?1`,
);

export const signInByNo = statement<[userNo: number], SignInRow>(
  "auth.byNo",
  `SELECT ${columns} FROM user_account WHERE user_no = ?1`,
);

export const signInPlaces = statement<
  [userNo: number],
  { tenant_id: number; status: "active" | "invited" | "blocked" | "deleted" }
>("auth.places", "SELECT tenant_id, status FROM membership WHERE user_no = ?1");

export const signedIn = statement<[userNo: number, atMs: number]>(
  "auth.signedIn",
  "UPDATE user_account SET last_login_at_ms = ?2 WHERE user_no = ?1",
);

export const signInRemember = statement<[userNo: number, tenantId: number]>(
  "auth.remember",
  "UPDATE user_account SET remembered_tenant_id = ?2 WHERE user_no = ?1",
);

/** Changes nothing if another sign-in was faster. */
export const signInStep = statement<[userNo: number, spentBefore: number, spent: number]>(
  "auth.step",
  "UPDATE user_account SET mfa_step = ?3 WHERE user_no = ?1 AND mfa_step = ?2",
);

export const userTokensFrom = statement<[userNo: number, fromMs: number]>(
  "auth.tokensFrom",
  "UPDATE user_account SET tokens_from_ms = max(tokens_from_ms, ?2) WHERE user_no = ?1",
);

export const memberTokensFrom = statement<[tenantId: number, userNo: number, fromMs: number]>(
  "auth.memberTokensFrom",
  `UPDATE membership SET tokens_from_ms = max(tokens_from_ms, ?3)
   WHERE tenant_id = ?1 AND user_no = ?2`,
);

export const recoveryCodes = statement<[userNo: number], { place: number; hash: string }>(
  "auth.recoveryCodes",
  "SELECT place, hash FROM recovery_code WHERE user_no = ?1 AND used_at_ms IS NULL",
);

export const recoverySpend = statement<[userNo: number, place: number, atMs: number]>(
  "auth.recoverySpend",
  `UPDATE recovery_code SET used_at_ms = ?3
   WHERE user_no = ?1 AND place = ?2 AND used_at_ms IS NULL`,
);

export const familyInsert = statement<
  [
    uuid: string,
    tenantId: number,
    userNo: number | null,
    clientNo: number | null,
    scopes: string | null,
    cookie: number,
    ip: string,
    userAgent: string,
    nowMs: number,
    expiresAtMs: number,
  ],
  { session_no: number }
>(
  "auth.familyInsert",
  `INSERT INTO session (uuid, tenant_id, user_no, client_no, scopes, cookie, ip, user_agent, created_at_ms,
     last_used_at_ms, expires_at_ms)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10) RETURNING session_no`,
);

export const familyUsed = statement<
  [sessionNo: number, ip: string, userAgent: string, nowMs: number, expiresAtMs: number]
>(
  "auth.familyUsed",
  `UPDATE session SET ip = ?2, user_agent = ?3, last_used_at_ms = ?4, expires_at_ms = ?5
   WHERE session_no = ?1`,
);

export interface FamilyRow {
  session_no: number;
  uuid: string;
  tenant_id: number;
  user_no: number | null;
  client_no: number | null;
  scopes: string | null;
  cookie: number;
}

/** Live families of a person, of one tenant or of all, of one application or of any. */
export const familiesOfUser = statement<
  [userNo: number, tenantId: number | null, clientNo: number | null],
  FamilyRow
>(
  "auth.familiesOfUser",
  `SELECT session_no, uuid, tenant_id, user_no, client_no, scopes, cookie FROM session
   WHERE user_no = ?1 AND revoked_at_ms IS NULL AND (?2 IS NULL OR tenant_id = ?2)
     AND (?3 IS NULL OR client_no = ?3)`,
);

export const familyRevoke = statement<[sessionNo: number, atMs: number]>(
  "auth.familyRevoke",
  "UPDATE session SET revoked_at_ms = ?2 WHERE session_no = ?1 AND revoked_at_ms IS NULL",
);

export interface RefreshRow extends FamilyRow {
  expires_at_ms: number;
  used_at_ms: number | null;
  grace: Uint8Array | null;
  revoked_at_ms: number | null;
}

export const refreshByHash = statement<[hash: Uint8Array], RefreshRow>(
  "auth.refreshByHash",
  `SELECT r.expires_at_ms, r.used_at_ms, g.sealed AS grace, s.session_no, s.uuid, s.tenant_id, s.user_no,
     s.client_no, s.scopes, s.cookie, s.revoked_at_ms
   FROM refresh_token AS r JOIN session AS s ON s.session_no = r.session_no
     LEFT JOIN refresh_grace AS g ON g.grace_no = r.grace_no
   WHERE r.hash = ?1`,
);

export const refreshInsert = statement<[hash: Uint8Array, sessionNo: number, expiresAtMs: number]>(
  "auth.refreshInsert",
  "INSERT INTO refresh_token (hash, session_no, expires_at_ms) VALUES (?1, ?2, ?3)",
);

/** Changes nothing if it was used before, or its family has ended. */
export const refreshUse = statement<[hash: Uint8Array, atMs: number, graceNo: number]>(
  "auth.refreshUse",
  `UPDATE refresh_token SET used_at_ms = ?2, grace_no = ?3
   WHERE hash = ?1 AND used_at_ms IS NULL AND EXISTS (
     SELECT 1 FROM session AS s
     WHERE s.session_no = refresh_token.session_no AND s.revoked_at_ms IS NULL)`,
);

export const graceInsert = statement<[usedAtMs: number, sealed: Uint8Array], { grace_no: number }>(
  "auth.graceInsert",
  "INSERT INTO refresh_grace (used_at_ms, sealed) VALUES (?1, ?2) RETURNING grace_no",
);

/** An answer is kept no longer than its grace lasts. */
export const gracePurge = statement<[usedUntilMs: number, limit: number]>(
  "auth.gracePurge",
  `DELETE FROM refresh_grace WHERE grace_no IN (
     SELECT grace_no FROM refresh_grace WHERE used_at_ms <= ?1 LIMIT ?2)`,
);

export const refreshPurge = statement<[lapsedUntilMs: number, limit: number]>(
  "auth.refreshPurge",
  `DELETE FROM refresh_token WHERE hash IN (
     SELECT hash FROM refresh_token WHERE expires_at_ms <= ?1 LIMIT ?2)`,
);

export const familyPurge = statement<[lapsedUntilMs: number, limit: number]>(
  "auth.familyPurge",
  `DELETE FROM session WHERE session_no IN (
     SELECT session_no FROM session WHERE expires_at_ms <= ?1 LIMIT ?2)`,
);

export type ProofKind = "verify" | "reset" | "choice" | "login" | "state";

export interface ProofRow {
  user_no: number | null;
  data: string;
  expires_at_ms: number;
  used_at_ms: number | null;
}

export const proofInsert = statement<
  [
    hash: Uint8Array,
    kind: ProofKind,
    userNo: number | null,
    data: string,
    expiresAtMs: number,
    nowMs: number,
  ]
>(
  "auth.proofInsert",
  `INSERT INTO proof (hash, kind, user_no, data, expires_at_ms, created_at_ms)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
);

export const proofByHash = statement<[hash: Uint8Array, kind: ProofKind], ProofRow>(
  "auth.proofByHash",
  "SELECT user_no, data, expires_at_ms, used_at_ms FROM proof WHERE hash = ?1 AND kind = ?2",
);

/** Changes nothing if it was used before. */
export const proofUse = statement<[hash: Uint8Array, kind: ProofKind, atMs: number]>(
  "auth.proofUse",
  "UPDATE proof SET used_at_ms = ?3 WHERE hash = ?1 AND kind = ?2 AND used_at_ms IS NULL",
);

/** Every open one of a kind that a person has is used up. */
export const proofsEnd = statement<[userNo: number, kind: ProofKind, atMs: number]>(
  "auth.proofsEnd",
  "UPDATE proof SET used_at_ms = ?3 WHERE user_no = ?1 AND kind = ?2 AND used_at_ms IS NULL",
);

export const proofPurge = statement<[lapsedUntilMs: number, limit: number]>(
  "auth.proofPurge",
  `DELETE FROM proof WHERE hash IN (
     SELECT hash FROM proof WHERE expires_at_ms <= ?1 LIMIT ?2)`,
);

export const keyByHash = statement<[hash: Uint8Array], { uuid: string }>(
  "auth.keyByHash",
  "SELECT uuid FROM api_key WHERE hash = ?1",
);

export const keyUsed = statement<[apiKeyNo: number, atMs: number]>(
  "auth.keyUsed",
  "UPDATE api_key SET last_used_at_ms = ?2 WHERE api_key_no = ?1",
);
