/**
 * What goes into the decision on a batch and what comes out of it, as plain values. The rules are in
 * `reconcile.ts` and `accept.ts`; reading and writing are the service's.
 */
import type { Calendar } from "./calendar.ts";
import type { CardRecord, Head } from "./cardrecord.ts";
import type { Amended, CardView, Need } from "./cardwork.ts";
import type { IncomingEvent, Recorded } from "./event.ts";
import type { FlagReason, RejectReason, Severity } from "./flag.ts";
import type { Booking } from "./fold.ts";
import type { GrantWindow } from "./window.ts";

export interface Limits {
  readonly maxBalance: number;
  readonly singleTxLimit: number;
  readonly dailyLimit: number;
  readonly weeklyLimit: number;
  readonly hardCeiling: number;
  readonly clockDriftAllowanceSec: number;
  readonly sessionMaxSec: number;
}

export type ReviewStatus = "open" | "approved" | "dismissed";

export interface BatchInput {
  readonly events: readonly IncomingEvent[];
  readonly nowSec: number;
  readonly limits: Limits;
  /** Grants whose window, widened by the allowance, may cover an event of the batch. */
  readonly windows: readonly GrantWindow[];
  /** What the device's role may do now, for events that no grant covers. */
  readonly roleOps: number;
  readonly suspendedAtSec: number | null;
  readonly calendar: Calendar;
  /** Id of the first event that is accepted; the others follow without gaps. */
  readonly firstEventId: number;
  /** Cards of the batch that exist. */
  readonly cards: ReadonlyMap<string, CardView>;
  /** Events of the batch that are in quarantine, by `contentKey`. */
  readonly quarantined: ReadonlyMap<
    string,
    { readonly quarantineNo: number; readonly status: ReviewStatus }
  >;
  /** Debits that were let stand beside the chain, at a card and counter of the batch, by `placeKey`. */
  readonly beside: ReadonlyMap<string, IncomingEvent>;
}

export interface Accepted {
  readonly index: number;
  readonly card: CardRecord;
  readonly event: Recorded;
  /** The chain event before it; 0 for the first and for a late one. */
  readonly prev: number;
  readonly late: boolean;
  /** Its place in the chain counts to a place of its own. */
  readonly placed: boolean;
  readonly booking: Booking;
  readonly topupNo: number | null;
}

export interface Rejected {
  readonly index: number;
  readonly reason: RejectReason;
  /** Null for an unknown card. */
  readonly card: CardRecord | null;
  /** It is not in quarantine yet. */
  readonly fresh: boolean;
  /** The recorded event that it contradicts. */
  readonly conflict: Recorded | null;
}

export interface FlagDetail {
  readonly limit?: number;
  readonly total?: number;
  readonly conflict?: IncomingEvent;
}

/** A flag for the review queue. */
export interface Raised {
  readonly card: CardRecord;
  readonly event: Recorded;
  readonly reason: FlagReason;
  readonly severity: Severity;
  readonly detail: FlagDetail;
}

export interface CardOutcome {
  readonly card: CardRecord;
  readonly head: Head;
  /** Sums of weeks outside the head that changed. */
  readonly weeks: ReadonlyMap<number, readonly number[]>;
  readonly amended: readonly Amended[];
  /** The head differs by events that came above it, and by nothing else. */
  readonly appended: boolean;
}

/** Totals of the batch by local day of its events. */
export interface DayTotals {
  checkins: number;
  checkouts: number;
  debits: number;
  debitAmount: number;
  credits: number;
  creditAmount: number;
  rejected: number;
  flagged: number;
  lateEvents: number;
  /** Of credits whose money waits in suspense. */
  parkedAmount: number;
}

export interface Decided {
  readonly kind: "decided";
  readonly accepted: readonly Accepted[];
  readonly rejected: readonly Rejected[];
  /** For the answer: in order of the events, then of the table of reasons. */
  readonly flags: readonly { readonly index: number; readonly reason: FlagReason }[];
  readonly raised: readonly Raised[];
  readonly cards: readonly CardOutcome[];
  /** Quarantine rows whose event is accepted now. */
  readonly released: readonly { readonly quarantineNo: number; readonly eventId: number }[];
  /** Top-ups that a credit of the batch settled, or that took their late credit. */
  readonly credited: readonly {
    readonly topupNo: number;
    readonly eventId: number;
    readonly settles: boolean;
  }[];
  readonly days: ReadonlyMap<number, DayTotals>;
  /** What the terminal's settlement account gains, and what was parked in suspense. */
  readonly debited: number;
  readonly parked: number;
  readonly credits: number;
  readonly flaggedEvents: number;
}

/** More must be read; decide again with it. */
export interface Needs {
  readonly kind: "needs";
  readonly needs: readonly Need[];
}

export type BatchDecision = Decided | Needs;
