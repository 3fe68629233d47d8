/**
 * Wallets of people in memory, as the writer's connection sees them: what is on the shelf need not be read
 * again. Every write to such a wallet passes here; a write that is undone takes what it touched off.
 */
import { walletsKeptMax } from "../../../schema/bound.ts";
import { type Account, balanceOf } from "../../domain/account.ts";
import type { Balance } from "../../domain/cardrecord.ts";
import type { Writer } from "../../store/seam.ts";
import type { Chain } from "./store.ts";

export interface KeptWallet {
  readonly account: Account;
  readonly walletNo: number;
  readonly chain: Chain;
}

/** As a unit takes it, to be changed there. */
export interface TakenWallet {
  account: Account;
  readonly before: Balance;
  readonly walletNo: number;
  readonly card: null;
  chain: Chain | null;
}

interface Kept extends KeptWallet {
  readonly tenantId: number;
}

export class WalletShelf {
  /** By uuid. */
  readonly #kept = new Map<string, Kept>();

  constructor(private readonly keptMax = walletsKeptMax) {}

  find(tenantId: number, id: string): TakenWallet | undefined {
    const kept = this.#kept.get(id);
    if (kept === undefined || kept.tenantId !== tenantId) return undefined;
    const { account, walletNo, chain } = kept;
    return { account, before: balanceOf(account), walletNo, card: null, chain };
  }

  /** What a write made of it, if the write comes to stay. */
  put(tx: Writer, tenantId: number, { account, walletNo, chain }: KeptWallet): void {
    if (this.#kept.size >= this.keptMax) this.#kept.clear();
    this.#kept.set(account.id, { tenantId, account, walletNo, chain });
    tx.onRollback(() => this.#kept.delete(account.id));
  }

  /** Something else than its balance changes. */
  drop(tx: Writer, id: string): void {
    this.#kept.delete(id);
    tx.onRollback(() => this.#kept.delete(id));
  }
}
