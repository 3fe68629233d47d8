/**
 * Who does something, and from where: what an audit record says of its caller, and what of their own
 * they may give away. A value handed down from the door; it is not asked for anything.
 */
import type { Actor, AuditRecord } from "./audit.ts";

export interface By {
  readonly actor: Actor;
  readonly ip?: string;
  readonly userAgent?: string;
  /** 32 lower-case hex digits. */
  readonly traceId?: string;
  /** Uuid of the user who acts as this one, under impersonation. */
  readonly act?: string;
}

/** What somebody holds, to be compared with what they give. */
export interface Holder {
  /** Exact, `prefix.*` or `*`. */
  readonly permissions: readonly string[];
  readonly isOwner: boolean;
  readonly isPlatformOwner: boolean;
}

/** Whoever has the data directory: nothing is beyond them. */
export const holdsAll: Holder = { permissions: ["*"], isOwner: true, isPlatformOwner: true };

/** The part of an audit record that tells who did it. */
export const recordedBy = ({
  actor,
  ip,
  userAgent,
  traceId,
  act,
}: By): Pick<AuditRecord, "actor" | "ip" | "userAgent" | "traceId" | "metadata"> => ({
  actor,
  ...(ip !== undefined && { ip }),
  ...(userAgent !== undefined && { userAgent }),
  ...(traceId !== undefined && { traceId }),
  ...(act !== undefined && { metadata: { act } }),
});
