/** The table of states, written out: every state and event, and the session's length at its edge. */
import { expect, test } from "bun:test";
import type { EventType } from "../../src/domain/chain.ts";
import {
  type CardState,
  CHECKED_IN,
  CHECKED_OUT,
  IDLE,
  isLawful,
  stateAfter,
} from "../../src/domain/state.ts";

const rows: [CardState, EventType, boolean, CardState][] = [
  [IDLE, "checkin", true, CHECKED_IN],
  [CHECKED_IN, "checkin", false, CHECKED_IN],
  [CHECKED_OUT, "checkin", true, CHECKED_IN],
  [IDLE, "debit", false, IDLE],
  [CHECKED_IN, "debit", true, CHECKED_IN],
  [CHECKED_OUT, "debit", false, CHECKED_OUT],
  [IDLE, "checkout", false, CHECKED_OUT],
  [CHECKED_IN, "checkout", true, CHECKED_OUT],
  [CHECKED_OUT, "checkout", false, CHECKED_OUT],
  [IDLE, "credit", true, IDLE],
  [CHECKED_IN, "credit", true, CHECKED_IN],
  [CHECKED_OUT, "credit", true, CHECKED_OUT],
  [IDLE, "admin", true, IDLE],
  [CHECKED_IN, "admin", true, CHECKED_IN],
  [CHECKED_OUT, "admin", true, IDLE],
];

test.each(rows)("state %d, %s: lawful %p, then %d", (state, type, lawful, after) => {
  const move = { timestamp: 1_000, startTime: 900, sessionMaxSec: 100 };
  expect(isLawful(state, type, move)).toBe(lawful);
  expect(stateAfter(state, type)).toBe(after);
});

test.each([
  [1_000, 900, true],
  [1_001, 900, false],
  [800, 900, true],
  [9_999_999, null, true],
])("a debit at %d of a session begun at %p: %p", (timestamp, startTime, lawful) => {
  const move = { timestamp, startTime, sessionMaxSec: 100 };
  expect(isLawful(CHECKED_IN, "debit", move)).toBe(lawful);
});

test("only a debit minds the session's length", () => {
  const move = { timestamp: 9_999, startTime: 0, sessionMaxSec: 1 };
  expect(isLawful(CHECKED_IN, "checkout", move)).toBe(true);
});
