/** Statements on `mail_outbox`, the letters on their way. */
import { statement } from "./statement.ts";

export const mailInsert = statement<
  [
    uuid: string,
    tenantId: number | null,
    recipient: string,
    sealedLetter: Uint8Array,
    nowMs: number,
  ]
>(
  "mail.insert",
  `INSERT INTO mail_outbox (uuid, tenant_id, recipient, sealed_letter, attempts, next_at_ms, created_at_ms)
   VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5)`,
);

export interface MailRow {
  mail_no: number;
  uuid: string;
  recipient: string;
  sealed_letter: Uint8Array;
  attempts: number;
  created_at_ms: number;
}

export const mailDue = statement<[nowMs: number, limit: number], MailRow>(
  "mail.due",
  `SELECT mail_no, uuid, recipient, sealed_letter, attempts, created_at_ms FROM mail_outbox
   WHERE next_at_ms <= ?1 ORDER BY next_at_ms LIMIT ?2`,
);

export const mailDelete = statement<[mailNo: number]>(
  "mail.delete",
  "DELETE FROM mail_outbox WHERE mail_no = ?1",
);

export const mailRetry = statement<[mailNo: number, nextAtMs: number]>(
  "mail.retry",
  "UPDATE mail_outbox SET attempts = attempts + 1, next_at_ms = ?2 WHERE mail_no = ?1",
);

export const mailWaiting = statement<[], { count: number }>(
  "mail.waiting",
  "SELECT count(*) AS count FROM mail_outbox",
);
