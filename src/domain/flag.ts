/**
 * Why an accepted event is shown to an operator. The order is that of the answer to a batch; bit i of
 * a mask is `flagReasons[i]`. The last two never stand in an answer: they are learnt about an event
 * that is recorded already.
 */
export const flagReasons = [
  "single_tx_limit_exceeded",
  "daily_limit_exceeded",
  "weekly_limit_exceeded",
  "balance_limit_exceeded",
  "card_blocked",
  "card_expired",
  "clock_drift",
  "late_submission",
  "op_not_allowed",
  "balance_mismatch",
  "chain_mismatch",
  "invalid_transition",
  "unauthorised_credit",
  "overdrawn",
  "terminal_suspended",
  "counter_conflict",
  "missing_events",
] as const;
export type FlagReason = (typeof flagReasons)[number];

export const rejectReasons = [
  "unknown_card",
  "invalid_amount",
  "counter_leap",
  "duplicate",
  "counter_conflict",
] as const;
export type RejectReason = (typeof rejectReasons)[number];

/** `duplicate` needs no review. */
export type ReviewReason = FlagReason | Exclude<RejectReason, "duplicate"> | "under_review";

/** Every reason that the review queue knows. */
export const reviewReasons: readonly ReviewReason[] = [
  ...flagReasons,
  "unknown_card",
  "invalid_amount",
  "counter_leap",
  "under_review",
];

export type Severity = "low" | "medium" | "high";

export const bit = (reason: FlagReason): number => 1 << flagReasons.indexOf(reason);

export const CHAIN = bit("chain_mismatch");
export const BALANCE = bit("balance_mismatch");
export const TRANSITION = bit("invalid_transition");
export const CONFLICT = bit("counter_conflict");
export const MISSING = bit("missing_events");
/** Reasons that an answer to a batch may list. */
export const ANSWERED = (1 << flagReasons.indexOf("counter_conflict")) - 1;

export const reasonsOf = (mask: number): FlagReason[] =>
  flagReasons.filter((_, i) => (mask & (1 << i)) !== 0);

const high = new Set<string>([
  "counter_conflict",
  "counter_leap",
  "under_review",
  "chain_mismatch",
  "unauthorised_credit",
]);
const medium = new Set<string>([
  "balance_mismatch",
  "overdrawn",
  "invalid_transition",
  "op_not_allowed",
  "card_expired",
  "unknown_card",
  "missing_events",
]);

/** Severity of a reason; the three that depend on the case are low unless the caller knows `grave`. */
export function severityOf(
  reason: FlagReason | RejectReason | "under_review",
  grave = false,
): Severity {
  if (grave || high.has(reason)) return "high";
  return medium.has(reason) ? "medium" : "low";
}
