/**
 * Statements that show operators what devices handed in: batches, accepted events, and those that were
 * put into quarantine. All only read. An event's place is 0 for the first accepted of its batch; those
 * in quarantine come after the accepted ones.
 */
import { statement } from "./statement.ts";

export interface BatchRow {
  batch_no: number;
  uuid: string;
  terminal_id: number;
  device_id: string;
  received_at_ms: number;
  events: number;
  accepted: number;
  rejected: number;
  flagged: number;
  debit_amount: number;
  credit_amount: number;
  digest: Uint8Array;
  audit_seq: number;
}

const batchColumns = `b.batch_no, b.uuid, d.terminal_id, d.device_id, b.received_at_ms, b.events, b.accepted,
  b.rejected, b.flagged, b.debit_amount, b.credit_amount, b.digest, b.audit_seq`;
const batchTables = "batch b CROSS JOIN device d ON d.device_no = b.device_no";

export const batchByUuid = statement<[tenantId: number, uuid: string], BatchRow>(
  "record.batch",
  `SELECT ${batchColumns} FROM ${batchTables} WHERE b.uuid = ?2 AND b.tenant_id = ?1`,
);

/** Number of the first batch with an id at or above this text, of every tenant. */
export const batchNoFrom = statement<[uuid: string], { batch_no: number }>(
  "record.batchNoFrom",
  "SELECT batch_no FROM batch WHERE uuid >= ?1 ORDER BY uuid LIMIT 1",
);

/** `flagged`: 1 those with flagged events alone, 0 those without, null all. */
type BatchFilter = [
  tenantId: number,
  terminalId: number | null,
  fromNo: number,
  belowNo: number,
  flagged: number | null,
];
const batchRange = `b.batch_no >= ?3 AND b.batch_no < ?4 AND (?5 IS NULL OR (b.flagged > 0) = ?5)`;
const ofTenant = "b.tenant_id = ?1 AND ?2 IS NULL";
const ofDevice =
  "b.device_no = (SELECT device_no FROM device WHERE tenant_id = ?1 AND terminal_id = ?2)";

/** Newest first. */
export const batchPage = statement<[...BatchFilter, limit: number], BatchRow>(
  "record.batchPage",
  `SELECT ${batchColumns} FROM ${batchTables} WHERE ${ofTenant} AND ${batchRange}
   ORDER BY b.batch_no DESC LIMIT ?6`,
);
export const batchPageOfDevice = statement<[...BatchFilter, limit: number], BatchRow>(
  "record.batchPageOfDevice",
  `SELECT ${batchColumns} FROM ${batchTables} WHERE ${ofDevice} AND ${batchRange}
   ORDER BY b.batch_no DESC LIMIT ?6`,
);

/** Counted no further than a limit. */
export const batchCount = statement<[...BatchFilter, limit: number], { count: number }>(
  "record.batchCount",
  `SELECT count(*) AS count FROM (
     SELECT 1 FROM batch b WHERE ${ofTenant} AND ${batchRange} LIMIT ?6)`,
);
export const batchCountOfDevice = statement<[...BatchFilter, limit: number], { count: number }>(
  "record.batchCountOfDevice",
  `SELECT count(*) AS count FROM (
     SELECT 1 FROM batch b WHERE ${ofDevice} AND ${batchRange} LIMIT ?6)`,
);

/** A batch as far as its events are found by it. */
export interface SpanRow {
  batch_no: number;
  first_event: number;
  accepted: number;
  rejected: number;
  /** 1 where some event was flagged, on arrival or later. */
  marked: number;
}

const spanColumns = `b.batch_no, b.first_event, b.accepted, b.rejected,
  (b.flagged > 0 OR EXISTS (SELECT 1 FROM event_amend a
    WHERE a.event_id >= b.first_event AND a.event_id < b.first_event + b.accepted)) AS marked`;
/** Below a number only batches that had something to look at, besides those that brought nothing. */
const spanRange = `b.batch_no < ?3 AND (b.batch_no >= ?4 OR b.flagged > 0 OR b.rejected > 0)`;

