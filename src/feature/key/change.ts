/** Key versions as their operator sees them, and a rotation's steps inside a transaction of the caller's. */
import { keyNoteMaxChars, keyVersionMax } from "../../../schema/bound.ts";
import type { KeyVersionRow } from "../../../schema/query/key.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import { Problem } from "../../domain/problem.ts";
import type { Reader, Writer } from "../../store/seam.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import * as rows from "./store.ts";

export interface KeyChangeDeps {
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  /** Makes the row of a version, with a secret of its own. */
  insert(
    tx: Writer,
    tenantId: number,
    version: number,
    note: string | null,
    nowMs: number,
  ): Promise<void>;
  /** Drops the keys that are kept in memory of a tenant. */
  forget(tenantId: number): void;
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

export function keyChanges({ audit, event, insert, forget }: KeyChangeDeps) {
  /** A new version, not served yet. @throws OperatorRefused ids-exhausted · validation-error */
  async function create(
    tx: Writer,
    tenantId: number,
    note: string | null,
    by: By,
    nowMs: number,
  ): Promise<KeyVersion> {
    if (note !== null && note.length > keyNoteMaxChars) {
      const message = `note: at most ${keyNoteMaxChars} characters`;
      throw new OperatorRefused("validation-error", message, "note", "TOO_LONG");
    }
    const versions = await rows.versionsOf(tx, tenantId);
    const version = (versions.at(-1)?.key_version ?? 0) + 1;
    if (version > keyVersionMax) {
      throw new OperatorRefused("ids-exhausted", "all 255 key versions have been used");
    }
    await insert(tx, tenantId, version, note, nowMs);
    await tell(tx, "fleet.key.created", tenantId, version, by, nowMs);
    return await show(tx, tenantId, version, nowMs);
  }

  /**
   * Makes the version primary; the other active ones are still served on request.
   * @throws Problem not-found · wrong-state (retired)
   */
  async function activate(
    tx: Writer,
    tenantId: number,
    version: number,
    by: By,
    nowMs: number,
  ): Promise<KeyVersion> {
    const versions = await rows.versionsOf(tx, tenantId);
    const { status } = find(versions, version);
    if (status === "retired") {
      throw wrongState("A retired key version is never served again.", status);
    }
    if (status !== "active" || primaryOf(versions) !== version) {
      // Strictly later than every other, also within one millisecond or after a clock set back.
      const latestMs = Math.max(0, ...versions.map((each) => each.activated_at_ms ?? 0));
      await rows.activateVersion(tx, tenantId, version, Math.max(nowMs, latestMs + 1));
      await tell(tx, "fleet.key.activated", tenantId, version, by, nowMs);
      tx.onCommit(() => forget(tenantId));
    }
    return await show(tx, tenantId, version, nowMs);
  }

  /**
   * Ends a version for good; a repeat changes nothing. @throws Problem not-found · wrong-state (primary) ·
   * in-use (ACTIVE cards carry it and `force` is not set)
   */
  async function retire(
    tx: Writer,
    tenantId: number,
    version: number,
    force: boolean,
    by: By,
    nowMs: number,
  ): Promise<KeyVersion> {
    const versions = await rows.versionsOf(tx, tenantId);
    const { status } = find(versions, version);
    if (status !== "retired") {
      if (primaryOf(versions) === version) {
        throw wrongState("The primary key version cannot be retired.", "primary");
      }
      if (!force && (await rows.isCarried(tx, tenantId, version, Math.floor(nowMs / 1000)))) {
        throw new OperatorRefused("in-use", "active cards carry this key version");
      }
      await rows.retireVersion(tx, tenantId, version, nowMs);
      await tell(tx, "fleet.key.retired", tenantId, version, by, nowMs);
      tx.onCommit(() => forget(tenantId));
    }
    return await show(tx, tenantId, version, nowMs);
  }

  async function tell(
    tx: Writer,
    type: string,
    tenantId: number,
    keyVersion: number,
    by: By,
    atMs: number,
  ): Promise<void> {
    const recorded = recordedBy(by);
    await audit.append(tx, {
      ...{ tenantId, atMs, action: type, entityType: "key_version", entityId: String(keyVersion) },
      ...recorded,
      metadata: { keyVersion, ...recorded.metadata },
    });
    const data = { keyVersion, actor: { type: by.actor.type, id: by.actor.id } };
    await event.publish(tx, { tenantId, type, data, atMs });
  }

  return { create, activate, retire };
}

const wrongState = (detail: string, state: string): Problem =>
  new Problem("wrong-state", detail, { members: { state } });

function find(versions: readonly KeyVersionRow[], version: number): KeyVersionRow {
  const row = versions.find((each) => each.key_version === version);
  if (row === undefined) throw new OperatorRefused("not-found", "there is no such key version");
  return row;
}

/** The active version that was activated last; 0 when none is. */
export function primaryOf(versions: readonly KeyVersionRow[]): number {
  let primary = 0;
  let latestMs = -1;
  for (const { status, key_version: version, activated_at_ms: atMs } of versions) {
    if (status !== "active" || atMs === null || atMs <= latestMs) continue;
    primary = version;
    latestMs = atMs;
  }
  return primary;
}

/** By number. */
export async function allVersions(
  q: Reader,
  tenantId: number,
  nowMs: number,
): Promise<KeyVersion[]> {
  const versions = await rows.versionsOf(q, tenantId);
  const primary = primaryOf(versions);
  const cards = await rows.activeCards(q, tenantId, Math.floor(nowMs / 1000));
  return versions.map((row) => ({
    keyVersion: row.key_version,
    status: row.status,
    primary: row.key_version === primary,
    activeCards: cards.get(row.key_version) ?? 0,
    note: row.note,
    createdAtMs: row.created_at_ms,
    activatedAtMs: row.activated_at_ms,
    retiredAtMs: row.retired_at_ms,
  }));
}

async function show(
  q: Reader,
  tenantId: number,
  version: number,
  nowMs: number,
): Promise<KeyVersion> {
  const all = await allVersions(q, tenantId, nowMs);
  const found = all.find((each) => each.keyVersion === version);
  if (found === undefined) throw new Error("a key version that was just written is not there");
  return found;
}
