/** What a refund pays out of a card's wallet, once its pending top-ups count as settled. */

import { carriedOver } from "./card.ts";
import type { Balance } from "./cardrecord.ts";
import { Problem } from "./problem.ts";

/** Minor units that may be paid: what is there, at most what the chip showed where that was read. */
export const refundable = (balance: Balance, chipBalance: number | undefined): number =>
  carriedOver(balance, chipBalance);

/** The amount to pay, or why nothing is: wallet-empty · insufficient-funds */
export function decideRefund(
  balance: Balance,
  asked: { readonly amount?: number; readonly chipBalance?: number },
): number | Problem {
  const most = refundable(balance, asked.chipBalance);
  if (most === 0) return new Problem("wallet-empty", "The card holds nothing to be paid out.");
  const { amount = most } = asked;
  if (amount <= most) return amount;
  return new Problem(
    "insufficient-funds",
    `Available balance (${most} cents) is less than requested amount (${amount} cents).`,
  );
}
