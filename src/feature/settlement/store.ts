/** Rows of what terminals took, by local day, and of the runs that close it. */
import {
  type SettlementRow,
  type SettlementRunRow,
  type SettlementSums,
  settlementAdd,
  settlementAddMoney,
  settlementClose,
  settlementDays,
  settlementDevice,
  settlementExport,
  settlementExportInsert,
  settlementLate,
  settlementOfRun,
  settlementPage,
  settlementRunByNumber,
  settlementRunByUuid,
  settlementRunInsert,
  settlementRunLast,
  settlementRunOver,
  settlementRunPage,
  settlementTenant,
  settlementTotals,
} from "../../../schema/query/settlement.ts";
import type { DayTotals } from "../../domain/batch.ts";
import type { DayRow, ParkedMoney, Totals } from "../../domain/settlement.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export interface TopupTotals {
  readonly topups: number;
  readonly topupAmount: number;
}

/** The number that stands for the house among devices. */
export const house = 0;

/** Adds to the row of a day and device that no settlement run has closed. */
export async function addDay(
  tx: Writer,
  tenantId: number,
  day: number,
  deviceNo: number,
  totals: Partial<DayTotals> | null,
  topup: TopupTotals | null,
): Promise<void> {
  await tx.run(
    settlementAdd,
    tenantId,
    day,
    deviceNo,
    totals?.checkins ?? 0,
    totals?.checkouts ?? 0,
    totals?.debits ?? 0,
    totals?.debitAmount ?? 0,
    totals?.credits ?? 0,
    totals?.creditAmount ?? 0,
    topup?.topups ?? 0,
    topup?.topupAmount ?? 0,
    totals?.rejected ?? 0,
    totals?.flagged ?? 0,
    totals?.lateEvents ?? 0,
  );
}

export interface MoneyTotals extends Partial<ParkedMoney> {
  readonly refunds?: number;
  readonly refundAmount?: number;
}

/** The same for refunds and for parked credits. */
export async function addMoney(
  tx: Writer,
  tenantId: number,
  day: number,
  deviceNo: number,
  money: MoneyTotals,
): Promise<void> {
  const { refunds = 0, refundAmount = 0 } = money;
  const { parkedAmount = 0, releasedAmount = 0, returnedAmount = 0 } = money;
  await tx.run(
    settlementAddMoney,
    ...([tenantId, day, deviceNo, refunds, refundAmount] as const),
    ...([parkedAmount, releasedAmount, returnedAmount] as const),
  );
}

type Nullable<T> = { readonly [K in keyof T]: T[K] | null };

const totalsOfRow = (row: Nullable<SettlementSums>): Totals => ({
  checkins: row.checkins ?? 0,
  checkouts: row.checkouts ?? 0,
  debits: row.debits ?? 0,
  debitAmount: row.debit_amount ?? 0,
  credits: row.credits ?? 0,
  creditAmount: row.credit_amount ?? 0,
  topups: row.topups ?? 0,
  topupAmount: row.topup_amount ?? 0,
  rejected: row.rejected ?? 0,
  flagged: row.flagged ?? 0,
  lateEvents: row.late_events ?? 0,
  refunds: row.refunds ?? 0,
  refundAmount: row.refund_amount ?? 0,
});

const dayRowOf = (row: SettlementRow): DayRow => ({
  ...{ day: row.day, belongsTo: null, terminalId: row.terminal_id },
  ...{ deviceId: row.device_id, name: row.name },
  ...totalsOfRow(row),
  ...{ parkedAmount: row.parked_amount, releasedAmount: row.released_amount },
  returnedAmount: row.returned_amount,
});

/** Days as the tables know them: both in it, a device by its number. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** Null: every one, and the house. */
  readonly deviceNo: number | null;
}

/** Rows that say something, behind a day and terminal. */
export async function readPage(
  q: Reader,
  tenantId: number,
  { from, to, deviceNo }: Span,
  after: { readonly day: number; readonly terminal: number },
  limit: number,
): Promise<DayRow[]> {
  const place = [after.day, after.terminal, limit] as const;
  return (await q.all(settlementPage, tenantId, from, to, deviceNo, ...place)).map(dayRowOf);
}

/** Every row of a span, those too that only the journal shows. */
export async function readDays(
  q: Reader,
  tenantId: number,
  { from, to, deviceNo }: Span,
): Promise<DayRow[]> {
  return (await q.all(settlementDays, tenantId, from, to, deviceNo)).map(dayRowOf);
}

export async function readTotals(
  q: Reader,
  tenantId: number,
  { from, to, deviceNo }: Span,
): Promise<{ readonly count: number; readonly totals: Totals }> {
  const row = await q.get(settlementTotals, tenantId, from, to, deviceNo);
  if (row === undefined) throw new RangeError("an aggregate has a row");
  return { count: row.count, totals: totalsOfRow(row) };
}

