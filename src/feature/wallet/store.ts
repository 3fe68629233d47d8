/** Wallets, transactions and what stands for them, as rows. */
import {
  type AccountRow,
  accountByNo,
  accountByUuid,
  batchesOfDevice,
  batchesOfTenant,
  batchInRange,
  batchOfEvent,
  type CardWalletRow,
  cardLabelPut,
  cardOfWallet,
  cardSums,
  cardWallet,
  cardWalletById,
  cardWalletPage,
  cardWalletsSince,
  chainLinks,
  chainPage,
  countOfCard,
  countOfCounter,
  countOfCounterCard,
  countOfTenant,
  countOfWallet,
  creditOfTopup,
  debitsOfDevice,
  debitsOfTenant,
  type EventBatchRow,
  holdEnd,
  holdsDue,
  holdsOfWallet,
  type LinkRow,
  type ListedBy,
  lateEvents,
  type MovingEventRow,
  movingCountBetween,
  movingEvent,
  movingEventsBetween,
  numberEnds,
  type PostingRow,
  pageOfCard,
  pageOfCounter,
  pageOfCounterCard,
  pageOfTenant,
  pageOfWallet,
  parkedCount,
  parkedEvents,
  postingsOf,
  postingsOfEvent,
  restSums,
  settlementDevice,
  sideDebits,
  systemAccounts,
  type TransactionRow,
  transactionByNo,
  transactionByUuid,
  transactionFrom,
  userSums,
  type WalletRow,
  walletByUuid,
  walletClose,
  walletCount,
  walletCountOfUser,
  walletLabel,
  walletPage,
  walletPageOfUser,
  walletPut,
  walletsSince,
  walletUser,
  walletUuidOfCard,
} from "../../../schema/query/wallet.ts";
import type { Balance } from "../../domain/cardrecord.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export type {
  AccountRow,
  CardWalletRow,
  EventBatchRow,
  LinkRow,
  MovingEventRow,
  PostingRow,
  TransactionRow,
  WalletRow,
};

export const readAccount = (q: Reader, tenantId: number, uuid: string) =>
  q.get(accountByUuid, tenantId, uuid);

export const readAccountByNo = (q: Reader, tenantId: number, walletNo: number) =>
  q.get(accountByNo, tenantId, walletNo);

/** A person's wallet's transactions: the newest, and how many. 0 and 0 of every other. */
export interface Chain {
  readonly last: number;
  readonly count: number;
}

export type BalanceParams = [
  tenantId: number,
  walletNo: number,
  available: number,
  pending: number,
  frozen: number,
  lastTxnNo: number,
  txns: number,
  nowMs: number,
];

export const writeBalances = (tx: Writer, all: readonly BalanceParams[]): Promise<void> =>
  tx.many(walletPut, all);

export const readSettlementDevice = (q: Reader, tenantId: number, terminalId: number) =>
  q.get(settlementDevice, tenantId, terminalId);

export const readCardOfWallet = (q: Reader, tenantId: number, uuid: string) =>
  q.get(cardOfWallet, tenantId, uuid);

export const readCardWallet = (q: Reader, tenantId: number, cardNo: number) =>
  q.get(cardWallet, tenantId, cardNo);

export const readCardWalletById = (q: Reader, tenantId: number, cardId: string) =>
  q.get(cardWalletById, tenantId, cardId);

export const readWalletOfCard = async (
  q: Reader,
  tenantId: number,
  cardNo: number,
): Promise<string> => (await q.get(walletUuidOfCard, tenantId, cardNo))?.uuid ?? "";

export const pageCardWallets = (q: Reader, tenantId: number, belowNo: number, limit: number) =>
  q.all(cardWalletPage, tenantId, belowNo, limit);

/** Cards with numbers after one, and the last of them. */
export const countCardsSince = async (q: Reader, tenantId: number, afterNo: number) =>
  (await q.get(cardWalletsSince, tenantId, afterNo)) ?? { count: 0, last: null };

export const writeCardLabel = (
  tx: Writer,
  tenantId: number,
  cardNo: number,
  label: string | null,
  nowMs: number,
): Promise<number> => tx.run(cardLabelPut, tenantId, cardNo, label, nowMs);

export const readWallet = (q: Reader, tenantId: number, uuid: string) =>
  q.get(walletByUuid, tenantId, uuid);

/** Which wallets of one kind; null: whatever. */
export interface WalletFilter {
  readonly currency: string | null;
  readonly status: string | null;
}

export const pageWallets = (
  q: Reader,
  tenantId: number,
  kind: string,
  { currency, status }: WalletFilter,
  belowNo: number,
  limit: number,
): Promise<WalletRow[]> => q.all(walletPage, tenantId, kind, currency, status, belowNo, limit);

