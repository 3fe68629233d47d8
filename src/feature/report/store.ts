/** Rows of reports. */
import {
  reportBlocks,
  reportFailures,
  reportInsert,
  reportSame,
} from "../../../schema/query/report.ts";
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