export const findDevice = async (
  q: Reader,
  tenantId: number,
  terminalId: number,
): Promise<number | undefined> => (await q.get(settlementDevice, tenantId, terminalId))?.device_no;

export interface Books {
  readonly name: string;
  readonly currency: string;
  readonly timezone: string;
}

export async function readBooks(q: Reader, tenantId: number): Promise<Books> {
  const row = await q.get(settlementTenant, tenantId);
  if (row === undefined) throw new RangeError("no such tenant");
  return row;
}

/** Number of a run that has a day of a terminal of the span. */
export const findOver = async (
  q: Reader,
  tenantId: number,
  { from, to, deviceNo }: Span,
  rangeMaxDays: number,
): Promise<number | undefined> =>
  (await q.get(settlementRunOver, tenantId, from, to, deviceNo, rangeMaxDays))?.number;

/** Days and devices that runs have closed and for which more came in since. */
export const readLate = (
  q: Reader,
  tenantId: number,
  deviceNo: number | null,
): Promise<{ day: number; device_no: number }[]> => q.all(settlementLate, tenantId, deviceNo);

export async function closeRows(
  tx: Writer,
  tenantId: number,
  { from, to, deviceNo }: Span,
  run: number,
): Promise<void> {
  await tx.run(settlementClose, tenantId, from, to, deviceNo, run);
}

/** Rows that bear a run's number; `day` is still the one that each belongs to. */
export const readOfRun = async (q: Reader, tenantId: number, run: number): Promise<DayRow[]> =>
  (await q.all(settlementOfRun, tenantId, run)).map(dayRowOf);

export const lastNumber = async (q: Reader, tenantId: number): Promise<number> =>
  (await q.get(settlementRunLast, tenantId))?.number ?? 0;

export interface Run {
  readonly runNo: number;
  readonly uuid: string;
  readonly number: number;
  readonly from: number;
  readonly to: number;
  readonly terminalId: number | null;
  readonly rows: number;
  readonly totals: Totals;
  /** 64 hex digits. */
  readonly sha256: string;
  readonly closedAtMs: number;
  readonly closedBy: string;
}

const runOf = (row: SettlementRunRow): Run => ({
  ...{ runNo: row.run_no, uuid: row.uuid, number: row.number },
  ...{ from: row.from_day, to: row.to_day, terminalId: row.terminal_id },
  ...{ rows: row.rows, totals: JSON.parse(row.totals) as Totals },
  sha256: Buffer.from(row.sha256).toString("hex"),
  ...{ closedAtMs: row.closed_at_ms, closedBy: row.closed_by },
});

export const pageRuns = async (
  q: Reader,
  tenantId: number,
  belowNumber: number,
  limit: number,
): Promise<Run[]> => (await q.all(settlementRunPage, tenantId, belowNumber, limit)).map(runOf);

export async function findRun(
  q: Reader,
  tenantId: number,
  by: { readonly uuid: string } | { readonly number: number },
): Promise<Run | undefined> {
  const row =
    "uuid" in by
      ? await q.get(settlementRunByUuid, tenantId, by.uuid)
      : await q.get(settlementRunByNumber, tenantId, by.number);
  return row && runOf(row);
}

/** @returns the run's row number */
export async function insertRun(
  tx: Writer,
  tenantId: number,
  run: Omit<Run, "runNo" | "terminalId">,
  deviceNo: number | null,
): Promise<number> {
  const row = await tx.get(
    settlementRunInsert,
    ...([run.uuid, tenantId, run.number, run.from, run.to, deviceNo, run.rows] as const),
    ...([JSON.stringify(run.totals), Buffer.from(run.sha256, "hex")] as const),
    ...([run.closedAtMs, run.closedBy] as const),
  );
  if (row === undefined) throw new RangeError("settlement_run: nothing inserted");
  return row.run_no;
}

export type Format = "json" | "csv" | "journal";

export async function insertExport(
  tx: Writer,
  tenantId: number,
  runNo: number,
  format: Format,
  sha256: Uint8Array,
  bytes: Uint8Array,
): Promise<void> {
  await tx.run(settlementExportInsert, tenantId, runNo, format, sha256, bytes);
}

export async function readExport(
  q: Reader,
  tenantId: number,
  runNo: number,
  format: Format,
): Promise<Uint8Array> {
  const row = await q.get(settlementExport, tenantId, runNo, format);
  if (row === undefined) throw new RangeError(`run ${runNo} has no ${format}`);
  return row.bytes;
}
