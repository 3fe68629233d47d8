/**
 * What an access token says, once its signature, issuer and life have been checked: reading the claims
 * of a JWT (RFC 7519 §4) into a value, and refusing what has not their shape. What holds *now* about
 * who is named in it is not here.
 */
import { isUuid } from "./uuid.ts";

export type Principal = "user" | "apiKey" | "client" | "module";

export interface Claims {
  /** Uuid of the user, API key, client or module. */
  readonly sub: string;
  readonly email: string;
  /** Uuid. */
  readonly tenantId: string;
  /** Names, as they were when it was made. */
  readonly roles: readonly string[];
  readonly issuedAtSec: number;
  readonly expiresAtSec: number;
  /** `platform-kernel`, or the uuid of an OAuth client. */
  readonly audience: string;
  /** UUIDv7: when it was made, to the millisecond. */
  readonly jti: string;
  readonly issuedAtMs: number;
  /** Refresh family; null where there is none. */
  readonly sid: string | null;
  readonly principal: Principal;
  /** Uuid of the user who acts, under impersonation. */
  readonly actorId: string | null;
}

/** Audience of tokens for this server itself. */
export const ownAudience = "platform-kernel";

const principals: readonly string[] = ["user", "apiKey", "client", "module"];

/** Milliseconds since 1970 that a UUIDv7 begins with (RFC 9562 §5.7). */
export const uuidMs = (uuid: string): number =>
  Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);

/** The claims, or undefined: it is some other JWT, such as an id_token. */
export function readClaims(payload: Readonly<Record<string, unknown>>): Claims | undefined {
  const { sub, email, tenantId, roles, iat, exp, aud, jti, sid, kartu, act } = payload;
  if (!isUuid(sub) || !isUuid(tenantId) || !isUuid(jti)) return undefined;
  if (typeof email !== "string" || typeof aud !== "string") return undefined;
  if (typeof iat !== "number" || typeof exp !== "number") return undefined;
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === "string")) return undefined;
  if (sid !== undefined && !isUuid(sid)) return undefined;
  const principal = memberOf(kartu, "principal");
  const actorId = act === undefined ? null : memberOf(act, "sub");
  if (!isPrincipal(principal) || (actorId !== null && !isUuid(actorId))) return undefined;
  return {
    ...{ sub, email, tenantId, roles, jti, principal, actorId },
    issuedAtSec: iat,
    expiresAtSec: exp,
    audience: aud,
    issuedAtMs: uuidMs(jti),
    sid: sid ?? null,
  };
}

const isPrincipal = (value: unknown): value is Principal =>
  typeof value === "string" && principals.includes(value);

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
