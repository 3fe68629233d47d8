/**
 * The ledger for those who move money by hand: credit, debit, holds, transfers, reversals, on wallets of
 * people, of cards and of the house. Devices' own movements are not here; they are rows of the same tables.
 */
import { transactionAmountMaxMinor, walletBalanceMaxMinor } from "../../../schema/bound.ts";
import {
  amountOf,
  type MoneyLimits,
  refuseLoss,
  refusePayout,
  refuseUse,
} from "../../domain/account.ts";
import type { By } from "../../domain/by.ts";
import { type HoldEnd, refuseEnd, refuseMoreHolds } from "../../domain/hold.ts";
import { Problem } from "../../domain/problem.ts";
import { isWaitingTopup, refuseReversal } from "../../domain/reversal.ts";
import { isOfHouse, refuseCredit, refuseDebit, refuseTransfer } from "../../domain/transfer.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { MoneyService } from "../money/service.ts";
import type { TopupService } from "../topup/service.ts";
import { type KeepDeps, walletKeeping } from "./keep.ts";
import { listing } from "./list.ts";
import { WalletShelf } from "./shelf.ts";
import * as rows from "./store.ts";
import { tellOf } from "./tell.ts";
import { trialBalance } from "./trial.ts";
import {
  FROM_COUNTER,
  type Held,
  HOLD,
  TO_COUNTER,
  type Told,
  Unit,
  type UnitDeps,
} from "./unit.ts";
import { type Transaction, transactionOf } from "./view.ts";

export type { Entry, Transaction, Wallet } from "./view.ts";

export interface WalletDeps
  extends Omit<UnitDeps, "shelf" | "money">,
    Omit<KeepDeps, "card" | "shelf" | "money"> {
  readonly money: Pick<MoneyService, "systemWallet" | "record" | "openWallet">;
  readonly store: Store;
  readonly topup: Pick<TopupService, "takeBack">;
  /**
   * Largest amounts of a tenant; undefined while they cannot be read.
   * Default: the bounds.
   */
  readonly limits?: (tenantId: number) => MoneyLimits | undefined;
}

