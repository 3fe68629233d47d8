/**
 * The audit record: appending to a tenant's chain inside the transaction of the change, counting what
 * is recorded once a minute, and proving a chain. The bytes are `domain/audit.ts`'s.
 */

import { auditTalliesMax } from "../../../schema/bound.ts";
import type { AuditRow } from "../../../schema/query/audit.ts";
import {
  type AuditRecord,
  auditSaltBytes,
  commitment,
  detailText,
  linkHash,
  personalText,
  zeroHash,
} from "../../domain/audit.ts";
import { uuidBytes } from "../../domain/uuid.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import { insertRecord, nextTenant, readHead, readPage } from "./store.ts";

export interface AuditDeps {
  readonly store: Store;
  readonly random: Random;
}

/** Something refused or repeated that is recorded once per entity, reason and minute, with a count. */
export interface TallyEntry {
  readonly tenantId: number;
  readonly action: string;
  readonly entityType: string;
  /** Empty for what is not registered here: nothing that was sent is ever kept. */
  readonly entityId: string;
  readonly reason: string;
  /** Written into the record's metadata beside reason, count and minute. */
  readonly facts?: Readonly<Record<string, number | string>>;
}

export interface AuditFault {
  readonly tenantId: number;
  readonly seq: number;
  readonly fault: "gap" | "link" | "hash" | "detail" | "personal";
}

/** Where a tenant's chain stands. */
interface ChainHead {
  /** 16 bytes. */
  readonly tenant: Uint8Array;
  readonly seq: number;
  readonly hash: Uint8Array;
}

interface Tally extends TallyEntry {
  readonly minute: number;
  count: number;
}

const pageRows = 1_000;
const faultsMax = 100;
const minuteMs = 60_000;

export type AuditService = ReturnType<typeof auditService>;

export function auditService({ store, random }: AuditDeps) {
  /** Heads of the chains, one small entry a tenant. */
  const heads = new Map<number, ChainHead>();
  let tallies = new Map<string, Tally>();

  /**
   * Appends one record to its tenant's chain; it stands or falls with `tx`. Returns its seq.
   */
  async function append(tx: Writer, record: AuditRecord): Promise<number> {
    const { tenantId } = record;
    let head = heads.get(tenantId);
    if (head === undefined) {
      const loaded = await loadHead(tx, tenantId);
      head = heads.get(tenantId) ?? loaded;
    }
    const before = head;
    const uuid = random.uuid(record.atMs);
    const salts = random.bytes(2 * auditSaltBytes);
    const detailSalt = salts.subarray(0, auditSaltBytes);
    const detail = detailText(record);
    const pii = personalText(record);
    const piiSalt = pii === null ? null : salts.subarray(auditSaltBytes);
    const link = {
      tenant: head.tenant,
      seq: head.seq + 1,
      id: uuidBytes(uuid),
      atMs: record.atMs,
      action: record.action,
      entityType: record.entityType ?? "",
      entityId: record.entityId ?? "",
      detailHash: commitment(detailSalt, detail),
      piiHash: pii === null || piiSalt === null ? zeroHash : commitment(piiSalt, pii),
      prevHash: head.hash,
    };
    const hash = linkHash(link);
    heads.set(tenantId, { tenant: head.tenant, seq: link.seq, hash });
    tx.onRollback(() => heads.set(tenantId, before));
    await insertRecord(tx, {
      ...link,
      tenantId,
      uuid,
      hash,
      actorType: record.actor.type,
      actorId: record.actor.id,
      traceId: record.traceId ?? null,
      detailSalt,
      detail,
      piiSalt,
      pii,
    });
    return link.seq;
  }

  /** Counts one occurrence. Past the bound the entity is left out of the key, so that counts survive. */
  function tally(entry: TallyEntry, nowMs: number): void {
    const minute = Math.floor(nowMs / minuteMs);
    const full = tallies.size >= auditTalliesMax;
    const kept = full ? { ...entry, entityId: "", facts: {} } : entry;
    const key = JSON.stringify([kept.tenantId, kept.action, kept.entityId, kept.reason, minute]);
    const known = tallies.get(key);
    if (known === undefined) tallies.set(key, { ...kept, minute, count: 1 });
    else known.count++;
    // A storage that fails keeps the counts in memory; the next flush tries again.
    if (full) void flushTallies(nowMs, true).catch(() => undefined);
  }

  /**
   * Writes the counts of the minutes that are over, or of all. On failure nothing of them is lost.
   * @throws StoreUnavailable
   */
  async function flushTallies(nowMs: number, all = false): Promise<void> {
    const current = Math.floor(nowMs / minuteMs);
    const due: Tally[] = [];
    const rest = new Map<string, Tally>();
    for (const [key, entry] of tallies) {
      if (all || entry.minute < current) due.push(entry);
      else rest.set(key, entry);
    }
    if (due.length === 0) return;
    tallies = rest;
    try {
      await store.write(
        async (tx) => {
          for (const entry of due) await append(tx, tallyRecord(entry, nowMs));
        },
        { weight: 2 * due.length },
      );
    } catch (error) {
      for (const entry of due) restore(entry);
      throw error;
    }
  }

  function restore(entry: Tally): void {
    const { tenantId, action, entityId, reason, minute, count } = entry;
    const key = JSON.stringify([tenantId, action, entityId, reason, minute]);
    const known = tallies.get(key);
    if (known === undefined) tallies.set(key, entry);
    else known.count += count;
  }

  /** Proves the chain of one tenant, or of all; at most 100 faults, in order. */
  async function verify(q: Reader, tenantId?: number): Promise<AuditFault[]> {
    const faults: AuditFault[] = [];
    let from = tenantId === undefined ? 0 : tenantId - 1;
    for (;;) {
      const tenant = await nextTenant(q, from);
      if (tenant === undefined) return faults;
      if (tenantId !== undefined && tenant.tenantId !== tenantId) return faults;
      await verifyChain(q, tenant.tenantId, uuidBytes(tenant.uuid), faults);
      from = tenant.tenantId;
    }
  }

  return { append, tally, flushTallies, verify };
}

