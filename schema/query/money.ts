/** Statements over wallets, transactions and postings. */
import { statement } from "./statement.ts";

/** In the tenant's currency unless one is named. */
export const systemWallet = statement<
  [tenantId: number, key: string, currency: string | null],
  { wallet_no: number }
>(
  "wallet.system",
  `SELECT w.wallet_no FROM tenant t JOIN wallet w ON w.tenant_id = t.tenant_id AND w.kind = 'system'
     AND w.system_key = ?2 AND w.currency = coalesce(?3, t.currency) WHERE t.tenant_id = ?1`,
);

export const systemWalletInsert = statement<
  [uuid: string, tenantId: number, key: string, currency: string | null, nowMs: number],
  { wallet_no: number }
>(
  "wallet.systemInsert",
  `INSERT INTO wallet (uuid, tenant_id, kind, system_key, currency, status, available, pending, frozen,
     created_at_ms, updated_at_ms, version)
   SELECT ?1, tenant_id, 'system', ?3, coalesce(?4, currency), 'active', 0, 0, 0, ?5, ?5, 1
   FROM tenant WHERE tenant_id = ?2 RETURNING wallet_no`,
);

export const walletAdd = statement<
  [
    tenantId: number,
    walletNo: number,
    available: number,
    pending: number,
    frozen: number,
    nowMs: number,
  ]
>(
  "wallet.add",
  `UPDATE wallet SET available = available + ?3, pending = pending + ?4, frozen = frozen + ?5,
     updated_at_ms = ?6 WHERE wallet_no = ?2 AND tenant_id = ?1`,
);

export const txnInsert = statement<
  [
    uuid: string,
    tenantId: number,
    type: string,
    status: string,
    amount: number,
    cardNo: number | null,
    walletNo: number | null,
    counterWalletNo: number | null,
    counterCardNo: number | null,
    afterAvailable: number,
    afterPending: number,
    afterFrozen: number,
    reason: string | null,
    quarantineNo: number | null,
    referenceNo: number | null,
    source: string,
    createdBy: string,
    nowMs: number,
  ],
  { txn_no: number }
>(
  "txn.insert",
  `INSERT INTO txn (uuid, tenant_id, type, status, amount, currency, card_no, wallet_no, counter_wallet_no,
     counter_card_no, after_available, after_pending, after_frozen, reason, quarantine_no, reference_txn_no,
     source, created_by, created_at_ms, updated_at_ms)
   SELECT ?1, tenant_id, ?3, ?4, ?5, currency, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?18
   FROM tenant WHERE tenant_id = ?2 RETURNING txn_no`,
);

export const txnStatus = statement<
  [tenantId: number, txnNo: number, status: string, nowMs: number]
>(
  "txn.status",
  "UPDATE txn SET status = ?3, updated_at_ms = ?4 WHERE txn_no = ?2 AND tenant_id = ?1",
);

export const postingInsert = statement<
  [
    tenantId: number,
    txnNo: number | null,
    eventId: number | null,
    walletNo: number | null,
    cardNo: number | null,
    bucket: number,
    amount: number,
    atMs: number,
  ]
>(
  "posting.insert",
  `INSERT INTO posting (tenant_id, txn_no, event_id, wallet_no, card_no, bucket, amount, at_ms)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
);

/** A person's. */
export const walletInsert = statement<
  [
    uuid: string,
    tenantId: number,
    userNo: number,
    currency: string,
    label: string | null,
    nowMs: number,
  ]
>(
  "wallet.insert",
  `INSERT INTO wallet (uuid, tenant_id, kind, user_no, currency, label, status, available, pending, frozen,
     created_at_ms, updated_at_ms, version)
   VALUES (?1, ?2, 'user', ?3, ?4, ?5, 'active', 0, 0, 0, ?6, ?6, 1)`,
);

/** The number that the next transaction gets. */
export const recordNext = statement<[], { txn_no: number }>(
  "txn.next",
  "SELECT coalesce(max(txn_no), 0) + 1 AS txn_no FROM txn",
);

export type RecordParams = [
  txnNo: number,
  uuid: string,
  tenantId: number,
  type: string,
  status: string,
  journal: number,
  amount: number,
  currency: string,
  walletNo: number | null,
  cardNo: number | null,
  counterWalletNo: number | null,
  counterCardNo: number | null,
  prevNo: number | null,
  counterPrevNo: number | null,
  afterAvailable: number,
  afterPending: number,
  afterFrozen: number,
  description: string | null,
  metadata: string | null,
  reason: string | null,
  referenceNo: number | null,
  ttlSec: number | null,
  expiresAtMs: number | null,
  createdBy: string,
  createdAtMs: number,
];

/** A transaction that is its own journal entry. */
export const recordInsert = statement<RecordParams>(
  "txn.record",
  `INSERT INTO txn (txn_no, uuid, tenant_id, type, status, journal, amount, currency, wallet_no, card_no,
     counter_wallet_no, counter_card_no, prev_no, counter_prev_no, after_available, after_pending, after_frozen,
     description, metadata, reason, reference_txn_no, ttl_sec, expires_at_ms, source, created_by, created_at_ms,
     updated_at_ms)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
     'platform', ?24, ?25, ?25)`,
);
