/** Rows of what terminals took, by local day, and of the runs that close it. */
import {
  type SettlementParams,
  type SettlementRow,
  type SettlementRunRow,
  type SettlementSums,
  settlementAdd,
  settlementAddLate,
  settlementAddMoney,
  settlementClosed,
  settlementDevice,
  settlementExport,
  settlementExportInsert,
  settlementHouse,
  settlementLate,
  settlementOwn,
  settlementPage,
  settlementRunByNumber,
  settlementRunByUuid,
  settlementRunInsert,
  settlementRunLast,
  settlementRunOpen,
  settlementRunPage,
  settlementRunSeal,
  settlementTenant,
  settlementTotals,
} from "../../../schema/query/settlement.ts";
import type { DayTotals } from "../../domain/batch.ts";
import { type ClosedDays, houseNo, type Span } from "../../domain/closing.ts";
import type { DayRow, ParkedMoney, Totals } from "../../domain/settlement.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export interface TopupTotals {
  readonly topups: number;
  readonly topupAmount: number;
}

/** Adds to the row of a day and device, in the layer that is open for it. */
export async function addDay(
  tx: Writer,
  tenantId: number,
  day: number,
  deviceNo: number,
  layer: number,
  totals: Partial<DayTotals> | null,
  topup: TopupTotals | null,
): Promise<void> {
  const row: SettlementParams = [
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
  ];
  if (layer === 0) await tx.run(settlementAdd, ...row);
  else await tx.run(settlementAddLate, ...row, layer);
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
  layer: number,
  money: MoneyTotals,
): Promise<void> {
  const { refunds = 0, refundAmount = 0 } = money;
  const { parkedAmount = 0, releasedAmount = 0, returnedAmount = 0 } = money;
  await tx.run(
    settlementAddMoney,
    ...([tenantId, day, deviceNo, refunds, refundAmount] as const),
    ...([parkedAmount, releasedAmount, returnedAmount, layer] as const),
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
  ...totalsOfRow(row),
  day: row.day,
  belongsTo: null,
  deviceNo: row.device_no,
  terminalId: row.terminal_id,
  deviceId: row.device_id,
  name: row.name,
  parkedAmount: row.parked_amount,
  releasedAmount: row.released_amount,
  returnedAmount: row.returned_amount,
});

/** Where a row stands: its day and device. */
export interface Place {
  readonly day: number;
  readonly deviceNo: number;
}

/** Rows of days up to `to`, behind a place, whatever run they are in. `all`: those of the journal alone too. */
export async function readPage(
  q: Reader,
  tenantId: number,
  { to, deviceNo }: Pick<Span, "to" | "deviceNo">,
  after: Place,
  all: boolean,
  limit: number,
): Promise<DayRow[]> {
  const place = [after.day, after.deviceNo, to, deviceNo] as const;
  return (await q.all(settlementPage, tenantId, ...place, all ? 1 : 0, limit)).map(dayRowOf);
}

