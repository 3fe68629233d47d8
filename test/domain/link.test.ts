/** Who is whose predecessor, and what that says of balance, hash, move, session and state. */
import { describe, expect, test } from "bun:test";
import type { EventType } from "../../src/domain/chain.ts";
import { type IncomingEvent, type Recorded, registration } from "../../src/domain/event.ts";
import { reasonsOf } from "../../src/domain/flag.ts";
import { judge } from "../../src/domain/link.ts";
import { CHECKED_IN, CHECKED_OUT, IDLE } from "../../src/domain/state.ts";
import { Chip, cardA, limits, nowSec } from "./reconcile-fixture.ts";

const { sessionMaxSec } = limits;
const root = registration(1_000);
const chipOf = (balance = 1_000) => new Chip(cardA, balance);

/** `event` as it is recorded above `below`. */
const recorded = (event: IncomingEvent, below: Recorded): Recorded => ({
  id: event.counter,
  ...event,
  ...judge(event, below, sessionMaxSec),
});

const unlinked = (event: IncomingEvent): Recorded => ({
  id: event.counter,
  ...event,
  flags: 0,
  linked: false,
  start: null,
  state: null,
});

const said = (event: IncomingEvent, below: Recorded) => {
  const { flags, ...rest } = judge(event, below, sessionMaxSec);
  return { ...rest, flags: reasonsOf(flags) };
};

describe("above the registration", () => {
  test.each<[EventType, number, number, string[]]>([
    ["admin", 0, IDLE, []],
    ["debit", 10, IDLE, ["invalid_transition"]],
    ["credit", 10, IDLE, []],
    ["checkout", 0, CHECKED_OUT, ["invalid_transition"]],
  ])("a %s hashes six zero bytes, adjacent or not", (type, amount, state, flags) => {
    for (const skip of [0, 1, 30]) {
      const event = chipOf().write(type, amount, { skip });
      const found = said(event, root);
      expect<unknown>(found).toEqual({ linked: true, start: 0, state, flags });
    }
  });

  test("a checkin starts the session", () => {
    const event = chipOf().write("checkin");
    const start = event.timestamp;
    expect(said(event, root)).toEqual({ linked: true, start, state: CHECKED_IN, flags: [] });
  });

  test("a wrong hash: flagged at counter 1, no predecessor at counter 2", () => {
    const event = { ...chipOf().write("credit", 5), hash: 9 };
    expect(said(event, root)).toEqual({
      linked: true,
      start: 0,
      state: IDLE,
      flags: ["chain_mismatch"],
    });
    expect(said({ ...event, counter: 2 }, root)).toEqual({
      linked: false,
      start: null,
      state: null,
      flags: [],
    });
  });
});

describe("the chain", () => {
  test.each([0, 16, 32, 48])("fits with flag bits %d", (bits) => {
    const chip = chipOf();
    const checkin = recorded(chip.write("checkin", 0, { bits }), root);
    expect(said(chip.write("debit", 5, { bits }), checkin).flags).toEqual([]);
  });

  test("bits 6 and 7 fit nothing", () => {
    const chip = chipOf();
    const checkin = recorded(chip.write("checkin"), root);
    const event = chip.write("debit", 5, { bits: 64 });
    expect(said(event, checkin).flags).toEqual(["chain_mismatch"]);
  });

  test.each([
    [0, []],
    [sessionMaxSec, []],
    [sessionMaxSec + 1, ["invalid_transition"]],
    [-1, []],
  ])("a debit %d seconds after the checkin", (after, flags) => {
    const chip = chipOf();
    const checkin = recorded(chip.write("checkin"), root);
    const event = chip.write("debit", 5, { at: checkin.timestamp + after });
    expect<string[]>(said(event, checkin).flags).toEqual(flags);
  });

  test.each<[EventType, number, number]>([
    ["debit", 10, -10],
    ["credit", 10, 10],
    ["checkout", 0, 0],
    ["admin", 0, 0],
  ])("%s: the balance is the predecessor's ∓ amount", (type, amount, moved) => {
    const chip = chipOf();
    const checkin = recorded(chip.write("checkin"), root);
    const right = chip.write(type, amount);
    expect(right.balanceAfter).toBe(1_000 + moved);
    expect(said(right, checkin).flags).toEqual([]);
    for (const off of [1, -1]) {
      const wrong = { ...right, balanceAfter: right.balanceAfter + off };
      expect(said(wrong, checkin).flags).toEqual(["balance_mismatch", "chain_mismatch"]);
    }
  });

  test("what was not there can't be spent", () => {
    const chip = chipOf(5);
    const checkin = recorded(chip.write("checkin"), registration(5));
    chip.balance = 6;
    expect(said(chip.write("debit", 6), checkin).flags).toEqual(["balance_mismatch"]);
  });
});

