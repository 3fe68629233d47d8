/** What an invitation's state is, and the default of whom it makes. Pure. */
import { Problem } from "./problem.ts";

export type InvitationState = "pending" | "accepted" | "revoked" | "expired";

interface Settled {
  readonly status: "pending" | "accepted" | "revoked";
  readonly expiresAtMs: number;
}

/** One that nobody took in time is expired, though no row says so. */
export const stateOf = ({ status, expiresAtMs }: Settled, nowMs: number): InvitationState =>
  status === "pending" && expiresAtMs <= nowMs ? "expired" : status;

/** @throws Problem token-invalid (unknown, replaced, spent, revoked) · token-expired */
export function checkLink<T extends Settled>(found: T | undefined, nowMs: number): T {
  if (found === undefined || found.status !== "pending") throw new Problem("token-invalid");
  if (stateOf(found, nowMs) === "expired") throw new Problem("token-expired");
  return found;
}

/** The part of an address before the `@`, for people without a name. */
export const nameOf = (email: string): string =>
  email.slice(0, email.lastIndexOf("@")).slice(0, 100);