/** Newest first. */
export const spansOfTenant = statement<
  [tenantId: number, none: null, belowNo: number, wholeFromNo: number, limit: number],
  SpanRow
>(
  "record.spans",
  `SELECT ${spanColumns} FROM batch b WHERE ${ofTenant} AND ${spanRange}
   ORDER BY b.batch_no DESC LIMIT ?5`,
);
export const spansOfDevice = statement<
  [tenantId: number, terminalId: number, belowNo: number, wholeFromNo: number, limit: number],
  SpanRow
>(
  "record.spansOfDevice",
  `SELECT ${spanColumns} FROM batch b WHERE ${ofDevice} AND ${spanRange}
   ORDER BY b.batch_no DESC LIMIT ?5`,
);
export const spanOfBatch = statement<[tenantId: number, uuid: string], SpanRow>(
  "record.span",
  `SELECT ${spanColumns} FROM batch b WHERE b.uuid = ?2 AND b.tenant_id = ?1`,
);

/** Sum of what so many batches brought, newest first, and the last of them. */
type Sum = { accepted: number; batches: number; last_no: number };
const sumOf = (where: string): string =>
  `SELECT coalesce(sum(accepted), 0) AS accepted, count(*) AS batches, coalesce(min(batch_no), 0) AS last_no
   FROM (SELECT b.accepted, b.batch_no FROM batch b WHERE ${where} AND b.batch_no < ?3
     ORDER BY b.batch_no DESC LIMIT ?4)`;
export const acceptedOfTenant = statement<
  [tenantId: number, none: null, belowNo: number, limit: number],
  Sum
>("record.accepted", sumOf(ofTenant));
export const acceptedOfDevice = statement<
  [tenantId: number, terminalId: number, belowNo: number, limit: number],
  Sum
>("record.acceptedOfDevice", sumOf(ofDevice));

/** An event as operators see it; one in quarantine has a `reason`, and no `flags`. */
export interface HandedRow {
  /** Number of the event, or of the row in quarantine. */
  no: number;
  batch_no: number;
  batch_uuid: string;
  place: number;
  /** One past the last accepted event of the batch. */
  end_id: number;
  /** The chain event before. */
  prev: number;
  terminal_id: number;
  card_id: string;
  counter: number;
  type: number;
  amount: number;
  balance_after: number;
  timestamp_sec: number;
  hash: number;
  flags: number;
  reason: string | null;
  received_at_ms: number;
  audit_seq: number;
}

const eventColumns = `e.event_id AS no, e.batch_no, b.uuid AS batch_uuid, e.event_id - b.first_event AS place,
  b.first_event + b.accepted AS end_id, e.prev, d.terminal_id, c.card_id, e.counter, e.type, e.amount,
  e.balance_after, e.timestamp_sec, e.hash, coalesce(a.flags, e.flags) AS flags, NULL AS reason,
  b.received_at_ms, b.audit_seq`;
const eventTables = `event e CROSS JOIN batch b ON b.batch_no = e.batch_no
   CROSS JOIN card c ON c.card_no = e.card_no CROSS JOIN device d ON d.device_no = e.device_no
   LEFT JOIN event_amend a ON a.event_id = e.event_id`;
const amended = "event e LEFT JOIN event_amend a ON a.event_id = e.event_id";
const quarantineColumns = `q.quarantine_no AS no, q.batch_no, b.uuid AS batch_uuid,
  b.accepted + q.quarantine_no
    - (SELECT min(f.quarantine_no) FROM quarantine f WHERE f.batch_no = q.batch_no) AS place,
  b.first_event + b.accepted AS end_id, 0 AS prev, d.terminal_id, q.card_id, q.counter, q.type, q.amount,
  q.balance_after, q.timestamp_sec, q.hash, 0 AS flags, q.reason, b.received_at_ms, b.audit_seq`;
const quarantineTables = `quarantine q CROSS JOIN batch b ON b.batch_no = q.batch_no
   CROSS JOIN device d ON d.device_no = q.device_no`;

