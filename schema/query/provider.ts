/** Statements on `identity_link`, and on what a person had before they proved to own their address. */
import { statement } from "./statement.ts";

export const linkOf = statement<[providerId: string, subject: string], { user_no: number }>(
  "provider.link",
  "SELECT user_no FROM identity_link WHERE provider_id = ?1 AND subject = ?2",
);

export const linkInsert = statement<
  [providerId: string, subject: string, userNo: number, nowMs: number]
>(
  "provider.linkInsert",
  `INSERT INTO identity_link (provider_id, subject, user_no, created_at_ms)
   VALUES (?1, ?2, ?3, ?4)`,
);

export const linksDelete = statement<[userNo: number]>(
  "provider.linksDelete",
  "DELETE FROM identity_link WHERE user_no = ?1",
);

/** Password and second factor go; the address counts as proved. */
export const accountStrip = statement<[userNo: number, nowMs: number]>(
  "provider.accountStrip",
  `UPDATE user_account SET password_hash = NULL, mfa_sealed = NULL, mfa_enabled = 0,
     remembered_tenant_id = NULL, email_verified_at_ms = ?2, updated_at_ms = ?2, version = version + 1
   WHERE user_no = ?1`,
);

export const recoveryDelete = statement<[userNo: number]>(
  "provider.recoveryDelete",
  "DELETE FROM recovery_code WHERE user_no = ?1",
);

/** Where the person is in, or was asked to be. */
export const placesOf = statement<[userNo: number], { tenant_id: number }>(
  "provider.places",
  "SELECT tenant_id FROM membership WHERE user_no = ?1 AND status <> 'deleted'",
);
