/**
 * An account of the ledger as those see it who move money by hand: a person's wallet, a card's, or one of
 * the house. What each may be used for, and what it may hold. Not devices' postings: those are
 * reconciliation's.
 */
import type { Balance } from "./cardrecord.ts";
import { Problem } from "./problem.ts";

export type AccountKind = "user" | "card" | "system";

export interface Account extends Balance {
  /** Uuid of the wallet. */
  readonly id: string;
  readonly kind: AccountKind;
  /** `cash`, `suspense`, `settlement:<terminalId>`; null for others. */
  readonly systemKey: string | null;
  readonly currency: string;
  readonly status: "active" | "closed";
  /** Of a card that may be used: what it holds is on the chip. */
  readonly isLive: boolean;
  /** Settlement account of a suspended device. */
  readonly isSuspended: boolean;
}

/** The largest amounts that user wallets take, in minor units. */
export interface MoneyLimits {
  readonly maxTransactionAmount: number;
  readonly maxWalletBalance: number;
}

export const balanceOf = ({ available, pending, frozen }: Balance): Balance => ({
  available,
  pending,
  frozen,
});

/** All that an account holds. */
export const holds = ({ available, pending, frozen }: Balance): number =>
  available + pending + frozen;

/** @returns the amount; anything but an integer of at least 1 is a problem. */
export function amountOf(value: unknown): number | Problem {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  return new Problem("invalid-amount", "The amount must be an integer of at least 1.", {
    field: "amount",
  });
}

/** Whether money may move on the account at all: wallet-closed · card-wallet-live */
export function refuseUse(account: Account): Problem | null {
  if (account.status === "closed") {
    return new Problem("wallet-closed", "The wallet is closed.", { members: { state: "closed" } });
  }
  if (account.isLive) {
    return new Problem(
      "card-wallet-live",
      "The card is in use: what it holds is on its chip. Its wallet can be moved once it is blocked.",
    );
  }
  return null;
}

/** The same for credit, debit and hold, which no account of the house takes: system-wallet too. */
export const refuseOwnUse = (account: Account): Problem | null =>
  account.kind === "system"
    ? new Problem("system-wallet", "Accounts of the house move by transfers alone.")
    : refuseUse(account);

/** `currency` as it was sent, if it was. */
export const refuseCurrency = (
  { currency }: Pick<Account, "currency">,
  sent: string | undefined,
): Problem | null =>
  sent === undefined || sent === currency
    ? null
    : new Problem("currency-mismatch", `The wallet is kept in ${currency}.`, { field: "currency" });

const exceeded = (limit: number) => ({ members: { code: "LIMIT_EXCEEDED", limit } });

/** One transaction of a user wallet. */
export const refuseAmount = (amount: number, limits: MoneyLimits): Problem | null =>
  amount <= limits.maxTransactionAmount
    ? null
    : new Problem(
        "amount-limit-exceeded",
        `A transaction moves at most ${limits.maxTransactionAmount} minor units.`,
        exceeded(limits.maxTransactionAmount),
      );

/** What `account` may take in. */
export function refuseGain(account: Account, amount: number, limits: MoneyLimits): Problem | null {
  const max = account.kind === "user" ? limits.maxWalletBalance : Number.MAX_SAFE_INTEGER;
  if (holds(account) + amount <= max) return null;
  return new Problem(
    "balance-limit-exceeded",
    `The wallet may hold at most ${max} minor units.`,
    exceeded(max),
  );
}

/** `cash` and `suspense` may go below zero, nothing else by hand. */
export function refuseLoss(account: Account, amount: number): Problem | null {
  const { available, systemKey } = account;
  if (systemKey === "cash" || systemKey === "suspense") {
    if (available - amount >= -Number.MAX_SAFE_INTEGER) return null;
  } else if (available >= amount) return null;
  return new Problem(
    "insufficient-funds",
    `Available balance (${available} cents) is less than requested amount (${amount} cents).`,
  );
}

/** A suspended device's account pays nothing out: wrong-state */
export const refusePayout = ({ isSuspended }: Account): Problem | null =>
  isSuspended
    ? new Problem("wrong-state", "The device of this settlement account is suspended.", {
        members: { state: "suspended" },
      })
    : null;
