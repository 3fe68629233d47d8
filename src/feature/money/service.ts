/**
 * The ledger: transactions whose postings sum to zero, and the wallets of the house. A card's wallet
 * is kept with its head, so whoever posts to a card changes that head in the same transaction; events
 * of cards are their own journal entries and only move the other side here.
 */
import type { Balance } from "../../domain/cardrecord.ts";
import { uuidMs } from "../../domain/eventid.ts";
import type { Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import {
  addToWallet,
  type Bucket,
  findSystemWallet,
  insertRecords,
  insertWallet,
  openSystemWallet,
  postingInsert,
  type RecordParams,
  readNextNo,
  txnInsert,
  txnStatus,
} from "./store.ts";

export const AVAILABLE: Bucket = 0;
export const PENDING: Bucket = 1;

/** One side of a transaction: an account, a bucket of it, and a signed amount in minor units. */
export type Leg = { readonly bucket: Bucket; readonly amount: number } & (
  | { readonly walletNo: number }
  | { readonly cardNo: number }
);

export interface Draft {
  readonly tenantId: number;
  readonly type: "topup" | "reissue" | "card_debit" | "refund" | "reversal";
  readonly status: "completed" | "pending" | "canceled";
  readonly amount: number;
  readonly cardNo: number;
  readonly counterCardNo?: number;
  readonly counterWalletNo?: number;
  /** Balance of the card's wallet afterwards. */
  readonly after: Balance;
  readonly reason?: string;
  readonly quarantineNo?: number;
  /** The transaction that a reversal takes back. */
  readonly referenceNo?: number;
  readonly source: "platform" | "device";
  readonly createdBy: string;
  readonly nowMs: number;
  readonly legs: readonly Leg[];
}

export interface Posted {
  readonly txnNo: number;
  readonly uuid: string;
}

export type { RecordParams };

export type MoneyService = ReturnType<typeof moneyService>;

export function moneyService({ random }: { readonly random: Random }) {
  /** Numbers of system wallets, by tenant and key; a handful and one a terminal. */
  const wallets = new Map<string, number>();

  /**
   * The tenant's account `cash`, `suspense` or `settlement:<terminalId>`, opened on first use; in the
   * tenant's currency unless another is named.
   */
  async function systemWallet(
    tx: Writer,
    tenantId: number,
    key: string,
    nowMs: number,
    currency: string | null = null,
  ): Promise<number> {
    const cached = `${tenantId} ${key} ${currency ?? ""}`;
    const known = wallets.get(cached);
    if (known !== undefined) return known;
    const walletNo =
      (await findSystemWallet(tx, tenantId, key, currency)) ??
      (await openSystemWallet(tx, tenantId, key, currency, random.uuid(nowMs), nowMs));
    wallets.set(cached, walletNo);
    tx.onRollback(() => wallets.delete(cached));
    return walletNo;
  }

  /** Adds to a wallet of the house what an event row stands for: no posting of its own. */
  async function move(
    tx: Writer,
    tenantId: number,
    walletNo: number,
    amount: number,
    nowMs: number,
  ): Promise<void> {
    if (amount !== 0) await addToWallet(tx, tenantId, walletNo, AVAILABLE, amount, nowMs);
  }

  /**
   * Writes legs of a transaction or, for what is decided about a parked credit, of an event.
   * @throws RangeError when they don't sum to zero: nothing is written then
   */
  async function post(
    tx: Writer,
    tenantId: number,
    of: { readonly txnNo: number } | { readonly eventId: number },
    legs: readonly Leg[],
    nowMs: number,
  ): Promise<void> {
    const sum = legs.reduce((total, leg) => total + leg.amount, 0);
    if (sum !== 0) throw new RangeError(`postings sum to ${sum}`);
    const txnNo = "txnNo" in of ? of.txnNo : null;
    const eventId = "eventId" in of ? of.eventId : null;
    for (const leg of legs) {
      if (leg.amount === 0) continue;
      const walletNo = "walletNo" in leg ? leg.walletNo : null;
      const cardNo = "cardNo" in leg ? leg.cardNo : null;
      await tx.run(
        postingInsert,
        tenantId,
        txnNo,
        eventId,
        walletNo,
        cardNo,
        leg.bucket,
        leg.amount,
        nowMs,
      );
      if (walletNo !== null)
        await addToWallet(tx, tenantId, walletNo, leg.bucket, leg.amount, nowMs);
    }
  }

  /** Records a transaction with its legs. */
  async function transact(tx: Writer, draft: Draft): Promise<Posted> {
    const { tenantId, nowMs, after } = draft;
    const uuid = random.uuid(nowMs);
    const row = await tx.get(
      txnInsert,
      uuid,
      tenantId,
      draft.type,
      draft.status,
      draft.amount,
      draft.cardNo,
      null,
      draft.counterWalletNo ?? null,
      draft.counterCardNo ?? null,
      after.available,
      after.pending,
      after.frozen,
      draft.reason ?? null,
      draft.quarantineNo ?? null,
      draft.referenceNo ?? null,
      draft.source,
      draft.createdBy,
      uuidMs(uuid),
    );
    if (row === undefined) throw new RangeError("no such tenant");
    await post(tx, tenantId, { txnNo: row.txn_no }, draft.legs, nowMs);
    return { txnNo: row.txn_no, uuid };
  }

  async function setStatus(
    tx: Writer,
    tenantId: number,
    txnNo: number,
    status: "completed" | "canceled",
    nowMs: number,
  ): Promise<void> {
    await tx.run(txnStatus, tenantId, txnNo, status, nowMs);
  }

  /** Records transactions that are their own journal entries; each is told the number that it gets. */
  async function record(
    tx: Writer,
    makers: readonly ((txnNo: number) => RecordParams)[],
  ): Promise<void> {
    if (makers.length === 0) return;
    const first = await readNextNo(tx);
    await insertRecords(
      tx,
      makers.map((make, at) => make(first + at)),
    );
  }

  return { systemWallet, move, post, transact, setStatus, record, openWallet: insertWallet };
}
