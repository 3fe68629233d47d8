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

/** Adds to a day that no run has closed. */
export const settlementAdd = statement<SettlementParams>(
  "settlement.add",
  `INSERT INTO settlement (tenant_id, layer, day, device_no, checkins, checkouts, debits, debit_amount, credits,
     credit_amount, topups, topup_amount, rejected, flagged, late_events)
   VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
   ON CONFLICT (tenant_id, layer, day, device_no) DO UPDATE SET checkins = checkins + ?4,
     checkouts = checkouts + ?5, debits = debits + ?6, debit_amount = debit_amount + ?7,
     credits = credits + ?8, credit_amount = credit_amount + ?9, topups = topups + ?10,
     topup_amount = topup_amount + ?11, rejected = rejected + ?12, flagged = flagged + ?13,
     late_events = late_events + ?14`,
);

/** Adds to a day that a run has closed, in the layer of the last run there is. */
export const settlementAddLate = statement<[...SettlementParams, layer: number]>(
  "settlement.addLate",
  `INSERT INTO settlement (tenant_id, layer, day, device_no, checkins, checkouts, debits, debit_amount, credits,
     credit_amount, topups, topup_amount, rejected, flagged, late_events)
   VALUES (?1, ?15, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
   ON CONFLICT (tenant_id, layer, day, device_no) DO UPDATE SET checkins = checkins + ?4,
     checkouts = checkouts + ?5, debits = debits + ?6, debit_amount = debit_amount + ?7,
     credits = credits + ?8, credit_amount = credit_amount + ?9, topups = topups + ?10,
     topup_amount = topup_amount + ?11, rejected = rejected + ?12, flagged = flagged + ?13,
     late_events = late_events + ?14`,
);

/** Adds money that seldom moves, in a layer. */
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
    layer: number,
  ]
>(
  "settlement.addMoney",
  `INSERT INTO settlement (tenant_id, layer, day, device_no, checkins, checkouts, debits, debit_amount, credits,
     credit_amount, topups, topup_amount, rejected, flagged, late_events, refunds, refund_amount,
     parked_amount, released_amount, returned_amount)
   VALUES (?1, ?9, ?2, ?3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?4, ?5, ?6, ?7, ?8)
   ON CONFLICT (tenant_id, layer, day, device_no) DO UPDATE SET refunds = refunds + ?4,
     refund_amount = refund_amount + ?5, parked_amount = parked_amount + ?6,
     released_amount = released_amount + ?7, returned_amount = returned_amount + ?8`,
);

const shown = [
  ...["checkins", "checkouts", "debits", "debit_amount", "credits", "credit_amount", "topups"],
  ...["topup_amount", "rejected", "flagged", "late_events", "refunds", "refund_amount"],
];
const ofJournal = ["parked_amount", "released_amount", "returned_amount"];
/** Sums of the columns, named as rows of this file name them. */
const sums = [...shown, ...ofJournal].map((column) => `sum(${column}) AS ${column}`).join(", ");
/** What is true of sums that say something to those who read settlement. */
const sumsSomething = shown.map((column) => `sum(${column}) <> 0`).join(" OR ");

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

const named = "LEFT JOIN device d ON d.device_no = s.device_no AND d.tenant_id = s.tenant_id";

/**
 * Sums by day and device up to a day, whatever run they are in, from behind a place on. `deviceNo` null:
 * every one. `all` 1: those too that only the journal shows.
 */
export const settlementPage = statement<
  [
    tenantId: number,
    afterDay: number,
    afterDevice: number,
    toDay: number,
    deviceNo: number | null,
    all: number,
    limit: number,
  ],
  SettlementRow
>(
  "settlement.page",
  `SELECT s.*, d.terminal_id, d.device_id, d.name FROM (
     SELECT tenant_id, day, device_no, ${sums} FROM settlement
     WHERE tenant_id = ?1 AND day BETWEEN ?2 AND ?4 AND (day > ?2 OR device_no > ?3)
       AND (?5 IS NULL OR device_no = ?5)
     GROUP BY tenant_id, day, device_no HAVING ?6 = 1 OR ${sumsSomething}
     ORDER BY tenant_id, day, device_no LIMIT ?7) s ${named}
   ORDER BY s.tenant_id, s.day, s.device_no`,
);

/** How many rows a day has, and what they come to; sums are null where there is none. */
export const settlementTotals = statement<
  [tenantId: number, day: number, deviceNo: number | null],
  { count: number } & { [K in keyof SettlementSums]: number | null }
>(
  "settlement.totals",
  `SELECT count(*) AS count, ${sums} FROM (
     SELECT ${sums} FROM settlement
     WHERE tenant_id = ?1 AND day = ?2 AND (?3 IS NULL OR device_no = ?3)
     GROUP BY device_no HAVING ${sumsSomething})`,
);

export const settlementDevice = statement<
  [tenantId: number, terminalId: number],
  { device_no: number }
>("settlement.device", "SELECT device_no FROM device WHERE tenant_id = ?1 AND terminal_id = ?2");

