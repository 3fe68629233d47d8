/**
 * Session grants: deciding, signing and keeping them, and what devices were granted when. Grants that
 * are the same byte for byte are signed once; each is a row of its own, durable before it leaves.
 */
import { grantTtlMaxSec, tokensCachedMax } from "../../../schema/bound.ts";
import { type Grant, grantText, type Op, opsMask, opsOf } from "../../domain/grant.ts";
import type { DeviceIdentity } from "../../domain/identity.ts";
import { roleOps } from "../../domain/policy.ts";
import { Refused } from "../../domain/refused.ts";
import { addWindow, type GrantWindow, WindowMemory, windowsBetween } from "../../domain/window.ts";
import type { Reader, Store } from "../../store/seam.ts";
import type { KeyService } from "../key/service.ts";
import type { PolicyService } from "../policy/service.ts";
import type { SigningService } from "../signing/service.ts";
import { insertGrant, latestOpen, readWindows } from "./store.ts";

export interface SessionDeps {
  readonly store: Store;
  readonly policy: Pick<PolicyService, "effective">;
  readonly keys: Pick<KeyService, "ring" | "isActive">;
  readonly signing: Pick<SigningService, "signer">;
}

export interface IssuedGrant {
  /** The answer as JSON text. */
  readonly text: string;
  /** The key that signed it. */
  readonly kid: string;
}

/** Signed texts of one second; more different ones than this are signed again. */
const sharedMax = 10_000;
const encoder = new TextEncoder();

export type SessionService = ReturnType<typeof sessionService>;

export function sessionService({ store, policy, keys, signing }: SessionDeps) {
  const memory = new WindowMemory(tokensCachedMax);
  const shared = new Map<string, Promise<IssuedGrant>>();
  let sharedSec = 0;

  /**
   * A grant for this device from `nowMs` on. `keyVersion` asks for another active version than the
   * primary one. @throws Refused `invalid_key_version`; StoreUnavailable
   */
  async function issue(
    device: DeviceIdentity,
    keyVersion: number | undefined,
    nowMs: number,
  ): Promise<IssuedGrant> {
    const { tenantId, deviceNo } = device;
    const limits = await policy.effective(tenantId, device.zoneNo, deviceNo);
    const ring = await keys.ring(tenantId);
    const key = ring.keys.get(keyVersion ?? ring.primary);
    const sessionKey = key?.text;
    if (key === undefined || sessionKey === undefined) throw new Refused("invalid_key_version");
    const nowSec = Math.floor(nowMs / 1000);
    const ops = roleOps(limits, device.role);
    const expiresAtSec = nowSec + limits.grantTtlSec;
    const grant = {
      allowedOps: opsOf(ops),
      expiresAt: expiresAtSec,
      keyVersion: key.version,
      sessionKey,
    };
    const signed = signShared(`${tenantId} ${key.version} ${ops} ${expiresAtSec}`, grant, nowSec);
    const row = {
      tenantId,
      deviceNo,
      keyVersion: key.version,
      ops,
      issuedAtMs: nowMs,
      expiresAtSec,
    };
    const window = { issuedSec: nowSec, expiresSec: expiresAtSec, ops };
    const kept = store.write(
      async (tx) => {
        // Retired while this waited: the version is served no more.
        const live = key.text !== undefined || (await keys.isActive(tx, tenantId, key.version));
        if (!live) throw new Refused("invalid_key_version");
        tx.onRollback(() => memory.drop(deviceNo));
        tx.onCommit(() => memory.add(deviceNo, window));
        await insertGrant(tx, row);
      },
      { urgent: true, single: true },
    );
    const [answer] = await Promise.all([signed, kept]);
    return answer;
  }

  /** One signature for all who ask for the same bytes within a second. */
  function signShared(id: string, grant: Grant, nowSec: number): Promise<IssuedGrant> {
    if (nowSec !== sharedSec || shared.size >= sharedMax) {
      shared.clear();
      sharedSec = nowSec;
    }
    const known = shared.get(id);
    if (known !== undefined) return known;
    const pending = sign(grant);
    shared.set(id, pending);
    pending.catch(() => shared.delete(id));
    return pending;
  }

  async function sign(grant: Grant): Promise<IssuedGrant> {
    const signer = await signing.signer("grt_");
    const signature = await signer.sign(encoder.encode(grantText(grant)));
    const { keyVersion, sessionKey, expiresAt, allowedOps } = grant;
    const answer = {
      keyVersion,
      sessionKey,
      expiresAt,
      allowedOps,
      signature: signature.toBase64(),
    };
    return { text: JSON.stringify(answer), kid: signer.kid };
  }

  /** Spans of a device that end at `sinceSec` or later, from memory where they are known. */
  async function windowsOf(
    q: Reader,
    deviceNo: number,
    sinceSec: number,
  ): Promise<readonly GrantWindow[]> {
    const known = memory.get(deviceNo, sinceSec);
    if (known !== undefined) return known;
    const mark = memory.loading(deviceNo);
    const windows: GrantWindow[] = [];
    for (const each of await readWindows(q, deviceNo, sinceSec)) addWindow(windows, each);
    memory.loaded(deviceNo, mark, sinceSec, windows);
    return windows;
  }

  /**
   * What the device was granted between two moments: spans that touch them, those of the same
   * operations joined where they overlap.
   */
  async function covering(
    q: Reader,
    deviceNo: number,
    fromSec: number,
    toSec: number,
  ): Promise<GrantWindow[]> {
    return windowsBetween(await windowsOf(q, deviceNo, fromSec), fromSec, toSec);
  }

  /** Latest expiry of the tenant's grants that were open at `atSec`, or null when none was. */
  const openUntil = (q: Reader, tenantId: number, atSec: number): Promise<number | null> =>
    latestOpen(q, tenantId, atSec, atSec + grantTtlMaxSec);

  /** True if an unexpired grant of this device carries the operation. */
  async function hasOp(device: DeviceIdentity, op: Op, nowSec: number): Promise<boolean> {
    const { deviceNo } = device;
    const known = memory.get(deviceNo, nowSec);
    const windows = known ?? (await store.read((q) => windowsOf(q, deviceNo, nowSec)));
    const mask = opsMask([op]);
    return windows.some((each) => (each.ops & mask) !== 0 && each.expiresSec > nowSec);
  }

  /** True if cards may be written under this version now. */
  const isActive = keys.isActive;

  return { issue, covering, openUntil, hasOp, isActive };
}
