/**
 * Which flags an event earns from its circumstances, and how grave they are: both sides of every limit.
 * What follows from the card's history is in reconcile-gap.test.ts, windows of spending in
 * spending.test.ts.
 */
import { expect, test } from "bun:test";
import type { BatchInput } from "../../src/domain/batch.ts";
import type { CardRecord } from "../../src/domain/cardrecord.ts";
import type { EventType } from "../../src/domain/chain.ts";
import type { IncomingEvent } from "../../src/domain/event.ts";
import { type Op, opsMask } from "../../src/domain/grant.ts";
import { answered, type Chip, cardA, everyOp, limits, nowSec, Venue } from "./reconcile-fixture.ts";

const slack = limits.clockDriftAllowanceSec;

type Given = Partial<BatchInput> & {
  readonly card?: Partial<CardRecord>;
  readonly opening?: number;
  readonly credits?: number[];
};

const now = { at: nowSec - 100 };
/** One event of a card that is checked in, and what it is flagged with. */
const flagsOf = (given: Given, make: (chip: Chip) => IncomingEvent) => {
  const { card = {}, opening = 1_000_000, credits = [], ...input } = given;
  const venue = new Venue();
  const topups = credits.map((amount) => ({ amount }));
  const chip = venue.open(cardA, { opening, topups });
  venue.submit([chip.write("checkin", 0, { at: nowSec - 200 })]);
  const kept = venue.kept(cardA);
  kept.card = { ...kept.card, ...card };
  const events = [make(chip)];
  const decided = venue.submit(events, input);
  const reasons = decided.raised.map((r) => r.reason);
  expect(answered(events, decided)).toEqual(reasons.map((r) => `${events[0]?.counter} ${r}`));
  expect(decided.flaggedEvents).toBe(reasons.length === 0 ? 0 : 1);
  return decided.raised.map((r) => `${r.reason} ${r.severity}`);
};
const debit = (amount: number) => (chip: Chip) => chip.write("debit", amount, now);
const typed = (type: EventType) => (chip: Chip) => chip.write(type, 0, now);
const timed = (at: number) => (chip: Chip) => chip.write("credit", 500, { at });
const withOps = (...ops: Op[]): Given => ({
  windows: [{ issuedSec: 0, expiresSec: 2 ** 32, ops: opsMask(ops) }],
});
const roleOnly = (...ops: Op[]): Given => ({ windows: [], roleOps: opsMask(ops) });
const blocked = (blockedAtSec: number): Given => ({
  credits: [500],
  card: { status: 4, blockedAtSec },
});
const window = (issuedSec: number, expiresSec: number): Given => ({
  credits: [500],
  windows: [{ issuedSec, expiresSec, ops: everyOp }],
});
const { singleTxLimit, maxBalance, hardCeiling } = limits;
const high = (balance: number): [Given, (chip: Chip) => IncomingEvent] => [
  { opening: balance + 1 },
  debit(1),
];

