/**
 * Statements that prove a whole file: each reads its tables through, in the order of a key, so that two
 * of them can be held against each other row by row. For a file at rest or a snapshot, never on a hot path.
 */
import { statement } from "./statement.ts";

export const verifyIntegrity = statement<[], { integrity_check: string }>(
  "verify.integrity",
  "PRAGMA integrity_check(100)",
);

export const verifyReferences = statement<
  [limit: number],
  { table: string; rowid: number | null; parent: string }
>("verify.references", `SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT ?1`);

export const verifyTenants = statement<[], { tenant_id: number; timezone: string }>(
  "verify.tenants",
  "SELECT tenant_id, timezone FROM tenant ORDER BY tenant_id",
);

export interface AccountRow {
  no: number;
  tenant_id: number;
  available: number;
  pending: number;
  frozen: number;
}

const buckets = `sum(CASE bucket WHEN 0 THEN amount ELSE 0 END) AS available,
     sum(CASE bucket WHEN 1 THEN amount ELSE 0 END) AS pending,
     sum(CASE bucket WHEN 2 THEN amount ELSE 0 END) AS frozen`;

/** What the entries of each card's wallet come to. */
export const verifyCardEntries = statement<[], AccountRow>(
  "verify.cardEntries",
  `SELECT card_no AS no, tenant_id, ${buckets} FROM entry
   WHERE card_no IS NOT NULL GROUP BY card_no, tenant_id`,
);

export const verifyCardBalances = statement<[], AccountRow>(
  "verify.cardBalances",
  "SELECT card_no AS no, tenant_id, available, pending, frozen FROM head ORDER BY card_no",
);

/** What the events move that rows of heads lack. */
export const verifyCardRest = statement<[], AccountRow>(
  "verify.cardRest",
  `SELECT e.card_no AS no, e.tenant_id,
     sum(CASE e.booking WHEN 1 THEN -e.amount WHEN 2 THEN e.amount ELSE 0 END) AS available,
     sum(CASE e.booking WHEN 2 THEN -e.amount ELSE 0 END) AS pending, 0 AS frozen
   FROM event e JOIN head h ON h.card_no = e.card_no
   WHERE e.event_id > (SELECT coalesce(max(through), 0) FROM head_round) AND e.event_id > h.applied
   GROUP BY e.card_no, e.tenant_id`,
);

export const verifyThrough = statement<[], { through: number }>(
  "verify.through",
  "SELECT coalesce(max(through), 0) AS through FROM head_round",
);

export const verifyWalletEntries = statement<[], AccountRow>(
  "verify.walletEntries",
  `SELECT wallet_no AS no, tenant_id, ${buckets} FROM entry
   WHERE wallet_no IS NOT NULL GROUP BY wallet_no, tenant_id`,
);

export const verifyWalletBalances = statement<[], AccountRow>(
  "verify.walletBalances",
  "SELECT wallet_no AS no, tenant_id, available, pending, frozen FROM wallet ORDER BY wallet_no",
);

/** Wallets with what they say of their transactions. */
export interface WalletTipRow {
  no: number;
  last_txn_no: number;
  txns: number;
}

export const verifyWalletTips = statement<[], WalletTipRow>(
  "verify.walletTips",
  "SELECT wallet_no AS no, last_txn_no, txns FROM wallet ORDER BY wallet_no",
);

/** Transactions of persons' wallets, each with the one that it names before it. */
export interface WalletLinkRow {
  no: number;
  txn_no: number;
  prev: number;
}

export const verifyWalletLinks = statement<[], WalletLinkRow>(
  "verify.walletLinks",
  `SELECT wallet_no AS no, txn_no, prev_no AS prev FROM txn WHERE prev_no IS NOT NULL
   UNION ALL SELECT counter_wallet_no, txn_no, counter_prev_no FROM txn WHERE counter_prev_no IS NOT NULL
   ORDER BY no, txn_no`,
);

