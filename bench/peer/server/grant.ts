/**
 * A session grant as every peer issues it: operations, expiry, the derived key, the signature. As in
 * Kartu, those who ask for the same bytes within a second share one signature; the row is each one's own.
 */
import { grantText, opsOf } from "../../../src/domain/grant.ts";
import type { DeviceIdentity } from "../../../src/domain/identity.ts";
import { roleOps } from "../../../src/domain/policy.ts";
import { deriveSessionKey } from "../../../src/domain/sessionkey.ts";
import { uuidBytes } from "../../../src/domain/uuid.ts";
import { refusal } from "./answer.ts";
import type { Setting } from "./setting.ts";

/** What is written down of a grant, in the order of the columns. */
export type GrantParams = [
  tenantId: number,
  deviceNo: number,
  keyVersion: number,
  ops: number,
  issuedAtMs: number,
  expiresAtSec: number,
];

export interface Issued {
  readonly row: GrantParams;
  /** The answer as JSON text. */
  readonly text: Promise<string>;
}

const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const encoder = new TextEncoder();

export async function grantDesk(setting: Setting) {
  const { tenantUuid, policy, keyVersion } = setting;
  const secret = Buffer.from(setting.secret, "base64");
  const derived = deriveSessionKey(secret, uuidBytes(tenantUuid), keyVersion);
  const sessionKey = Buffer.from(derived).toString("base64");
  const pkcs8 = new Uint8Array(Buffer.from(setting.signingKey, "base64"));
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, ecdsa, false, ["sign"]);
  const shared = new Map<number, Promise<string>>();
  let sharedSec = 0;

  async function sign(ops: number, expiresAt: number): Promise<string> {
    const grant = { allowedOps: opsOf(ops), expiresAt, keyVersion, sessionKey };
    const signed = await crypto.subtle.sign(ecdsa, key, encoder.encode(grantText(grant)));
    return JSON.stringify({ ...grant, signature: Buffer.from(signed).toString("base64") });
  }

  /** @throws Refusal 401: not a device that gets grants */
  function issue(device: DeviceIdentity, nowMs: number): Issued {
    if (device.role === "scout" || device.suspendedAtSec !== null) {
      throw refusal(401, "insufficient_role");
    }
    const nowSec = Math.floor(nowMs / 1000);
    if (nowSec !== sharedSec) {
      shared.clear();
      sharedSec = nowSec;
    }
    const ops = roleOps(policy, device.role);
    const expiresAt = nowSec + policy.grantTtlSec;
    let text = shared.get(ops);
    if (text === undefined) {
      text = sign(ops, expiresAt);
      shared.set(ops, text);
    }
    return { row: [device.tenantId, device.deviceNo, keyVersion, ops, nowMs, expiresAt], text };
  }

  return { issue };
}