const rows: [name: string, given: Given, make: (chip: Chip) => IncomingEvent, flags: string[]][] = [
  ["nothing to say", {}, debit(1), []],
  ["single limit", {}, debit(singleTxLimit), []],
  [
    "above the single limit",
    { opening: 2_000_000 },
    debit(singleTxLimit + 1),
    ["single_tx_limit_exceeded low"],
  ],
  ["greatest balance", ...high(maxBalance), []],
  ["above it", ...high(maxBalance + 1), ["balance_limit_exceeded low"]],
  ["at the ceiling", ...high(hardCeiling), ["balance_limit_exceeded low"]],
  ["above the ceiling", ...high(hardCeiling + 1), ["balance_limit_exceeded high"]],
  ["block, from the allowance on", blocked(nowSec), timed(nowSec - slack), ["card_blocked high"]],
  ["before it", blocked(nowSec), timed(nowSec - slack - 1), ["card_blocked low"]],
  [
    "blocked and a granted admin",
    { card: { status: 1, blockedAtSec: 5 }, ...withOps("block") },
    typed("admin"),
    [],
  ],
  [
    "blocked and an admin without its op",
    { card: { status: 1, blockedAtSec: 5 }, ...withOps("topup") },
    typed("admin"),
    ["card_blocked high", "op_not_allowed medium"],
  ],
  [
    "blocked, admin by role alone",
    { card: { status: 1, blockedAtSec: 5 }, ...roleOnly("reissue") },
    typed("admin"),
    ["late_submission low"],
  ],
  ["expires with the next second", { card: { expiresAtSec: nowSec + 1 } }, debit(1), []],
  [
    "is BLOCKED_EXPIRED from its expiry on",
    { card: { expiresAtSec: nowSec } },
    debit(1),
    ["card_blocked high"],
  ],
  [
    "expired longer ago than the allowance",
    { card: { expiresAtSec: nowSec - slack } },
    debit(1),
    ["card_blocked high", "card_expired medium"],
  ],
  [
    "an event at the expiry",
    { credits: [500], card: { expiresAtSec: nowSec + 9 } },
    timed(nowSec + 9),
    [],
  ],
  [
    "an event after it",
    { credits: [500], card: { expiresAtSec: nowSec + 9 } },
    timed(nowSec + 10),
    ["card_expired medium"],
  ],
  ["as far ahead as allowed", { credits: [500] }, timed(nowSec + slack), []],
  ["too far ahead", { credits: [500] }, timed(nowSec + slack + 1), ["clock_drift low"]],
  ["grant, allowance before issue", window(nowSec, nowSec + 9), timed(nowSec - slack), []],
  ["before that", window(nowSec, nowSec + 9), timed(nowSec - slack - 1), ["late_submission low"]],
  ["grant, allowance after expiry", window(9, nowSec), timed(nowSec + slack), []],
  ["after that", window(9, nowSec - 1), timed(nowSec + slack), ["late_submission low"]],
  ["debit granted", withOps("debit"), debit(1), []],
  ["debit not granted", withOps("topup", "checkin"), debit(1), ["op_not_allowed medium"]],
  ["credit granted", { credits: [500], ...withOps("topup") }, timed(nowSec), []],
  [
    "credit not granted",
    { credits: [500], ...withOps("debit") },
    timed(nowSec),
    ["op_not_allowed medium"],
  ],
  ["checkout granted", withOps("checkout"), typed("checkout"), []],
  ["checkout not granted", withOps("checkin"), typed("checkout"), ["op_not_allowed medium"]],
  ["admin granted by reissue", withOps("reissue"), typed("admin"), []],
  ["admin granted by block", withOps("block"), typed("admin"), []],
  ["admin not granted", withOps("read", "topup"), typed("admin"), ["op_not_allowed medium"]],
  ["no grant, role may", roleOnly("debit"), debit(1), ["late_submission low"]],
  [
    "no grant, role may not",
    roleOnly("topup"),
    debit(1),
    ["late_submission low", "op_not_allowed medium"],
  ],
  [
    "one covering grant of two carries it",
    {
      windows: [
        { issuedSec: 0, expiresSec: nowSec, ops: 1 },
        { issuedSec: 0, expiresSec: nowSec, ops: 2 },
      ],
    },
    debit(1),
    [],
  ],
  [
    "a grant that carries it covers another time, the role's ops don't count",
    {
      windows: [
        { issuedSec: 0, expiresSec: nowSec, ops: 1 },
        { issuedSec: 0, expiresSec: 9, ops: 2 },
      ],
      roleOps: everyOp,
    },
    debit(1),
    ["op_not_allowed medium"],
  ],
  [
    "wrong balance",
    {},
    (chip) => {
      chip.balance += 1;
      return chip.write("debit", 1, now);
    },
    ["balance_mismatch medium"],
  ],
  ["wrong hash", {}, (c) => ({ ...c.write("debit", 1, now), hash: 1 }), ["chain_mismatch high"]],
  ["second checkin", {}, typed("checkin"), ["invalid_transition medium"]],
  ["credit of a top-up", { credits: [500] }, timed(nowSec), []],
  ["credit of another amount", { credits: [501] }, timed(nowSec), ["unauthorised_credit high"]],
  ["all of the wallet", { opening: 10 }, debit(10), []],
  [
    "pending counts",
    { opening: 10, credits: [500] },
    (c) => {
      c.balance = 510;
      return c.write("debit", 510, now);
    },
    ["balance_mismatch medium"],
  ],
  [
    "one more",
    { opening: 10 },
    (c) => {
      c.balance = 11;
      return c.write("debit", 11, now);
    },
    ["balance_mismatch medium", "overdrawn medium"],
  ],
  [
    "suspended, up to the allowance",
    { credits: [500], suspendedAtSec: nowSec },
    timed(nowSec - slack),
    ["terminal_suspended low"],
  ],
  [
    "after it",
    { credits: [500], suspendedAtSec: nowSec },
    timed(nowSec - slack + 1),
    ["terminal_suspended high"],
  ],
  [
    "all at once, in the order of the table",
    {
      opening: 1,
      windows: [],
      roleOps: 0,
      suspendedAtSec: 1,
      card: { status: 4, blockedAtSec: 1, expiresAtSec: 1 },
      limits: { ...limits, singleTxLimit: 1, dailyLimit: 1, weeklyLimit: 1, maxBalance: 1 },
    },
    (c) => ({ ...c.write("debit", 2, { at: nowSec + 90_000 }), balanceAfter: 9, hash: 1 }),
    [
      "single_tx_limit_exceeded low",
      "daily_limit_exceeded low",
      "weekly_limit_exceeded low",
      "balance_limit_exceeded low",
      "card_blocked high",
      "card_expired medium",
      "clock_drift low",
      "late_submission low",
      "op_not_allowed medium",
      "balance_mismatch medium",
      "chain_mismatch high",
      "invalid_transition medium",
      "overdrawn medium",
      "terminal_suspended high",
    ],
  ],
];