/** `flagged`: 1 flagged ones alone, 0 the others, null all. The time is the event's own. */
type EventFilter = [type: number | null, fromSec: number, toSec: number, flagged: number | null];
type QuarantineFilter = [type: number | null, fromSec: number, toSec: number];
const eventsThat = (type: string, from: string, to: string, flagged: string): string =>
  `(${type} IS NULL OR e.type = ${type}) AND e.timestamp_sec >= ${from} AND e.timestamp_sec < ${to}
   AND (${flagged} IS NULL OR (coalesce(a.flags, e.flags) <> 0) = ${flagged})`;
const quarantinedThat = (type: string, from: string, to: string): string =>
  `(${type} IS NULL OR q.type = ${type}) AND q.timestamp_sec >= ${from} AND q.timestamp_sec < ${to}`;

/** Accepted events of a range of numbers, newest first. */
export const eventsBetween = statement<
  [tenantId: number, fromId: number, belowId: number, ...EventFilter, limit: number],
  HandedRow
>(
  "record.eventsBetween",
  `SELECT ${eventColumns} FROM ${eventTables} WHERE e.event_id >= ?2 AND e.event_id < ?3
     AND e.tenant_id = ?1 AND ${eventsThat("?4", "?5", "?6", "?7")}
   ORDER BY e.event_id DESC LIMIT ?8`,
);
export const eventCountBetween = statement<
  [tenantId: number, fromId: number, belowId: number, ...EventFilter],
  { count: number }
>(
  "record.eventCountBetween",
  `SELECT count(*) AS count FROM ${amended} WHERE e.event_id >= ?2 AND e.event_id < ?3
     AND e.tenant_id = ?1 AND ${eventsThat("?4", "?5", "?6", "?7")}`,
);

/** Events that a batch put into quarantine, last one first. */
export const quarantinedOfBatch = statement<
  [tenantId: number, batchNo: number, belowPlace: number, ...QuarantineFilter, limit: number],
  HandedRow
>(
  "record.quarantinedOfBatch",
  `SELECT * FROM (SELECT ${quarantineColumns} FROM ${quarantineTables}
     WHERE q.batch_no = ?2 AND q.tenant_id = ?1 AND ${quarantinedThat("?4", "?5", "?6")})
   WHERE place < ?3 ORDER BY no DESC LIMIT ?7`,
);
export const quarantineCountOfBatch = statement<
  [tenantId: number, batchNo: number, ...QuarantineFilter],
  { count: number }
>(
  "record.quarantineCountOfBatch",
  `SELECT count(*) AS count FROM quarantine q
   WHERE q.batch_no = ?2 AND q.tenant_id = ?1 AND ${quarantinedThat("?3", "?4", "?5")}`,
);

/** Rows in quarantine, counted no further than a limit. */
export const quarantineCount = statement<[tenantId: number, limit: number], { count: number }>(
  "record.quarantineCount",
  "SELECT count(*) AS count FROM (SELECT 1 FROM quarantine WHERE tenant_id = ?1 LIMIT ?2)",
);
export const quarantineCountOfDevice = statement<
  [tenantId: number, terminalId: number, limit: number],
  { count: number }
>(
  "record.quarantineCountOfDevice",
  `SELECT count(*) AS count FROM (SELECT 1 FROM quarantine
     WHERE device_no = (SELECT device_no FROM device WHERE tenant_id = ?1 AND terminal_id = ?2)
     LIMIT ?3)`,
);

/** The chain of a card from event ?3 down, in order of arrival; every step falls. */
const chain = `WITH RECURSIVE chain (id, prev) AS (
     SELECT event_id, prev FROM event WHERE event_id = ?3 AND card_no = ?2 AND tenant_id = ?1
     UNION ALL
     SELECT s.event_id, s.prev FROM chain CROSS JOIN event s ON s.event_id = chain.prev
     WHERE s.event_id < chain.id AND s.card_no = ?2 AND s.tenant_id = ?1)`;
