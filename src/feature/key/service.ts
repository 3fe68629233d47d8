/**
 * Key versions of a tenant: making, activating, retiring them, and the session keys derived from those
 * in use, kept in memory until one changes. No answer of this file but `LiveKey.text` shows a key.
 */

import { keyNoteMaxChars, keyVersionMax } from "../../../schema/bound.ts";
import type { KeyVersionRow } from "../../../schema/query/key.ts";
import type { Actor } from "../../domain/audit.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import { type SealPlace, seal, sealNonceBytes, unseal, wipe } from "../../domain/seal.ts";
import { deriveSessionKey, keySecretBytes } from "../../domain/sessionkey.ts";
import { uuidBytes } from "../../domain/uuid.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import * as rows from "./store.ts";

export interface KeyDeps {
  readonly store: Store;
  readonly random: Random;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
}

export interface KeyVersion {
  readonly keyVersion: number;
  readonly status: "created" | "active" | "retired";
  readonly primary: boolean;
  readonly activeCards: number;
  readonly note: string | null;
  readonly createdAtMs: number;
  readonly activatedAtMs: number | null;
  readonly retiredAtMs: number | null;
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

  /** A new version, not served yet. @throws OperatorRefused `ids-exhausted` `validation-error` */
  async function create(
    tenantId: number,
    note: string | null,
    actor: Actor,
    nowMs: number,
  ): Promise<KeyVersion> {
    if (note !== null && note.length > keyNoteMaxChars) {
      const message = `note: at most ${keyNoteMaxChars} characters`;
      throw new OperatorRefused("validation-error", message, "note");
    }
    const made = await store.write(async (tx) => {
      const versions = await rows.versionsOf(tx, tenantId);
      const version = (versions.at(-1)?.key_version ?? 0) + 1;
      if (version > keyVersionMax) {
        throw new OperatorRefused("ids-exhausted", "all 255 key versions have been used");
      }
      await insert(tx, tenantId, version, note, nowMs);
      await tell(tx, "fleet.key.created", tenantId, version, actor, nowMs);
      return version;
    });
    return await show(tenantId, made, nowMs);
  }

  /**
   * Makes the version primary; the other active ones are still served on request.
   * @throws OperatorRefused `not-found`, `wrong-state` (retired)
   */
  async function activate(
    tenantId: number,
    version: number,
    actor: Actor,
    nowMs: number,
  ): Promise<KeyVersion> {
    await store.write(async (tx) => {
      const versions = await rows.versionsOf(tx, tenantId);
      const row = find(versions, version);
      if (row.status === "retired") wrongState("a retired key version is never served again");
      if (row.status !== "active" || primaryOf(versions) !== version) {
        // Strictly later than every other, also within one millisecond or after a clock set back.
        const latestMs = Math.max(0, ...versions.map((each) => each.activated_at_ms ?? 0));
        await rows.activateVersion(tx, tenantId, version, Math.max(nowMs, latestMs + 1));
        await tell(tx, "fleet.key.activated", tenantId, version, actor, nowMs);
        tx.onCommit(() => forget(tenantId));
      }
    });
    return await show(tenantId, version, nowMs);
  }

  /**
   * Ends a version for good. @throws OperatorRefused `not-found`, `wrong-state` (primary), `in-use`
   * (ACTIVE cards carry it and `force` is not set)
   */
  async function retire(
    tenantId: number,
    version: number,
    force: boolean,
    actor: Actor,
    nowMs: number,
  ): Promise<KeyVersion> {
    await store.write(async (tx) => {
      const versions = await rows.versionsOf(tx, tenantId);
      const row = find(versions, version);
      if (row.status !== "retired") {
        if (primaryOf(versions) === version)
          wrongState("the primary key version cannot be retired");
        if (!force && (await rows.isCarried(tx, tenantId, version, Math.floor(nowMs / 1000)))) {
          throw new OperatorRefused("in-use", "active cards carry this key version");
        }
        await rows.retireVersion(tx, tenantId, version, nowMs);
        await tell(tx, "fleet.key.retired", tenantId, version, actor, nowMs);
        tx.onCommit(() => forget(tenantId));
      }
    });
    return await show(tenantId, version, nowMs);
  }

  /** Counting the cards of a version takes a while, so never in a turn of the writer. */
  async function show(tenantId: number, version: number, nowMs: number): Promise<KeyVersion> {
    const found = (await list(tenantId, nowMs)).find((each) => each.keyVersion === version);
    if (found === undefined) throw new Error("a key version that was just written is not there");
    return found;
  }

  const list = (tenantId: number, nowMs: number): Promise<KeyVersion[]> =>
    store.read((q) => all(q, tenantId, nowMs));

  async function tell(
    tx: Writer,
    type: string,
    tenantId: number,
    keyVersion: number,
    actor: Actor,
    atMs: number,
  ): Promise<void> {
    await audit.append(tx, {
      tenantId,
      atMs,
      action: type,
      entityType: "key_version",
      entityId: String(keyVersion),
      actor,
      metadata: { keyVersion },
    });
    const data = { keyVersion, actor: { type: actor.type, id: actor.id } };
    await event.publish(tx, { tenantId, type, data, atMs });
  }

  return { ring, isActive, openTenant, create, activate, retire, list };
}

const place = (tenant: string, version: number): SealPlace => ({
  table: "key_version",
  row: `${tenant}:${version}`,
  column: "sealed_secret",
});

const wrongState = (message: string): never => {
  throw new OperatorRefused("wrong-state", message);
};

function find(versions: readonly KeyVersionRow[], version: number): KeyVersionRow {
  const row = versions.find((each) => each.key_version === version);
  if (row === undefined) throw new OperatorRefused("not-found", "there is no such key version");
  return row;
}

/** The active version that was activated last; 0 when none is. */
function primaryOf(versions: readonly KeyVersionRow[]): number {
  let primary = 0;
  let latestMs = -1;
  for (const { status, key_version: version, activated_at_ms: atMs } of versions) {
    if (status !== "active" || atMs === null || atMs <= latestMs) continue;
    primary = version;
    latestMs = atMs;
  }
  return primary;
}

async function all(q: Reader, tenantId: number, nowMs: number): Promise<KeyVersion[]> {
  const versions = await rows.versionsOf(q, tenantId);
  const primary = primaryOf(versions);
  const shown: KeyVersion[] = [];
  for (const row of versions) {
    const version = row.key_version;
    shown.push({
      keyVersion: version,
      status: row.status,
      primary: version === primary,
      activeCards: await rows.activeCards(q, tenantId, version, Math.floor(nowMs / 1000)),
      note: row.note,
      createdAtMs: row.created_at_ms,
      activatedAtMs: row.activated_at_ms,
      retiredAtMs: row.retired_at_ms,
    });
  }
  return shown;
}