export const countWallets = async (
  q: Reader,
  tenantId: number,
  kind: string,
  { currency, status }: WalletFilter,
): Promise<number> => (await q.get(walletCount, tenantId, kind, currency, status))?.count ?? 0;

/** Wallets of a kind with numbers after one, and the last of them. */
export const countWalletsSince = async (
  q: Reader,
  tenantId: number,
  kind: string,
  afterNo: number,
) => (await q.get(walletsSince, tenantId, kind, afterNo)) ?? { count: 0, last: null };

export const pageWalletsOfUser = (
  q: Reader,
  tenantId: number,
  userNo: number,
  { currency, status }: WalletFilter,
  belowNo: number,
  limit: number,
): Promise<WalletRow[]> =>
  q.all(walletPageOfUser, tenantId, userNo, currency, status, belowNo, limit);

export const countWalletsOfUser = async (
  q: Reader,
  tenantId: number,
  userNo: number,
  { currency, status }: WalletFilter,
): Promise<number> =>
  (await q.get(walletCountOfUser, tenantId, userNo, currency, status))?.count ?? 0;

export const writeLabel = (
  tx: Writer,
  tenantId: number,
  walletNo: number,
  label: string | null,
  nowMs: number,
): Promise<number> => tx.run(walletLabel, tenantId, walletNo, label, nowMs);

export const writeClosed = (
  tx: Writer,
  tenantId: number,
  walletNo: number,
  nowMs: number,
): Promise<number> => tx.run(walletClose, tenantId, walletNo, nowMs);

/** Number of a person of the tenant. */
export const readUserNo = async (
  q: Reader,
  tenantId: number,
  uuid: string,
): Promise<number | undefined> => (await q.get(walletUser, tenantId, uuid))?.user_no;

/** Transactions of a person's wallet from one of them on, newest first. */
export const readChain = (
  q: Reader,
  tenantId: number,
  walletNo: number,
  fromNo: number,
  limit: number,
) => q.all(chainPage, tenantId, walletNo, fromNo, limit);

/** The same, only what filters look at. */
export const readLinks = (
  q: Reader,
  tenantId: number,
  walletNo: number,
  fromNo: number,
  limit: number,
) => q.all(chainLinks, tenantId, walletNo, fromNo, limit);

export const readTransactionByNo = (q: Reader, tenantId: number, txnNo: number) =>
  q.get(transactionByNo, tenantId, txnNo);

export interface HoldEnding {
  readonly status: "confirmed" | "canceled";
  readonly counterNo: number | null;
  readonly after: Balance;
  readonly metadata: string | null;
  readonly reason: string | null;
}

/** False: it was no live hold. */
export const writeHoldEnd = async (
  tx: Writer,
  tenantId: number,
  txnNo: number,
  { status, counterNo, after, metadata, reason }: HoldEnding,
  nowMs: number,
): Promise<boolean> => {
  const { available, pending, frozen } = after;
  const balance = [available, pending, frozen] as const;
  const rest = [metadata, reason, nowMs] as const;
  return (await tx.run(holdEnd, tenantId, txnNo, status, counterNo, ...balance, ...rest)) === 1;
};

/** Live holds of a wallet or a card. */
export const countHolds = async (
  q: Reader,
  tenantId: number,
  walletNo: number | null,
  cardNo: number | null,
): Promise<number> => (await q.get(holdsOfWallet, tenantId, walletNo, cardNo))?.count ?? 0;

export const readHoldsDue = (q: Reader, nowMs: number, limit: number) =>
  q.all(holdsDue, nowMs, limit);

export const readTransaction = (q: Reader, tenantId: number, uuid: string) =>
  q.get(transactionByUuid, tenantId, uuid);

/** Number of the first transaction with an id at or above a text. */
export const readTransactionFrom = async (q: Reader, uuid: string): Promise<number> =>
  (await q.get(transactionFrom, uuid))?.txn_no ?? Number.MAX_SAFE_INTEGER;

/** Which transactions: by numbers from `fromNo` to below `belowNo`. */
export interface Span {
  readonly fromNo: number;
  readonly belowNo: number;
  readonly type: string | null;
  readonly status: string | null;
}

/** What a list goes by, and the number of that. */
export type Listing = readonly [by: ListedBy, accountNo: number];

const pages = {
  tenant_id: pageOfTenant,
  wallet_no: pageOfWallet,
  card_no: pageOfCard,
  counter_wallet_no: pageOfCounter,
  counter_card_no: pageOfCounterCard,
} as const;
const counts = {
  tenant_id: countOfTenant,
  wallet_no: countOfWallet,
  card_no: countOfCard,
  counter_wallet_no: countOfCounter,
  counter_card_no: countOfCounterCard,
} as const;

