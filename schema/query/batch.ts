/** Statements over the batches taken. */
import { statement } from "./statement.ts";

export const batchLast = statement<[], { batch_no: number }>(
  "batch.last",
  "SELECT coalesce(max(batch_no), 0) AS batch_no FROM batch",
);

export const batchInsert = statement<
  [
    batchNo: number,
    uuid: string,
    tenantId: number,
    deviceNo: number,
    receivedAtMs: number,
    events: number,
    accepted: number,
    rejected: number,
    flagged: number,
    debitAmount: number,
    creditAmount: number,
    digest: Uint8Array,
    clean: number,
    firstEvent: number,
    auditSeq: number,
  ]
>(
  "batch.insert",
  `INSERT INTO batch (batch_no, uuid, tenant_id, device_no, received_at_ms, events, accepted, rejected, flagged,
     debit_amount, credit_amount, digest, clean, first_event, audit_seq)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)`,
);

export const batchClean = statement<[tenantId: number, digest: Uint8Array], { batch_no: number }>(
  "batch.clean",
  "SELECT batch_no FROM batch WHERE clean = 1 AND digest = ?2 AND tenant_id = ?1 LIMIT 1",
);

/** A device as it was when it uploaded, and is now: for an event that is judged once more. */
export const uploaderByNo = statement<
  [tenantId: number, deviceNo: number],
  {
    device_id: string;
    terminal_id: number;
    role: string;
    zone_no: number | null;
    member_no: number | null;
    suspended_at_sec: number | null;
    settlement_wallet_no: number;
  }
>(
  "batch.uploader",
  `SELECT device_id, terminal_id, role, zone_no, member_no, suspended_at_sec, settlement_wallet_no
   FROM device WHERE device_no = ?2 AND tenant_id = ?1`,
);