/** Every card with its head; the head's fields are null where it is missing. */
export interface VerifyHeadRow {
  card_no: number;
  card_tenant_id: number;
  tenant_id: number | null;
  event_id: number;
  counter: number;
  type: number;
  amount: number;
  chip_balance: number;
  timestamp_sec: number;
  hash: number;
  flags: number;
  linked: number;
  start_sec: number | null;
  state: number | null;
  shown_state: number;
  shown_counter: number;
  opening_balance: number;
  depth: number;
  late: number;
  week: number;
  d0: number;
  d1: number;
  d2: number;
  d3: number;
  d4: number;
  d5: number;
  d6: number;
  /** The row holds the card's events up to this one. */
  applied: number;
}

export const verifyHeads = statement<[], VerifyHeadRow>(
  "verify.heads",
  `SELECT c.card_no, c.tenant_id AS card_tenant_id, h.tenant_id, h.event_id, h.counter, h.type, h.amount,
     h.chip_balance, h.timestamp_sec, h.hash, h.flags, h.linked, h.start_sec, h.state, h.shown_state,
     h.shown_counter, h.opening_balance, h.depth, h.late, h.week, h.d0, h.d1, h.d2, h.d3, h.d4, h.d5, h.d6,
     h.applied
   FROM card c LEFT JOIN head h ON h.card_no = c.card_no ORDER BY c.card_no`,
);

/** An event with what is known of it now, by card and counter. */
export interface VerifyEventRow {
  card_no: number;
  counter: number;
  event_id: number;
  tenant_id: number;
  type: number;
  amount: number;
  balance_after: number;
  timestamp_sec: number;
  hash: number;
  flags: number;
  linked: number;
  start_sec: number | null;
  state: number | null;
  prev: number;
  late: number;
}

export const verifyEvents = statement<[], VerifyEventRow>(
  "verify.events",
  `SELECT e.card_no, e.counter, e.event_id, e.tenant_id, e.type, e.amount, e.balance_after, e.timestamp_sec,
     e.hash, e.prev, e.late, coalesce(a.flags, e.flags) AS flags, coalesce(a.linked, e.linked) AS linked,
     CASE WHEN a.event_id IS NULL THEN e.start_sec ELSE a.start_sec END AS start_sec,
     CASE WHEN a.event_id IS NULL THEN e.state ELSE a.state END AS state
   FROM event e LEFT JOIN event_amend a ON a.event_id = e.event_id
   ORDER BY e.card_no, e.counter, e.event_id`,
);

export interface VerifyPlaceRow {
  card_no: number;
  counter: number;
  late: number;
  event_id: number;
}

export const verifyPlaces = statement<[], VerifyPlaceRow>(
  "verify.places",
  "SELECT card_no, counter, late, event_id FROM event_place ORDER BY card_no, counter, late",
);

export const verifyHoles = statement<[], { card_no: number; counter: number; event_id: number }>(
  "verify.holes",
  "SELECT card_no, counter, event_id FROM event_hole ORDER BY card_no, counter",
);

export interface VerifyWeekRow {
  card_no: number;
  week: number;
  d0: number;
  d1: number;
  d2: number;
  d3: number;
  d4: number;
  d5: number;
  d6: number;
}

export const verifyWeeks = statement<[], VerifyWeekRow>(
  "verify.weeks",
  "SELECT card_no, week, d0, d1, d2, d3, d4, d5, d6 FROM debit_week ORDER BY card_no, week",
);

/** What is known of an event that is not there. */
export const verifyAmends = statement<[limit: number], { event_id: number }>(
  "verify.amends",
  `SELECT a.event_id FROM event_amend a LEFT JOIN event e ON e.event_id = a.event_id
   WHERE e.event_id IS NULL LIMIT ?1`,
);

/** Credits whose top-up is missing, is another card's or amount, or names another credit. */
export const verifyCredits = statement<
  [limit: number],
  { event_id: number; topup_no: number; of_event: number | null }
>(
  "verify.credits",
  `SELECT e.event_id, e.topup_no, t.event_id AS of_event
   FROM event e LEFT JOIN topup t ON t.topup_no = e.topup_no
   WHERE e.booking IN (2, 4) AND (t.topup_no IS NULL OR t.event_id IS NOT e.event_id
     OR t.card_no <> e.card_no OR t.amount <> e.amount OR t.status <> 'completed') LIMIT ?1`,
);

