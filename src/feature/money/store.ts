/** Rows of the ledger: wallets of the house, transactions, postings. */
import {
  postingInsert,
  type RecordParams,
  recordInsert,
  recordNext,
  systemWallet,
  systemWalletInsert,
  txnInsert,
  txnStatus,
  walletAdd,
  walletInsert,
} from "../../../schema/query/money.ts";
import type { Writer } from "../../store/seam.ts";

export const findSystemWallet = async (
  tx: Writer,
  tenantId: number,
  key: string,
  currency: string | null,
): Promise<number | undefined> => (await tx.get(systemWallet, tenantId, key, currency))?.wallet_no;

export async function openSystemWallet(
  tx: Writer,
  tenantId: number,
  key: string,
  currency: string | null,
  uuid: string,
  nowMs: number,
): Promise<number> {
  const row = await tx.get(systemWalletInsert, uuid, tenantId, key, currency, nowMs);
  if (row === undefined) throw new RangeError("no such tenant");
  return row.wallet_no;
}

/** One of the three buckets of an account: 0 available, 1 pending, 2 frozen. */
export type Bucket = 0 | 1 | 2;

export const addToWallet = (
  tx: Writer,
  tenantId: number,
  walletNo: number,
  bucket: Bucket,
  amount: number,
  nowMs: number,
): Promise<number> =>
  tx.run(
    walletAdd,
    tenantId,
    walletNo,
    bucket === 0 ? amount : 0,
    bucket === 1 ? amount : 0,
    bucket === 2 ? amount : 0,
    nowMs,
  );

export interface NewWallet {
  readonly uuid: string;
  readonly tenantId: number;
  readonly userNo: number;
  readonly currency: string;
  readonly label: string | null;
}

export const insertWallet = (
  tx: Writer,
  { uuid, tenantId, userNo, currency, label }: NewWallet,
  nowMs: number,
): Promise<number> => tx.run(walletInsert, uuid, tenantId, userNo, currency, label, nowMs);

/** The number that the next transaction gets; the writer's alone to know. */
export const readNextNo = async (tx: Writer): Promise<number> =>
  (await tx.get(recordNext))?.txn_no ?? 1;

export const insertRecords = (tx: Writer, rows: readonly RecordParams[]): Promise<void> =>
  tx.many(recordInsert, rows);

export type { RecordParams };
export { postingInsert, txnInsert, txnStatus };
