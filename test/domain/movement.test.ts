/** The rules of moving money by hand, as tables: who may be moved, how far, and what is refused first. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Account,
  amountOf,
  type MoneyLimits,
  refuseAmount,
  refuseGain,
  refuseLoss,
} from "../../src/domain/account.ts";
import { batchIdRange, eventId, placeIn, uuidFrom, uuidMs } from "../../src/domain/eventid.ts";
import { refuseEnd, refuseMoreHolds } from "../../src/domain/hold.ts";
import { Problem } from "../../src/domain/problem.ts";
import { refuseReversal } from "../../src/domain/reversal.ts";
import { refuseCredit, refuseDebit, refuseTransfer } from "../../src/domain/transfer.ts";
import { seededRandom } from "../../src/system/random.ts";

const limits: MoneyLimits = { maxTransactionAmount: 10_000_000, maxWalletBalance: 100_000_000 };
const user: Account = {
  ...{ id: "u", kind: "user", systemKey: null, currency: "IDR", status: "active" },
  ...{ isLive: false, isSuspended: false, available: 12_500, pending: 0, frozen: 0 },
};
const closed: Account = { ...user, status: "closed" };
const card: Account = { ...user, kind: "card" };
const live: Account = { ...card, isLive: true };
const settlement: Account = { ...user, kind: "system", systemKey: "settlement:3" };
const suspended: Account = { ...settlement, isSuspended: true };
const cash: Account = { ...settlement, systemKey: "cash", available: -500 };
const euro: Account = { ...user, currency: "EUR" };
const full: Account = { ...user, available: 99_999_000, frozen: 1_000 };

const slug = (refusal: Problem | null): string => refusal?.slug ?? "fine";
const order = (amount: number, currency?: string) => ({ amount, currency });

describe("amounts", () => {
  for (const bad of [0, -1, 1.5, "1", null, true, [], {}, Number.NaN, 2 ** 53]) {
    test(`${JSON.stringify(bad)} is none`, () => {
      const found = amountOf(bad);
      expect(found instanceof Problem && found.slug).toBe("invalid-amount");
    });
  }
  test("1 and 2^53−1 are", () => {
    expect([amountOf(1), amountOf(2 ** 53 - 1)]).toEqual([1, 2 ** 53 - 1]);
  });
});

describe("limits, on both sides", () => {
  test("a transaction", () => {
    expect(refuseAmount(10_000_000, limits)).toBeNull();
    const refusal = refuseAmount(10_000_001, limits);
    expect(slug(refusal)).toBe("amount-limit-exceeded");
    expect(refusal?.extra.members).toEqual({ code: "LIMIT_EXCEEDED", limit: 10_000_000 });
  });
  test("a balance: what is set aside counts", () => {
    expect(refuseGain({ ...full, available: 99_998_999 }, 1, limits)).toBeNull();
    const refusal = refuseGain(full, 1, limits);
    expect(slug(refusal)).toBe("balance-limit-exceeded");
    expect(refusal?.extra.members).toEqual({ code: "LIMIT_EXCEEDED", limit: 100_000_000 });
  });
  test("nobody else's", () => {
    expect(refuseGain({ ...card, available: 100_000_000 }, 1, limits)).toBeNull();
  });
  test("what is there, in fixed words", () => {
    expect(refuseLoss(user, 12_500)).toBeNull();
    expect(refuseLoss(user, 50_000)?.message).toBe(
      "Available balance (12500 cents) is less than requested amount (50000 cents).",
    );
    expect(refuseLoss(cash, 50_000)).toBeNull();
    expect(slug(refuseLoss(settlement, 12_501))).toBe("insufficient-funds");
  });
});

describe("in and out", () => {
  const cases: [Account, number, string | undefined, string, string][] = [
    [user, 12_500, undefined, "fine", "fine"],
    [user, 12_500, "IDR", "fine", "fine"],
    [user, 12_501, undefined, "fine", "insufficient-funds"],
    [user, 1, "EUR", "currency-mismatch", "currency-mismatch"],
    [closed, 1, "EUR", "wallet-closed", "wallet-closed"],
    [live, 1, undefined, "card-wallet-live", "card-wallet-live"],
    [card, 12_500, undefined, "fine", "fine"],
    [card, 20_000_000, undefined, "fine", "insufficient-funds"],
    [cash, 1, undefined, "system-wallet", "system-wallet"],
    [user, 10_000_001, undefined, "amount-limit-exceeded", "amount-limit-exceeded"],
    [full, 1, undefined, "balance-limit-exceeded", "fine"],
  ];
  for (const [account, amount, currency, credit, debit] of cases) {
    test(`${account.kind} ${account.status}, ${amount} ${currency ?? ""}`, () => {
      expect(slug(refuseCredit(account, order(amount, currency), limits))).toBe(credit);
      expect(slug(refuseDebit(account, order(amount, currency), limits))).toBe(debit);
    });
  }
});

describe("from one to another", () => {
  const cases: [string, Account, Account, number, string][] = [
    ["people", user, { ...user, id: "v" }, 12_500, "fine"],
    ["not enough", user, { ...user, id: "v" }, 12_501, "insufficient-funds"],
    ["out of a closed one", closed, user, 1, "wallet-closed"],
    ["into a closed one", user, closed, 1, "wallet-closed"],
    ["out of a card in use", live, user, 1, "card-wallet-live"],
    ["into a card in use", user, live, 1, "card-wallet-live"],
    ["the rest of a card", card, user, 12_500, "fine"],
    ["two currencies", user, euro, 1, "currency-mismatch"],
    ["above the limit, out", user, card, 10_000_001, "amount-limit-exceeded"],
    ["above the limit, in", cash, user, 10_000_001, "amount-limit-exceeded"],
    ["the house is not bound by it", cash, card, 20_000_000, "fine"],
    ["into a full one", cash, full, 1, "balance-limit-exceeded"],
    ["a terminal is paid out", settlement, cash, 12_500, "fine"],
    ["more than it took", settlement, cash, 12_501, "insufficient-funds"],
    ["a suspended terminal is not", suspended, cash, 1, "wrong-state"],
    ["but is paid", cash, suspended, 1, "fine"],
    ["cash goes below zero", cash, { ...card, available: -300 }, 300, "fine"],
  ];
  for (const [name, from, to, amount, due] of cases) {
    test(name, () => expect(slug(refuseTransfer(from, to, order(amount), limits))).toBe(due));
  }
});

test("holds: 100 live ones, ended once and in time", () => {
  expect(slug(refuseMoreHolds(99))).toBe("fine");
  expect(slug(refuseMoreHolds(100))).toBe("too-many-holds");
  const end = (status: string, expiresAtMs: number) =>
    slug(refuseEnd({ status, expiresAtMs }, 1_000));
  expect(end("held", 1_001)).toBe("fine");
  expect(end("held", 1_000)).toBe("hold-expired");
  expect(end("confirmed", 1_001)).toBe("hold-not-active");
  expect(end("canceled", 1)).toBe("hold-not-active");
});

describe("reversal", () => {
  const yearMs = 365 * 86_400_000;
  const cases: [string, string, boolean, number, string][] = [
    ["credit", "completed", false, 0, "fine"],
    ["debit", "completed", false, 0, "fine"],
    ["transfer", "completed", false, 0, "fine"],
    ["topup", "pending", false, 0, "fine"],
    ["transfer", "completed", false, -yearMs, "fine"],
    ["transfer", "completed", false, -yearMs - 1, "not-reversible"],
    ["transfer", "completed", true, 0, "already-reversed"],
    ["topup", "canceled", true, 0, "already-reversed"],
    ["topup", "completed", false, 0, "not-reversible"],
    ["hold", "held", false, 0, "not-reversible"],
    ["hold", "confirmed", false, 0, "not-reversible"],
    ["reversal", "completed", false, 0, "not-reversible"],
    ["card_debit", "completed", false, 0, "not-reversible"],
    ["card_credit", "parked", false, 0, "not-reversible"],
    ["reissue", "completed", false, 0, "not-reversible"],
    ["refund", "completed", false, 0, "not-reversible"],
  ];
  for (const [type, status, isReversed, createdAtMs, due] of cases) {
    test(`${type} ${status} ${isReversed} ${createdAtMs}`, () =>
      expect(slug(refuseReversal({ type, status, isReversed, createdAtMs }, 0))).toBe(due));
  }
});

describe("ids of events", () => {
  const random = seededRandom(3);
  const batch = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((ms) => random.uuid(ms));

  test("a batch's id and a place make an id that leads back to both, and sort in order", () => {
    fc.assert(
      fc.property(batch, fc.integer({ min: 0, max: 998 }), (batchId, place) => {
        const id = eventId(batchId, place);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(id).not.toBe(batchId);
        expect(placeIn(batchId, id)).toBe(place);
        const [least, greatest] = batchIdRange(id);
        expect(least <= batchId && batchId <= greatest).toBe(true);
        expect(uuidMs(id)).toBe(uuidMs(batchId));
      }),
    );
  });

  test("the end of the tail goes on at its start", () => {
    const id = "0195d1f0-7d5c-7b3a-8a55-ffffffffffff";
    expect(eventId(id, 0)).toBe("0195d1f0-7d5c-7b3a-8a55-000000000000");
    expect(placeIn(id, eventId(id, 7))).toBe(7);
  });

  test("a moment is below every id made in it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 47 }), (ms) => {
        const id = seededRandom(1).uuid(ms);
        expect(uuidMs(id)).toBe(ms);
        expect(uuidFrom(ms) <= id && id < uuidFrom(ms + 1)).toBe(true);
      }),
    );
  });
});
