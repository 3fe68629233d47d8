/** Rows of the ledger: wallets of the house, transactions, postings. */
import {
  postingInsert,
  systemWallet,
  systemWalletInsert,
  txnInsert,
  txnStatus,
  walletAdd,
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

export { postingInsert, txnInsert, txnStatus };
