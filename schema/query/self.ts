/** Statements on what a person changes about themselves, and their families as they see them. */
import { statement } from "./statement.ts";

export const selfProfile = statement<
  [userNo: number, name: string | null, locale: string, nowMs: number]
>(
  "self.profile",
  `UPDATE user_account SET name = ?2, locale = ?3, updated_at_ms = ?4, version = version + 1
   WHERE user_no = ?1`,
);

/** A changed email is unverified again. */
export const selfEmail = statement<[userNo: number, email: string, nowMs: number]>(
  "self.email",
  `UPDATE user_account SET email = ?2, email_verified_at_ms = NULL, updated_at_ms = ?3
   WHERE user_no = ?1`,
);

/** Changes nothing if the email is another by now. */
export const selfVerified = statement<[userNo: number, email: string, nowMs: number]>(
  "self.verified",
  `UPDATE user_account SET email_verified_at_ms = coalesce(email_verified_at_ms, ?3), updated_at_ms = ?3
   WHERE user_no = ?1 AND email = ?2`,
);

/** Changes nothing if the password is another by now. */
export const selfPassword = statement<
  [userNo: number, hashBefore: string | null, hash: string, nowMs: number]
>(
  "self.password",
  `UPDATE user_account SET password_hash = ?3, updated_at_ms = ?4
   WHERE user_no = ?1 AND password_hash IS ?2`,
);

/** A secret that is not in force yet; changes nothing once one is. */
export const selfFactor = statement<[userNo: number, sealed: Uint8Array, nowMs: number]>(
  "self.factor",
  `UPDATE user_account SET mfa_sealed = ?2, mfa_step = 0, updated_at_ms = ?3
   WHERE user_no = ?1 AND mfa_enabled = 0`,
);

export const selfFactorOn = statement<[userNo: number, nowMs: number]>(
  "self.factorOn",
  `UPDATE user_account SET mfa_enabled = 1, updated_at_ms = ?2
   WHERE user_no = ?1 AND mfa_enabled = 0 AND mfa_sealed IS NOT NULL`,
);

export const selfFactorOff = statement<[userNo: number, nowMs: number]>(
  "self.factorOff",
  `UPDATE user_account SET mfa_enabled = 0, mfa_sealed = NULL, mfa_step = 0, updated_at_ms = ?2
   WHERE user_no = ?1 AND mfa_enabled = 1`,
);

export const selfCodesClear = statement<[userNo: number]>(
  "self.codesClear",
  "DELETE FROM recovery_code WHERE user_no = ?1",
);

export const selfCodeInsert = statement<[userNo: number, place: number, hash: string]>(
  "self.codeInsert",
  "INSERT INTO recovery_code (user_no, place, hash) VALUES (?1, ?2, ?3)",
);

export const selfCodesLeft = statement<[userNo: number], { count: number }>(
  "self.codesLeft",
  "SELECT count(*) AS count FROM recovery_code WHERE user_no = ?1 AND used_at_ms IS NULL",
);

export interface SessionListRow {
  session_no: number;
  uuid: string;
  ip: string;
  user_agent: string;
  created_at_ms: number;
  last_used_at_ms: number;
}

/** Live families of a person, newest first, below a number. */
export const selfSessions = statement<
  [userNo: number, nowMs: number, belowNo: number, limit: number],
  SessionListRow
>(
  "self.sessions",
  `SELECT session_no, uuid, ip, user_agent, created_at_ms, last_used_at_ms FROM session
   WHERE user_no = ?1 AND revoked_at_ms IS NULL AND expires_at_ms > ?2 AND session_no < ?3
   ORDER BY session_no DESC LIMIT ?4`,
);

export const selfSessionCount = statement<[userNo: number, nowMs: number], { count: number }>(
  "self.sessionCount",
  `SELECT count(*) AS count FROM session
   WHERE user_no = ?1 AND revoked_at_ms IS NULL AND expires_at_ms > ?2`,
);

export const selfSession = statement<
  [userNo: number, uuid: string],
  { session_no: number; tenant_id: number }
>(
  "self.session",
  `SELECT session_no, tenant_id FROM session
   WHERE uuid = ?2 AND user_no = ?1 AND revoked_at_ms IS NULL`,
);
