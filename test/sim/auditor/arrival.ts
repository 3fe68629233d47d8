/** What is wrong with an event as it comes in: limits, blocks, clocks, grants. Its chain is not judged here. */
import type { Books } from "./books.ts";
import type { Calendar } from "./day.ts";
import type { How } from "./flag.ts";
import type { Limits } from "./policy.ts";
import {
  balanceOf,
  blockedAt,
  type Card,
  type Device,
  hardCeiling,
  type Recorded,
  type Severity,
  statusAt,
  type WireEvent,
} from "./thing.ts";

const blockedFrom = 1;

/** Sums of accepted debits of the event's day and week, up to and with it. */
function windowsOf(card: Card, event: Recorded, calendar: Calendar) {
  const [day, week] = [calendar.day(event.timestamp), calendar.week(event.timestamp)];
  const sums = { day: 0, week: 0 };
  for (const each of card.events) {
    if (each.type !== "debit" || calendar.week(each.timestamp) !== week) continue;
    sums.week += each.amount;
    if (calendar.day(each.timestamp) === day) sums.day += each.amount;
  }
  return sums;
}

const opsFor: Readonly<Record<WireEvent["type"], readonly string[]>> = {
  ...{ debit: ["debit"], credit: ["topup"], checkin: ["checkin"], checkout: ["checkout"] },
  admin: ["reissue", "block"],
};

/** Whether a grant covers the event's time, and whether its op is allowed. */
function grantFor(books: Books, device: Device, event: WireEvent, allowanceSec: number) {
  const covering = device.grants.filter(
    ({ issuedSec, expiresSec }) =>
      event.timestamp >= issuedSec - allowanceSec && event.timestamp <= expiresSec + allowanceSec,
  );
  const isCovered = covering.length > 0;
  const opSets = isCovered ? covering.map(({ ops }) => ops) : [books.policies.ops(device.role)];
  const isAllowed = opSets.some((ops) => opsFor[event.type].some((op) => ops.includes(op)));
  return { isCovered, isAllowed };
}

export interface Judged {
  readonly card: Card;
  readonly event: Recorded;
  readonly device: Device;
  readonly limits: Limits;
  readonly nowSec: number;
}

const grave = (isGrave: boolean): { severity: Severity } => ({
  severity: isGrave ? "high" : "low",
});

/** Reasons that the event itself gives on arrival, with how grave they are where the rules say so. */
export function arrivalFlags(books: Books, calendar: Calendar, judged: Judged) {
  const { card, event, device, limits, nowSec } = judged;
  const { clockDriftAllowanceSec: allowanceSec } = limits;
  const found = new Map<string, How>();
  const isDebit = event.type === "debit";
  if (isDebit) {
    const sums = windowsOf(card, event, calendar);
    const { singleTxLimit, dailyLimit, weeklyLimit } = limits;
    const exceeds = (window: string, total: number, limit: number): void => {
      if (total > limit) found.set(`${window}_limit_exceeded`, { evidence: { limit, total } });
    };
    if (event.amount > singleTxLimit) {
      found.set("single_tx_limit_exceeded", { evidence: { limit: singleTxLimit } });
    }
    exceeds("daily", sums.day, dailyLimit);
    exceeds("weekly", sums.week, weeklyLimit);
  }
  if (event.balanceAfter > limits.maxBalance) {
    const evidence = { limit: limits.maxBalance };
    const { severity } = grave(event.balanceAfter > hardCeiling);
    found.set("balance_limit_exceeded", { severity, evidence });
  }
  const { isCovered, isAllowed } = grantFor(books, device, event, allowanceSec);
  const isBlocked = statusAt(card, nowSec) >= blockedFrom;
  if (isBlocked && !(event.type === "admin" && isAllowed)) {
    const fromSec = blockedAt(card) - allowanceSec;
    found.set("card_blocked", grave(event.timestamp >= fromSec));
  }
  if (card.expiresAt !== undefined && event.timestamp > card.expiresAt) {
    found.set("card_expired", {});
  }
  if (event.timestamp > nowSec + allowanceSec) found.set("clock_drift", {});
  if (!isCovered) found.set("late_submission", {});
  if (!isAllowed) found.set("op_not_allowed", {});
  if (event.parked !== undefined) found.set("unauthorised_credit", {});
  if (isDebit && balanceOf(card) < 0) found.set("overdrawn", {});
  if (device.status === "suspended") {
    const fromSec = device.suspendedSec - allowanceSec;
    found.set("terminal_suspended", grave(event.timestamp > fromSec));
  }
  return found;
}
