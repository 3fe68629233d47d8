/**
 * The money: cash, suspense, a settlement account for each terminal, three buckets for each card. A move
 * takes from one and gives to another, so the sum is zero whatever happens; `entries` counts the moves' legs.
 */
import type { Card, Device } from "./thing.ts";

type Bucket = "available" | "pending" | "frozen";
/** An account: one of the house, a device's, or a bucket of a card's. */
export type Account = "cash" | "suspense" | Device | readonly [Card, Bucket];

export class Ledger {
  cash = 0;
  suspense = 0;
  /** By terminalId. */
  readonly settlement = new Map<number, number>();

  move(from: Account, to: Account, amount: number): void {
    this.#add(from, -amount);
    this.#add(to, amount);
  }

  #add(account: Account, amount: number): void {
    if (account === "cash" || account === "suspense") this[account] += amount;
    else if (isCard(account)) account[0].account[account[1]] += amount;
    else {
      const { terminalId } = account;
      this.settlement.set(terminalId, (this.settlement.get(terminalId) ?? 0) + amount);
    }
  }
}

const isCard = (account: Device | readonly [Card, Bucket]): account is readonly [Card, Bucket] =>
  Array.isArray(account);
