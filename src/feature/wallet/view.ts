/** Wallets and transactions as services hand them out: plain values, none of them a row. */
import type { AccountKind } from "../../domain/account.ts";
import type { Balance } from "../../domain/cardrecord.ts";
import { eventId, uuidMs } from "../../domain/eventid.ts";
import type { CardWalletRow, MovingEventRow, TransactionRow, WalletRow } from "./store.ts";

export interface Wallet {
  readonly id: string;
  readonly kind: AccountKind;
  /** Of a person's. */
  readonly userId: string | null;
  /** Of a card's. */
  readonly cardId: string | null;
  readonly systemKey: string | null;
  readonly currency: string;
  readonly label: string | null;
  readonly status: "active" | "closed";
  readonly balance: Balance;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly version: number;
}

export const walletOf = (row: WalletRow): Wallet => ({
  id: row.uuid,
  kind: row.kind,
  userId: row.user_id,
  cardId: null,
  systemKey: row.system_key,
  currency: row.currency,
  label: row.label,
  status: row.status,
  balance: { available: row.available, pending: row.pending, frozen: row.frozen },
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
  version: row.version,
});

export const walletOfCard = (row: CardWalletRow, balance: Balance): Wallet => ({
  id: row.wallet_uuid,
  kind: "card",
  userId: null,
  cardId: row.card_id,
  systemKey: null,
  currency: row.currency,
  label: row.label,
  status: "active",
  balance,
  createdAtMs: row.registered_at_ms,
  updatedAtMs: row.updated_at_ms,
  version: row.version,
});

export const transactionTypes = [
  "credit",
  "debit",
  "hold",
  "transfer",
  "reversal",
  "topup",
  "card_debit",
  "card_credit",
  "reissue",
  "refund",
] as const;
export type TransactionType = (typeof transactionTypes)[number];

export const transactionStatuses = [
  "completed",
  "held",
  "confirmed",
  "canceled",
  "pending",
  "parked",
] as const;
export type TransactionStatus = (typeof transactionStatuses)[number];

export interface Transaction {
  readonly id: string;
  readonly type: TransactionType;
  readonly status: TransactionStatus;
  readonly amount: number;
  readonly currency: string;
  readonly walletId: string | null;
  readonly counterWalletId: string | null;
  readonly balanceAfter: Balance;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly reason: string | null;
  readonly referenceId: string | null;
  readonly isReversed: boolean;
  readonly ttlSec: number | null;
  readonly expiresAtMs: number | null;
  readonly source: "platform" | "device";
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export const bucketNames = ["available", "pending", "frozen"] as const;
export type BucketName = (typeof bucketNames)[number];

export interface Entry {
  readonly walletId: string;
  readonly bucket: BucketName;
  /** Signed. */
  readonly amount: number;
  readonly atMs: number;
}

export const transactionOf = (row: TransactionRow): Transaction => ({
  id: row.uuid,
  type: row.type as TransactionType,
  status: row.status as TransactionStatus,
  amount: row.amount,
  currency: row.currency,
  walletId: row.wallet_id,
  counterWalletId: row.counter_id,
  balanceAfter: {
    available: row.after_available,
    pending: row.after_pending,
    frozen: row.after_frozen,
  },
  description: row.description,
  metadata: row.metadata === null ? null : (JSON.parse(row.metadata) as Record<string, unknown>),
  reason: row.reason,
  referenceId: row.reference_id,
  isReversed: row.reversed === 1,
  ttlSec: row.ttl_sec,
  expiresAtMs: row.expires_at_ms,
  source: row.source as "platform" | "device",
  createdBy: row.created_by,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
});

/** Whether an event is a transaction of its own. */
export const isMoving = ({ booking }: Pick<MovingEventRow, "booking">): boolean =>
  booking === 1 || booking === 3;

/** What became of a credit that nobody had announced. */
const parkedStatus = ({ to_card: toCard }: MovingEventRow): TransactionStatus => {
  if (toCard === null) return "parked";
  return toCard === 1 ? "completed" : "canceled";
};

const idOfEvent = (row: MovingEventRow): string =>
  eventId(row.batch_uuid, row.event_id - row.first_event);

/** A card's event as the transaction that it is. What the chip then held stands for the balance. */
export function transactionOfEvent(row: MovingEventRow): Transaction {
  const isDebit = row.booking === 1;
  const createdAtMs = uuidMs(row.batch_uuid);
  return {
    id: idOfEvent(row),
    type: isDebit ? "card_debit" : "card_credit",
    status: isDebit ? "completed" : parkedStatus(row),
    amount: row.amount,
    currency: row.currency,
    walletId: row.card_wallet_id,
    counterWalletId: isDebit ? row.settlement_id : row.suspense_id,
    balanceAfter: { available: row.balance_after, pending: 0, frozen: 0 },
    description: null,
    metadata: null,
    reason: null,
    referenceId: null,
    isReversed: false,
    ttlSec: null,
    expiresAtMs: null,
    source: "device",
    createdBy: row.device_id,
    createdAtMs,
    updatedAtMs: row.decided_at_ms ?? createdAtMs,
  };
}