export const settlementTenant = statement<
  [tenantId: number],
  { name: string; currency: string; timezone: string }
>("settlement.tenant", "SELECT name, currency, timezone FROM tenant WHERE tenant_id = ?1");

/** Every run of a tenant as the days that it has closed, in the order of their numbers. */
export const settlementClosed = statement<
  [tenantId: number],
  { number: number; from_day: number; to_day: number; device_no: number | null }
>(
  "settlement.closed",
  `SELECT number, from_day, to_day, device_no FROM settlement_run
   WHERE tenant_id = ?1 AND number > 0 ORDER BY number`,
);

/** Rows of a run's own days, from behind a place on. */
export const settlementOwn = statement<
  [
    tenantId: number,
    afterDay: number,
    afterDevice: number,
    toDay: number,
    deviceNo: number | null,
    limit: number,
  ],
  SettlementRow
>(
  "settlement.own",
  `SELECT s.*, d.terminal_id, d.device_id, d.name FROM (
     SELECT * FROM settlement
     WHERE tenant_id = ?1 AND layer = 0 AND day BETWEEN ?2 AND ?4 AND (day > ?2 OR device_no > ?3)
       AND (?5 IS NULL OR device_no = ?5) ORDER BY day, device_no LIMIT ?6) s ${named}
   ORDER BY s.day, s.device_no`,
);

/**
 * What came in for days that were closed before: layers (of at least 1) from the last run on that had it,
 * before this one, that no run between took.
 */
export const settlementLate = statement<
  [tenantId: number, fromLayer: number, run: number, deviceNo: number | null],
  SettlementRow
>(
  "settlement.late",
  `SELECT s.*, d.terminal_id, d.device_id, d.name FROM settlement s ${named}
   WHERE s.tenant_id = ?1 AND s.layer >= ?2 AND s.layer < ?3 AND (?4 IS NULL OR s.device_no = ?4)
     AND NOT EXISTS (SELECT 1 FROM settlement_run r WHERE r.tenant_id = ?1 AND r.number > s.layer
       AND r.number < ?3 AND (r.device_no IS NULL OR r.device_no = s.device_no))`,
);

/** What the house did on one day before a run closed it. */
export const settlementHouse = statement<
  [tenantId: number, day: number, house: number],
  SettlementRow
>(
  "settlement.house",
  `SELECT s.*, NULL AS terminal_id, NULL AS device_id, NULL AS name FROM settlement s
   WHERE s.tenant_id = ?1 AND s.layer = 0 AND s.day = ?2 AND s.device_no = ?3`,
);

export interface SettlementRunRow {
  run_no: number;
  uuid: string;
  number: number;
  from_day: number;
  to_day: number;
  device_no: number | null;
  terminal_id: number | null;
  closed_at_ms: number;
  closed_by: string;
  rows: number | null;
  totals: string | null;
  sha256: Uint8Array | null;
}

const runColumns = `r.run_no, r.uuid, r.number, r.from_day, r.to_day, r.device_no, d.terminal_id, r.closed_at_ms,
  r.closed_by, r.rows, r.totals, r.sha256`;
const runTables = `settlement_run r LEFT JOIN device d ON d.device_no = r.device_no AND d.tenant_id = r.tenant_id`;

export const settlementRunInsert = statement<
  [
    uuid: string,
    tenantId: number,
    number: number,
    fromDay: number,
    toDay: number,
    deviceNo: number | null,
    closedAtMs: number,
    closedBy: string,
  ]
>(
  "settlement.runInsert",
  `INSERT INTO settlement_run (uuid, tenant_id, number, from_day, to_day, device_no, closed_at_ms, closed_by)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
);

export const settlementRunSeal = statement<
  [tenantId: number, runNo: number, rows: number, totals: string, sha256: Uint8Array]
>(
  "settlement.runSeal",
  `UPDATE settlement_run SET rows = ?3, totals = ?4, sha256 = ?5
   WHERE run_no = ?2 AND tenant_id = ?1 AND sha256 IS NULL`,
);

/** The highest number given; none: null. */
export const settlementRunLast = statement<[tenantId: number], { number: number | null }>(
  "settlement.runLast",
  "SELECT max(number) AS number FROM settlement_run WHERE tenant_id = ?1",
);

/** Newest first, below a number. */
export const settlementRunPage = statement<
  [tenantId: number, belowNumber: number, limit: number],
  SettlementRunRow
>(
  "settlement.runPage",
  `SELECT ${runColumns} FROM ${runTables}
   WHERE r.tenant_id = ?1 AND r.number < ?2 AND r.sha256 IS NOT NULL ORDER BY r.number DESC LIMIT ?3`,
);

/** Runs whose files were not made yet. */
export const settlementRunOpen = statement<[tenantId: number], SettlementRunRow>(
  "settlement.runOpen",
  `SELECT ${runColumns} FROM ${runTables}
   WHERE r.tenant_id = ?1 AND r.number > 0 AND r.sha256 IS NULL ORDER BY r.number`,
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
