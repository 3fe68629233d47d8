/**
 * Statements over wallets and transactions as those see them who move money by hand: accounts, records,
 * lists, sums. Devices' postings are `money.ts`.
 */
import type { Statement } from "./statement.ts";
import { statement } from "./statement.ts";

/** What moving money needs of a wallet. */
export interface AccountRow {
  wallet_no: number;
  uuid: string;
  kind: "user" | "system";
  system_key: string | null;
  currency: string;
  status: "active" | "closed";
  available: number;
  pending: number;
  frozen: number;
  /** Of a person's: its newest transaction, and how many there are. */
  last_txn_no: number;
  txns: number;
}

const accountColumns = `wallet_no, uuid, kind, system_key, currency, status, available, pending, frozen,
     last_txn_no, txns`;

export const accountByUuid = statement<[tenantId: number, uuid: string], AccountRow>(
  "wallet.account",
  `SELECT ${accountColumns} FROM wallet WHERE uuid = ?2 AND tenant_id = ?1`,
);

export const accountByNo = statement<[tenantId: number, walletNo: number], AccountRow>(
  "wallet.accountByNo",
  `SELECT ${accountColumns} FROM wallet WHERE wallet_no = ?2 AND tenant_id = ?1`,
);

export const walletPut = statement<
  [
    tenantId: number,
    walletNo: number,
    available: number,
    pending: number,
    frozen: number,
    lastTxnNo: number,
    txns: number,
    nowMs: number,
  ]
>(
  "wallet.put",
  `UPDATE wallet SET available = ?3, pending = ?4, frozen = ?5, last_txn_no = ?6, txns = ?7,
     updated_at_ms = ?8 WHERE wallet_no = ?2 AND tenant_id = ?1`,
);

/** Status of the device that a settlement account belongs to. */
export const settlementDevice = statement<
  [tenantId: number, terminalId: number],
  { device_no: number; status: string }
>(
  "wallet.device",
  "SELECT device_no, status FROM device WHERE tenant_id = ?1 AND terminal_id = ?2",
);

export const cardOfWallet = statement<
  [tenantId: number, walletUuid: string],
  { card_no: number; card_id: string }
>("wallet.card", "SELECT card_no, card_id FROM card WHERE wallet_uuid = ?2 AND tenant_id = ?1");

export interface CardWalletRow {
  card_no: number;
  card_id: string;
  wallet_uuid: string;
  currency: string;
  /** The card's name where no other was given. */
  label: string | null;
  registered_at_ms: number;
  updated_at_ms: number;
  version: number;
}

const cardColumns = `c.card_no, c.card_id, c.wallet_uuid, t.currency,
     CASE WHEN l.card_no IS NULL THEN c.name ELSE l.label END AS label, c.registered_at_ms,
     max(c.registered_at_ms, coalesce(c.blocked_at_sec * 1000, 0), coalesce(l.updated_at_ms, 0)) AS updated_at_ms,
     coalesce(l.version, 1) AS version`;
const cardTables =
  "card c JOIN tenant t ON t.tenant_id = c.tenant_id LEFT JOIN card_label l ON l.card_no = c.card_no";

export const cardWallet = statement<[tenantId: number, cardNo: number], CardWalletRow>(
  "wallet.ofCard",
  `SELECT ${cardColumns} FROM ${cardTables} WHERE c.card_no = ?2 AND c.tenant_id = ?1`,
);

export const walletUuidOfCard = statement<[tenantId: number, cardNo: number], { uuid: string }>(
  "wallet.uuidOfCard",
  "SELECT wallet_uuid AS uuid FROM card WHERE card_no = ?2 AND tenant_id = ?1",
);

export const cardWalletById = statement<[tenantId: number, cardId: string], CardWalletRow>(
  "wallet.ofCardId",
  `SELECT ${cardColumns} FROM ${cardTables} WHERE c.card_id = ?2 AND c.tenant_id = ?1`,
);

/** Newest first. */
export const cardWalletPage = statement<
  [tenantId: number, belowNo: number, limit: number],
  CardWalletRow