/** Newest first. */
export const pageTransactions = (
  q: Reader,
  tenantId: number,
  [by, accountNo]: Listing,
  { fromNo, belowNo, type, status }: Span,
  limit: number,
): Promise<TransactionRow[]> =>
  q.all(pages[by], tenantId, accountNo, fromNo, belowNo, type, status, limit);

/** Counts no further than `limit`. */
export const countTransactions = async (
  q: Reader,
  tenantId: number,
  [by, accountNo]: Listing,
  { fromNo, belowNo, type, status }: Span,
  limit: number,
): Promise<number> =>
  (await q.get(counts[by], tenantId, accountNo, fromNo, belowNo, type, status, limit))?.count ?? 0;

export const readPostings = (q: Reader, tenantId: number, txnNo: number) =>
  q.all(postingsOf, tenantId, txnNo);

export const readEventPostings = (q: Reader, tenantId: number, eventNo: number) =>
  q.all(postingsOfEvent, tenantId, eventNo);

export const readCreditOf = (q: Reader, tenantId: number, topupNo: number) =>
  q.get(creditOfTopup, tenantId, topupNo);

export const readMovingEvent = (q: Reader, tenantId: number, eventNo: number) =>
  q.get(movingEvent, tenantId, eventNo);

/** Which events count as transactions. */
export interface EventKinds {
  readonly debits: boolean;
  readonly parked: boolean;
}

const bookings = ({ debits, parked }: EventKinds): readonly [number, number] => [
  debits ? 1 : 3,
  parked ? 3 : 1,
];

export const readEventsBetween = (
  q: Reader,
  tenantId: number,
  fromNo: number,
  belowNo: number,
  kinds: EventKinds,
  limit: number,
) => q.all(movingEventsBetween, tenantId, fromNo, belowNo, ...bookings(kinds), limit);

export const countEventsBetween = async (
  q: Reader,
  tenantId: number,
  fromNo: number,
  belowNo: number,
  kinds: EventKinds,
): Promise<number> =>
  (await q.get(movingCountBetween, tenantId, fromNo, belowNo, ...bookings(kinds)))?.count ?? 0;

export const readParked = (q: Reader, tenantId: number, belowNo: number, limit: number) =>
  q.all(parkedEvents, tenantId, belowNo, limit);

export const countParked = async (q: Reader, tenantId: number, limit: number): Promise<number> =>
  (await q.get(parkedCount, tenantId, limit))?.count ?? 0;

/** Newest first, up to and with a number; of one device or of all. */
export const readBatches = (
  q: Reader,
  tenantId: number,
  deviceNo: number | null,
  upToNo: number,
  limit: number,
): Promise<EventBatchRow[]> =>
  deviceNo === null
    ? q.all(batchesOfTenant, tenantId, upToNo, limit)
    : q.all(batchesOfDevice, tenantId, deviceNo, upToNo, limit);

export const readBatchInRange = (q: Reader, tenantId: number, least: string, greatest: string) =>
  q.get(batchInRange, tenantId, least, greatest);

export const readBatchOf = async (
  q: Reader,
  tenantId: number,
  eventNo: number,
): Promise<number | undefined> => (await q.get(batchOfEvent, tenantId, eventNo))?.batch_no;

export const readLate = async (
  q: Reader,
  tenantId: number,
  cardNo: number,
  belowNo: number,
): Promise<number[]> =>
  (await q.all(lateEvents, tenantId, cardNo, belowNo)).map((row) => row.event_id);

/** Debits that are events, of one device or of all. */
export async function countDebits(
  q: Reader,
  tenantId: number,
  device: { readonly deviceNo: number; readonly walletNo: number } | null,
): Promise<number> {
  const all =
    device === null
      ? await q.get(debitsOfTenant, tenantId)
      : await q.get(debitsOfDevice, tenantId, device.deviceNo);
  const beside = await q.get(sideDebits, tenantId, device?.walletNo ?? null);
  return (all?.count ?? 0) - (beside?.count ?? 0);
}

export const readSystemAccounts = (q: Reader, tenantId: number) => q.all(systemAccounts, tenantId);

export const readUserSums = (q: Reader, tenantId: number, fromNo: number, belowNo: number) =>
  q.all(userSums, tenantId, fromNo, belowNo);

export const readCardSums = (q: Reader, tenantId: number, fromNo: number, belowNo: number) =>
  q.get(cardSums, tenantId, fromNo, belowNo);

export const readRestSums = (q: Reader, tenantId: number, fromNo: number, belowNo: number) =>
  q.get(restSums, tenantId, fromNo, belowNo);

export const readNumberEnds = (q: Reader, tenantId: number) => q.get(numberEnds, tenantId);
