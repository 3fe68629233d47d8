/** Devices: who they are by their token, what they may call, commissioning, grants, limits. */

import type { Books } from "./books.ts";
import type { Role } from "./call.ts";
import { type Asked, type Due, type Fit, type Heard, numberOf, ok, refuse, textOf } from "./due.ts";
import { type Device, hardCeiling, type Token } from "./thing.ts";

const tokenLifeSec = 31_536_000;
const sessionMaxSec = 86_400;

/** The device that a call comes from; its secret is spent by this. Undefined: nobody who may call. */
export function callerOf({ books, call, nowSec }: Asked): Device | undefined {
  for (const device of books.devices) {
    const own = device.deviceId === call.by ? device.tokens.at(-1)?.text : undefined;
    const text = call.token ?? own;
    const token = device.tokens.find((each) => each.text === text);
    if (token === undefined || !isAlive(device, token, nowSec)) continue;
    token.secret.spent = true;
    return device;
  }
  return undefined;
}

const isAlive = (device: Device, token: Token, nowSec: number): boolean =>
  device.status !== "retired" && !token.dead && nowSec < token.expiresSec;

const roles: readonly string[] = ["station", "gate", "terminal", "scout"] satisfies Role[];

/** `POST /api/auth/token`. */
export function commission({ books, body, nowSec, answer }: Asked): Due {
  if (!roles.includes(textOf(body.role))) return refuse(422, "invalid_role");
  const device = books.devices.find(({ deviceId }) => deviceId === body.deviceId);
  const secret = device?.secrets.find(
    ({ text, spent, dead, expiresSec }) =>
      text === body.secret && !spent && !dead && nowSec < expiresSec,
  );
  if (device === undefined || secret === undefined || device.role !== body.role) {
    return refuse(401, "invalid_credentials");
  }
  if (device.status === "retired") return refuse(401, "invalid_credentials");
  if (device.status === "suspended") return refuse(403, "device_suspended");
  for (const older of device.tokens) older.dead = true;
  const expiresSec = nowSec + tokenLifeSec;
  const { token } = (answer.json ?? {}) as { token?: unknown };
  device.tokens.push({ text: textOf(token), expiresSec, secret, dead: false });
  const { deviceId, role, terminalId } = device;
  const isToken: Fit = (met) => /^kt_[A-Za-z0-9_-]{43}$/.test(textOf(met));
  return ok({ token: isToken, expiresAt: expiresSec, deviceId, role, terminalId });
}

/** Whether an unexpired grant of the device carries the op. */
export const isGranted = ({ grants }: Device, op: string, nowSec: number): boolean =>
  grants.some(({ expiresSec, ops }) => nowSec < expiresSec && ops.includes(op));

/** One key for each version, the same whenever it is asked for. */
const sessionKeyOf =
  (books: Books, keyVersion: number): Fit =>
  (met) => {
    const key = books.keys.get(keyVersion);
    if (key === undefined || Buffer.from(textOf(met), "base64").length !== 32) return false;
    for (const [version, other] of books.keys) {
      if (version !== keyVersion && other.sessionKey === met) return false;
    }
    key.sessionKey ??= textOf(met);
    return key.sessionKey === met;
  };

const isSignature: Fit = (met) => Buffer.from(textOf(met), "base64").length === 64;

/** `GET /api/session-grant`. */
export function grant({ books, device, query, nowSec }: Heard): Due {
  const asked = query.get("keyVersion");
  const keyVersion = asked === null ? books.primaryKey : Number(asked);
  if (books.keys.get(keyVersion)?.status !== "active") return refuse(422, "invalid_key_version");
  const ops = books.policies.ops(device.role);
  const expiresSec = nowSec + books.policies.grantTtlSec();
  device.grants.push({ issuedSec: nowSec, expiresSec, ops });
  return ok({
    ...{ keyVersion, expiresAt: expiresSec, allowedOps: ops, signature: isSignature },
    sessionKey: sessionKeyOf(books, keyVersion),
  });
}

/** The version is bound when it is first seen, and followed from there. */
export const isPolicyVersion =
  (books: Books): Fit =>
  (met) => {
    if (!Number.isInteger(met)) return false;
    books.policies.version ??= numberOf(met);
    return books.policies.version === met;
  };

/** `GET /api/policy`. */
export function policy({ books, device }: Heard): Due {
  const { currency, timezone } = books.start;
  return ok({
    ...books.policies.of(device),
    ...{ hardCeiling, currency, timezone, sessionMaxSec },
    policyVersion: isPolicyVersion(books),
  });
}