>(
  "wallet.cardPage",
  `SELECT ${cardColumns} FROM ${cardTables} WHERE c.tenant_id = ?1 AND c.card_no < ?2
   ORDER BY c.card_no DESC LIMIT ?3`,
);

export const cardWalletsSince = statement<
  [tenantId: number, afterNo: number],
  { count: number; last: number | null }
>(
  "wallet.cardsSince",
  "SELECT count(*) AS count, max(card_no) AS last FROM card WHERE tenant_id = ?1 AND card_no > ?2",
);

export const cardLabelPut = statement<
  [tenantId: number, cardNo: number, label: string | null, nowMs: number]
>(
  "wallet.cardLabel",
  `INSERT INTO card_label (card_no, tenant_id, label, updated_at_ms, version) VALUES (?2, ?1, ?3, ?4, 2)
   ON CONFLICT (card_no) DO UPDATE SET label = excluded.label, updated_at_ms = excluded.updated_at_ms,
     version = version + 1`,
);

/** A wallet of a person or of the house, as it is shown. */
export interface WalletRow extends AccountRow {
  user_id: string | null;
  label: string | null;
  created_at_ms: number;
  updated_at_ms: number;
  version: number;
}

const walletColumns = `w.wallet_no, w.uuid, w.kind, w.system_key, w.currency, w.status, w.available,
     w.pending, w.frozen, w.last_txn_no, w.txns, w.label, w.created_at_ms, w.updated_at_ms, w.version,
     (SELECT u.uuid FROM user_account u WHERE u.user_no = w.user_no) AS user_id`;

export const walletByUuid = statement<[tenantId: number, uuid: string], WalletRow>(
  "wallet.byUuid",
  `SELECT ${walletColumns} FROM wallet w WHERE w.uuid = ?2 AND w.tenant_id = ?1`,
);

type WalletPage = [
  tenantId: number,
  kind: string,
  currency: string | null,
  status: string | null,
  belowNo: number,
  limit: number,
];
const walletFilter = "(?3 IS NULL OR w.currency = ?3) AND (?4 IS NULL OR w.status = ?4)";

/** Newest first, of one kind. */
export const walletPage = statement<WalletPage, WalletRow>(
  "wallet.page",
  `SELECT ${walletColumns} FROM wallet w WHERE w.tenant_id = ?1 AND w.kind = ?2 AND ${walletFilter}
     AND w.wallet_no < ?5 ORDER BY w.wallet_no DESC LIMIT ?6`,
);

export const walletCount = statement<
  [tenantId: number, kind: string, currency: string | null, status: string | null],
  { count: number }
>(
  "wallet.count",
  `SELECT count(*) AS count FROM wallet w WHERE w.tenant_id = ?1 AND w.kind = ?2 AND ${walletFilter}`,
);

export const walletsSince = statement<
  [tenantId: number, kind: string, afterNo: number],
  { count: number; last: number | null }
>(
  "wallet.since",
  `SELECT count(*) AS count, max(wallet_no) AS last FROM wallet
   WHERE tenant_id = ?1 AND kind = ?2 AND wallet_no > ?3`,
);

/** Newest first, of one person. */
export const walletPageOfUser = statement<
  [
    tenantId: number,
    userNo: number,
    currency: string | null,
    status: string | null,
    belowNo: number,
    limit: number,
  ],
  WalletRow
>(
  "wallet.pageOfUser",
  `SELECT ${walletColumns} FROM wallet w WHERE w.user_no = ?2 AND w.tenant_id = ?1 AND ${walletFilter}
     AND w.wallet_no < ?5 ORDER BY w.wallet_no DESC LIMIT ?6`,
);

export const walletCountOfUser = statement<
  [tenantId: number, userNo: number, currency: string | null, status: string | null],
  { count: number }
>(
  "wallet.countOfUser",
  `SELECT count(*) AS count FROM wallet w WHERE w.user_no = ?2 AND w.tenant_id = ?1 AND ${walletFilter}`,
);

