/**
 * How a device proves who it is: a one-time secret becomes an access token, and a token becomes a
 * device on every call. Registering and suspending devices is not here.
 *
 * Secret `ks_` and token `kt_`, each with 32 random bytes in base64url; only SHA-256 of either is kept.
 */
import { timingSafeEqual } from "node:crypto";
import { deviceSecretLifeSec, tokensCachedMax } from "../../../schema/bound.ts";
import type { CredentialRow, TokenRow } from "../../../schema/query/token.ts";
import type { RefusalCode } from "../../../schema/refusal.ts";
import type { Actor } from "../../domain/audit.ts";
import { type DeviceIdentity, isRole, type Role } from "../../domain/identity.ts";
import { Refused } from "../../domain/refused.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import * as rows from "./store.ts";

export interface TokenDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append" | "tally">;
  readonly event: EventService;
  /** Life of a token in seconds. */
  readonly tokenTtlSec: number;
  /** Buckets by deviceId: 0 = taken, else the seconds to wait. */
  readonly buckets: { take(key: string, perMin: number, nowMs: number): number };
  /** Commissioning calls a minute of one deviceId; 0 = off. */
  readonly perMin: number;
}

export interface Commission {
  readonly deviceId: string;
  readonly secret: string;
  readonly role: string;
}

export interface Commissioned {
  readonly token: string;
  /** UTC seconds. */
  readonly expiresAt: number;
  readonly deviceId: string;
  readonly role: Role;
  readonly terminalId: number;
}

export interface NewSecret {
  readonly secret: string;
  readonly expiresAtSec: number;
}

interface Cached {
  readonly tokenHash: string;
  readonly identity: DeviceIdentity;
  readonly expiresAtSec: number;
}

const randomBytes = 32;
/** What a secret is compared with where there is none, so that both take the same time. */
const noHash = new Uint8Array(32);

export type TokenService = ReturnType<typeof tokenService>;

