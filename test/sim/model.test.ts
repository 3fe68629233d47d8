/** The model's own judgement, by tables: what a batch must answer, and what the card then is. */
import { beforeEach, describe, expect, test } from "bun:test";
import { Findings } from "../../src/sim/finding.ts";
import { type Happened, noHash, type WireEvent } from "../../src/sim/happened.ts";
import { Model } from "../../src/sim/model.ts";
import { ModelCard } from "../../src/sim/modelcard.ts";
import { ModelDevice } from "../../src/sim/modelrule.ts";
import { policy } from "./venue.ts";

const now = 1_750_000_000;
const cardId = "a1b2c3d4e5f6";
let findings: Findings;
let model: Model;
let device: ModelDevice;
let card: ModelCard;

beforeEach(() => {
  findings = new Findings();
  model = new Model(findings);
  device = new ModelDevice("d", 1, "terminal");
  device.policy = policy;
  const ops = ["read", "debit", "checkin", "checkout"];
  device.grants.push({ issuedAt: now - 60, expiresAt: now + 28_740, ops });
  card = new ModelCard(cardId, 7, now - 100, null, 0);
  card.balance = 10_000_000;
  model.cards.set(cardId, card);
});

/** A chain of events; each follows the one before unless told otherwise. */
function chain(...steps: (Partial<WireEvent> & { type: WireEvent["type"] })[]): Happened[] {
  let parent = noHash;
  let start = 0;
  let counter = 0;
  let balanceAfter = 0;
  return steps.map((step) => {
    counter += 1;
    const amount = step.amount ?? 0;
    const sign = step.type === "debit" ? -1 : step.type === "credit" ? 1 : 0;
    balanceAfter += sign * amount;
    const hash = counter.toString(16).padStart(12, "0");
    const wire = { cardId, counter, amount, balanceAfter, timestamp: now, hash, ...step };
    if (step.type === "checkin") start = wire.timestamp;
    counter = wire.counter;
    balanceAfter = wire.balanceAfter;
    const event = { wire, parent, start, intact: true };
    parent = wire.hash;
    return event;
  });
}

const life = () =>
  chain(
    { type: "checkin", balanceAfter: 9_000_000 },
    { type: "debit", amount: 100 },
    { type: "debit", amount: 200 },
    { type: "checkout" },
  );

/** What the model would have the server answer. */
function answers(events: readonly Happened[], at = now): Record<string, unknown> {
  const before = findings.list.length;
  const answer = { status: 0, body: null, headers: new Headers(), uncertain: false };
  model.batch(device, events, answer, at);
  return findings.list[before]?.expected as Record<string, unknown>;
}
const reasons = (events: readonly Happened[], at = now): unknown[] =>
  (answers(events, at).flags as { counter: number; reason: string }[]).map(
    ({ counter, reason }) => `${counter} ${reason}`,
  );

describe("a batch", () => {
  test("in order: all taken; again: all known", () => {
    card = new ModelCard(cardId, 7, now, null, 9_000_000);
    model.cards.set(cardId, card);
    const { status, accepted, flags } = answers(life());
    expect({ status, accepted }).toEqual({ status: 200, accepted: 4 });
    expect(flags).toContainEqual({ counter: 1, cardId, reason: "balance_limit_exceeded" });
    const again = { status: 409, error: "duplicate_counter", accepted: 0, rejected: 4 };
    expect(answers(life())).toEqual(again);
    expect([card.state, card.balance]).toEqual(["CHECKED_OUT", 9_000_000 - 300]);
  });

  test("in any order the card is the same, and nothing is out of line", () => {
    const opening = 9_000;
    const orders = [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
      [1, 3, 0, 2],
    ];
    for (const order of orders) {
      card = new ModelCard(cardId, 7, now, null, opening);
      model.cards.set(cardId, card);
      const events = chain(
        { type: "checkin", balanceAfter: opening },
        { type: "debit", amount: 100 },
        { type: "debit", amount: 200 },
        { type: "checkout" },
      );
      for (const i of order) expect(reasons([events[i] as Happened])).toEqual([]);
      expect([card.state, card.balance, card.known.length]).toEqual(["CHECKED_OUT", 8_700, 4]);
    }
  });
});

describe("what is refused", () => {
  const one = (change: Partial<WireEvent>): Happened => {
    const [event] = chain({ type: "debit", amount: 5, balanceAfter: 5 });
    const wire = { ...(event as Happened).wire, ...change };
    return { ...(event as Happened), wire };
  };
  test.each([
    ["unknown_card", { cardId: "000000000000" }],
    ["invalid_amount", { amount: 0 }],
    ["invalid_amount", { amount: 16_777_216 }],
    ["invalid_amount", { type: "checkin" as const }],
    ["invalid_amount", { type: "credit" as const, balanceAfter: 16_000_001 }],
    ["counter_leap", { counter: 10_001 }],
  ])("%s: %o", (reason, change) => {
    const { accepted, rejections } = answers([one(change)]);
    expect(accepted).toBe(0);
    expect(rejections).toMatchObject([{ index: 0, reason }]);
  });

  test("the edges are taken: amount 2^24 − 1, counter 10 000 above", () => {
    expect(answers([one({ amount: 16_777_215 })]).accepted).toBe(1);
    expect(answers([one({ counter: 10_001 })]).accepted).toBe(1);
  });

  test("another content at a counter is a conflict, twice in a batch a repeat", () => {
    const [event] = chain({ type: "checkin" });
    const first = event as Happened;
    const other = { ...first, wire: { ...first.wire, hash: "ffffffffffff" } };
    const { accepted, rejections } = answers([first, first, other]);
    expect(accepted).toBe(1);
    expect(rejections).toMatchObject([
      { index: 1, reason: "duplicate" },
      { index: 2, reason: "counter_conflict" },
    ]);
  });
});

