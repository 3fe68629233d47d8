/**
 * Who is calling on the device surface, and whether this call is theirs to make. Not how a token comes
 * to be: that is the service's.
 */
import { bucketsMax } from "../../../schema/bound.ts";
import type { Op } from "../../domain/grant.ts";
import type { DeviceIdentity } from "../../domain/identity.ts";
import { Refused } from "../../domain/refused.ts";
import { Buckets } from "../../http/rate.ts";
import type { BucketName } from "../../http/route.ts";
import type { Admit } from "../../http/surface.ts";

/** What the guard needs to know of devices. */
export interface DeviceSessions {
  /**
   * The device of a live token; marks the secret that yielded it as spent.
   * @param tokenHash SHA-256 of the token, lowercase hex.
   */
  find(tokenHash: string, nowSec: number): Promise<DeviceIdentity | null>;
  /** Whether an unexpired grant of the device carries `op`. */
  hasOp(device: DeviceIdentity, op: Op, nowSec: number): Promise<boolean>;
}

/** `kt_` and 32 random bytes in base64url. */
const tokenPrefix = "kt_";
const tokenLength = tokenPrefix.length + 43;

/** The token of `Authorization: Bearer <token>`; null when there is none of ours (RFC 6750 §2.1). */
function bearerToken(header: string | null): string | null {
  if (header === null || header.length < 7 + tokenLength) return null;
  if (header.slice(0, 7) !== "Bearer " && header.slice(0, 7).toLowerCase() !== "bearer ")
    return null;
  const token = header.slice(7).trim();
  return token.length === tokenLength && token.startsWith(tokenPrefix) ? token : null;
}

/**
 * The guard of the device surface, in the order of refusal: token, bucket, role, suspension, op.
 * @param perMin calls a minute of one device, by bucket; 0 = off.
 */
export function deviceGuard(
  sessions: DeviceSessions,
  perMin: Readonly<Record<BucketName, number>>,
): Admit {
  const buckets: Readonly<Record<BucketName, Buckets>> = {
    grant: new Buckets(bucketsMax),
    device: new Buckets(bucketsMax),
    report: new Buckets(bucketsMax),
  };
  return async (request, access, nowMs, call) => {
    const nowSec = Math.floor(nowMs / 1000);
    const token = bearerToken(request.headers.get("authorization"));
    const device =
      token === null ? null : await sessions.find(Bun.SHA256.hash(token, "hex"), nowSec);
    if (device === null) throw new Refused("invalid_token");
    // Known from here on, also as the one who was refused.
    call.device = device;
    const { bucket } = access;
    const key = `${device.tenantId}:${device.deviceNo}`;
    const retryAfterSec = buckets[bucket].take(key, perMin[bucket], nowMs);
    if (retryAfterSec > 0) throw new Refused("rate_limited", { retryAfterSec });
    if (!access.roles.includes(device.role)) throw new Refused("insufficient_role");
    if (device.suspendedAtSec !== null && !access.suspended) {
      throw new Refused("terminal_suspended");
    }
    if (access.op !== undefined && !(await sessions.hasOp(device, access.op, nowSec))) {
      throw new Refused("op_not_granted");
    }
  };
}
