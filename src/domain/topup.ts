/**
 * Which top-up a credit is: the one rule by which money that was booked when the member paid meets the
 * write on the card. Also the reverse look-up, for a credit that came before its top-up's call.
 */
export interface Topup {
  readonly topupNo: number;
  readonly amount: number;
  readonly timestampSec: number;
  /** The counter that the station expected the write to carry. */
  readonly counter: number | null;
  readonly deviceNo: number;
  readonly status: "pending" | "completed" | "canceled";
}

export interface Credit {
  readonly amount: number;
  readonly counter: number;
  readonly timestamp: number;
}

/** Older first; equal times in the order in which they were made. */
const byAge = (a: Topup, b: Topup): number =>
  a.timestampSec - b.timestampSec || a.topupNo - b.topupNo;

/** That with the credit's counter; else the latest not after it (plus allowance); else the oldest. */
function nearest(candidates: Topup[], credit: Credit, allowanceSec: number): Topup | undefined {
  candidates.sort(byAge);
  return (
    candidates.find((t) => t.counter === credit.counter) ??
    candidates.findLast((t) => t.timestampSec <= credit.timestamp + allowanceSec) ??
    candidates[0]
  );
}

/**
 * The top-up that `credit` belongs to among those of its card that still await one: a pending one (it
 * is settled by this credit), else one that a reissue or refund settled (the credit moves nothing).
 */
export function matchCredit(
  awaiting: readonly Topup[],
  credit: Credit,
  allowanceSec: number,
): Topup | undefined {
  const equal = awaiting.filter((t) => t.amount === credit.amount);
  return (
    nearest(
      equal.filter((t) => t.status === "pending"),
      credit,
      allowanceSec,
    ) ??
    nearest(
      equal.filter((t) => t.status === "completed"),
      credit,
      allowanceSec,
    )
  );
}

/** The pending top-up that is cancelled in the place of a settled, equal one: this device's first. */
export function cancelInstead(
  awaiting: readonly Topup[],
  settled: Pick<Topup, "topupNo" | "amount" | "deviceNo">,
): Topup | undefined {
  const equal = awaiting
    .filter(
      (t) => t.amount === settled.amount && t.status === "pending" && t.topupNo !== settled.topupNo,
    )
    .sort(byAge);
  return equal.find((t) => t.deviceNo === settled.deviceNo) ?? equal[0];
}

export interface ParkedCredit {
  readonly eventId: number;
  readonly counter: number;
  readonly timestamp: number;
}

/** The undecided parked credit that a top-up made just now was for. */
export function matchParked<C extends ParkedCredit>(
  parked: readonly C[],
  topup: { readonly counter: number | null; readonly timestampSec: number },
): C | undefined {
  const sorted = [...parked].sort((a, b) => a.timestamp - b.timestamp || a.eventId - b.eventId);
  return (
    sorted.find((c) => c.counter === topup.counter) ??
    sorted.find((c) => c.timestamp >= topup.timestampSec) ??
    sorted.at(-1)
  );
}
