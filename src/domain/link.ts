/**
 * How an event follows from what is recorded below it: whether its predecessor is known, the session's
 * start, the state after it, and what does not add up. A function of the set of recorded events alone,
 * never of the order in which they came.
 */
import { fitsChain } from "./chain.ts";
import type { IncomingEvent, Recorded } from "./event.ts";
import { BALANCE, CHAIN, TRANSITION } from "./flag.ts";
import { type CardState, CHECKED_IN, CHECKED_OUT, isLawful, stateAfter } from "./state.ts";

export interface Link {
  readonly linked: boolean;
  readonly start: number | null;
  readonly state: CardState | null;
  /** Mask of balance_mismatch, chain_mismatch and invalid_transition. */
  readonly flags: number;
}

type Judged = Pick<
  IncomingEvent,
  "counter" | "type" | "amount" | "balanceAfter" | "timestamp" | "hash"
>;

/** What the chip's balance must be after `event`. */
function balanceDue(event: Judged, below: Recorded): number {
  if (event.type === "debit") return below.balanceAfter - event.amount;
  if (event.type === "credit") return below.balanceAfter + event.amount;
  return below.balanceAfter;
}

/**
 * Judges `event` against `below`, the nearest recorded event under it (or the registration).
 *
 *   below is counter − 1        it is the predecessor, whatever the hash says
 *   a gap, not a checkin        it is, if the hash fits on it: the counters between were never written
 *   a gap, a checkin            it is, if the hash fits, the balance is unchanged and the move lawful
 *                               (a checkin's hash names no predecessor)
 *   else                        none is known: no balance or move to judge, only a checkin's own hash
 */
export function judge(event: Judged, below: Recorded, sessionMaxSec: number): Link {
  const checkin = event.type === "checkin";
  const move = { timestamp: event.timestamp, startTime: below.start, sessionMaxSec };
  const testable = checkin || below.start !== null;
  const fits = testable && fitsChain(event, below.start ?? 0, below.hash);

  let linked = below.counter === event.counter - 1;
  if (!linked) {
    linked =
      fits &&
      (!checkin ||
        (event.balanceAfter === below.balanceAfter &&
          below.state !== null &&
          isLawful(below.state, "checkin", move)));
  }

  let flags = !fits && (checkin || (linked && testable)) ? CHAIN : 0;
  if (linked) {
    if (event.balanceAfter !== balanceDue(event, below)) flags |= BALANCE;
    if (below.state !== null && !isLawful(below.state, event.type, move)) flags |= TRANSITION;
  }

  let state: CardState | null = null;
  if (checkin) state = CHECKED_IN;
  else if (event.type === "checkout") state = CHECKED_OUT;
  else if (linked && below.state !== null) state = stateAfter(below.state, event.type);

  const start = checkin ? event.timestamp : linked ? below.start : null;
  return { linked, start, state, flags };
}
