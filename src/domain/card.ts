/**
 * Decisions about cards made online at a station: may this card be registered, topped up, rekeyed or
 * reissued, and what moves when it is. Each returns the first refusal in the order of the contract.
 */
import type { RefusalCode } from "../../schema/refusal.ts";
import { ACTIVE, type Balance, type EffectiveStatus, worth } from "./cardrecord.ts";

/** What the member's record says; undefined for a member that does not exist. */
export type MemberStatus = "active" | "suspended" | "closed" | undefined;

export interface RegisterCase {
  readonly known: boolean;
  readonly memberStatus: MemberStatus;
  readonly memberHasActiveCard: boolean;
  readonly keyIsActive: boolean;
  /** The id is on the blocklist by hand. */
  readonly listed: boolean;
}

export function refuseRegister(c: RegisterCase): RefusalCode | null {
  if (c.known) return "card_already_registered";
  if (c.memberHasActiveCard) return "user_has_active_card";
  if (c.memberStatus !== "active") return "invalid_user";
  if (!c.keyIsActive) return "invalid_key_version";
  return c.listed ? "card_blocked" : null;
}

export interface TopupCase {
  readonly status: EffectiveStatus;
  readonly memberStatus: MemberStatus;
  readonly balance: Balance;
  readonly amount: number;
  readonly maxBalance: number;
}

export function refuseTopup(c: TopupCase): RefusalCode | null {
  if (c.status.status !== ACTIVE) return "card_blocked";
  if (c.memberStatus !== "active") return "invalid_user";
  return worth(c.balance) + c.amount > c.maxBalance ? "balance_limit_exceeded" : null;
}

export interface RekeyCase {
  readonly status: EffectiveStatus;
  readonly keyIsActive: boolean;
}

export function refuseRekey(c: RekeyCase): RefusalCode | null {
  if (!c.keyIsActive) return "invalid_key_version";
  return c.status.status === ACTIVE ? null : "card_blocked";
}

export interface ReissueCase {
  /** newCardId is known here, or is the old card's own. */
  readonly newIdKnown: boolean;
  readonly replaced: boolean;
  readonly memberStatus: MemberStatus;
  readonly memberHasOtherActiveCard: boolean;
  readonly keyIsActive: boolean;
  readonly newIdListed: boolean;
}

export function refuseReissue(c: ReissueCase): RefusalCode | null {
  if (c.newIdKnown) return "card_already_registered";
  if (c.replaced) return "card_replaced";
  if (c.memberHasOtherActiveCard) return "user_has_active_card";
  if (c.memberStatus !== "active") return "invalid_user";
  if (!c.keyIsActive) return "invalid_key_version";
  return c.newIdListed ? "card_blocked" : null;
}

/**
 * What a reissue carries over once pending top-ups are settled: never more than the wallet has, never
 * more than the old chip showed, never less than nothing. The rest meets late debits of the old card.
 */
export function carriedOver(balance: Balance, chipBalance: number | undefined): number {
  const available = worth(balance);
  return Math.max(0, Math.min(available, chipBalance ?? available));
}
