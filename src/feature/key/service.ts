/**
 * Key versions of a tenant: making, activating, retiring them, and the session keys derived from those
 * in use, kept in memory until one changes. No answer of this file but `LiveKey.text` shows a key.
 */
import type { Actor } from "../../domain/audit.ts";
import { type SealPlace, seal, sealNonceBytes, unseal, wipe } from "../../domain/seal.ts";
import { deriveSessionKey, keySecretBytes } from "../../domain/sessionkey.ts";
import { uuidBytes } from "../../domain/uuid.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import { allVersions, type KeyVersion, keyChanges, primaryOf } from "./change.ts";
import * as rows from "./store.ts";

export type { KeyVersion } from "./change.ts";

export interface KeyDeps {
  readonly store: Store;
  readonly random: Random;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
}

/** A session key in use. */
export class LiveKey {
  #key: Uint8Array | undefined;

  constructor(
    readonly version: number,
    key: Uint8Array,
  ) {
    this.#key = key;
  }

  /** Standard base64 with padding; undefined once the key is wiped. */
  get text(): string | undefined {
    return this.#key?.toBase64();
  }

  wipe(): void {
    if (this.#key !== undefined) wipe(this.#key);
    this.#key = undefined;
  }
}

/** Every version of a tenant that is served; `primary` is the one activated last. */
export interface KeyRing {
  readonly primary: number;
  readonly keys: ReadonlyMap<number, LiveKey>;
}

export type KeyService = ReturnType<typeof keyService>;

export function keyService({ store, random, masterKey, audit, event }: KeyDeps) {
  const rings = new Map<number, KeyRing>();
  let epoch = 0;

  /** The session keys in use. @throws SealBroken the master key is not the one that sealed them */
  async function ring(tenantId: number): Promise<KeyRing> {
    const known = rings.get(tenantId);
    if (known !== undefined) return known;
    const since = epoch;
    const loaded = await store.read((q) => loadRing(q, tenantId));
    if (since === epoch) rings.set(tenantId, loaded);
    return loaded;
  }

  async function loadRing(q: Reader, tenantId: number): Promise<KeyRing> {
    const uuid = await rows.tenantUuid(q, tenantId);
    const versions = await rows.versionsOf(q, tenantId);
    const keys = new Map<number, LiveKey>();
    for (const { status, key_version: version, sealed_secret: sealed } of versions) {
      if (status !== "active") continue;
      const secret = unseal(masterKey, place(uuid, version), sealed);
      keys.set(version, new LiveKey(version, deriveSessionKey(secret, uuidBytes(uuid), version)));
      wipe(secret);
    }
    return { primary: primaryOf(versions), keys };
  }

  function forget(tenantId: number): void {
    epoch++;
    const known = rings.get(tenantId);
    rings.delete(tenantId);
    for (const key of known?.keys.values() ?? []) key.wipe();
  }

  /** True if the version is served now. */
  async function isActive(q: Reader, tenantId: number, version: number): Promise<boolean> {
    return (await rows.statusOf(q, tenantId, version)) === "active";
  }

  /** Version 1, active, inside the transaction that makes the tenant. */
  async function openTenant(tx: Writer, tenantId: number, nowMs: number): Promise<void> {
    await insert(tx, tenantId, 1, null, nowMs);
    await rows.activateVersion(tx, tenantId, 1, nowMs);
  }

  async function insert(
    tx: Writer,
    tenantId: number,
    version: number,
    note: string | null,
    nowMs: number,
  ): Promise<void> {
    const uuid = await rows.tenantUuid(tx, tenantId);
    const secret = random.bytes(keySecretBytes);
    const sealed = seal(masterKey, random.bytes(sealNonceBytes), place(uuid, version), secret);
    wipe(secret);
    await rows.insertVersion(tx, tenantId, version, sealed, note, nowMs);
  }

  const within = keyChanges({ audit, event, insert, forget });

  /** As `within.create`, by itself. */
  const create = (
    tenantId: number,
    note: string | null,
    actor: Actor,
    nowMs: number,
  ): Promise<KeyVersion> =>
    store.write((tx) => within.create(tx, tenantId, note, { actor }, nowMs));

  /** As `within.activate`, by itself. */
  const activate = (
    tenantId: number,
    version: number,
    actor: Actor,
    nowMs: number,
  ): Promise<KeyVersion> =>
    store.write((tx) => within.activate(tx, tenantId, version, { actor }, nowMs));

  /** As `within.retire`, by itself. */
  const retire = (
    tenantId: number,
    version: number,
    force: boolean,
    actor: Actor,
    nowMs: number,
  ): Promise<KeyVersion> =>
    store.write((tx) => within.retire(tx, tenantId, version, force, { actor }, nowMs));

  /** By number. */
  const list = (tenantId: number, nowMs: number): Promise<KeyVersion[]> =>
    store.read((q) => allVersions(q, tenantId, nowMs));

  return { within, ring, isActive, openTenant, create, activate, retire, list };
}

const place = (tenant: string, version: number): SealPlace => ({
  table: "key_version",
  row: `${tenant}:${version}`,
  column: "sealed_secret",
});