describe("what is flagged", () => {
  const opened = (opening: number): void => {
    card = new ModelCard(cardId, 7, now, null, opening);
    model.cards.set(cardId, card);
  };
  const start = { type: "checkin" as const, balanceAfter: 4_000_000 };
  const pay = (amount: number) => ({ type: "debit" as const, amount });

  test("limits, in order of arrival", () => {
    opened(4_000_000);
    expect(reasons(chain(start, pay(1_000_000), pay(1_000_001), pay(1)))).toEqual([
      "3 single_tx_limit_exceeded",
      "3 daily_limit_exceeded",
      "4 daily_limit_exceeded",
    ]);
  });

  test("a forged field shows in the chain, the balance, and at the event above", () => {
    opened(4_000_000);
    const [a, b, c] = chain(start, pay(5), pay(5)) as [Happened, Happened, Happened];
    const wire = { ...b.wire, balanceAfter: b.wire.balanceAfter + 1 };
    expect(reasons([a, { ...b, wire, intact: false }, c])).toEqual([
      "2 balance_mismatch",
      "2 chain_mismatch",
      "3 balance_mismatch",
    ]);
  });

  test("a gap hides the predecessor until it fills", () => {
    opened(4_000_000);
    const [a, , c] = chain(start, pay(5), pay(5)) as [Happened, Happened, Happened];
    const fork = { ...c, parent: "eeeeeeeeeeee" };
    expect(reasons([a, fork])).toEqual([]);
    const [, b] = chain(start, pay(7)) as [Happened, Happened];
    expect(reasons([b])).toEqual([]);
    expect([...(card.get(3)?.flags ?? [])]).toEqual(["chain_mismatch", "balance_mismatch"]);
  });

  test("a skipped counter is no gap when the hash fits", () => {
    opened(4_000_000);
    const events = chain(start, { ...pay(5), counter: 5 }, { type: "checkout" });
    expect(reasons(events)).toEqual([]);
    expect([card.state, card.get(5)?.start]).toEqual(["CHECKED_OUT", now]);
  });

  test("moves that the state does not allow, and a session that is too long", () => {
    opened(100);
    const late = { ...pay(1), timestamp: now + 86_401 };
    const moves = chain({ type: "checkout", balanceAfter: 100 }, { type: "checkin" }, pay(1), late);
    expect(reasons(moves, now + 86_401)).toContain("1 invalid_transition");
    expect(reasons(chain({ type: "admin", counter: 6, balanceAfter: 98 }))).toEqual([
      "6 op_not_allowed",
    ]);
    expect([...(card.get(4)?.flags ?? [])]).toContain("invalid_transition");
  });

  test("times no grant covers, and times to come", () => {
    opened(100);
    const early = chain({ type: "checkin", timestamp: now - 60 - 3_601, balanceAfter: 100 });
    expect(reasons(early)).toEqual(["1 late_submission"]);
    opened(100);
    const future = chain({ type: "checkin", timestamp: now + 3_601, balanceAfter: 100 });
    expect(reasons(future)).toEqual(["1 clock_drift"]);
  });

  test("blocked, expired and suspended", () => {
    card = new ModelCard(cardId, 7, now - 9, now - 5, 100);
    model.cards.set(cardId, card);
    device.suspended = true;
    expect(reasons(chain({ type: "checkin", balanceAfter: 100 }))).toEqual([
      "1 card_blocked",
      "1 card_expired",
      "1 terminal_suspended",
    ]);
  });

  test("credit without a top-up waits; more spent than booked is overdrawn", () => {
    opened(0);
    const credit = { type: "credit" as const, amount: 50 };
    const moves = chain({ type: "checkin" }, credit, pay(10));
    expect(reasons(moves)).toEqual(["2 op_not_allowed", "2 unauthorised_credit", "3 overdrawn"]);
    expect([card.balance, card.parked.length]).toEqual([-10, 1]);
  });

  test("a credit settles its own top-up, else the latest before it, else the oldest", () => {
    opened(0);
    const topup = (topupId: string, timestamp: number, counter: number | null) => {
      const status = "PENDING" as const;
      card.topups.push({ topupId, amount: 50, timestamp, counter, status });
    };
    topup("old", now - 50, null);
    topup("new", now - 10, null);
    topup("far", now + 9_999, null);
    topup("own", now + 9_999, 2);
    const credit = { type: "credit" as const, amount: 50 };
    answers(chain({ type: "checkin" }, credit, credit, credit, credit));
    const order = card.topups.map(({ status }) => status);
    expect(order).toEqual(["COMPLETED", "COMPLETED", "COMPLETED", "COMPLETED"]);
    expect(card.parked).toEqual([]);
  });
});

test("an attempt without an answer may have been carried out or not", () => {
  const events = chain({ type: "checkin" });
  const headers = new Headers();
  const repeat = { status: 409, body: { error: "duplicate_counter", accepted: 0, rejected: 1 } };
  model.batch(device, events, { ...repeat, headers, uncertain: true }, now);
  expect(findings.count).toBe(0);
  model.batch(device, events, { ...repeat, headers, uncertain: false }, now);
  expect(findings.count).toBe(0);
  expect([card.known.length, model.accepted]).toEqual([1, 1]);
});
