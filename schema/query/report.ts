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

export interface ReportRow {
  report_no: number;
  uuid: string;
  terminal_id: number;
  card_id: string | null;
  event_type: string;
  details: string;
  counter: number | null;
  timestamp_sec: number;
  received_at_ms: number;
  action: string;
}

const reportColumns = `r.report_no, r.uuid, d.terminal_id, r.card_id, r.event_type, r.details, r.counter,
  r.timestamp_sec, r.received_at_ms, r.action`;

export const reportByUuid = statement<[tenantId: number, uuid: string], ReportRow>(
  "report.byUuid",
  `SELECT ${reportColumns} FROM report r CROSS JOIN device d ON d.device_no = r.device_no
   WHERE r.uuid = ?2 AND r.tenant_id = ?1`,
);

/** Null lets everything through; the time is when the device says it was. */
type ReportFilter = [
  tenantId: number,
  eventType: string | null,
  cardId: string | null,
  terminalId: number | null,
  fromSec: number,
  toSec: number,
];
const that = {
  type: "(?2 IS NULL OR r.event_type = ?2)",
  card: "(?3 IS NULL OR r.card_id = ?3)",
  time: "r.timestamp_sec >= ?5 AND r.timestamp_sec < ?6",
};
/** What is found by, each by an index of its own. */
const by = {
  every: `r.tenant_id = ?1 AND ?4 IS NULL AND ${that.type} AND ${that.card}`,
  type: `r.tenant_id = ?1 AND ?4 IS NULL AND r.event_type = ?2 AND ${that.card}`,
  card: `r.tenant_id = ?1 AND ?4 IS NULL AND r.card_id = ?3 AND ${that.type}`,
  device: `r.device_no = (SELECT device_no FROM device WHERE tenant_id = ?1 AND terminal_id = ?4)
     AND ${that.type} AND ${that.card}`,
};
const index = {
  every: "report_tenant",
  type: "report_type",
  card: "report_card",
  device: "report_device",
};

/** Newest first, below a number. */
const pageBy = (way: keyof typeof by): string =>
  `SELECT ${reportColumns} FROM report r INDEXED BY ${index[way]}
   CROSS JOIN device d ON d.device_no = r.device_no
   WHERE ${by[way]} AND ${that.time} AND r.report_no < ?7 ORDER BY r.report_no DESC LIMIT ?8`;
const countBy = (way: keyof typeof by): string =>
  `SELECT count(*) AS count FROM (SELECT 1 FROM report r INDEXED BY ${index[way]}
     WHERE ${by[way]} AND ${that.time} LIMIT ?7)`;

export const reportPage = statement<[...ReportFilter, belowNo: number, limit: number], ReportRow>(
  "report.page",
  pageBy("every"),
);
export const reportPageOfType = statement<
  [...ReportFilter, belowNo: number, limit: number],
  ReportRow
>("report.pageOfType", pageBy("type"));
export const reportPageOfCard = statement<
  [...ReportFilter, belowNo: number, limit: number],
  ReportRow
>("report.pageOfCard", pageBy("card"));
export const reportPageOfDevice = statement<
  [...ReportFilter, belowNo: number, limit: number],
  ReportRow
>("report.pageOfDevice", pageBy("device"));

/** Counted no further than a limit. */
export const reportCount = statement<[...ReportFilter, limit: number], { count: number }>(
  "report.count",
  countBy("every"),
);
export const reportCountOfType = statement<[...ReportFilter, limit: number], { count: number }>(
  "report.countOfType",
  countBy("type"),
);
export const reportCountOfCard = statement<[...ReportFilter, limit: number], { count: number }>(
  "report.countOfCard",
  countBy("card"),
);
export const reportCountOfDevice = statement<[...ReportFilter, limit: number], { count: number }>(
  "report.countOfDevice",
  countBy("device"),
);
