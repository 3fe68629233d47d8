/** Rows of reports. */
import {
  type ReportRow,
  reportBlocks,
  reportByUuid,
  reportCount,
  reportCountOfCard,
  reportCountOfDevice,
  reportCountOfType,
  reportFailures,
  reportInsert,
  reportPage,
  reportPageOfCard,
  reportPageOfDevice,
  reportPageOfType,
  reportSame,
} from "../../../schema/query/report.ts";
import type { ReportAction, ReportType } from "../../domain/report.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export interface NewReport {
  readonly uuid: string;
  readonly tenantId: number;
  readonly deviceNo: number;
  readonly cardId: string | null;
  readonly eventType: string;
  readonly details: string;
  readonly counter: number | null;
  readonly timestampSec: number;
  readonly receivedAtMs: number;
  readonly action: string;
}

export const isKnown = async (
  q: Reader,
  r: Pick<NewReport, "deviceNo" | "eventType" | "timestampSec" | "cardId" | "counter">,
): Promise<boolean> =>
  (await q.get(
    reportSame,
    r.deviceNo,
    r.eventType,
    r.timestampSec,
    r.cardId ?? "",
    r.counter ?? -1,
  )) !== undefined;

export async function insertReport(tx: Writer, r: NewReport): Promise<void> {
  await tx.run(
    reportInsert,
    r.uuid,
    r.tenantId,
    r.deviceNo,
    r.cardId,
    r.eventType,
    r.details,
    r.counter,
    r.timestampSec,
    r.receivedAtMs,
    r.action,
  );
}

export const countBlocks = async (q: Reader, deviceNo: number, sinceMs: number): Promise<number> =>
  (await q.get(reportBlocks, deviceNo, sinceMs))?.blocks ?? 0;

export const countFailures = async (
  q: Reader,
  tenantId: number,
  cardId: string,
  sinceMs: number,
): Promise<number> => (await q.get(reportFailures, tenantId, cardId, sinceMs))?.failures ?? 0;

/** A report as operators see it. */
export interface Report {
  readonly reportNo: number;
  readonly id: string;
  readonly terminalId: number;
  readonly cardId: string | null;
  readonly eventType: ReportType;
  readonly details: string;
  readonly counter: number | null;
  readonly timestampSec: number;
  readonly receivedAtMs: number;
  readonly action: ReportAction;
}

/** Null lets everything through. */
export interface ReportFilter {
  readonly eventType: ReportType | null;
  readonly cardId: string | null;
  readonly terminalId: number | null;
  /** By when the device says it was: from this second on, and before that one. */
  readonly fromSec: number;
  readonly toSec: number;
}

const reportOf = (row: ReportRow): Report => ({
  reportNo: row.report_no,
  id: row.uuid,
  terminalId: row.terminal_id,
  cardId: row.card_id,
  eventType: row.event_type as ReportType,
  details: row.details,
  counter: row.counter,
  timestampSec: row.timestamp_sec,
  receivedAtMs: row.received_at_ms,
  action: row.action as ReportAction,
});

export async function readReport(
  q: Reader,
  tenantId: number,
  id: string,
): Promise<Report | undefined> {
  const row = await q.get(reportByUuid, tenantId, id);
  return row && reportOf(row);
}

/** By what the rows are found. */
const wayOf = ({ terminalId, cardId, eventType }: ReportFilter) =>
  terminalId !== null ? "device" : cardId !== null ? "card" : eventType !== null ? "type" : "every";

const pages = {
  device: reportPageOfDevice,
  card: reportPageOfCard,
  type: reportPageOfType,
  every: reportPage,
} as const;
const counts = {
  device: reportCountOfDevice,
  card: reportCountOfCard,
  type: reportCountOfType,
  every: reportCount,
} as const;

const paramsOf = (tenantId: number, f: ReportFilter) =>
  [tenantId, f.eventType, f.cardId, f.terminalId, f.fromSec, f.toSec] as const;

/** Reports below a number, newest first. */
export const pageReports = async (
  q: Reader,
  tenantId: number,
  filter: ReportFilter,
  below: number,
  limit: number,
): Promise<Report[]> =>
  (await q.all(pages[wayOf(filter)], ...paramsOf(tenantId, filter), below, limit)).map(reportOf);

/** Counted no further than `limit`. */
export const countReports = async (
  q: Reader,
  tenantId: number,
  filter: ReportFilter,
  limit: number,
): Promise<number> =>
  (await q.get(counts[wayOf(filter)], ...paramsOf(tenantId, filter), limit))?.count ?? 0;