const device = "(?8 IS NULL OR d.terminal_id = ?8)";

/** Newest first. */
export const eventsOfChain = statement<
  [
    tenantId: number,
    cardNo: number,
    startId: number,
    ...EventFilter,
    terminalId: number | null,
    limit: number,
  ],
  HandedRow
>(
  "record.eventsOfChain",
  `${chain} SELECT ${eventColumns} FROM chain CROSS JOIN ${eventTables}
   WHERE e.event_id = chain.id AND ${eventsThat("?4", "?5", "?6", "?7")} AND ${device} LIMIT ?9`,
);
export const eventsLate = statement<
  [
    tenantId: number,
    cardNo: number,
    belowId: number,
    ...EventFilter,
    terminalId: number | null,
    limit: number,
  ],
  HandedRow
>(
  "record.eventsLate",
  `SELECT ${eventColumns} FROM event_place p CROSS JOIN ${eventTables}
   WHERE p.card_no = ?2 AND p.late = 1 AND p.event_id < ?3 AND p.tenant_id = ?1 AND e.event_id = p.event_id
     AND ${eventsThat("?4", "?5", "?6", "?7")} AND ${device}
   ORDER BY p.event_id DESC LIMIT ?9`,
);

/** Of a card id, whether or not there is such a card; behind one of a batch. */
export const quarantinedOfCard = statement<
  [
    tenantId: number,
    cardId: string,
    batchNo: number,
    belowNo: number,
    ...QuarantineFilter,
    terminalId: number | null,
    limit: number,
  ],
  HandedRow
>(
  "record.quarantinedOfCard",
  `SELECT ${quarantineColumns} FROM ${quarantineTables}
   WHERE q.tenant_id = ?1 AND q.card_id = ?2
     AND (q.batch_no < ?3 OR (q.batch_no = ?3 AND q.quarantine_no < ?4))
     AND ${quarantinedThat("?5", "?6", "?7")} AND ${device}
   ORDER BY q.quarantine_no DESC LIMIT ?9`,
);

/** The same, counted no further than a limit. */
export const eventCountOfChain = statement<
  [
    tenantId: number,
    cardNo: number,
    startId: number,
    ...EventFilter,
    terminalId: number | null,
    limit: number,
  ],
  { count: number }
>(
  "record.eventCountOfChain",
  `${chain} SELECT count(*) AS count FROM (
     SELECT 1 FROM chain CROSS JOIN event e CROSS JOIN device d ON d.device_no = e.device_no
       LEFT JOIN event_amend a ON a.event_id = e.event_id
     WHERE e.event_id = chain.id AND ${eventsThat("?4", "?5", "?6", "?7")} AND ${device} LIMIT ?9)`,
);
export const eventCountLate = statement<
  [tenantId: number, cardNo: number, ...EventFilter, terminalId: number | null, limit: number],
  { count: number }
>(
  "record.eventCountLate",
  `SELECT count(*) AS count FROM (
     SELECT 1 FROM event_place p CROSS JOIN event e CROSS JOIN device d ON d.device_no = e.device_no
       LEFT JOIN event_amend a ON a.event_id = e.event_id
     WHERE p.card_no = ?2 AND p.late = 1 AND p.tenant_id = ?1 AND e.event_id = p.event_id
       AND ${eventsThat("?3", "?4", "?5", "?6")} AND (?7 IS NULL OR d.terminal_id = ?7) LIMIT ?8)`,
);
export const quarantineCountOfCard = statement<
  [tenantId: number, cardId: string, ...QuarantineFilter, terminalId: number | null, limit: number],
  { count: number }
>(
  "record.quarantineCountOfCard",
  `SELECT count(*) AS count FROM (
     SELECT 1 FROM quarantine q CROSS JOIN device d ON d.device_no = q.device_no
     WHERE q.tenant_id = ?1 AND q.card_id = ?2 AND ${quarantinedThat("?3", "?4", "?5")}
       AND (?6 IS NULL OR d.terminal_id = ?6) LIMIT ?7)`,
);
