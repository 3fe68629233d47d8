/** Statements over what terminals took, by local day, and over the runs that close it. */
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
   ON CONFLICT (tenant_id, day, device_no, run) DO UPDATE SET checkins = checkins + ?4,
     checkouts = checkouts + ?5, debits = debits + ?6, debit_amount = debit_amount + ?7,
     credits = credits + ?8, credit_amount = credit_amount + ?9, topups = topups + ?10,
     topup_amount = topup_amount + ?11, rejected = rejected + ?12, flagged = flagged + ?13,
     late_events = late_events + ?14`,
);

/** The same for money that seldom moves. */
export const settlementAddMoney = statement<
  [
    tenantId: number,
    day: number,
    deviceNo: number,
    refunds: number,
    refundAmount: number,
    parkedAmount: number,
    releasedAmount: number,
    returnedAmount: number,
  ]
>(
  "settlement.addMoney",
  `INSERT INTO settlement (tenant_id, run, day, device_no, checkins, checkouts, debits, debit_amount, credits,
     credit_amount, topups, topup_amount, rejected, flagged, late_events, refunds, refund_amount,
     parked_amount, released_amount, returned_amount)
   VALUES (?1, 0, ?2, ?3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?4, ?5, ?6, ?7, ?8)
   ON CONFLICT (tenant_id, day, device_no, run) DO UPDATE SET refunds = refunds + ?4,
     refund_amount = refund_amount + ?5, parked_amount = parked_amount + ?6,
     released_amount = released_amount + ?7, returned_amount = returned_amount + ?8`,
);

/** Sums of the columns, named as rows of this file name them. */
const sums = `sum(checkins) AS checkins, sum(checkouts) AS checkouts, sum(debits) AS debits,
  sum(debit_amount) AS debit_amount, sum(credits) AS credits, sum(credit_amount) AS credit_amount,
  sum(topups) AS topups, sum(topup_amount) AS topup_amount, sum(rejected) AS rejected,
  sum(flagged) AS flagged, sum(late_events) AS late_events, sum(refunds) AS refunds,
  sum(refund_amount) AS refund_amount, sum(parked_amount) AS parked_amount,
  sum(released_amount) AS released_amount, sum(returned_amount) AS returned_amount`;

/** What is true of a row that says something to those who read settlement. */
const hasSomething = `(checkins <> 0 OR checkouts <> 0 OR debits <> 0 OR debit_amount <> 0 OR credits <> 0
  OR credit_amount <> 0 OR topups <> 0 OR topup_amount <> 0 OR rejected <> 0 OR flagged <> 0
  OR late_events <> 0 OR refunds <> 0 OR refund_amount <> 0)`;

export interface SettlementSums {
  checkins: number;
  checkouts: number;
  debits: number;
  debit_amount: number;
  credits: number;
  credit_amount: number;
  topups: number;
  topup_amount: number;
  rejected: number;
  flagged: number;
  late_events: number;
  refunds: number;
  refund_amount: number;
  parked_amount: number;
  released_amount: number;
  returned_amount: number;
}

export interface SettlementRow extends SettlementSums {
  day: number;
  device_no: number;
  /** Of the device; null for the house. */
  terminal_id: number | null;
  device_id: string | null;
  name: string | null;
}

/**
 * Sums by day and terminal of a range, whatever run they are in, from behind a place on. The house stands
 * behind the terminals of its day, as if it had the number 65 536. `deviceNo` null: every one.
 */
export const settlementPage = statement<
  [
    tenantId: number,
    fromDay: number,
    toDay: number,
    deviceNo: number | null,
    afterDay: number,
    afterTerminal: number,
    limit: number,
  ],
  SettlementRow
>(
  "settlement.page",
  `SELECT s.*, d.terminal_id, d.device_id, d.name FROM (
     SELECT tenant_id, day, device_no, ${sums} FROM settlement
     WHERE tenant_id = ?1 AND day BETWEEN max(?2, ?5) AND ?3 AND (?4 IS NULL OR device_no = ?4)
     GROUP BY tenant_id, day, device_no) s
   LEFT JOIN device d ON d.device_no = s.device_no AND d.tenant_id = s.tenant_id
   WHERE ${hasSomething} AND (s.day > ?5 OR coalesce(d.terminal_id, 65536) > ?6)
   ORDER BY s.day, coalesce(d.terminal_id, 65536) LIMIT ?7`,
);

/** Every row of a range with those that only the journal shows, as `settlement.page` orders them. */
export const settlementDays = statement<
  [tenantId: number, fromDay: number, toDay: number, deviceNo: number | null],
  SettlementRow
>(
  "settlement.days",
  `SELECT s.*, d.terminal_id, d.device_id, d.name FROM (
     SELECT tenant_id, day, device_no, ${sums} FROM settlement
     WHERE tenant_id = ?1 AND day BETWEEN ?2 AND ?3 AND (?4 IS NULL OR device_no = ?4)
     GROUP BY tenant_id, day, device_no) s
   LEFT JOIN device d ON d.device_no = s.device_no AND d.tenant_id = s.tenant_id
   ORDER BY s.day, coalesce(d.terminal_id, 65536)`,
);

/** How many rows a range has, and what they come to; sums are null where there is none. */
export const settlementTotals = statement<
  [tenantId: number, fromDay: number, toDay: number, deviceNo: number | null],
  { count: number } & { [K in keyof SettlementSums]: number | null }
>(
  "settlement.totals",
  `SELECT count(*) AS count, ${sums} FROM (
     SELECT ${sums} FROM settlement
     WHERE tenant_id = ?1 AND day BETWEEN ?2 AND ?3 AND (?4 IS NULL OR device_no = ?4)
     GROUP BY day, device_no) WHERE ${hasSomething}`,
);

export const settlementDevice = statement<
  [tenantId: number, terminalId: number],
  { device_no: number }
>(
  "settlement.device",
  "SELECT device_no FROM device WHERE tenant_id = ?1 AND terminal_id = ?2",
);

export const settlementTenant = statement<
  [tenantId: number],
  { name: string; currency: string; timezone: string }
>("settlement.tenant", "SELECT name, currency, timezone FROM tenant WHERE tenant_id = ?1");

/** A run that has a day of a terminal which another would have. */
export const settlementRunOver = statement<
  [tenantId: number, fromDay: number, toDay: number, deviceNo: number | null, rangeMaxDays: number],
  { number: number }
>(
  "settlement.runOver",
  `SELECT number FROM settlement_run WHERE tenant_id = ?1 AND from_day BETWEEN ?2 - ?5 AND ?3 AND to_day >= ?2
     AND (device_no IS NULL OR ?4 IS NULL OR device_no = ?4) ORDER BY from_day LIMIT 1`,
);

/**
 * What came in for days that runs have closed, and stands in none yet. Of the house it is every day that
 * any run has, since a run of all terminals can't have that day any more.
 */
export const settlementLate = statement<
  [tenantId: number, deviceNo: number | null],
  { day: number; device_no: number }
>(
  "settlement.late",
  `SELECT DISTINCT s.day, s.device_no FROM settlement_run r
   CROSS JOIN settlement s ON s.tenant_id = r.tenant_id AND s.run = 0
     AND s.day BETWEEN r.from_day AND r.to_day
     AND (r.device_no IS NULL OR s.device_no = r.device_no OR s.device_no = 0)
   WHERE r.tenant_id = ?1 AND (?2 IS NULL OR s.device_no = ?2) ORDER BY s.day, s.device_no`,
);

/** Closes what is open of a range under a run's number. */
export const settlementClose = statement<
  [tenantId: number, fromDay: number, toDay: number, deviceNo: number | null, run: number]
>(
  "settlement.close",
  `UPDATE settlement SET run = ?5
   WHERE tenant_id = ?1 AND run = 0 AND day BETWEEN ?2 AND ?3 AND (?4 IS NULL OR device_no = ?4)`,
);

/** Rows of a run, those that only the journal shows too. Late ones are of days outside its range. */
export const settlementOfRun = statement<[tenantId: number, run: number], SettlementRow>(
  "settlement.ofRun",
  `SELECT s.*, d.terminal_id, d.device_id, d.name FROM settlement s
   LEFT JOIN device d ON d.device_no = s.device_no AND d.tenant_id = s.tenant_id
   WHERE s.tenant_id = ?1 AND s.run = ?2 AND s.run > 0`,
);

export interface SettlementRunRow {
  run_no: number;
  uuid: string;
  number: number;
  from_day: number;
  to_day: number;
  terminal_id: number | null;
  rows: number;
  totals: string;
  sha256: Uint8Array;
  closed_at_ms: number;
  closed_by: string;
}

const runColumns = `r.run_no, r.uuid, r.number, r.from_day, r.to_day, d.terminal_id, r.rows, r.totals, r.sha256,
  r.closed_at_ms, r.closed_by`;
const runTables = `settlement_run r LEFT JOIN device d ON d.device_no = r.device_no AND d.tenant_id = r.tenant_id`;

/** The highest number given; none: null. */
export const settlementRunLast = statement<[tenantId: number], { number: number | null }>(
  "settlement.runLast",
  "SELECT max(number) AS number FROM settlement_run WHERE tenant_id = ?1",
);

export const settlementRunInsert = statement<
  [
    uuid: string,
    tenantId: number,
    number: number,
    fromDay: number,
    toDay: number,
    deviceNo: number | null,
    rows: number,
    totals: string,
    sha256: Uint8Array,
    closedAtMs: number,
    closedBy: string,
  ],
  { run_no: number }
>(
  "settlement.runInsert",
  `INSERT INTO settlement_run (uuid, tenant_id, number, from_day, to_day, device_no, rows, totals, sha256,
     closed_at_ms, closed_by)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING run_no`,
);

/** Newest first, below a number. */
export const settlementRunPage = statement<
  [tenantId: number, belowNumber: number, limit: number],
  SettlementRunRow
>(
  "settlement.runPage",
  `SELECT ${runColumns} FROM ${runTables} WHERE r.tenant_id = ?1 AND r.number < ?2
   ORDER BY r.number DESC LIMIT ?3`,
);

export const settlementRunByUuid = statement<[tenantId: number, uuid: string], SettlementRunRow>(
  "settlement.runByUuid",
  `SELECT ${runColumns} FROM ${runTables} WHERE r.uuid = ?2 AND r.tenant_id = ?1`,
);

export const settlementRunByNumber = statement<
  [tenantId: number, number: number],
  SettlementRunRow
>(
  "settlement.runByNumber",
  `SELECT ${runColumns} FROM ${runTables} WHERE r.tenant_id = ?1 AND r.number = ?2`,
);

export const settlementExportInsert = statement<
  [tenantId: number, runNo: number, format: string, sha256: Uint8Array, bytes: Uint8Array]
>(
  "settlement.exportInsert",
  "INSERT INTO settlement_export (tenant_id, run_no, format, sha256, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
);

/** The bytes of a run in a format, compressed. */
export const settlementExport = statement<
  [tenantId: number, runNo: number, format: string],
  { bytes: Uint8Array }
>(
  "settlement.export",
  "SELECT bytes FROM settlement_export WHERE run_no = ?2 AND format = ?3 AND tenant_id = ?1",
);
