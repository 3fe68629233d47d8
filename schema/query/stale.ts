/** Statements for noticing top-ups whose credit never came. */
import { statement } from "./statement.ts";

export interface StaleRow {
  topup_no: number;
  uuid: string;
  amount: number;
  status: string;
  created_at_ms: number;
  card_id: string;
  terminal_id: number;
}

/** A tenant's top-ups above a number, in the order in which they were made. */
export const topupsAbove = statement<[tenantId: number, aboveNo: number, limit: number], StaleRow>(
  "stale.above",
  `SELECT p.topup_no, t.uuid, p.amount, p.status, t.created_at_ms, c.card_id, d.terminal_id
   FROM topup p JOIN txn t ON t.txn_no = p.topup_no JOIN card c ON c.card_no = p.card_no
     JOIN device d ON d.device_no = p.device_no
   WHERE p.topup_no > ?2 AND p.tenant_id = ?1 ORDER BY p.topup_no LIMIT ?3`,
);

/** The newest alert about one. */
export const staleAlertLast = statement<[tenantId: number, aboveNo: number], { detail: string }>(
  "stale.alertLast",
  `SELECT detail FROM alert WHERE tenant_id = ?1 AND alert_no > ?2 AND reason = 'stale_topup'
   ORDER BY alert_no DESC LIMIT 1`,
);

export const topupNoOf = statement<[tenantId: number, uuid: string], { topup_no: number }>(
  "stale.topupNo",
  "SELECT txn_no AS topup_no FROM txn WHERE uuid = ?2 AND tenant_id = ?1",
);
