/** What can be taken back, and until when. Whether the money is still there is asked after. */
import { reversalMaxMs } from "../../schema/bound.ts";
import { Problem } from "./problem.ts";

export interface Reversible {
  readonly type: string;
  readonly status: string;
  readonly isReversed: boolean;
  readonly createdAtMs: number;
}

const completed = new Set(["credit", "debit", "transfer"]);

/** A top-up whose credit has not come is cancelled by its reversal. */
export const isWaitingTopup = ({ type, status }: Pick<Reversible, "type" | "status">): boolean =>
  type === "topup" && status === "pending";

/** already-reversed · not-reversible */
export function refuseReversal(transaction: Reversible, nowMs: number): Problem | null {
  const { type, status, isReversed, createdAtMs } = transaction;
  if (isReversed) return new Problem("already-reversed");
  const isOfKind = isWaitingTopup(transaction) || (completed.has(type) && status === "completed");
  if (!isOfKind) {
    return new Problem("not-reversible", `A ${type} that is ${status} cannot be reversed.`, {
      members: { state: status },
    });
  }
  if (createdAtMs < nowMs - reversalMaxMs) {
    return new Problem("not-reversible", "The transaction is more than 365 days old.");
  }
  return null;
}
