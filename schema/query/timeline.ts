/**
 * Statements that show all that happened to a card on one line of time, newest first. A place on the
 * line is (milliseconds, rank, number); of one moment, changes (rank 2) stand above flags (1), and these
 * above events (0). All only read.
 */
import { statement } from "./statement.ts";

type Line = [
  tenantId: number,
  cardNo: number,
  fromMs: number,
  toMs: number,
  beforeMs: number,
  beforeRank: number,
  beforeNo: number,
];
const behind = (at: string, rank: number, no: string): string =>
  `${at} >= ?3 AND ${at} < ?4 AND (${at}, ${rank}, ${no}) < (?5, ?6, ?7)`;

export interface LineEventRow {
  event_id: number;
  counter: number;
  type: number;
  amount: number;
  balance_after: number;
  timestamp_sec: number;
  flags: number;
  booking: number;
  topup_uuid: string | null;
  batch_uuid: string;
  /** In its batch, from 0. */
  place: number;
  audit_seq: number;
  device_id: string;
  terminal_id: number;
}

/** Every event of a card by its own time; the chain begins with event ?8. */
const eventsOf = (top: string): string => `WITH RECURSIVE chain (id, prev, at, counter) AS (
     SELECT event_id, prev, timestamp_sec * 1000, counter FROM event
     WHERE event_id = ${top} AND card_no = ?2 AND tenant_id = ?1
     UNION ALL
     SELECT s.event_id, s.prev, s.timestamp_sec * 1000, s.counter
     FROM chain CROSS JOIN event s ON s.event_id = chain.prev
     WHERE s.event_id < chain.id AND s.card_no = ?2 AND s.tenant_id = ?1),
   line (id, at, counter) AS (
     SELECT id, at, counter FROM chain
     UNION ALL
     SELECT l.event_id, l.timestamp_sec * 1000, l.counter
     FROM event_place p CROSS JOIN event l ON l.event_id = p.event_id
     WHERE p.card_no = ?2 AND p.late = 1 AND p.tenant_id = ?1)`;

export const lineEvents = statement<[...Line, topId: number, limit: number], LineEventRow>(
  "timeline.events",
  `${eventsOf("?8")},
   shown (id) AS (
     SELECT id FROM line WHERE ${behind("at", 0, "counter")} ORDER BY at DESC, counter DESC LIMIT ?9)
   SELECT e.event_id, e.counter, e.type, e.amount, e.balance_after, e.timestamp_sec,
     coalesce(a.flags, e.flags) AS flags, e.booking, t.uuid AS topup_uuid, b.uuid AS batch_uuid,
     e.event_id - b.first_event AS place, b.audit_seq, d.device_id, d.terminal_id
   FROM shown CROSS JOIN event e ON e.event_id = shown.id CROSS JOIN batch b ON b.batch_no = e.batch_no
     CROSS JOIN device d ON d.device_no = e.device_no
     LEFT JOIN event_amend a ON a.event_id = e.event_id LEFT JOIN txn t ON t.txn_no = e.topup_no`,
);

/** Counted no further than a limit. */
export const lineEventCount = statement<
  [tenantId: number, cardNo: number, fromMs: number, toMs: number, topId: number, limit: number],
  { count: number }
>(
  "timeline.eventCount",
  `${eventsOf("?5")}
   SELECT count(*) AS count FROM (SELECT 1 FROM line WHERE at >= ?3 AND at < ?4 LIMIT ?6)`,
);

export interface LineChangeRow {
  change_no: number;
  at_ms: number;
  kind: string;
  terminal_id: number | null;
  actor: string;
  amount: number | null;
  detail: string;
}

export const lineChanges = statement<[...Line, kind: string | null, limit: number], LineChangeRow>(
  "timeline.changes",
  `SELECT change_no, at_ms, kind, terminal_id, actor, amount, detail FROM card_change
   WHERE card_no = ?2 AND tenant_id = ?1 AND ${behind("at_ms", 2, "change_no")}
     AND (?8 IS NULL OR kind = ?8) ORDER BY at_ms DESC, change_no DESC LIMIT ?9`,
);
export const lineChangeCount = statement<
  [
    tenantId: number,
    cardNo: number,
    fromMs: number,
    toMs: number,
    kind: string | null,
    limit: number,
  ],
  { count: number }
>(
  "timeline.changeCount",
  `SELECT count(*) AS count FROM (SELECT 1 FROM card_change WHERE card_no = ?2 AND tenant_id = ?1
     AND at_ms >= ?3 AND at_ms < ?4 AND (?5 IS NULL OR kind = ?5) LIMIT ?6)`,
);

export interface LineFlagRow {
  flag_no: number;
  uuid: string;
  raised_at_ms: number;
  kind: string;
  reason: string;
  severity: string;
  status: string;
  terminal_id: number;
  amount: number | null;
  counter: number | null;
  batch_uuid: string | null;
}

export const lineFlags = statement<[...Line, limit: number], LineFlagRow>(
  "timeline.flags",
  `SELECT f.flag_no, f.uuid, f.raised_at_ms, f.kind, f.reason, f.severity, f.status, d.terminal_id, f.amount,
     f.counter, b.uuid AS batch_uuid
   FROM flag f CROSS JOIN device d ON d.device_no = f.device_no LEFT JOIN batch b ON b.batch_no = f.batch_no
   WHERE f.card_no = ?2 AND f.tenant_id = ?1 AND ${behind("f.raised_at_ms", 1, "f.flag_no")}
   ORDER BY f.raised_at_ms DESC, f.flag_no DESC LIMIT ?8`,
);
export const lineFlagCount = statement<
  [tenantId: number, cardNo: number, fromMs: number, toMs: number, limit: number],
  { count: number }
>(
  "timeline.flagCount",
  `SELECT count(*) AS count FROM (SELECT 1 FROM flag WHERE card_no = ?2 AND tenant_id = ?1
     AND raised_at_ms >= ?3 AND raised_at_ms < ?4 LIMIT ?5)`,
);
