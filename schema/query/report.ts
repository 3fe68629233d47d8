/** Statements over what devices report. */
import { statement } from "./statement.ts";

export const reportSame = statement<
  [deviceNo: number, eventType: string, timestampSec: number, cardId: string, counter: number],
  { report_no: number }
>(
  "report.same",
  `SELECT report_no FROM report WHERE device_no = ?1 AND event_type = ?2 AND timestamp_sec = ?3
     AND coalesce(card_id, '') = ?4 AND coalesce(counter, -1) = ?5`,
);

export const reportInsert = statement<
  [
    uuid: string,
    tenantId: number,
    deviceNo: number,
    cardId: string | null,
    eventType: string,
    details: string,
    counter: number | null,
    timestampSec: number,
    receivedAtMs: number,
    action: string,
  ]
>(
  "report.insert",
  `INSERT INTO report (uuid, tenant_id, device_no, card_id, event_type, details, counter, timestamp_sec,
     received_at_ms, action) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
);

/** Cards that reports of a device blocked since a moment. */
export const reportBlocks = statement<[deviceNo: number, sinceMs: number], { blocks: number }>(
  "report.blocks",
  `SELECT count(*) AS blocks FROM report WHERE device_no = ?1 AND action = 'blocked' AND received_at_ms > ?2`,
);

/** Write failures of a card since a moment. */
export const reportFailures = statement<
  [tenantId: number, cardId: string, sinceMs: number],
  { failures: number }
>(
  "report.failures",
  `SELECT count(*) AS failures FROM report WHERE event_type = 'write_failure' AND tenant_id = ?1
     AND card_id = ?2 AND received_at_ms > ?3`,
);