export const walletLabel = statement<
  [tenantId: number, walletNo: number, label: string | null, nowMs: number]
>(
  "wallet.label",
  `UPDATE wallet SET label = ?3, updated_at_ms = ?4, version = version + 1
   WHERE wallet_no = ?2 AND tenant_id = ?1`,
);

export const walletClose = statement<[tenantId: number, walletNo: number, nowMs: number]>(
  "wallet.close",
  `UPDATE wallet SET status = 'closed', updated_at_ms = ?3, version = version + 1
   WHERE wallet_no = ?2 AND tenant_id = ?1`,
);

/** A person of the tenant, whatever their standing short of having gone. */
export const walletUser = statement<[tenantId: number, userUuid: string], { user_no: number }>(
  "wallet.user",
  `SELECT u.user_no FROM user_account u JOIN membership m ON m.user_no = u.user_no AND m.tenant_id = ?1
   WHERE u.uuid = ?2 AND m.status <> 'deleted'`,
);

/** How a hold ended; `counterNo` is where a confirmed one went. */
export const holdEnd = statement<
  [
    tenantId: number,
    txnNo: number,
    status: string,
    counterNo: number | null,
    afterAvailable: number,
    afterPending: number,
    afterFrozen: number,
    metadata: string | null,
    reason: string | null,
    nowMs: number,
  ]
>(
  "wallet.holdEnd",
  `UPDATE txn SET status = ?3, counter_wallet_no = ?4, after_available = ?5, after_pending = ?6,
     after_frozen = ?7, metadata = ?8, reason = ?9, updated_at_ms = ?10
   WHERE txn_no = ?2 AND tenant_id = ?1 AND status = 'held'`,
);

export const holdsOfWallet = statement<
  [tenantId: number, walletNo: number | null, cardNo: number | null],
  { count: number }
>(
  "wallet.holds",
  `SELECT count(*) AS count FROM txn
   WHERE status = 'held' AND wallet_no IS ?2 AND card_no IS ?3 AND tenant_id = ?1`,
);

export const holdsDue = statement<
  [nowMs: number, limit: number],
  { tenant_id: number; uuid: string }
>(
  "wallet.holdsDue",
  `SELECT tenant_id, uuid FROM txn WHERE status = 'held' AND expires_at_ms <= ?1
   ORDER BY expires_at_ms LIMIT ?2`,
);

export interface TransactionRow {
  txn_no: number;
  uuid: string;
  type: string;
  status: string;
  journal: number;
  amount: number;
  currency: string;
  wallet_no: number | null;
  card_no: number | null;
  counter_wallet_no: number | null;
  counter_card_no: number | null;
  wallet_id: string | null;
  counter_id: string | null;
  after_available: number;
  after_pending: number;
  after_frozen: number;
  description: string | null;
  metadata: string | null;
  reason: string | null;
  reference_id: string | null;
  reversed: number;
  ttl_sec: number | null;
  expires_at_ms: number | null;
  source: string;
  created_by: string;
  created_at_ms: number;
  updated_at_ms: number;
}

const transactionColumns = `t.txn_no, t.uuid, t.type, t.status, t.journal, t.amount, t.currency, t.wallet_no,
     t.card_no, t.counter_wallet_no, t.counter_card_no,
     coalesce((SELECT w.uuid FROM wallet w WHERE w.wallet_no = t.wallet_no),
       (SELECT c.wallet_uuid FROM card c WHERE c.card_no = t.card_no)) AS wallet_id,
     coalesce((SELECT w.uuid FROM wallet w WHERE w.wallet_no = t.counter_wallet_no),
       (SELECT c.wallet_uuid FROM card c WHERE c.card_no = t.counter_card_no)) AS counter_id,
     t.after_available, t.after_pending, t.after_frozen, t.description, t.metadata, t.reason,
     (SELECT r.uuid FROM txn r WHERE r.txn_no = t.reference_txn_no) AS reference_id,
     EXISTS (SELECT 1 FROM txn r WHERE r.type = 'reversal' AND r.reference_txn_no = t.txn_no) AS reversed,
     t.ttl_sec, t.expires_at_ms, t.source, t.created_by, t.created_at_ms, t.updated_at_ms`;

