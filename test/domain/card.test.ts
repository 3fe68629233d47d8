/** Cards at a station: the first refusal in the order of the contract, each alone and with all after it. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  carriedOver,
  type RegisterCase,
  type ReissueCase,
  type RekeyCase,
  refuseRegister,
  refuseReissue,
  refuseRekey,
  refuseTopup,
  type TopupCase,
} from "../../src/domain/card.ts";
import {
  ACTIVE,
  BLOCKED_ADMIN,
  BLOCKED_EXPIRED,
  effectiveStatus,
} from "../../src/domain/cardrecord.ts";

/** Faults in order of precedence: each alone, and each with every one that comes after it. */
function inOrder<C>(
  refuse: (c: C) => string | null,
  fine: C,
  faults: readonly (readonly [string, Partial<C>])[],
): void {
  test("nothing wrong", () => expect(refuse(fine)).toBeNull());
  test.each(faults.map(([code], i) => [code, i] as const))("%s", (code, i) => {
    expect(refuse({ ...fine, ...faults[i]?.[1] })).toBe(code);
    let all = fine;
    for (const [, fault] of faults.slice(i)) all = { ...all, ...fault };
    expect(refuse(all)).toBe(code);
  });
}

const active = { status: ACTIVE, blockedAtSec: null } as const;
const blocked = { status: BLOCKED_ADMIN, blockedAtSec: 1 } as const;
const balance = { available: 60, pending: 30, frozen: 1_000 };

describe("registering", () => {
  const fine: RegisterCase = {
    known: false,
    memberStatus: "active",
    memberHasActiveCard: false,
    keyIsActive: true,
    listed: false,
  };
  inOrder(refuseRegister, fine, [
    ["card_already_registered", { known: true }],
    ["user_has_active_card", { memberHasActiveCard: true }],
    ["invalid_user", { memberStatus: "closed" }],
    ["invalid_key_version", { keyIsActive: false }],
    ["card_blocked", { listed: true }],
  ]);
  test.each(["suspended", "closed", undefined] as const)("member %p", (memberStatus) => {
    expect(refuseRegister({ ...fine, memberStatus })).toBe("invalid_user");
  });
});

describe("topping up", () => {
  const fine: TopupCase = {
    status: active,
    memberStatus: "active",
    balance,
    amount: 10,
    maxBalance: 100,
  };
  inOrder(refuseTopup, fine, [
    ["card_blocked", { status: blocked }],
    ["invalid_user", { memberStatus: "suspended" }],
    ["balance_limit_exceeded", { amount: 11 }],
  ]);
});

describe("rekeying", () => {
  const fine: RekeyCase = { status: active, keyIsActive: true };
  inOrder(refuseRekey, fine, [
    ["invalid_key_version", { keyIsActive: false }],
    ["card_blocked", { status: blocked }],
  ]);
});

describe("reissuing", () => {
  const fine: ReissueCase = {
    newIdKnown: false,
    replaced: false,
    memberStatus: "active",
    memberHasOtherActiveCard: false,
    keyIsActive: true,
    newIdListed: false,
  };
  inOrder(refuseReissue, fine, [
    ["card_already_registered", { newIdKnown: true }],
    ["card_replaced", { replaced: true }],
    ["user_has_active_card", { memberHasOtherActiveCard: true }],
    ["invalid_user", { memberStatus: undefined }],
    ["invalid_key_version", { keyIsActive: false }],
    ["card_blocked", { newIdListed: true }],
  ]);

  test("never more than the wallet or the chip had, never less than nothing", () => {
    const signed = fc.integer({ min: -1_000, max: 1_000 });
    fc.assert(
      fc.property(signed, fc.nat(1_000), fc.option(fc.nat(3_000)), (available, pending, chip) => {
        const carried = carriedOver({ available, pending, frozen: 7 }, chip ?? undefined);
        expect(carried).toBe(Math.max(0, Math.min(available + pending, chip ?? 9_999)));
      }),
    );
  });
});

test.each([
  [99, ACTIVE, null],
  [100, BLOCKED_EXPIRED, 100],
  [101, BLOCKED_EXPIRED, 100],
])("a card that expires at 100, at %d", (nowSec, status, blockedAtSec) => {
  const card = { status: ACTIVE, expiresAtSec: 100, blockedAtSec: null } as const;
  expect<unknown>(effectiveStatus(card, nowSec)).toEqual({ status, blockedAtSec });
  const earlier = { ...card, status: BLOCKED_ADMIN, blockedAtSec: 7 } as const;
  expect<unknown>(effectiveStatus(earlier, nowSec)).toEqual({
    status: BLOCKED_ADMIN,
    blockedAtSec: 7,
  });
});
