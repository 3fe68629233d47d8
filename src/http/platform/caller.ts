/** Who calls the operator surface: what a checked access token says, joined with what holds now. */
import type { Actor } from "../../domain/audit.ts";
import { Problem } from "../../domain/problem.ts";

export type PrincipalKind = "user" | "apiKey" | "client" | "module";

export interface Caller {
  readonly kind: PrincipalKind;
  /** `sub`: uuid of the user, API key, client or module. */
  readonly id: string;
  readonly email: string;
  /** Row of the user; null for every other principal. */
  readonly userNo: number | null;
  readonly tenantId: number;
  readonly tenantUuid: string;
  /** The tenant's own settings that calls need. */
  readonly tenant: { readonly type: string; readonly status: string; readonly slug: string };
  /** Names, lower case. */
  readonly roles: readonly string[];
  /** What is granted: exact, `prefix.*` or `*`. An OAuth token: scope ∩ what the user holds. */
  readonly permissions: readonly string[];
  /** Has `owner` or `admin`: counted apart in limits. */
  readonly isAdmin: boolean;
  readonly isOwner: boolean;
  /** Owner of the root tenant: the only one with `system.*` and impersonation. */
  readonly isPlatformOwner: boolean;
  /** Whether this permission is held now. */
  readonly can: (permission: string) => boolean;
  /** Refresh family of the token; null where there is none. */
  readonly sid: string | null;
  readonly jti: string;
  /** `platform-kernel`, or the uuid of an OAuth client. */
  readonly audience: string;
  /** Uuid of the user who acts as this one, under impersonation. */
  readonly actorId: string | null;
  readonly issuedAtSec: number;
  readonly expiresAtSec: number;
  readonly emailVerified: boolean;
}

/** A token of the person: not an application's, not an API key's, nobody acting as them. */
export const isOwnToken = (caller: Caller): boolean =>
  caller.kind === "user" && caller.audience === "platform-kernel" && caller.actorId === null;

/** As the audit record and the event log name the caller. */
export const actorOf = (caller: Caller): Actor =>
  caller.kind === "client"
    ? { type: "module", id: caller.id }
    : { type: caller.kind, id: caller.id };

/**
 * Whether the caller may change a balance at all.
 * @param verifiedEmailDue users whose address is not verified may not
 * @throws Problem impersonation-restricted · email-not-verified
 */
export function checkBalanceChange(caller: Caller, verifiedEmailDue: boolean): void {
  if (caller.actorId !== null) throw new Problem("impersonation-restricted");
  if (verifiedEmailDue && caller.kind === "user" && !caller.emailVerified) {
    throw new Problem("email-not-verified");
  }
}