export const transactionByUuid = statement<[tenantId: number, uuid: string], TransactionRow>(
  "wallet.transaction",
  `SELECT ${transactionColumns} FROM txn t WHERE t.uuid = ?2 AND t.tenant_id = ?1`,
);

/** Number of the first transaction, of any tenant, with an id at or above a text. */
export const transactionFrom = statement<[uuid: string], { txn_no: number }>(
  "wallet.transactionFrom",
  "SELECT txn_no FROM txn WHERE uuid >= ?1 ORDER BY uuid LIMIT 1",
);

/** A column of `txn` that a list goes by, or the whole tenant's. */
export type ListedBy =
  | "tenant_id"
  | "wallet_no"
  | "card_no"
  | "counter_wallet_no"
  | "counter_card_no";

type ListFilter = [
  tenantId: number,
  /** Of the column that the list goes by; unused for the tenant's. */
  accountNo: number,
  fromNo: number,
  belowNo: number,
  type: string | null,
  status: string | null,
  limit: number,
];

/** Statements of persons' wallets go along their own chain, see below. */
const unchained: Partial<Record<ListedBy, string>> = {
  wallet_no: " AND t.prev_no IS NULL",
  counter_wallet_no: " AND t.counter_prev_no IS NULL",
};

const listWhere = (by: ListedBy): string =>
  `t.${by} = ${by === "tenant_id" ? "?1" : "?2 AND t.tenant_id = ?1"} AND ?2 >= 0${unchained[by] ?? ""}
     AND t.txn_no >= ?3 AND t.txn_no < ?4 AND (?5 IS NULL OR t.type = ?5) AND (?6 IS NULL OR t.status = ?6)`;

const listOf = (name: string, by: ListedBy): Statement<ListFilter, TransactionRow> =>
  statement(
    name,
    `SELECT ${transactionColumns} FROM txn t WHERE ${listWhere(by)} ORDER BY t.txn_no DESC LIMIT ?7`,
  );

/** Counts no further than the limit. */
const countOf = (name: string, by: ListedBy): Statement<ListFilter, { count: number }> =>
  statement(
    name,
    `SELECT count(*) AS count FROM (SELECT 1 FROM txn t WHERE ${listWhere(by)} LIMIT ?7)`,
  );

export const pageOfTenant = listOf("wallet.pageOfTenant", "tenant_id");
export const pageOfWallet = listOf("wallet.pageOfWallet", "wallet_no");
export const pageOfCard = listOf("wallet.pageOfCard", "card_no");
export const pageOfCounter = listOf("wallet.pageOfCounter", "counter_wallet_no");
export const pageOfCounterCard = listOf("wallet.pageOfCounterCard", "counter_card_no");
export const countOfTenant = countOf("wallet.countOfTenant", "tenant_id");
export const countOfWallet = countOf("wallet.countOfWallet", "wallet_no");
export const countOfCard = countOf("wallet.countOfCard", "card_no");
export const countOfCounter = countOf("wallet.countOfCounter", "counter_wallet_no");
export const countOfCounterCard = countOf("wallet.countOfCounterCard", "counter_card_no");

/** Numbers of a wallet's transactions from one of them on, each naming the one before. */
const chainOf = `WITH RECURSIVE chain (no) AS (VALUES (?3) UNION ALL
     SELECT CASE t.wallet_no WHEN ?2 THEN t.prev_no ELSE t.counter_prev_no END
     FROM chain JOIN txn t ON t.txn_no = chain.no LIMIT ?4)`;

type ChainParams = [tenantId: number, walletNo: number, fromNo: number, limit: number];

/** Newest first. */
export const chainPage = statement<ChainParams, TransactionRow & { before_no: number }>(
  "wallet.chainPage",
  `${chainOf} SELECT ${transactionColumns},
     CASE t.wallet_no WHEN ?2 THEN t.prev_no ELSE t.counter_prev_no END AS before_no
   FROM chain JOIN txn t ON t.txn_no = chain.no WHERE t.tenant_id = ?1`,
);

