/**
 * Whether money may move by hand: in from the world, out to it, or from one account to another. The first
 * refusal in the order of checks: what the accounts are, then what they hold.
 */
import {
  type Account,
  type MoneyLimits,
  refuseAmount,
  refuseCurrency,
  refuseGain,
  refuseLoss,
  refuseOwnUse,
  refusePayout,
  refuseUse,
} from "./account.ts";
import { Problem } from "./problem.ts";

/** What was asked for. */
export interface Order {
  readonly amount: number;
  /** As it was sent, if it was. */
  readonly currency: string | undefined;
}

const bounded = (account: Account, amount: number, limits: MoneyLimits): Problem | null =>
  account.kind === "user" ? refuseAmount(amount, limits) : null;

/** From the world outside into a wallet. */
export const refuseCredit = (
  account: Account,
  { amount, currency }: Order,
  limits: MoneyLimits,
): Problem | null =>
  refuseOwnUse(account) ??
  refuseCurrency(account, currency) ??
  bounded(account, amount, limits) ??
  refuseGain(account, amount, limits);

/** Out of a wallet: a debit, or a hold, which may become one. */
export const refuseDebit = (
  account: Account,
  { amount, currency }: Order,
  limits: MoneyLimits,
): Problem | null =>
  refuseOwnUse(account) ??
  refuseCurrency(account, currency) ??
  bounded(account, amount, limits) ??
  refuseLoss(account, amount);

/** A transfer that touches an account of the house needs a right of its own. */
export const isOfHouse = (from: Account, to: Account): boolean =>
  from.kind === "system" || to.kind === "system";

function refuseCurrencies(from: Account, to: Account, sent: string | undefined): Problem | null {
  const own = refuseCurrency(from, sent);
  if (own !== null || from.currency === to.currency) return own;
  const detail = `One wallet is kept in ${from.currency}, the other in ${to.currency}.`;
  return new Problem("currency-mismatch", detail);
}

export const refuseTransfer = (
  from: Account,
  to: Account,
  { amount, currency }: Order,
  limits: MoneyLimits,
): Problem | null =>
  refuseUse(from) ??
  refuseUse(to) ??
  refusePayout(from) ??
  refuseCurrencies(from, to, currency) ??
  bounded(from, amount, limits) ??
  bounded(to, amount, limits) ??
  refuseLoss(from, amount) ??
  refuseGain(to, amount, limits);
