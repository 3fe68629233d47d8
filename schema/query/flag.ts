/** Statements over quarantine, flags and alerts. */
import { statement } from "./statement.ts";

export const quarantineByContent = statement<
  [
    tenantId: number,
    cardId: string,
    counter: number,
    type: number,
    amount: number,
    balanceAfter: number,
    timestampSec: number,
    hash: number,
  ],
  { quarantine_no: number; status: string }
>(
  "quarantine.byContent",
  `SELECT quarantine_no, status FROM quarantine WHERE tenant_id = ?1 AND card_id = ?2 AND counter = ?3
     AND type = ?4 AND amount = ?5 AND balance_after = ?6 AND timestamp_sec = ?7 AND hash = ?8`,
);

export const quarantineInsert = statement<
  [
    tenantId: number,
    deviceNo: number,
    batchNo: number,
    cardId: string,
    counter: number,
    type: number,
    amount: number,
    balanceAfter: number,
    timestampSec: number,
    hash: number,
    reason: string,
    receivedAtMs: number,
  ],
  { quarantine_no: number }
>(
  "quarantine.insert",
  `INSERT INTO quarantine (tenant_id, device_no, batch_no, card_id, counter, type, amount, balance_after,
     timestamp_sec, hash, reason, status, side, received_at_ms)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'open', 0, ?12) RETURNING quarantine_no`,
);

/** Undecided rows of a device, counted no further than a limit. */
export const quarantineOpen = statement<[deviceNo: number, limit: number], { open: number }>(
  "quarantine.open",
  "SELECT count(*) AS open FROM (SELECT 1 FROM quarantine WHERE device_no = ?1 AND status = 'open' LIMIT ?2)",
);

export interface QuarantineRow {
  quarantine_no: number;
  device_no: number;
  batch_no: number;
  card_id: string;
  counter: number;
  type: number;
  amount: number;
  balance_after: number;
  timestamp_sec: number;
  hash: number;
  reason: string;
  status: string;
}

export const quarantineByNo = statement<[tenantId: number, quarantineNo: number], QuarantineRow>(
  "quarantine.byNo",
  `SELECT quarantine_no, device_no, batch_no, card_id, counter, type, amount, balance_after, timestamp_sec, hash,
     reason, status FROM quarantine WHERE quarantine_no = ?2 AND tenant_id = ?1`,
);

/** A debit that was let stand beside the chain at a card and counter. */
export const quarantineBeside = statement<
  [tenantId: number, cardId: string, counter: number],
  QuarantineRow
>(
  "quarantine.beside",
  `SELECT quarantine_no, device_no, batch_no, card_id, counter, type, amount, balance_after, timestamp_sec, hash,
     reason, status FROM quarantine WHERE tenant_id = ?1 AND card_id = ?2 AND counter = ?3 AND side = 1 LIMIT 1`,
);

export const quarantineDecide = statement<
  [tenantId: number, quarantineNo: number, status: string, side: number]
>(
  "quarantine.decide",
  "UPDATE quarantine SET status = ?3, side = ?4 WHERE quarantine_no = ?2 AND tenant_id = ?1",
);

export const flagInsert = statement<
  [
    uuid: string,
    tenantId: number,
    kind: string,
    reason: string,
    severity: string,
    cardNo: number | null,
    cardId: string,
    deviceNo: number,
    eventId: number | null,
    quarantineNo: number | null,
    batchNo: number | null,
    counter: number | null,
    amount: number | null,
    raisedAtMs: number,
    evidence: string,
  ]
>(
  "flag.insert",
  `INSERT INTO flag (uuid, tenant_id, kind, reason, severity, status, card_no, card_id, device_no, event_id,
     quarantine_no, batch_no, counter, amount, raised_at_ms, evidence)
   VALUES (?1, ?2, ?3, ?4, ?5, 'open', ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)`,
);

export interface FlagRow {
  flag_no: number;
  uuid: string;
  kind: string;
  reason: string;
  severity: string;
  status: string;
  card_no: number | null;
  card_id: string;
  device_no: number;
  terminal_id: number;
  event_id: number | null;
  quarantine_no: number | null;
  batch_uuid: string | null;
  /** Of the event: the batch that brought it, and its place there, behind the accepted ones if it was refused. */
  event_batch: string | null;
  event_place: number | null;
  counter: number | null;
  amount: number | null;
  raised_at_ms: number;
  decided_at_ms: number | null;
  decided_by: string | null;
  note: string | null;
  evidence: string;
}

const flagColumns = `f.flag_no, f.uuid, f.kind, f.reason, f.severity, f.status, f.card_no, f.card_id, f.device_no,
  d.terminal_id, f.event_id, f.quarantine_no, b.uuid AS batch_uuid, coalesce(eb.uuid, qb.uuid) AS event_batch,
  coalesce(f.event_id - eb.first_event, qb.accepted + f.quarantine_no
    - (SELECT min(o.quarantine_no) FROM quarantine o WHERE o.batch_no = q.batch_no)) AS event_place,
  f.counter, f.amount, f.raised_at_ms, f.decided_at_ms, f.decided_by, f.note, f.evidence`;
const flagJoin = `flag f CROSS JOIN device d ON d.device_no = f.device_no
   LEFT JOIN batch b ON b.batch_no = f.batch_no
   LEFT JOIN event e ON e.event_id = f.event_id LEFT JOIN batch eb ON eb.batch_no = e.batch_no
   LEFT JOIN quarantine q ON q.quarantine_no = f.quarantine_no LEFT JOIN batch qb ON qb.batch_no = q.batch_no`;