describe("a gap", () => {
  const session = () => {
    const chip = chipOf();
    return { chip, checkin: recorded(chip.write("checkin"), root) };
  };

  test("is closed by a hash that fits, and the rest is judged", () => {
    const { chip, checkin } = session();
    const start = checkin.start;
    const fits = chip.write("debit", 5, { skip: 3 });
    expect(said(fits, checkin)).toEqual({ linked: true, start, state: CHECKED_IN, flags: [] });
    chip.balance += 1;
    chip.hash = checkin.hash;
    const wrong = chip.write("debit", 5, { at: chip.start + sessionMaxSec + 1 });
    expect(said(wrong, checkin).flags).toEqual(["balance_mismatch", "invalid_transition"]);
  });

  test("stays open for any other hash: nothing can be judged", () => {
    const { chip, checkin } = session();
    const event = { ...chip.write("debit", 5, { skip: 1 }), hash: 1, balanceAfter: 7 };
    expect(said(event, checkin)).toEqual({ linked: false, start: null, state: null, flags: [] });
    const out = { ...chip.write("checkout", 0, { skip: 1 }), hash: 1 };
    expect(said(out, checkin)).toEqual({
      linked: false,
      start: null,
      state: CHECKED_OUT,
      flags: [],
    });
  });

  test("stays open where the start below is unknown, though the hash would fit", () => {
    const { chip, checkin } = session();
    const below = { ...checkin, start: null, state: null };
    expect(said(chip.write("debit", 5, { skip: 1 }), below).linked).toBe(false);
  });

  const after = (state: Recorded["state"], over: Partial<IncomingEvent> = {}) => {
    const { chip, checkin } = session();
    const below = { ...checkin, state };
    const event = { ...chip.write("checkin", 0, { skip: 1 }), ...over };
    const { linked, start, state: then, flags } = said(event, below);
    expect(start).toBe(event.timestamp);
    expect(then).toBe(CHECKED_IN);
    return { linked, flags };
  };

  test("before a checkin is closed by hash, balance and lawful move together", () => {
    const open = { linked: false, flags: [] };
    expect(after(IDLE)).toEqual({ linked: true, flags: [] });
    expect(after(CHECKED_OUT)).toEqual({ linked: true, flags: [] });
    expect(after(CHECKED_IN)).toEqual(open);
    expect(after(null)).toEqual(open);
    expect(after(IDLE, { hash: 1 })).toEqual({ linked: false, flags: ["chain_mismatch"] });
    const chip = chipOf(999);
    const poorer = chip.write("checkin", 0, { skip: 2 });
    expect(said(poorer, root)).toMatchObject({ linked: false, flags: [] });
  });
});

describe("without a known session", () => {
  test("balances are judged, hashes and moves are not", () => {
    const chip = chipOf();
    chip.start = nowSec;
    const below = unlinked(chip.write("debit", 5, { skip: 4 }));
    const event = { ...chip.write("debit", 5), hash: 1 };
    expect(said(event, below)).toEqual({ linked: true, start: null, state: null, flags: [] });
    const wrong = { ...event, balanceAfter: 1 };
    expect(said(wrong, below).flags).toEqual(["balance_mismatch"]);
    const checkin = { ...chip.write("checkin"), counter: event.counter, hash: 1 };
    expect(said(checkin, below).flags).toEqual(["balance_mismatch", "chain_mismatch"]);
  });

  test("a checkout tells the state again, what follows it is judged by it", () => {
    const chip = chipOf();
    const out = chip.write("checkout", 0, { skip: 4 });
    const below: Recorded = { ...unlinked(out), state: CHECKED_OUT };
    const admin = chip.write("admin");
    expect(said(admin, below)).toEqual({ linked: true, start: null, state: IDLE, flags: [] });
    const debit = { ...chip.write("debit", 5), counter: admin.counter };
    expect(said(debit, below).flags).toEqual(["invalid_transition"]);
  });
});
