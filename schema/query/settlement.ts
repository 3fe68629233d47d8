/** Statements over what terminals took, by local day. */
import { statement } from "./statement.ts";

export type SettlementParams = [
  tenantId: number,
  day: number,
  deviceNo: number,
  checkins: number,
  checkouts: number,
  debits: number,
  debitAmount: number,
  credits: number,
  creditAmount: number,
  topups: number,
  topupAmount: number,
  rejected: number,
  flagged: number,
  lateEvents: number,
];

/** Adds to what no settlement run has closed yet. */
export const settlementAdd = statement<SettlementParams>(
  "settlement.add",
  `INSERT INTO settlement (tenant_id, run, day, device_no, checkins, checkouts, debits, debit_amount, credits,
     credit_amount, topups, topup_amount, rejected, flagged, late_events)
   VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
   ON CONFLICT (tenant_id, run, day, device_no) DO UPDATE SET checkins = checkins + ?4,
     checkouts = checkouts + ?5, debits = debits + ?6, debit_amount = debit_amount + ?7,
     credits = credits + ?8, credit_amount = credit_amount + ?9, topups = topups + ?10,
     topup_amount = topup_amount + ?11, rejected = rejected + ?12, flagged = flagged + ?13,
     late_events = late_events + ?14`,
);
