/** The review queue as it should be: which reasons there are, in what order, how grave, once for each event. */
import type { Books } from "./books.ts";
import type { Flag, Quarantined, Recorded, Severity } from "./thing.ts";

/** In the order of the rules; an event's flags are told in it. */
export const reasons = [
  ...["single_tx_limit_exceeded", "daily_limit_exceeded", "weekly_limit_exceeded"],
  ...["balance_limit_exceeded", "card_blocked", "card_expired", "clock_drift", "late_submission"],
  ...["op_not_allowed", "balance_mismatch", "chain_mismatch", "invalid_transition"],
  ...["unauthorised_credit", "overdrawn", "terminal_suspended"],
] as const;

const high = new Set([
  ...["counter_conflict", "counter_leap", "under_review", "chain_mismatch"],
  "unauthorised_credit",
]);
const medium = new Set([
  ...["balance_mismatch", "overdrawn", "invalid_transition", "op_not_allowed", "card_expired"],
  ...["unknown_card", "missing_events"],
]);

const severityOf = (reason: string): Severity =>
  high.has(reason) ? "high" : medium.has(reason) ? "medium" : "low";

export interface How {
  readonly severity?: Severity;
  readonly evidence?: Readonly<Record<string, number>>;
}

/** Flags an accepted event; a second time for one reason changes nothing. Returns whether it was the first. */
export function flagEvent(
  books: Books,
  event: Recorded,
  reason: string,
  nowSec: number,
  how: How = {},
): boolean {
  if (event.flags.has(reason)) return false;
  event.flags.add(reason);
  const { cardId, counter, amount, device } = event;
  books.flags.push({
    ...{ reason, cardId, counter, amount, event, raisedSec: nowSec, status: "open" },
    ...(how.evidence && { evidence: how.evidence }),
    severity: how.severity ?? severityOf(reason),
    terminalId: device.terminalId,
  });
  return true;
}

export function flagRow(books: Books, row: Quarantined): void {
  const { event, reason, device, receivedSec: raisedSec } = row;
  const { cardId, counter, amount } = event;
  books.flags.push({
    ...{ reason, severity: severityOf(reason), cardId, counter, amount, row, raisedSec },
    ...{ status: "open", terminalId: device.terminalId },
  });
}

/** Flags a card itself. */
export function flagCard(
  books: Books,
  cardId: string,
  { reason, terminalId, nowSec }: { reason: string; terminalId: number; nowSec: number },
): void {
  books.flags.push({
    ...{ reason, severity: severityOf(reason), cardId, counter: null, amount: null },
    ...{ terminalId, raisedSec: nowSec, status: "open" },
  });
}

export const openFlagsOf = (books: Books, match: (flag: Flag) => boolean): Flag[] =>
  books.flags.filter((flag) => flag.status === "open" && match(flag));

/** A flag that an operator has dismissed stays so, though its event was let in later. */
export function closeRow(books: Books, row: Quarantined, status: "approved" | "dismissed"): void {
  row.status = status;
  for (const flag of books.flags) {
    if (flag.row === row && flag.status === "open") flag.status = status;
  }
}