/** What filters look at. */
export interface LinkRow {
  txn_no: number;
  type: string;
  status: string;
  before_no: number;
}

export const chainLinks = statement<ChainParams, LinkRow>(
  "wallet.chainLinks",
  `${chainOf} SELECT t.txn_no, t.type, t.status,
     CASE t.wallet_no WHEN ?2 THEN t.prev_no ELSE t.counter_prev_no END AS before_no
   FROM chain JOIN txn t ON t.txn_no = chain.no WHERE t.tenant_id = ?1`,
);

export const transactionByNo = statement<[tenantId: number, txnNo: number], TransactionRow>(
  "wallet.transactionByNo",
  `SELECT ${transactionColumns} FROM txn t WHERE t.txn_no = ?2 AND t.tenant_id = ?1`,
);

/** Entries that are postings, of a transaction or an event. */
export interface PostingRow {
  wallet_id: string;
  bucket: number;
  amount: number;
  at_ms: number;
}

const postingColumns = `coalesce((SELECT w.uuid FROM wallet w WHERE w.wallet_no = p.wallet_no),
       (SELECT c.wallet_uuid FROM card c WHERE c.card_no = p.card_no)) AS wallet_id, p.bucket, p.amount, p.at_ms`;

export const postingsOf = statement<[tenantId: number, txnNo: number], PostingRow>(
  "wallet.postings",
  `SELECT ${postingColumns} FROM posting p WHERE p.txn_no = ?2 AND p.tenant_id = ?1 ORDER BY p.posting_no`,
);

export const postingsOfEvent = statement<[tenantId: number, eventId: number], PostingRow>(
  "wallet.eventPostings",
  `SELECT ${postingColumns} FROM posting p WHERE p.event_id = ?2 AND p.tenant_id = ?1 ORDER BY p.posting_no`,
);

/** The credit that settled a top-up: when it was taken. */
export const creditOfTopup = statement<
  [tenantId: number, topupNo: number],
  { amount: number; batch_uuid: string }
>(
  "wallet.creditOfTopup",
  `SELECT e.amount, b.uuid AS batch_uuid FROM topup t JOIN event e ON e.event_id = t.event_id
     JOIN batch b ON b.batch_no = e.batch_no
   WHERE t.topup_no = ?2 AND t.tenant_id = ?1 AND e.booking = 2`,
);

/** An event that is a transaction: a debit, or a credit nobody had announced. */
export interface MovingEventRow {
  event_id: number;
  card_no: number;
  /** 1 debit, 3 parked. Others move nothing of their own. */
  booking: number;
  amount: number;
  balance_after: number;
  prev: number;
  late: number;
  batch_no: number;
  first_event: number;
  batch_uuid: string;
  device_id: string;
  currency: string;
  card_wallet_id: string;
  settlement_id: string;
  suspense_id: string | null;
  cash_id: string | null;
  /** Of a parked credit: 1 once it went to the card, 0 back to cash; null while it waits. */
  to_card: number | null;
  decided_at_ms: number | null;
}

const eventColumns = `e.event_id, e.card_no, e.booking, e.amount, e.balance_after, e.prev, e.late, e.batch_no,
     b.first_event, b.uuid AS batch_uuid, d.device_id, t.currency, c.wallet_uuid AS card_wallet_id,
     (SELECT w.uuid FROM wallet w WHERE w.wallet_no = d.settlement_wallet_no) AS settlement_id,
     (SELECT w.uuid FROM wallet w WHERE w.tenant_id = e.tenant_id AND w.kind = 'system'
        AND w.system_key = 'suspense' AND w.currency = t.currency) AS suspense_id,
     (SELECT w.uuid FROM wallet w WHERE w.tenant_id = e.tenant_id AND w.kind = 'system'
        AND w.system_key = 'cash' AND w.currency = t.currency) AS cash_id,
     (SELECT max(p.card_no IS NOT NULL) FROM posting p WHERE p.event_id = e.event_id) AS to_card,
     (SELECT max(p.at_ms) FROM posting p WHERE p.event_id = e.event_id) AS decided_at_ms`;