/** @throws Error if there is no such tenant. */
async function loadHead(q: Reader, tenantId: number): Promise<ChainHead> {
  const found = await readHead(q, tenantId);
  if (found === undefined) throw new Error(`audit: no tenant ${tenantId}`);
  const { uuid, head } = found;
  return { tenant: uuidBytes(uuid), seq: head?.seq ?? 0, hash: head?.hash ?? zeroHash };
}

const tallyRecord = (entry: Tally, nowMs: number): AuditRecord => ({
  tenantId: entry.tenantId,
  atMs: nowMs,
  action: entry.action,
  entityType: entry.entityType,
  entityId: entry.entityId,
  actor: { type: "system", id: "server" },
  metadata: {
    ...entry.facts,
    reason: entry.reason,
    count: entry.count,
    minute: new Date(entry.minute * minuteMs).toISOString(),
  },
});

async function verifyChain(
  q: Reader,
  tenantId: number,
  tenant: Uint8Array,
  faults: AuditFault[],
): Promise<void> {
  let seq = 0;
  let prevHash = zeroHash;
  for (;;) {
    const rows = await readPage(q, tenantId, seq, pageRows);
    for (const row of rows) {
      if (faults.length >= faultsMax) return;
      const fault = rowFault(row, tenant, seq + 1, prevHash);
      if (fault !== undefined) faults.push({ tenantId, seq: row.seq, fault });
      seq = row.seq;
      prevHash = row.hash;
    }
    if (rows.length < pageRows) return;
  }
}

function rowFault(
  row: AuditRow,
  tenant: Uint8Array,
  seqExpected: number,
  prevHash: Uint8Array,
): AuditFault["fault"] | undefined {
  if (row.seq !== seqExpected) return "gap";
  if (!equal(row.prev_hash, prevHash)) return "link";
  const hash = linkHash({
    tenant,
    seq: row.seq,
    id: uuidBytes(row.uuid),
    atMs: row.at_ms,
    action: row.action,
    entityType: row.entity_type,
    entityId: row.entity_id,
    detailHash: row.detail_hash,
    piiHash: row.pii_hash,
    prevHash,
  });
  if (!equal(hash, row.hash)) return "hash";
  if (row.redacted === 1) return undefined;
  if (row.detail === null || row.detail_salt === null) return "detail";
  if (!equal(commitment(row.detail_salt, row.detail), row.detail_hash)) return "detail";
  const pii =
    row.pii === null || row.pii_salt === null ? zeroHash : commitment(row.pii_salt, row.pii);
  return equal(pii, row.pii_hash) ? undefined : "personal";
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