test.each(rows)("%s", (_, given, make, flags) => {
  expect(flagsOf(given, make)).toEqual(flags);
});

test("every debit below zero is overdrawn, money in suspense doesn't help", () => {
  const venue = new Venue();
  const chip = venue.open(cardA, { opening: 10 });
  const events = [
    chip.write("checkin"),
    chip.write("credit", 100),
    ...[10, 1, 1].map((amount) => chip.write("debit", amount)),
  ];
  const decided = venue.submit(events);
  expect(answered(events, decided)).toEqual([
    "2 unauthorised_credit",
    "4 overdrawn",
    "5 overdrawn",
  ]);
  expect(venue.kept(cardA).card.head.available).toBe(-2);
  expect([decided.parked, decided.debited, decided.credits]).toEqual([100, 12, 100]);
  expect(decided.raised.at(-1)?.detail).toEqual({ total: -2 });
});

test("flags tell what they were held against", () => {
  const chip = new Venue().open(cardA);
  const venue = new Venue({
    nowSec: 1_000,
    limits: { ...limits, maxBalance: 5, singleTxLimit: 1 },
  });
  venue.open(cardA, { expiresAtSec: 2_000 });
  const decided = venue.submit([chip.write("debit", 2, { at: 90_000 })]);
  expect(decided.raised.map((r) => [r.reason, r.detail])).toEqual([
    ["single_tx_limit_exceeded", { limit: 1, total: 2 }],
    ["balance_limit_exceeded", { limit: 5 }],
    ["card_expired", { limit: 2_000 }],
    ["clock_drift", { limit: 1_000 + slack }],
    ["invalid_transition", {}],
  ]);
});
