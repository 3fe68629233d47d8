/**
 * What can happen in a simulated venue, as plain data. Every number that names a thing is taken modulo what
 * there is, and what lacks its precondition does nothing, so that any part of a list of acts can be played.
 */
import type { EventType } from "../../../src/domain/chain.ts";
import type { Role } from "../../../src/domain/identity.ts";

/** An amount that lies so far from a limit, as the one who acts knows it. */
export interface Edge {
  readonly of: "single" | "daily" | "weekly" | "max" | "ceiling" | "balance" | "server";
  readonly off: number;
}
export type Amount = number | Edge;

/** A time that lies so many seconds from the last one that a rule allows. */
export interface Moment {
  readonly of: "grantEnd" | "grantStart" | "block" | "suspend" | "expiry" | "drift";
  readonly off: number;
}

/** A request that never arrives, or whose answer is not seen. */
export type Lost = "request" | "reply";

interface Retry {
  readonly lose?: Lost;
  /** Made again with the same bytes where the answer was lost. */
  readonly retry?: boolean;
  /** Bears an Idempotency-Key. */
  readonly keyed?: boolean;
}

export interface Tap {
  readonly do: "tap";
  readonly device: number;
  readonly tag: number;
  readonly type: EventType;
  readonly amount?: Amount;
  /** Asks for no key that it lacks. */
  readonly offline?: boolean;
  /** Minds neither op, state, limit nor block; the keys it must hold, or have held. */
  readonly rogue?: boolean;
  /** Pages that are written before the card is gone. */
  readonly torn?: number;
  /** Pages of the second try in the same tap. */
  readonly retried?: number;
  /** Written out of thin air before the event. */
  readonly extra?: number;
  /** Counters left out. */
  readonly skip?: number;
  /** The time of the event, off the device's own. */
  readonly off?: number;
  /** The time of the event, whatever the device's own. */
  readonly at?: Moment;
}

export interface Topup extends Retry {
  readonly do: "topup";
  readonly device: number;
  readonly tag: number;
  readonly amount: Amount;
  readonly then: "write" | "tear" | "walk" | "cancel" | "leave";
  readonly torn?: number;
  readonly counter?: boolean;
}

export interface Upload {
  readonly do: "upload";
  readonly device: number;
  readonly from?: number;
  readonly take: number;
  readonly order?: "shuffled" | "reversed";
  /** The first event once more at the end. */
  readonly twice?: boolean;
  /** Events that another device has, or had, handed in along. */
  readonly with?: number;
  readonly lose?: Lost;
  readonly keyed?: boolean;
}

interface Policy {
  readonly maxBalance?: number;
  readonly singleTxLimit?: number;
  readonly dailyLimit?: number;
  readonly weeklyLimit?: number;
  readonly blockedStatuses?: readonly number[];
  readonly clockDriftAllowanceSec?: number;
  readonly grantTtlSec?: number;
  readonly allowedOps?: Readonly<Record<string, readonly string[]>>;
}

type Deed =
  | { readonly do: "zone" | "member" }
  | {
      readonly do: "enrol";
      readonly role: Role;
      readonly zone?: number;
      /** Of a scout: the member whose cards alone it sees. */
      readonly member?: number;
      readonly skew?: number;
    }
  | (Retry & {
      readonly do: "make";
      readonly device: number;
      readonly member: number;
      readonly lifeSec?: number;
      /** Card whose id it takes. */
      readonly card?: number;
      readonly version?: number;
    })
  | {
      readonly do: "sync";
      readonly device: number;
      readonly version?: number;
      readonly lose?: Lost;
    }
  | { readonly do: "boot"; readonly device: number; readonly skew?: number }
  | { readonly do: "commission"; readonly device: number; readonly lose?: Lost }
  | Tap
  | Topup
  | Upload
  | {
      readonly do: "cancel";
      readonly device: number;
      readonly nth: number;
      readonly keyed?: boolean;
    }
  | (Retry & { readonly do: "block"; readonly device: number; readonly card: number })
  | (Retry & {
      readonly do: "rekey";
      readonly device: number;
      readonly tag: number;
      /** Told to the server alone, nothing written. */
      readonly version?: number;
    })
  | (Retry & {
      readonly do: "reissue";
      readonly device: number;
      readonly card: number;
      readonly reads: boolean;
      readonly to?: number;
      readonly version?: number;
      readonly lifeSec?: number;
    })
  | { readonly do: "repair"; readonly device: number; readonly tag: number }
  | {
      readonly do: "read";
      readonly device: number;
      readonly card: number;
      readonly limit?: number;
    }
  | {
      readonly do: "again";
      readonly device: number;
      readonly nth: number;
      readonly twist?: "body" | "key" | "keyless";
    }
  | {
      readonly do: "forge";
      readonly device: number;
      readonly what: "amount" | "balance" | "hash" | "time" | "type" | "counter";
      readonly by: number;
    }
  | {
      readonly do: "junk";
      readonly device: number;
      readonly card: number;
      readonly what: "unknown" | "zero" | "huge" | "moved" | "ceiling" | "leap" | "far" | "fork";
    }
  | { readonly do: "clone" | "keep" | "back"; readonly tag: number }
  | { readonly do: "flip"; readonly tag: number; readonly bit: number }
  | {
      readonly do: "report";
      readonly device: number;
      readonly card: number;
      readonly what: string;
      readonly counter?: number;
      readonly ago?: number;
    }
  | {
      readonly do: "device";
      readonly device: number;
      readonly to: "suspend" | "resume" | "revoke" | "retire" | "secret" | "spare";
    }
  | {
      readonly do: "memberTo";
      readonly member: number;
      readonly to: "active" | "suspended" | "closed" | "refund";
    }
  | {
      readonly do: "policy";
      readonly scope: "tenant" | "zone" | "device";
      readonly nth?: number;
      readonly set: Policy;
    }
  | {
      readonly do: "key";
      readonly to: "create" | "activate" | "retire";
      readonly nth: number;
      readonly force?: boolean;
    }
  | { readonly do: "list"; readonly card: number; readonly off?: boolean }
  | {
      readonly do: "stop";
      readonly card: number;
      readonly as?: "BLOCKED_ADMIN" | "BLOCKED_FRAUD";
    }
  | { readonly do: "unblock"; readonly card: number }
  | (Retry & {
      readonly do: "refund";
      readonly card: number;
      readonly amount?: number;
      readonly chip?: boolean;
    })
  | {
      readonly do: "decide";
      readonly nth: number;
      /** Only flags of this reason. */
      readonly reason?: string;
      readonly how: "approve" | "dismiss";
      readonly block?: boolean;
      readonly many?: number;
      readonly twice?: boolean;
    }
  | { readonly do: "settle"; readonly days: number; readonly device?: number }
  | { readonly do: "reverse"; readonly nth: number }
  | { readonly do: "look"; readonly at: number }
  | { readonly do: "knock"; readonly device: number; readonly card: number; readonly how: string }
  | { readonly do: "pass"; readonly until?: "midnight" | "monday" | "expiry" }
  | { readonly do: "restart"; readonly how: "stop" | "kill" | "cut" };

/** What is done, in which tenant, and the seconds that pass before it. */
export type Act = Deed & { readonly in?: number; readonly sec?: number };
export type ActOf<K extends Act["do"]> = Extract<Act, { readonly do: K }>;