export function tokenService(deps: TokenDeps) {
  const { store, random, audit, event } = deps;
  /** Live tokens that were used, by hash, the least recently used first; and by device. */
  const byHash = new Map<string, Cached>();
  const byDevice = new Map<number, Cached>();
  const seen = new Map<number, number>();
  let epoch = 0;
  let firstTenantId: number | undefined;

  /**
   * Turns a secret into a token and revokes the device's older ones. The secret stays good until that
   * token is first used, so that a lost answer can be asked for again.
   * @throws Refused `invalid_role` `rate_limited` `invalid_credentials` `device_suspended`
   */
  async function commission(
    { deviceId, secret, role }: Commission,
    address: string,
    nowMs: number,
  ): Promise<Commissioned> {
    const nowSec = Math.floor(nowMs / 1000);
    const known = await store.read((q) => rows.findCredential(q, deviceId));
    if (!isRole(role)) return await refuse("invalid_role", deviceId, known, nowMs);
    const retryAfterSec = deps.buckets.take(deviceId, deps.perMin, nowMs);
    if (retryAfterSec > 0)
      return await refuse("rate_limited", deviceId, known, nowMs, retryAfterSec);
    const isRight = isSecretRight(known, secret, nowSec) && known?.role === role;
    if (known === undefined || !isRight) {
      return await refuse("invalid_credentials", deviceId, known, nowMs);
    }
    if (known.status === "suspended")
      return await refuse("device_suspended", deviceId, known, nowMs);
    const token = `kt_${random.bytes(randomBytes).toBase64({ alphabet: "base64url", omitPadding: true })}`;
    const expiresAtSec = nowSec + deps.tokenTtlSec;
    await store.write(async (tx) => {
      const now = await rows.findCredential(tx, deviceId);
      if (now?.secret_no !== known.secret_no) throw new Refused("invalid_credentials");
      if (now?.status !== "active") throw new Refused("device_suspended");
      await keepToken(tx, now, token, expiresAtSec, { deviceId, address, nowMs });
    });
    return { token, expiresAt: expiresAtSec, deviceId, role, terminalId: known.terminal_id };
  }

  async function keepToken(
    tx: Writer,
    device: CredentialRow,
    token: string,
    expiresAtSec: number,
    { deviceId, address, nowMs }: { deviceId: string; address: string; nowMs: number },
  ): Promise<void> {
    const { device_no: deviceNo, tenant_id: tenantId, secret_no: secretNo } = device;
    if (secretNo === null) throw new Refused("invalid_credentials");
    await rows.revokeTokens(tx, deviceNo, nowMs);
    const tokenHash = sha256(token);
    await rows.insertToken(tx, {
      tokenHash,
      tenantId,
      deviceNo,
      secretNo,
      issuedAtMs: nowMs,
      expiresAtSec,
    });
    forget(tx, deviceNo);
    await audit.append(tx, {
      tenantId,
      atMs: nowMs,
      action: "fleet.device.token_issued",
      entityType: "device",
      entityId: device.uuid,
      actor: { type: "device", id: deviceId },
      metadata: { deviceId, terminalId: device.terminal_id, role: device.role, expiresAtSec },
      ip: address,
    });
  }

  /** Counts the refusal for the audit record; what is not registered here is counted without its name. */
  async function refuse(
    reason: RefusalCode,
    deviceId: string,
    device: CredentialRow | undefined,
    nowMs: number,
    retryAfterSec?: number,
  ): Promise<never> {
    firstTenantId ??= await store.read(rows.firstTenant);
    audit.tally(
      {
        tenantId: device?.tenant_id ?? firstTenantId,
        action: "fleet.device.token_refused",
        entityType: "device",
        entityId: device?.uuid ?? "",
        reason,
        ...(device && { facts: { deviceId, terminalId: device.terminal_id } }),
      },
      nowMs,
    );
    throw new Refused(reason, retryAfterSec === undefined ? {} : { retryAfterSec });
  }

  /**
   * The device of a live token, from memory where it is known. The first use of a token spends the
   * secret that yielded it, durably before this returns.
   * @param tokenHash SHA-256 of the token, lower-case hex.
   */
  async function find(tokenHash: string, nowSec: number): Promise<DeviceIdentity | null> {
    const known = byHash.get(tokenHash);
    if (known !== undefined) {
      if (known.expiresAtSec <= nowSec) return null;
      byHash.delete(tokenHash);
      byHash.set(tokenHash, known);
      note(known.identity.deviceNo, nowSec);
      return known.identity;
    }
    const since = epoch;
    const hash = Uint8Array.fromHex(tokenHash);
    const row = await store.read((q) => rows.findToken(q, hash));
    if (row === undefined || row.expires_at_sec <= nowSec) return null;
    if (row.used_at_ms === null && !(await spend(hash, nowSec * 1000))) return null;
    const identity = identityOf(row);
    if (since === epoch) keep({ tokenHash, identity, expiresAtSec: row.expires_at_sec });
    note(identity.deviceNo, nowSec);
    return identity;
  }

  /** False if the token died meanwhile. */
  const spend = (hash: Uint8Array, nowMs: number): Promise<boolean> =>
    store.write(
      async (tx) => {
        const row = await rows.findToken(tx, hash);
        if (row === undefined) return false;
        if (!(await rows.markUsed(tx, hash, nowMs))) return true;
        await rows.spendSecret(tx, row.secret_no, nowMs);
        await tellCommissioned(tx, row, nowMs);
        return true;
      },
      { urgent: true },
    );

  async function tellCommissioned(tx: Writer, row: TokenRow, atMs: number): Promise<void> {
    const { tenant_id: tenantId, device_id: deviceId, terminal_id: terminalId, role } = row;
    const type = "fleet.device.commissioned";
    const actor: Actor = { type: "device", id: deviceId };
    await audit.append(tx, {
      tenantId,
      atMs,
      action: type,
      entityType: "device",
      entityId: row.uuid,
      actor,
      metadata: { deviceId, terminalId, role },
    });
    const data = { deviceId, terminalId, role, zoneId: row.zone_uuid, actor };
    await event.publish(tx, { tenantId, type, data, atMs });
  }

  function keep(entry: Cached): void {
    if (byHash.size >= tokensCachedMax) {
      for (const eldest of byHash.values()) {
        drop(eldest);
        break;
      }
    }
    byHash.set(entry.tokenHash, entry);
    byDevice.set(entry.identity.deviceNo, entry);
  }

  function drop(entry: Cached): void {
    byHash.delete(entry.tokenHash);
    if (byDevice.get(entry.identity.deviceNo) === entry) byDevice.delete(entry.identity.deviceNo);
  }

  /** What is known of the device is read anew with its next call after the COMMIT. */
  function forget(tx: Writer, deviceNo: number): void {
    tx.onCommit(() => {
      epoch++;
      const entry = byDevice.get(deviceNo);
      if (entry !== undefined) drop(entry);
    });
  }

  /** The text of a one-time secret, before it is issued. */
  const makeSecret = (): string =>
    `ks_${random.bytes(randomBytes).toBase64({ alphabet: "base64url", omitPadding: true })}`;

  /** A new one-time secret; the unspent older one dies, and the tokens too unless they are kept. */
  async function issueSecret(
    tx: Writer,
    tenantId: number,
    deviceNo: number,
    keepToken: boolean,
    nowMs: number,
    secret = makeSecret(),
  ): Promise<NewSecret> {
    const expiresAtSec = Math.floor(nowMs / 1000) + deviceSecretLifeSec;
    await rows.killSecrets(tx, deviceNo, nowMs);
    if (!keepToken) await rows.revokeTokens(tx, deviceNo, nowMs);
    await rows.insertSecret(tx, tenantId, deviceNo, sha256(secret), nowMs, expiresAtSec);
    forget(tx, deviceNo);
    return { secret, expiresAtSec };
  }

  /** Every token and unspent secret of the device is dead from the COMMIT on. */
  async function revoke(tx: Writer, deviceNo: number, nowMs: number): Promise<void> {
    await rows.killSecrets(tx, deviceNo, nowMs);
    await rows.revokeTokens(tx, deviceNo, nowMs);
    forget(tx, deviceNo);
  }

  function note(deviceNo: number, nowSec: number): void {
    if (seen.size < tokensCachedMax || seen.has(deviceNo)) seen.set(deviceNo, nowSec * 1000);
  }

  /** When the device called last, if that is not written down yet. */
  const lastSeenMs = (deviceNo: number): number | undefined => seen.get(deviceNo);

  /** Writes down when devices called last. @throws StoreUnavailable: nothing is lost then */
  async function flushSeen(): Promise<void> {
    if (seen.size === 0) return;
    const due = [...seen];
    await store.write((tx) => rows.writeSeen(tx, due), { weight: due.length });
    for (const [deviceNo, atMs] of due) if (seen.get(deviceNo) === atMs) seen.delete(deviceNo);
  }

  return { commission, find, forget, makeSecret, issueSecret, revoke, lastSeenMs, flushSeen };
}

const sha256 = (text: string): Uint8Array => new Bun.CryptoHasher("sha256").update(text).digest();

/** In the same time whether or not there is such a device, and a secret of it. */
function isSecretRight(device: CredentialRow | undefined, secret: string, nowSec: number): boolean {
  const isEqual = timingSafeEqual(sha256(secret), device?.secret_hash ?? noHash);
  const expiresAtSec = device?.secret_expires_at_sec ?? 0;
  return isEqual && expiresAtSec > nowSec && device?.status !== "retired";
}

const identityOf = (row: TokenRow): DeviceIdentity => ({
  tenantId: row.tenant_id,
  deviceNo: row.device_no,
  deviceId: row.device_id,
  terminalId: row.terminal_id,
  role: row.role,
  zoneNo: row.zone_no,
  memberNo: row.member_no,
  suspendedAtSec: row.suspended_at_sec,
  settlementWalletNo: row.settlement_wallet_no,
});
