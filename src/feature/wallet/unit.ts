/**
 * What one write does to accounts: each is read once, changed in memory, and written once at the end with
 * the transactions, their audit records and events. Decides nothing.
 */
import { type Account, balanceOf } from "../../domain/account.ts";
import type { By } from "../../domain/by.ts";
import { ACTIVE, type Balance, type CardRecord } from "../../domain/cardrecord.ts";
import { uuidMs } from "../../domain/eventid.ts";
import { Problem } from "../../domain/problem.ts";
import type { Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { CardService } from "../card/service.ts";
import type { EventService } from "../event/service.ts";
import type { MoneyService, RecordParams } from "../money/service.ts";
import type { WalletShelf } from "./shelf.ts";
import * as rows from "./store.ts";
import { type Telling, tellAll, tellOf } from "./tell.ts";
import type { Transaction, TransactionStatus, TransactionType } from "./view.ts";

export interface UnitDeps {
  /** Wallets of people as the writer knows them. */
  readonly shelf: WalletShelf;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: Pick<EventService, "publish" | "publishAll">;
  readonly money: Pick<MoneyService, "systemWallet" | "record">;
  readonly card: Pick<CardService, "take" | "book">;
}

/** An account under change. */
export interface Held {
  /** As it is by now. */
  account: Account;
  /** As it was. */
  readonly before: Balance;
  readonly walletNo: number | null;
  /** The card's, where it is one. */
  readonly card: CardRecord | null;
  /** A person's: its transactions by now. */
  chain: rows.Chain | null;
}

/** Which of a row's own entries it stands for; see the table. */
export const TO_COUNTER = 1;
export const FROM_COUNTER = 2;
export const HOLD = 3;

export interface Booking {
  readonly type: TransactionType;
  readonly status: TransactionStatus;
  readonly journal: typeof TO_COUNTER | typeof FROM_COUNTER | typeof HOLD;
  readonly amount: number;
  readonly account: Held;
  /** The other side; a hold has none yet. */
  readonly counter: Held | null;
  readonly description?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly reason?: string;
  /** The transaction that this one takes back. */
  readonly reference?: { readonly no: number; readonly id: string };
  readonly ttlSec?: number;
}

/** What an account of the house is called in its device's row. */
const terminalOf = (key: string | null): number | null => {
  const match = key === null ? null : /^settlement:(\d+)$/.exec(key);
  return match === null ? null : Number(match[1]);
};

/** What is told of a change: the event's type, which is the audit action too, and its data. */
export interface Told {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class Unit {
  readonly #held = new Map<string, Held>();
  readonly #touched = new Set<Held>();
  /** Made once their numbers are known. */
  readonly #records: ((txnNo: number) => RecordParams)[] = [];
  readonly #told: Telling[] = [];

  constructor(
    private readonly deps: UnitDeps,
    private readonly tx: Writer,
    readonly tenantId: number,
    private readonly by: By,
    private readonly nowMs: number,
  ) {}

  /** The tenant's account with this wallet id. @throws Problem not-found */
  async take(id: string): Promise<Held> {
    const known = this.#held.get(id);
    if (known !== undefined) return known;
    const { tx, tenantId } = this;
    const kept = this.deps.shelf.find(tenantId, id);
    const row = kept === undefined ? await rows.readAccount(tx, tenantId, id) : undefined;
    const held = kept ?? (row === undefined ? await this.#card(id) : await this.#wallet(row));
    this.#held.set(id, held);
    return held;
  }

  /** An account of the house, opened on first use. */
  async house(key: string, currency: string): Promise<Held> {
    const { tx, tenantId, nowMs } = this;
    return await this.byNo(await this.deps.money.systemWallet(tx, tenantId, key, nowMs, currency));
  }

  async byNo(walletNo: number): Promise<Held> {
    const row = await rows.readAccountByNo(this.tx, this.tenantId, walletNo);
    if (row === undefined) throw new RangeError(`no wallet ${walletNo}`);
    const known = this.#held.get(row.uuid);
    if (known !== undefined) return known;
    const held = await this.#wallet(row);
    this.#held.set(row.uuid, held);
    return held;
  }

  async byCard(cardNo: number): Promise<Held> {
    return await this.take(await rows.readWalletOfCard(this.tx, this.tenantId, cardNo));
  }

  async #wallet(row: rows.AccountRow): Promise<Held> {
    const terminalId = terminalOf(row.system_key);
    const device =
      terminalId === null
        ? undefined
        : await rows.readSettlementDevice(this.tx, this.tenantId, terminalId);
    const { available, pending, frozen } = row;
    const account: Account = {
      id: row.uuid,
      kind: row.kind,
      systemKey: row.system_key,
      currency: row.currency,
      status: row.status,
      isLive: false,
      isSuspended: device?.status === "suspended",
      ...{ available, pending, frozen },
    };
    const before = { available, pending, frozen };
    const chain = row.kind === "user" ? { last: row.last_txn_no, count: row.txns } : null;
    return { account, before, walletNo: row.wallet_no, card: null, chain };
  }

  async #card(id: string): Promise<Held> {
    const { tx, tenantId, nowMs } = this;
    const found = await rows.readCardOfWallet(tx, tenantId, id);
    if (found === undefined) throw new Problem("not-found", "There is no such wallet.");
    const card = await this.deps.card.take(tx, tenantId, found.card_id, nowMs);
    const row = await rows.readCardWallet(tx, tenantId, found.card_no);
    const account: Account = {
      ...{ id, kind: "card", systemKey: null, currency: row?.currency ?? "", status: "active" },
      isLive: card.status === ACTIVE,
      isSuspended: false,
      ...balanceOf(card.head),
    };
    return { account, before: balanceOf(card.head), walletNo: null, card, chain: null };
  }

  /** Adds to the buckets of an account. */
  move(held: Held, available: number, frozen = 0): void {
    const { account } = held;
    held.account = {
      ...account,
      available: account.available + available,
      frozen: account.frozen + frozen,
    };
    this.#touched.add(held);
  }

  /** Records a transaction whose accounts were moved already; what is told of it is made from it. */
  book(booking: Booking, tell: (transaction: Transaction) => Told): Transaction {
    const { type, status, journal, amount, account, counter, ttlSec, reference } = booking;
    const { description = null, metadata = null, reason = null } = booking;
    const id = this.deps.random.uuid(this.nowMs);
    const atMs = uuidMs(id);
    const { currency } = account.account;
    const after = balanceOf(account.account);
    const expiresAtMs = ttlSec === undefined ? null : this.nowMs + ttlSec * 1000;
    const createdBy = this.by.actor.id;
    const said = metadata === null ? null : JSON.stringify(metadata);
    const { tenantId } = this;
    this.#records.push((no) => [
      no,
      id,
      tenantId,
      type,
      status,
      journal,
      amount,
      currency,
      account.walletNo,
      account.card === null ? null : account.card.cardNo,
      counter === null ? null : counter.walletNo,
      counter === null || counter.card === null ? null : counter.card.cardNo,
      chained(account, no),
      counter === null ? null : chained(counter, no),
      after.available,
      after.pending,
      after.frozen,
      description,
      said,
      reason,
      reference === undefined ? null : reference.no,
      ttlSec ?? null,
      expiresAtMs,
      createdBy,
      atMs,
    ]);
    const transaction: Transaction = {
      id,
      type,
      status,
      amount,
      currency,
      walletId: account.account.id,
      counterWalletId: counter === null ? null : counter.account.id,
      balanceAfter: after,
      description,
      metadata,
      reason,
      referenceId: reference === undefined ? null : reference.id,
      isReversed: false,
      ttlSec: ttlSec ?? null,
      expiresAtMs,
      source: "platform",
      createdBy,
      createdAtMs: atMs,
      updatedAtMs: atMs,
    };
    this.tell(transaction, tell(transaction), amount, account, counter);
    return transaction;
  }

  /** Notes what is to be told of a transaction, with the balances that its sides had and have. */
  tell(
    { id: entityId, walletId, counterWalletId, currency, description }: Transaction,
    { type, data }: Told,
    amount: number,
    account: Held,
    counter: Held | null,
  ): void {
    const { tenantId, nowMs: atMs } = this;
    const before: Record<string, Balance> = { [account.account.id]: this.#toldBefore(account) };
    const after: Record<string, Balance> = { [account.account.id]: balanceOf(account.account) };
    if (counter !== null) {
      before[counter.account.id] = this.#toldBefore(counter);
      after[counter.account.id] = balanceOf(counter.account);
    }
    const facts = { amount, currency, walletId, counterWalletId, description };
    const entityType = "transaction";
    const { by } = this;
    this.#told.push({ tenantId, type, entityType, entityId, by, atMs, before, after, facts, data });
  }

  readonly #seen = new Map<Held, Balance>();

  /** What the record before told of the account, or what it was at first. */
  #toldBefore(side: Held): Balance {
    const before = this.#seen.get(side) ?? side.before;
    this.#seen.set(side, balanceOf(side.account));
    return before;
  }

  /** Writes all of it. */
  async flush(): Promise<void> {
    const { tx, tenantId, nowMs } = this;
    await this.deps.money.record(tx, this.#records);
    const balances: rows.BalanceParams[] = [];
    for (const { account, walletNo, card, chain } of this.#touched) {
      if (card !== null) {
        await this.deps.card.book.putHead(tx, card, { ...card.head, ...balanceOf(account) });
      } else if (walletNo !== null) {
        const { available, pending, frozen } = account;
        const { last, count } = chain ?? noChain;
        balances.push([tenantId, walletNo, available, pending, frozen, last, count, nowMs]);
        if (chain !== null) this.deps.shelf.put(tx, tenantId, { account, walletNo, chain });
      }
    }
    // Neighbours share pages: each page is touched once.
    if (balances.length > 2) balances.sort((a, b) => a[1] - b[1]);
    await rows.writeBalances(tx, balances);
    if (this.#told.length > 1) {
      await tellAll(this.deps, tx, this.deps.random.uuid(nowMs), this.#told);
    } else for (const telling of this.#told) await tellOf(this.deps, tx, telling);
  }
}

const noChain: rows.Chain = { last: 0, count: 0 };

/** Puts a transaction on its account's chain; the one before it, where the account has a chain. */
function chained(held: Held, txnNo: number): number | null {
  const { chain } = held;
  if (chain === null) return null;
  held.chain = { last: txnNo, count: chain.count + 1 };
  return chain.last;
}
