/**
 * The state of a card: which move is lawful, and where an event leads, lawful or not (value that has
 * moved is never refused, so the state follows it). TERMINAL_OPERATION (2) exists only while a
 * terminal writes and is never the state after an event.
 *
 *   event     lawful when                                      state after
 *   checkin   IDLE, CHECKED_OUT                                CHECKED_IN
 *   debit     CHECKED_IN, at most sessionMaxSec after start    unchanged
 *   checkout  CHECKED_IN                                       CHECKED_OUT
 *   credit    always                                           unchanged
 *   admin     always                                           CHECKED_OUT → IDLE, else unchanged
 */
import type { EventType } from "./chain.ts";

export const IDLE = 0;
export const CHECKED_IN = 1;
export const CHECKED_OUT = 3;
export type CardState = typeof IDLE | typeof CHECKED_IN | typeof CHECKED_OUT;

export const STATE_NAME: Readonly<Record<CardState, "IDLE" | "CHECKED_IN" | "CHECKED_OUT">> = {
  [IDLE]: "IDLE",
  [CHECKED_IN]: "CHECKED_IN",
  [CHECKED_OUT]: "CHECKED_OUT",
};

export interface Move {
  readonly timestamp: number;
  /** Of the session; null where it is not known: then its length is not judged. */
  readonly startTime: number | null;
  readonly sessionMaxSec: number;
}

/** A debit before startTime is lawful: the terminals' clocks differ. */
export function isLawful(state: CardState, type: EventType, move: Move): boolean {
  switch (type) {
    case "checkin":
      return state !== CHECKED_IN;
    case "debit":
      return (
        state === CHECKED_IN &&
        (move.startTime === null || move.timestamp - move.startTime <= move.sessionMaxSec)
      );
    case "checkout":
      return state === CHECKED_IN;
    default:
      return true;
  }
}

export function stateAfter(state: CardState, type: EventType): CardState {
  if (type === "checkin") return CHECKED_IN;
  if (type === "checkout") return CHECKED_OUT;
  return type === "admin" && state === CHECKED_OUT ? IDLE : state;
}