export async function readTotals(
  q: Reader,
  tenantId: number,
  day: number,
  deviceNo: number | null,
): Promise<{ readonly count: number; readonly totals: Totals }> {
  const row = await q.get(settlementTotals, tenantId, day, deviceNo);
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

/** Every run of the tenant, in the order of their numbers. */
export const readClosed = async (q: Reader, tenantId: number): Promise<ClosedDays[]> =>
  (await q.all(settlementClosed, tenantId)).map((row) => ({
    ...{ number: row.number, from: row.from_day, to: row.to_day, deviceNo: row.device_no },
  }));

/** Rows of a closed run's own days, behind a place. */
export const readOwn = async (
  q: Reader,
  tenantId: number,
  { to, deviceNo }: Pick<Span, "to" | "deviceNo">,
  after: Place,
  limit: number,
): Promise<DayRow[]> =>
  (await q.all(settlementOwn, tenantId, after.day, after.deviceNo, to, deviceNo, limit)).map(
    dayRowOf,
  );

/** What came late since the run `since` and before this one. `day` is the one that each belongs to. */
export const readLate = async (
  q: Reader,
  tenantId: number,
  since: number,
  { number, deviceNo }: Pick<ClosedDays, "number" | "deviceNo">,
): Promise<DayRow[]> =>
  (await q.all(settlementLate, tenantId, Math.max(1, since), number, deviceNo)).map(dayRowOf);

/** What the house did on a day before that was closed. */
export async function readHouse(
  q: Reader,
  tenantId: number,
  day: number,
): Promise<DayRow | undefined> {
  const row = await q.get(settlementHouse, tenantId, day, houseNo);
  return row && dayRowOf(row);
}

/** A run; its figures are null until its files are made. */
export interface OpenRun extends ClosedDays {
  readonly runNo: number;
  readonly uuid: string;
  readonly terminalId: number | null;
  readonly closedAtMs: number;
  readonly closedBy: string;
}

export interface Figures {
  readonly rows: number;
  readonly totals: Totals;
  /** 64 hex digits. */
  readonly sha256: string;
}

export type Run = OpenRun & Figures;

const openOf = (row: SettlementRunRow): OpenRun => ({
  ...{ runNo: row.run_no, uuid: row.uuid, number: row.number },
  ...{ from: row.from_day, to: row.to_day, deviceNo: row.device_no },
  ...{ terminalId: row.terminal_id, closedAtMs: row.closed_at_ms, closedBy: row.closed_by },
});

/** The run with its figures; undefined while it has none. */
function runOf(row: SettlementRunRow | undefined): Run | undefined {
  if (row === undefined) return undefined;
  const { rows, totals, sha256 } = row;
  if (rows === null || totals === null || sha256 === null) return undefined;
  const hex = Buffer.from(sha256).toString("hex");
  return { ...openOf(row), rows, totals: JSON.parse(totals) as Totals, sha256: hex };
}

export const pageRuns = async (
  q: Reader,
  tenantId: number,
  belowNumber: number,
  limit: number,
): Promise<Run[]> =>
  (await q.all(settlementRunPage, tenantId, belowNumber, limit)).flatMap((row) => runOf(row) ?? []);

export const lastNumber = async (q: Reader, tenantId: number): Promise<number> =>
  (await q.get(settlementRunLast, tenantId))?.number ?? 0;

/** Runs whose files were not made yet. */
export const readOpen = async (q: Reader, tenantId: number): Promise<OpenRun[]> =>
  (await q.all(settlementRunOpen, tenantId)).map(openOf);

export type RunId = { readonly uuid: string } | { readonly number: number };

export const findRun = async (q: Reader, tenantId: number, id: RunId): Promise<Run | undefined> =>
  runOf(
    "uuid" in id
      ? await q.get(settlementRunByUuid, tenantId, id.uuid)
      : await q.get(settlementRunByNumber, tenantId, id.number),
  );

export async function insertRun(
  tx: Writer,
  tenantId: number,
  run: Omit<OpenRun, "runNo" | "terminalId">,
): Promise<OpenRun> {
  const { uuid, number, from, to, deviceNo, closedAtMs, closedBy } = run;
  await tx.run(
    settlementRunInsert,
    ...([uuid, tenantId, number, from, to, deviceNo, closedAtMs, closedBy] as const),
  );
  const row = await tx.get(settlementRunByUuid, tenantId, uuid);
  if (row === undefined) throw new RangeError("settlement_run: nothing inserted");
  return openOf(row);
}

/** Writes the figures of a run, once. Returns whether it had none. */
export async function sealRun(
  tx: Writer,
  tenantId: number,
  runNo: number,
  { rows, totals, sha256 }: Figures,
): Promise<boolean> {
  const digest = Buffer.from(sha256, "hex");
  const params = [tenantId, runNo, rows, JSON.stringify(totals), digest] as const;
  return (await tx.run(settlementRunSeal, ...params)) === 1;
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