export const flagByUuid = statement<[tenantId: number, uuid: string], FlagRow>(
  "flag.byUuid",
  `SELECT ${flagColumns} FROM ${flagJoin} WHERE f.uuid = ?2 AND f.tenant_id = ?1`,
);

export const flagByNo = statement<[tenantId: number, flagNo: number], FlagRow>(
  "flag.byNo",
  `SELECT ${flagColumns} FROM ${flagJoin} WHERE f.flag_no = ?2 AND f.tenant_id = ?1`,
);

/** Number of the first flag with an id at or above this text, of every tenant. */
export const flagNoFrom = statement<[uuid: string], { flag_no: number }>(
  "flag.noFrom",
  "SELECT flag_no FROM flag WHERE uuid >= ?1 ORDER BY uuid LIMIT 1",
);

interface FlagNoRow {
  flag_no: number;
}
type Span = [tenantId: number, status: string, fromNo: number, belowNo: number];
const span = "f.tenant_id = ?1 AND f.status = ?2 AND f.flag_no >= ?3 AND f.flag_no < ?4";

/** All lists below give numbers, newest first. */
export const flagsByStatus = statement<[...Span, limit: number], FlagNoRow>(
  "flag.byStatus",
  `SELECT f.flag_no FROM flag f WHERE ${span} ORDER BY f.flag_no DESC LIMIT ?5`,
);
export const flagCountByStatus = statement<Span, { count: number }>(
  "flag.countByStatus",
  `SELECT count(*) AS count FROM flag f WHERE ${span}`,
);

/** Of one reason, severity and kind. */
type Sort = [...Span, reason: string, severity: string, kind: string];
const sort = `${span} AND f.reason = ?5 AND f.severity = ?6 AND f.kind = ?7`;
export const flagsOfSort = statement<[...Sort, limit: number], FlagNoRow>(
  "flag.ofSort",
  `SELECT f.flag_no FROM flag f WHERE ${sort} ORDER BY f.flag_no DESC LIMIT ?8`,
);
export const flagCountOfSort = statement<Sort, { count: number }>(
  "flag.countOfSort",
  `SELECT count(*) AS count FROM flag f WHERE ${sort}`,
);

/** Null lets everything through. */
type Rest = [
  reason: string | null,
  severity: string | null,
  kind: string | null,
  cardId: string | null,
  terminalId: number | null,
];
const device =
  "f.device_no = (SELECT device_no FROM device WHERE tenant_id = ?1 AND terminal_id = ?9)";
const rest = `(?5 IS NULL OR f.reason = ?5) AND (?6 IS NULL OR f.severity = ?6) AND (?7 IS NULL OR f.kind = ?7)`;
const ofCardId = `${span} AND f.card_id = ?8 AND ${rest} AND (?9 IS NULL OR ${device})`;
const ofDevice = `${span} AND ${device} AND ${rest} AND ?8 IS NULL`;

export const flagsOfCardId = statement<[...Span, ...Rest, limit: number], FlagNoRow>(
  "flag.ofCardId",
  `SELECT f.flag_no FROM flag f INDEXED BY flag_card_id WHERE ${ofCardId}
   ORDER BY f.flag_no DESC LIMIT ?10`,
);
export const flagCountOfCardId = statement<[...Span, ...Rest], { count: number }>(
  "flag.countOfCardId",
  `SELECT count(*) AS count FROM flag f INDEXED BY flag_card_id WHERE ${ofCardId}`,
);
export const flagsOfDevice = statement<[...Span, ...Rest, limit: number], FlagNoRow>(
  "flag.ofDevice",
  `SELECT f.flag_no FROM flag f INDEXED BY flag_device WHERE ${ofDevice}
   ORDER BY f.flag_no DESC LIMIT ?10`,
);
export const flagCountOfDevice = statement<[...Span, ...Rest], { count: number }>(
  "flag.countOfDevice",
  `SELECT count(*) AS count FROM flag f INDEXED BY flag_device WHERE ${ofDevice}`,
);

export const flagDecide = statement<
  [
    tenantId: number,
    flagNo: number,
    status: string,
    decidedAtMs: number,
    decidedBy: string,
    note: string,
  ]
>(
  "flag.decide",
  `UPDATE flag SET status = ?3, decided_at_ms = ?4, decided_by = ?5, note = ?6
   WHERE flag_no = ?2 AND tenant_id = ?1 AND status = 'open'`,
);

export const flagOfQuarantine = statement<
  [tenantId: number, quarantineNo: number],
  { flag_no: number; status: string }
>(
  "flag.ofQuarantine",
  "SELECT flag_no, status FROM flag WHERE quarantine_no = ?2 AND tenant_id = ?1",
);

/** An open flag on a card itself, of a reason. */
export const flagOpenOnCard = statement<
  [tenantId: number, cardNo: number, reason: string],
  { flag_no: number }
>(
  "flag.openOnCard",
  `SELECT flag_no FROM flag WHERE card_no = ?2 AND status = 'open' AND reason = ?3 AND event_id IS NULL
     AND tenant_id = ?1 LIMIT 1`,
);

export const alertInsert = statement<
  [
    uuid: string,
    tenantId: number,
    severity: string,
    reason: string,
    cardId: string | null,
    terminalId: number | null,
    detail: string,
    atMs: number,
  ]
>(
  "alert.insert",
  `INSERT INTO alert (uuid, tenant_id, severity, reason, card_id, terminal_id, detail, at_ms)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
);
