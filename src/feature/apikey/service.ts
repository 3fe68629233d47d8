/**
 * Keys that programs sign in with: made once and shown once, kept as a hash, revoked for good. What a
 * key is exchanged for, and where from it may be used, is decided where it is used.
 */
import { type By, type Holder, recordedBy } from "../../domain/by.ts";
import { hashOf, opaqueBytes, opaqueToken } from "../../domain/opaque.ts";
import { Problem } from "../../domain/problem.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { RoleService } from "../role/service.ts";
import * as rows from "./store.ts";

export type { ApiKey } from "./store.ts";

export interface ApiKeyDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  readonly role: Pick<RoleService, "checkGiven">;
  readonly access: { forget(tx: Writer, what: { readonly apiKey: string }): void };
}

export interface ApiKeyDraft {
  readonly name: string;
  /** Names. */
  readonly roles: readonly string[];
  /** Absent: until it is revoked. */
  readonly expiresAtMs?: number | null;
  /** CIDR; absent or empty: from anywhere. */
  readonly allowedIps?: readonly string[];
}

/** A key with the key itself, which is told this once. */
export interface MadeKey {
  readonly apiKey: rows.ApiKey;
  readonly key: string;
}

const prefixChars = 8;

export type ApiKeyService = ReturnType<typeof apiKeyService>;

export function apiKeyService({ store, random, audit, event, role, access }: ApiKeyDeps) {
  /** @throws Problem permission-escalation · owner-protected · validation-error (no such role) */
  async function create(
    tx: Writer,
    tenantId: number,
    { name, roles: given, expiresAtMs = null, allowedIps = [] }: ApiKeyDraft,
    holder: Holder,
    by: By,
    nowMs: number,
  ): Promise<MadeKey> {
    const roles = [...new Set(given)];
    // A key is nobody's heir: `owner` is out of its reach, whoever asks.
    await role.checkGiven(tx, tenantId, roles, { ...holder, isOwner: false });
    const uuid = random.uuid(nowMs);
    const key = opaqueToken("ak_", random.bytes(opaqueBytes));
    const row = { uuid, tenantId, name, roles, allowedIps, expiresAtMs };
    const prefix = key.slice(0, prefixChars);
    const made = { ...row, hash: hashOf(key), prefix, createdBy: by.actor.id };
    await rows.insertApiKey(tx, made, nowMs);
    const apiKey = await must(tx, tenantId, uuid);
    await tell(tx, "auth.apikey.created", tenantId, apiKey, by, nowMs);
    return { apiKey, key };
  }

  /** Its tokens die at once. @throws Problem not-found */
  async function revoke(
    tx: Writer,
    tenantId: number,
    uuid: string,
    by: By,
    nowMs: number,
  ): Promise<rows.ApiKey> {
    const apiKey = await must(tx, tenantId, uuid);
    await rows.revokeApiKey(tx, tenantId, apiKey.apiKeyNo, nowMs);
    access.forget(tx, { apiKey: uuid });
    await tell(tx, "auth.apikey.revoked", tenantId, apiKey, by, nowMs);
    return apiKey;
  }

  /** Newest first, below a number; revoked ones are gone. */
  const list = (tenantId: number, belowNo: number, limit: number): Promise<rows.ApiKey[]> =>
    store.read((q) => rows.pageApiKeys(q, tenantId, belowNo, limit));

  const count = (tenantId: number): Promise<number> =>
    store.read((q) => rows.countApiKeys(q, tenantId));

  async function tell(
    tx: Writer,
    type: string,
    tenantId: number,
    { uuid: id, name, roles, allowedIps, expiresAtMs }: rows.ApiKey,
    by: By,
    atMs: number,
  ): Promise<void> {
    const expiresAt = expiresAtMs === null ? null : new Date(expiresAtMs).toISOString();
    await audit.append(tx, {
      ...{ tenantId, atMs, action: type, entityType: "apiKey", entityId: id },
      ...recordedBy(by),
      ...(type === "auth.apikey.created" && { after: { name, roles, allowedIps, expiresAt } }),
    });
    await event.publish(tx, { tenantId, type, data: { id, name, roles }, atMs });
  }

  return { create, revoke, list, count };
}

async function must(q: Reader, tenantId: number, uuid: string): Promise<rows.ApiKey> {
  const found = await rows.findApiKey(q, tenantId, uuid);
  if (found === undefined) throw new Problem("not-found", "There is no such API key.");
  return found;
}