/** Numbers kept by triggers that are not those of the rows: what is kept, what there is. */
export const verifyCounts = statement<
  [limit: number],
  { of: string; tenant_id: number; key: string; kept: number; found: number }
>(
  "verify.counts",
  `WITH found (of, tenant_id, key, number) AS (
     SELECT 'card_count', tenant_id, status || ' ' || key_version || ' ' || needs_validation, count(*)
       FROM card GROUP BY tenant_id, status, key_version, needs_validation
     UNION ALL SELECT 'member_count', tenant_id, status, count(*) FROM member GROUP BY tenant_id, status),
   kept (of, tenant_id, key, number) AS (
     SELECT 'card_count', tenant_id, status || ' ' || key_version || ' ' || needs_validation, cards
       FROM card_count
     UNION ALL SELECT 'member_count', tenant_id, status, members FROM member_count)
   SELECT of, tenant_id, key, max(kept) AS kept, max(number) AS found FROM (
     SELECT of, tenant_id, key, 0 AS kept, number FROM found
     UNION ALL SELECT of, tenant_id, key, number, 0 FROM kept)
   GROUP BY of, tenant_id, key HAVING max(kept) <> max(number) LIMIT ?1`,
);

/** Events in order of arrival. */
export interface VerifyArrivalRow {
  event_id: number;
  batch_no: number;
  tenant_id: number;
  device_no: number;
  type: number;
  amount: number;
  timestamp_sec: number;
  flags: number;
  booking: number;
}

export const verifyArrivals = statement<[], VerifyArrivalRow>(
  "verify.arrivals",
  `SELECT event_id, batch_no, tenant_id, device_no, type, amount, timestamp_sec, flags, booking
   FROM event ORDER BY event_id`,
);

export interface VerifyBatchRow {
  batch_no: number;
  tenant_id: number;
  device_no: number;
  received_at_ms: number;
  accepted: number;
  flagged: number;
  debit_amount: number;
  credit_amount: number;
  first_event: number;
}

export const verifyBatches = statement<[], VerifyBatchRow>(
  "verify.batches",
  `SELECT batch_no, tenant_id, device_no, received_at_ms, accepted, flagged, debit_amount, credit_amount,
     first_event FROM batch ORDER BY batch_no`,
);

/** Rejected events, each once, as settlement counts them; those let stand beside the chain also as debits. */
export const verifyQuarantine = statement<
  [],
  {
    tenant_id: number;
    device_no: number;
    timestamp_sec: number;
    received_at_ms: number;
    amount: number;
    side: number;
  }
>(
  "verify.quarantine",
  `SELECT tenant_id, device_no, timestamp_sec, received_at_ms, amount, side FROM quarantine
   ORDER BY quarantine_no`,
);

/** Top-ups that stand. */
export const verifyTopups = statement<
  [],
  { tenant_id: number; device_no: number; amount: number; timestamp_sec: number }
>(
  "verify.topups",
  `SELECT tenant_id, device_no, amount, timestamp_sec FROM topup
   WHERE status <> 'canceled' ORDER BY topup_no`,
);