/** What somebody asks to be moved. */
export interface MoveOrder {
  /** As it was sent: anything but an integer of at least 1 is refused. */
  readonly amount: unknown;
  readonly currency?: string;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface TransferOrder extends MoveOrder {
  readonly fromWalletId: string;
  readonly toWalletId: string;
}

/** Who asks, and whether accounts of the house are theirs to move. */
export interface Mover {
  readonly by: By;
  readonly mayMoveHouse: boolean;
}

const defaultLimits: MoneyLimits = {
  maxTransactionAmount: transactionAmountMaxMinor,
  maxWalletBalance: walletBalanceMaxMinor,
};

const expiryBy: By = { actor: { type: "system", id: "server" } };
const expireAtOnce = 200;

/** Throws what was refused. */
function must(refusal: Problem | null): void {
  if (refusal !== null) throw refusal;
}

function checkedAmount(value: unknown): number {
  const amount = amountOf(value);
  if (amount instanceof Problem) throw amount;
  return amount;
}

const ofWallet =
  (type: string) =>
  ({ id, walletId, amount, currency, balanceAfter }: Transaction): Told => ({
    type,
    data: { transactionId: id, walletId, amount, currency, balanceAfter },
  });

const ofHold = (type: string, { id, walletId, amount, currency, reason }: Transaction): Told => ({
  type,
  data: { transactionId: id, walletId, amount, currency, reason },
});

const ofTransfer = ({ id, walletId, counterWalletId, amount, currency }: Transaction): Told => ({
  type: "money.transfer.completed",
  data: {
    transactionId: id,
    fromWalletId: walletId,
    toWalletId: counterWalletId,
    amount,
    currency,
  },
});

const ofReversal = ({ id, referenceId, amount, reason }: Transaction): Told => ({
  type: "money.transaction.reversed",
  data: { transactionId: id, referenceTransactionId: referenceId, amount, reason },
});

const houseDue = (): Problem => new Problem("forbidden", "The permission money.system is missing.");

export type WalletService = ReturnType<typeof walletService>;

const inwards = {
  type: "credit",
  sign: 1,
  journal: FROM_COUNTER,
  refuse: refuseCredit,
  told: "money.wallet.credited",
} as const;

const outwards = {
  type: "debit",
  sign: -1,
  journal: TO_COUNTER,
  refuse: refuseDebit,
  told: "money.wallet.debited",
} as const;

export function walletService(parts: WalletDeps) {
  const deps = { ...parts, shelf: new WalletShelf() };
  const { store, topup } = deps;
  const limitsOf = deps.limits ?? (() => defaultLimits);

  /** @throws Problem limits-unavailable */
  function limits(tenantId: number): MoneyLimits {
    const found = limitsOf(tenantId);
    if (found === undefined)
      throw new Problem("limits-unavailable", undefined, { retryAfterSec: 1 });
    return found;
  }

  const unitOf = (tx: Writer, tenantId: number, by: By, nowMs: number): Unit =>
    new Unit(deps, tx, tenantId, by, nowMs);

  /** Between a wallet and the world outside, as `way` says. */
  async function cross(
    way: typeof inwards | typeof outwards,
    tx: Writer,
    tenantId: number,
    walletId: string,
    order: MoveOrder,
    by: By,
    nowMs: number,
  ): Promise<Transaction> {
    const { type, sign, journal, refuse, told } = way;
    const amount = checkedAmount(order.amount);
    const unit = unitOf(tx, tenantId, by, nowMs);
    const account = await unit.take(walletId);
    const { currency, description, metadata } = order;
    must(refuse(account.account, { amount, currency }, limits(tenantId)));
    const counter = await unit.house("cash", account.account.currency);
    unit.move(account, sign * amount);
    unit.move(counter, -sign * amount);
    const transaction = unit.book(
      { type, status: "completed", journal, amount, account, counter, description, metadata },
      ofWallet(told),
    );
    await unit.flush();
    return transaction;
  }

  type Crossing = [
    tx: Writer,
    tenantId: number,
    walletId: string,
    order: MoveOrder,
    by: By,
    nowMs: number,
  ];

  /**
   * From the world outside into a wallet.
   * @throws Problem not-found · invalid-amount · system-wallet · wallet-closed · card-wallet-live ·
   *   currency-mismatch · amount-limit-exceeded · balance-limit-exceeded · limits-unavailable
   */
  const credit = (...order: Crossing): Promise<Transaction> => cross(inwards, ...order);

  /**
   * Out of a wallet to the world outside.
   * @throws Problem as `credit`, and insufficient-funds
   */
  const debit = (...order: Crossing): Promise<Transaction> => cross(outwards, ...order);

  /**
   * Sets money aside for `ttlSec`.
   * @throws Problem as `debit`, and too-many-holds
   */
  async function hold(
    tx: Writer,
    tenantId: number,
    walletId: string,
    order: MoveOrder & { readonly ttlSec: number },
    by: By,
    nowMs: number,
  ): Promise<Transaction> {
    const amount = checkedAmount(order.amount);
    const unit = unitOf(tx, tenantId, by, nowMs);
    const account = await unit.take(walletId);
    const { currency, description, metadata, ttlSec } = order;
    const { walletNo, card } = account;
    must(refuseDebit(account.account, { amount, currency }, limits(tenantId)));
    const live = await rows.countHolds(tx, tenantId, walletNo, card?.cardNo ?? null);
    must(refuseMoreHolds(live));
    unit.move(account, -amount, amount);
    const transaction = unit.book(
      {
        ...{ type: "hold", status: "held", journal: HOLD, amount, account, counter: null },
        ...{ description, metadata, ttlSec },
      },
      (made) => ofHold("money.hold.created", made),
    );
    await unit.flush();
    return transaction;
  }

  const accountOf = (unit: Unit, row: rows.TransactionRow): Promise<Held> =>
    row.wallet_no !== null ? unit.byNo(row.wallet_no) : unit.byCard(row.card_no ?? 0);

  async function finish(
    tx: Writer,
    tenantId: number,
    row: rows.TransactionRow,
    end: {
      readonly status: HoldEnd;
      readonly metadata: string | null;
      readonly reason: string | null;
    },
    by: By,
    nowMs: number,
  ): Promise<Transaction> {
    const { amount, txn_no: txnNo } = row;
    const unit = unitOf(tx, tenantId, by, nowMs);
    const account = await accountOf(unit, row);
    const counter = end.status === "confirmed" ? await unit.house("cash", row.currency) : null;
    if (counter === null) unit.move(account, amount, -amount);
    else {
      unit.move(account, 0, -amount);
      unit.move(counter, amount);
    }
    const { available, pending, frozen } = account.account;
    const ending = { ...end, counterNo: counter?.walletNo ?? null };
    const after = { available, pending, frozen };
    if (!(await rows.writeHoldEnd(tx, tenantId, txnNo, { ...ending, after }, nowMs))) {
      throw new Error("a hold ended twice");
    }
    const ended = await readRow(tx, tenantId, row.uuid);
    const transaction = transactionOf(ended);
    unit.tell(
      transaction,
      ofHold(`money.hold.${end.status}`, transaction),
      amount,
      account,
      counter,
    );
    await unit.flush();
    return transaction;
  }

  /** @throws Problem not-found */
  async function readRow(tx: Writer, tenantId: number, id: string): Promise<rows.TransactionRow> {
    const row = await rows.readTransaction(tx, tenantId, id);
    if (row === undefined) throw new Problem("not-found", "There is no such transaction.");
    return row;
  }

  /** Members given now stand over those of the hold. */
  function mergedMetadata(
    kept: string | null,
    given: Readonly<Record<string, unknown>> | undefined,
  ): string | null {
    if (given === undefined) return kept;
    return JSON.stringify({ ...(kept === null ? {} : (JSON.parse(kept) as object)), ...given });
  }

  /**
   * Takes or gives back what a hold set aside.
   * @throws Problem not-found · hold-not-active · hold-expired
   */
  async function endHold(
    tx: Writer,
    tenantId: number,
    holdId: string,
    status: HoldEnd,
    metadata: Readonly<Record<string, unknown>> | undefined,
    by: By,
    nowMs: number,
  ): Promise<Transaction> {
    const row = await readRow(tx, tenantId, holdId);
    if (row.type !== "hold") throw new Problem("not-found", "There is no such hold.");
    must(refuseEnd({ status: row.status, expiresAtMs: row.expires_at_ms }, nowMs));
    const end = { status, metadata: mergedMetadata(row.metadata, metadata), reason: null };
    return await finish(tx, tenantId, row, end, by, nowMs);
  }

  /** Gives back what holds set aside whose time is over. Returns how many there were. */
  async function expireHolds(nowMs: number): Promise<number> {
    const due = await store.read((q) => rows.readHoldsDue(q, nowMs, expireAtOnce));
    if (due.length === 0) return 0;
    await store.write(
      async (tx) => {
        for (const { tenant_id: tenantId, uuid } of due) {
          const row = await rows.readTransaction(tx, tenantId, uuid);
          // Somebody was faster.
          if (row?.status !== "held") continue;
          const end = { status: "canceled", metadata: row.metadata, reason: "expired" } as const;
          await finish(tx, tenantId, row, end, expiryBy, nowMs);
        }
      },
      { weight: 8 * due.length },
    );
    return due.length;
  }

  /** One transfer of a unit; nothing is moved when it throws. */
  async function move(
    unit: Unit,
    { fromWalletId, toWalletId, currency, description, metadata, ...order }: TransferOrder,
    mayMoveHouse: boolean,
  ): Promise<Transaction> {
    const amount = checkedAmount(order.amount);
    const from = await unit.take(fromWalletId);
    const to = await unit.take(toWalletId);
    if (!mayMoveHouse && isOfHouse(from.account, to.account)) throw houseDue();
    const bounds = limits(unit.tenantId);
    must(refuseTransfer(from.account, to.account, { amount, currency }, bounds));
    unit.move(from, -amount);
    unit.move(to, amount);
    return unit.book(
      {
        ...{ type: "transfer", status: "completed", journal: TO_COUNTER, amount },
        ...{ account: from, counter: to, description, metadata },
      },
      ofTransfer,
    );
  }

  /**
   * From one account to another.
   * @throws Problem not-found · invalid-amount · forbidden (the house's) · wallet-closed · card-wallet-live ·
   *   wrong-state · currency-mismatch · amount-limit-exceeded · insufficient-funds · balance-limit-exceeded ·
   *   limits-unavailable
   */
  async function transfer(
    tx: Writer,
    tenantId: number,
    order: TransferOrder,
    { by, mayMoveHouse }: Mover,
    nowMs: number,
  ): Promise<Transaction> {
    const unit = unitOf(tx, tenantId, by, nowMs);
    const transaction = await move(unit, order, mayMoveHouse);
    await unit.flush();
    return transaction;
  }

  /**
   * Many transfers in one write: `each` is told how to do one, in order, and answers for its failures.
   * What they move is written once all are decided.
   */
  async function transferMany<T>(
    tx: Writer,
    tenantId: number,
    { by, mayMoveHouse }: Mover,
    nowMs: number,
    each: (one: (order: TransferOrder) => Promise<Transaction>) => Promise<T>,
  ): Promise<T> {
    const unit = unitOf(tx, tenantId, by, nowMs);
    const answer = await each((order) => move(unit, order, mayMoveHouse));
    await unit.flush();
    return answer;
  }

  /**
   * Takes a transaction back, once.
   * @throws Problem not-found · already-reversed · not-reversible · forbidden (the house's) · wallet-closed ·
   *   card-wallet-live · wrong-state · insufficient-funds
   */
  async function reverse(
    tx: Writer,
    tenantId: number,
    id: string,
    reason: string,
    { by, mayMoveHouse }: Mover,
    nowMs: number,
  ): Promise<Transaction> {
    const row = await rows.readTransaction(tx, tenantId, id);
    if (row === undefined) return await refuseEvent(tx, tenantId, id);
    const { type, status, amount } = row;
    const state = { type, status, isReversed: row.reversed === 1, createdAtMs: row.created_at_ms };
    must(refuseReversal(state, nowMs));
    if (isWaitingTopup(row)) return await takeBackTopup(tx, tenantId, row, reason, by, nowMs);
    const unit = unitOf(tx, tenantId, by, nowMs);
    const account = await accountOf(unit, row);
    const counter =
      row.counter_wallet_no !== null
        ? await unit.byNo(row.counter_wallet_no)
        : await unit.byCard(row.counter_card_no ?? 0);
    const isByHand = type === "transfer" && isOfHouse(account.account, counter.account);
    if (isByHand && !mayMoveHouse) throw houseDue();
    // What the original gave to the other side comes back from there.
    const isBack = row.journal === TO_COUNTER;
    const [from, to] = isBack ? [counter, account] : [account, counter];
    must(
      refuseUse(from.account) ??
        refuseUse(to.account) ??
        refusePayout(from.account) ??
        refuseLoss(from.account, amount),
    );
    unit.move(from, -amount);
    unit.move(to, amount);
    const transaction = unit.book(
      {
        ...{ type: "reversal", status: "completed", journal: isBack ? FROM_COUNTER : TO_COUNTER },
        ...{ amount, account, counter, reason, reference: { no: row.txn_no, id } },
      },
      ofReversal,
    );
    await unit.flush();
    return transaction;
  }

  /** An event of a card is a transaction too, but none that is taken back. */
  async function refuseEvent(tx: Writer, tenantId: number, id: string): Promise<never> {
    const found = await list.find(tx, tenantId, id);
    if (found === undefined) throw new Problem("not-found", "There is no such transaction.");
    const { type, status } = found.transaction;
    const state = { type, status, isReversed: false, createdAtMs: nowhereMs };
    throw refuseReversal(state, nowhereMs) ?? new Problem("not-reversible");
  }

  async function takeBackTopup(
    tx: Writer,
    tenantId: number,
    row: rows.TransactionRow,
    reason: string,
    by: By,
    nowMs: number,
  ): Promise<Transaction> {
    const posted = await topup.takeBack(
      tx,
      { tenantId, cardNo: row.card_no ?? 0, topupNo: row.txn_no, topupId: row.uuid, reason },
      by.actor,
      nowMs,
    );
    const transaction = transactionOf(await readRow(tx, tenantId, posted.uuid));
    const { type, data } = ofReversal(transaction);
    const { before, after } = posted;
    const side = (balance: typeof before) => ({ [transaction.walletId ?? ""]: balance });
    await tellOf(deps, tx, {
      ...{ tenantId, type, data, by, atMs: nowMs },
      ...{ entityType: "transaction", entityId: posted.uuid },
      ...{ before: side(before), after: side(after), facts: { amount: row.amount, reason } },
    });
    return transaction;
  }

  const list = listing(deps);
  return {
    ...walletKeeping(deps),
    ...{ credit, debit, hold, endHold, expireHolds, transfer, transferMany, reverse },
    transactions: { page: list.page, count: list.count },
    /** One transaction with its entries, an event's too. @throws Problem not-found */
    transaction: (tenantId: number, id: string) =>
      store.read(async (q) => {
        const found = await list.find(q, tenantId, id);
        if (found === undefined) throw new Problem("not-found", "There is no such transaction.");
        return found;
      }),
    trialBalance: trialBalance(store),
  };
}

/** Refusals of events do not depend on a time. */
const nowhereMs = 0;
