/**
 * A card as the backend knows it: who holds it, whether it may be used, and its head. Values are never
 * changed in place; a change makes a new one, so that undoing is putting the old one back.
 */
import { type Recorded, registration } from "./event.ts";
import { type CardState, IDLE } from "./state.ts";

export const STATUS_NAME = [
  "ACTIVE",
  "BLOCKED_TAMPER",
  "BLOCKED_FRAUD",
  "BLOCKED_EXPIRED",
  "BLOCKED_ADMIN",
] as const;
export type StatusName = (typeof STATUS_NAME)[number];

export const ACTIVE = 0;
export const BLOCKED_TAMPER = 1;
export const BLOCKED_FRAUD = 2;
export const BLOCKED_EXPIRED = 3;
export const BLOCKED_ADMIN = 4;
export type StatusCode = 0 | 1 | 2 | 3 | 4;

/** Buckets of a wallet, in minor units. */
export interface Balance {
  readonly available: number;
  readonly pending: number;
  readonly frozen: number;
}

export interface Head extends Balance {
  /** The event with the highest counter, or the registration. */
  readonly top: Recorded;
  /** State of the highest event whose state is known, and its counter. */
  readonly shownState: CardState;
  readonly shownCounter: number;
  readonly openingBalance: number;
  readonly depth: number;
  readonly late: number;
  readonly quarantined: boolean;
  /** The newest local week with a debit, and its sums by weekday from Monday. */
  readonly week: number;
  readonly days: readonly number[];
  /** Id of the card's last recorded event, late ones too; 0: none. All up to it is in this head. */
  readonly applied: number;
}

export interface CardRecord {
  readonly cardNo: number;
  readonly tenantId: number;
  readonly cardId: string;
  readonly memberNo: number;
  readonly userId: number;
  readonly status: StatusCode;
  readonly keyVersion: number;
  readonly createdAtSec: number;
  readonly expiresAtSec: number | null;
  readonly blockedAtSec: number | null;
  readonly replacesNo: number | null;
  readonly replacedByNo: number | null;
  readonly needsValidation: boolean;
  readonly head: Head;
}

export const noDays: readonly number[] = [0, 0, 0, 0, 0, 0, 0];

export const freshHead = (openingBalance: number, available: number): Head => ({
  top: registration(openingBalance),
  shownState: IDLE,
  shownCounter: 0,
  openingBalance,
  depth: 0,
  late: 0,
  quarantined: false,
  available,
  pending: 0,
  frozen: 0,
  week: 0,
  days: noDays,
  applied: 0,
});

export interface EffectiveStatus {
  readonly status: StatusCode;
  /** UTC seconds; null while ACTIVE. */
  readonly blockedAtSec: number | null;
}

/** A card is BLOCKED_EXPIRED from its expiry on, whether or not that is written down yet. */
export function effectiveStatus(
  card: Pick<CardRecord, "status" | "expiresAtSec" | "blockedAtSec">,
  nowSec: number,
): EffectiveStatus {
  const { status, expiresAtSec, blockedAtSec } = card;
  if (status === ACTIVE && expiresAtSec !== null && expiresAtSec <= nowSec) {
    return { status: BLOCKED_EXPIRED, blockedAtSec: expiresAtSec };
  }
  return { status, blockedAtSec };
}

/** What the wallet is worth to its holder: `balance` of the device surface. */
export const worth = (balance: Balance): number => balance.available + balance.pending;

/** What the chip said after the highest event. */
export const chipBalance = (head: Head): number => head.top.balanceAfter;