const eventTables = `event e JOIN batch b ON b.batch_no = e.batch_no JOIN device d ON d.device_no = e.device_no
     JOIN tenant t ON t.tenant_id = e.tenant_id JOIN card c ON c.card_no = e.card_no`;

export const movingEvent = statement<[tenantId: number, eventId: number], MovingEventRow>(
  "wallet.event",
  `SELECT ${eventColumns} FROM ${eventTables} WHERE e.event_id = ?2 AND e.tenant_id = ?1`,
);

/** Newest first, of the events from one number to below another. */
export const movingEventsBetween = statement<
  [
    tenantId: number,
    fromId: number,
    belowId: number,
    bookingA: number,
    bookingB: number,
    limit: number,
  ],
  MovingEventRow
>(
  "wallet.eventsBetween",
  `SELECT ${eventColumns} FROM ${eventTables}
   WHERE e.event_id >= ?2 AND e.event_id < ?3 AND e.tenant_id = ?1 AND e.booking IN (?4, ?5)
   ORDER BY e.event_id DESC LIMIT ?6`,
);

export const movingCountBetween = statement<
  [tenantId: number, fromId: number, belowId: number, bookingA: number, bookingB: number],
  { count: number }
>(
  "wallet.eventCountBetween",
  `SELECT count(*) AS count FROM event
   WHERE event_id >= ?2 AND event_id < ?3 AND tenant_id = ?1 AND booking IN (?4, ?5)`,
);

export const parkedEvents = statement<
  [tenantId: number, belowId: number, limit: number],
  MovingEventRow
>(
  "wallet.parked",
  `SELECT ${eventColumns} FROM ${eventTables}
   WHERE e.tenant_id = ?1 AND e.booking = 3 AND e.event_id < ?2 ORDER BY e.event_id DESC LIMIT ?3`,
);

export const parkedCount = statement<[tenantId: number, limit: number], { count: number }>(
  "wallet.parkedCount",
  "SELECT count(*) AS count FROM (SELECT 1 FROM event WHERE tenant_id = ?1 AND booking = 3 LIMIT ?2)",
);

/** Rows of batches that brought events, newest first. */
export interface EventBatchRow {
  batch_no: number;
  uuid: string;
  first_event: number;
  accepted: number;
}
const batchColumns = "batch_no, uuid, first_event, accepted";

export const batchesOfTenant = statement<
  [tenantId: number, upToNo: number, limit: number],
  EventBatchRow
>(
  "wallet.batchesOfTenant",
  `SELECT ${batchColumns} FROM batch WHERE tenant_id = ?1 AND batch_no <= ?2
   ORDER BY batch_no DESC LIMIT ?3`,
);

export const batchesOfDevice = statement<
  [tenantId: number, deviceNo: number, upToNo: number, limit: number],
  EventBatchRow
>(
  "wallet.batchesOfDevice",
  `SELECT ${batchColumns} FROM batch WHERE device_no = ?2 AND tenant_id = ?1 AND batch_no <= ?3
   ORDER BY batch_no DESC LIMIT ?4`,
);

/** The one batch with an id in a range of them. */
export const batchInRange = statement<
  [tenantId: number, least: string, greatest: string],
  EventBatchRow
>(
  "wallet.batchInRange",
  `SELECT ${batchColumns} FROM batch WHERE uuid >= ?2 AND uuid <= ?3 AND +tenant_id = ?1 LIMIT 1`,
);

export const batchOfEvent = statement<[tenantId: number, eventId: number], { batch_no: number }>(
  "wallet.batchOfEvent",
  "SELECT batch_no FROM event WHERE event_id = ?2 AND tenant_id = ?1",
);

/** Events of a card that came late, newest first. */
export const lateEvents = statement<
  [tenantId: number, cardNo: number, belowId: number],
  { event_id: number }
