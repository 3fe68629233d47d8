/** Holds: money set aside on a wallet until it is taken, given back, or its time is over. */
import { holdsOfWalletMax } from "../../schema/bound.ts";
import { Problem } from "./problem.ts";

export type HoldEnd = "confirmed" | "canceled";

/** One more hold on a wallet that has so many live ones: too-many-holds */
export const refuseMoreHolds = (live: number): Problem | null =>
  live < holdsOfWalletMax
    ? null
    : new Problem("too-many-holds", `The wallet has ${live} live holds already.`);

export interface HoldState {
  readonly status: string;
  readonly expiresAtMs: number | null;
}

/** Whether somebody may still end a hold: hold-not-active · hold-expired */
export function refuseEnd({ status, expiresAtMs }: HoldState, nowMs: number): Problem | null {
  if (status !== "held") {
    return new Problem("hold-not-active", `The hold is ${status} already.`, {
      members: { state: status },
    });
  }
  // Over is over, whether or not that was written down yet.
  return expiresAtMs !== null && expiresAtMs <= nowMs ? new Problem("hold-expired") : null;
}
