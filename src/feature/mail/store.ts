/** Letters on their way, as rows. */
import {
  type MailRow,
  mailDelete,
  mailDue,
  mailInsert,
  mailRetry,
  mailWaiting,
} from "../../../schema/query/mail.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export interface Waiting {
  readonly mailNo: number;
  readonly uuid: string;
  readonly recipient: string;
  readonly sealedLetter: Uint8Array;
  readonly attempts: number;
  readonly createdAtMs: number;
}

const waitingOf = (row: MailRow): Waiting => ({
  mailNo: row.mail_no,
  uuid: row.uuid,
  recipient: row.recipient,
  sealedLetter: row.sealed_letter,
  attempts: row.attempts,
  createdAtMs: row.created_at_ms,
});

export async function insertMail(
  tx: Writer,
  uuid: string,
  tenantId: number | null,
  recipient: string,
  sealedLetter: Uint8Array,
  nowMs: number,
): Promise<void> {
  await tx.run(mailInsert, uuid, tenantId, recipient, sealedLetter, nowMs);
}

export async function dueMail(q: Reader, nowMs: number, limit: number): Promise<Waiting[]> {
  return (await q.all(mailDue, nowMs, limit)).map(waitingOf);
}

export async function deleteMail(tx: Writer, mailNo: number): Promise<void> {
  await tx.run(mailDelete, mailNo);
}

export async function retryMail(tx: Writer, mailNo: number, nextAtMs: number): Promise<void> {
  await tx.run(mailRetry, mailNo, nextAtMs);
}

export const countMail = async (q: Reader): Promise<number> =>
  (await q.get(mailWaiting))?.count ?? 0;