>(
  "wallet.lateEvents",
  `SELECT event_id FROM event_place WHERE card_no = ?2 AND late = 1 AND event_id < ?3 AND tenant_id = ?1
   ORDER BY event_id DESC`,
);

/** Accepted debits, of the tenant or of one device, as settlement counts them. */
export const debitsOfTenant = statement<[tenantId: number], { count: number }>(
  "wallet.debits",
  "SELECT coalesce(sum(debits), 0) AS count FROM settlement WHERE tenant_id = ?1",
);
export const debitsOfDevice = statement<[tenantId: number, deviceNo: number], { count: number }>(
  "wallet.debitsOfDevice",
  "SELECT coalesce(sum(debits), 0) AS count FROM settlement WHERE tenant_id = ?1 AND device_no = ?2",
);

/** Of those, debits that were approved beside their chain: transactions, no events. */
export const sideDebits = statement<
  [tenantId: number, counterWalletNo: number | null],
  { count: number }
>(
  "wallet.sideDebits",
  `SELECT count(*) AS count FROM txn
   WHERE quarantine_no > 0 AND +tenant_id = ?1 AND (?2 IS NULL OR counter_wallet_no = ?2)`,
);

export interface SystemAccountRow {
  currency: string;
  system_key: string;
  uuid: string;
  available: number;
  pending: number;
  frozen: number;
}

export const systemAccounts = statement<[tenantId: number], SystemAccountRow>(
  "wallet.systemAccounts",
  `SELECT currency, system_key, uuid, available, pending, frozen FROM wallet
   WHERE tenant_id = ?1 AND kind = 'system' ORDER BY wallet_no`,
);

/** Sums of a stretch of accounts, a row a currency. */
export interface SumRow {
  currency: string;
  wallets: number;
  available: number;
  pending: number;
  frozen: number;
}

const sums =
  "count(*) AS wallets, sum(available) AS available, sum(pending) AS pending, sum(frozen) AS frozen";

export const userSums = statement<[tenantId: number, fromNo: number, belowNo: number], SumRow>(
  "wallet.userSums",
  `SELECT currency, ${sums} FROM wallet
   WHERE tenant_id = ?1 AND kind = 'user' AND wallet_no >= ?2 AND wallet_no < ?3 GROUP BY currency`,
);

/** In the tenant's own currency: `wallets` is 0 where there is none. */
export const cardSums = statement<
  [tenantId: number, fromNo: number, belowNo: number],
  Omit<SumRow, "currency">
>(
  "wallet.cardSums",
  `SELECT count(*) AS wallets, coalesce(sum(available), 0) AS available, coalesce(sum(pending), 0) AS pending,
     coalesce(sum(frozen), 0) AS frozen
   FROM head WHERE card_no >= ?2 AND card_no < ?3 AND tenant_id = ?1`,
);

/** What events move that the rows of heads lack. */
export const restSums = statement<
  [tenantId: number, fromId: number, belowId: number],
  { available: number; pending: number }
>(
  "wallet.restSums",
  `SELECT coalesce(sum(CASE e.booking WHEN 1 THEN -e.amount WHEN 2 THEN e.amount ELSE 0 END), 0) AS available,
     coalesce(sum(CASE e.booking WHEN 2 THEN -e.amount ELSE 0 END), 0) AS pending
   FROM event e JOIN head h ON h.card_no = e.card_no
   WHERE e.event_id >= ?2 AND e.event_id < ?3 AND e.tenant_id = ?1 AND e.event_id > h.applied`,
);

/** How far the numbers of accounts and events go. */
export const numberEnds = statement<
  [tenantId: number],
  { wallet_no: number; card_no: number; event_id: number; through: number; currency: string }
>(
  "wallet.ends",
  `SELECT (SELECT coalesce(max(wallet_no), 0) FROM wallet) AS wallet_no,
     (SELECT coalesce(max(card_no), 0) FROM head) AS card_no,
     (SELECT coalesce(max(event_id), 0) FROM event) AS event_id,
     (SELECT coalesce(max(through), 0) FROM head_round) AS through, t.currency
   FROM tenant t WHERE t.tenant_id = ?1`,
);
