/**
 * What the server must believe of one card, kept the slow and simple way: all its events in a sorted
 * list. It needs no hashes: the simulator knows which event each one was really written after.
 */
import { type Happened, noHash } from "./happened.ts";

export type ModelState = "IDLE" | "CHECKED_IN" | "CHECKED_OUT";
export type ModelStatus =
  | "ACTIVE"
  | "BLOCKED_TAMPER"
  | "BLOCKED_FRAUD"
  | "BLOCKED_EXPIRED"
  | "BLOCKED_ADMIN";

/** Reasons of a flag, in the order in which an answer lists them. */
export const flagOrder = [
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
] as const;
export type FlagReason = (typeof flagOrder)[number];

export interface Known {
  readonly event: Happened;
  readonly flags: Set<FlagReason>;
  /** null: not known, because what came before isn't. */
  state: ModelState | null;
  start: number | null;
}

export interface ModelTopup {
  readonly topupId: string;
  readonly amount: number;
  readonly timestamp: number;
  readonly counter: number | null;
  status: "PENDING" | "COMPLETED" | "CANCELED";
}

/** What an event is judged against: the one below it, or the registration. */
interface Below {
  readonly counter: number;
  readonly balance: number;
  readonly hash: string;
  readonly state: ModelState | null;
  readonly start: number | null;
}

export class ModelCard {
  readonly known: Known[] = [];
  readonly topups: ModelTopup[] = [];
  /** Amounts of top-ups that a reissue settled and whose credit may still come. */
  readonly late: number[] = [];
  /** Credits that wait in suspense: amount and device. */
  readonly parked: { amount: number; deviceId: string }[] = [];
  readonly debitsByDay = new Map<number, number>();
  readonly debitsByWeek = new Map<number, number>();
  balance: number;
  needsValidation = false;
  replaces: string | null = null;
  replacedBy: string | null = null;
  #status: ModelStatus = "ACTIVE";

  constructor(
    readonly cardId: string,
    readonly userId: number,
    readonly createdAt: number,
    readonly expiresAt: number | null,
    readonly opening: number,
  ) {
    this.balance = opening;
  }

  status(now: number): ModelStatus {
    const expired = this.expiresAt !== null && now >= this.expiresAt;
    return this.#status === "ACTIVE" && expired ? "BLOCKED_EXPIRED" : this.#status;
  }

  /** The first block stays. */
  block(status: ModelStatus, now: number): void {
    if (this.status(now) === "ACTIVE") this.#status = status;
  }

  get top(): Known | undefined {
    return this.known.at(-1);
  }

  get(counter: number): Known | undefined {
    return this.known[this.#indexOf(counter)];
  }

  /** State of the highest event whose state is known. */
  get state(): ModelState {
    return this.known.findLast((known) => known.state !== null)?.state ?? "IDLE";
  }

  pending(): ModelTopup[] {
    return this.topups.filter((topup) => topup.status === "PENDING");
  }

  /** Records an event; `relink` follows once the batch's events are in. */
  add(event: Happened): Known {
    const known: Known = { event, flags: new Set(), state: null, start: null };
    let at = this.known.length;
    while (at > 0 && (this.known[at - 1] as Known).event.wire.counter > event.wire.counter) at -= 1;
    this.known.splice(at, 0, known);
    return known;
  }

  /** Judges again whether events follow from those below, from `counter` up; flags only grow. */
  relink(counter: number, sessionMaxSec: number): void {
    for (let i = Math.max(0, this.#indexOf(counter)); i < this.known.length; i += 1) {
      judge(this.known[i] as Known, this.#below(i), sessionMaxSec);
    }
  }

  #below(index: number): Below {
    const below = this.known[index - 1];
    if (!below) {
      return { counter: 0, balance: this.opening, hash: noHash, state: "IDLE", start: 0 };
    }
    const { counter, balanceAfter, hash } = below.event.wire;
    return { counter, balance: balanceAfter, hash, state: below.state, start: below.start };
  }

  #indexOf(counter: number): number {
    let low = 0;
    let high = this.known.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = (this.known[middle] as Known).event.wire.counter;
      if (found === counter) return middle;
      if (found < counter) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

const movesBy = { debit: -1, credit: 1, checkin: 0, checkout: 0, admin: 0 } as const;

function isLawful(known: Known, below: Below, sessionMaxSec: number): boolean {
  const { type, timestamp } = known.event.wire;
  if (type === "checkin") return below.state !== "CHECKED_IN";
  if (type === "checkout") return below.state === "CHECKED_IN";
  if (type !== "debit") return true;
  const inTime = below.start === null || timestamp <= below.start + sessionMaxSec;
  return below.state === "CHECKED_IN" && inTime;
}

function judge(known: Known, below: Below, sessionMaxSec: number): void {
  const { wire, parent, start, intact } = known.event;
  const checkin = wire.type === "checkin";
  const testable = checkin || below.start !== null;
  const fits = intact && (checkin || (parent === below.hash && start === below.start));
  const balances = wire.balanceAfter === below.balance + movesBy[wire.type] * wire.amount;
  const lawful = below.state === null || isLawful(known, below, sessionMaxSec);

  const next = below.counter === wire.counter - 1;
  const skipped = fits && (!checkin || (balances && below.state !== null && lawful));
  const linked = next || skipped;
  if (!fits && testable && (linked || checkin)) known.flags.add("chain_mismatch");
  if (linked && !balances) known.flags.add("balance_mismatch");
  if (linked && !lawful) known.flags.add("invalid_transition");

  if (checkin) known.state = "CHECKED_IN";
  else if (wire.type === "checkout") known.state = "CHECKED_OUT";
  else if (!linked) known.state = null;
  else if (wire.type === "admin" && below.state === "CHECKED_OUT") known.state = "IDLE";
  else known.state = below.state;
  known.start = checkin ? wire.timestamp : linked ? below.start : null;
}