export interface VerifySettlementRow {
  tenant_id: number;
  day: number;
  device_no: number;
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

/** What was paid out of cards. */
export const verifyRefunds = statement<
  [],
  { tenant_id: number; amount: number; created_at_ms: number }
>(
  "verify.refunds",
  "SELECT tenant_id, amount, created_at_ms FROM txn WHERE type = 'refund' ORDER BY txn_no",
);

/** Money of parked credits on its way out of suspense: to its card, or back to cash. */
export const verifyReleases = statement<
  [],
  { tenant_id: number; amount: number; at_ms: number; to_card: number }
>(
  "verify.releases",
  `SELECT p.tenant_id, p.amount, p.at_ms, p.card_no IS NOT NULL AS to_card
   FROM posting p LEFT JOIN wallet w ON w.wallet_no = p.wallet_no
   WHERE p.event_id IS NOT NULL AND (p.card_no IS NOT NULL OR w.system_key = 'cash') ORDER BY p.posting_no`,
);

/** A run with one of its exports; the export's fields are null where there is none. */
export interface VerifyRunRow {
  tenant_id: number;
  run_no: number;
  number: number;
  from_day: number;
  to_day: number;
  device_no: number | null;
  terminal_id: number | null;
  rows: number | null;
  totals: string | null;
  sha256: Uint8Array | null;
  format: string | null;
  export_sha256: Uint8Array | null;
  bytes: Uint8Array | null;
}

export const verifyRuns = statement<[], VerifyRunRow>(
  "verify.runs",
  `SELECT r.tenant_id, r.run_no, r.number, r.from_day, r.to_day, r.device_no, d.terminal_id, r.rows, r.totals,
     r.sha256, e.format, e.sha256 AS export_sha256, e.bytes
   FROM settlement_run r LEFT JOIN device d ON d.device_no = r.device_no
     LEFT JOIN settlement_export e ON e.run_no = r.run_no ORDER BY r.run_no`,
);

export interface VerifyClosedRow extends VerifySettlementRow {
  terminal_id: number | null;
}

/**
 * Sums by day and device of what a run has: layer 0 of its own days; of the days of others what came in
 * after they were closed and that no run before took; and, in a run of all, what the house did on days
 * that runs of single terminals closed.
 */
export const verifyClosed = statement<
  [tenantId: number, run: number, fromDay: number, toDay: number, deviceNo: number | null],
  VerifyClosedRow
>(
  "verify.closed",
  `SELECT s.tenant_id, s.day, s.device_no, d.terminal_id, sum(s.checkins) AS checkins,
     sum(s.checkouts) AS checkouts, sum(s.debits) AS debits, sum(s.debit_amount) AS debit_amount,
     sum(s.credits) AS credits, sum(s.credit_amount) AS credit_amount, sum(s.topups) AS topups,
     sum(s.topup_amount) AS topup_amount, sum(s.rejected) AS rejected, sum(s.flagged) AS flagged,
     sum(s.late_events) AS late_events, sum(s.refunds) AS refunds, sum(s.refund_amount) AS refund_amount,
     sum(s.parked_amount) AS parked_amount, sum(s.released_amount) AS released_amount,
     sum(s.returned_amount) AS returned_amount
   FROM settlement s LEFT JOIN device d ON d.device_no = s.device_no
   WHERE s.tenant_id = ?1 AND (?5 IS NULL OR s.device_no = ?5) AND CASE
     WHEN s.layer = 0 AND s.day BETWEEN ?3 AND ?4 THEN 1
     WHEN s.layer = 0 THEN s.device_no = 2147483647 AND ?2 = (SELECT min(a.number) FROM settlement_run a
       WHERE a.tenant_id = ?1 AND a.device_no IS NULL AND a.number >= (SELECT min(r.number)
         FROM settlement_run r WHERE r.tenant_id = ?1 AND s.day BETWEEN r.from_day AND r.to_day))
     ELSE ?2 = (SELECT min(r.number) FROM settlement_run r WHERE r.tenant_id = ?1 AND r.number > s.layer
       AND (r.device_no IS NULL OR r.device_no = s.device_no)) END
   GROUP BY s.day, s.device_no`,
);

/** Settlement by day and device, whatever run it is in. */
export const verifySettlement = statement<[], VerifySettlementRow>(
  "verify.settlement",
  `SELECT tenant_id, day, device_no, sum(checkins) AS checkins, sum(checkouts) AS checkouts,
     sum(debits) AS debits, sum(debit_amount) AS debit_amount, sum(credits) AS credits,
     sum(credit_amount) AS credit_amount, sum(topups) AS topups, sum(topup_amount) AS topup_amount,
     sum(rejected) AS rejected, sum(flagged) AS flagged, sum(late_events) AS late_events,
     sum(refunds) AS refunds, sum(refund_amount) AS refund_amount, sum(parked_amount) AS parked_amount,
     sum(released_amount) AS released_amount, sum(returned_amount) AS returned_amount
   FROM settlement GROUP BY tenant_id, day, device_no`,
);
