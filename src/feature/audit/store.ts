/** The audit chain as rows: its head, appending to it, reading it in order. */
import {
  type AuditHeadRow,
  type AuditRow,
  auditDetailInsert,
  auditHead,
  auditInsert,
  auditPage,
  auditTenant,
  auditTenantAfter,
} from "../../../schema/query/audit.ts";
import type { Reader, Writer } from "../../store/seam.ts";

/** A record with its hashes, ready to be kept. */
export interface Sealed {
  readonly tenantId: number;
  readonly seq: number;
  readonly uuid: string;
  readonly atMs: number;
  readonly action: string;
  readonly entityType: string;
  readonly entityId: string;
  readonly detailHash: Uint8Array;
  readonly piiHash: Uint8Array;
  readonly prevHash: Uint8Array;
  readonly hash: Uint8Array;
  readonly actorType: string;
  readonly actorId: string;
  readonly traceId: string | null;
  readonly detailSalt: Uint8Array;
  readonly detail: string;
  readonly piiSalt: Uint8Array | null;
  readonly pii: string | null;
}

/** The tenant's uuid and the newest record of its chain, where there is one. */
export async function readHead(
  q: Reader,
  tenantId: number,
): Promise<{ uuid: string; head: AuditHeadRow | undefined } | undefined> {
  const tenant = await q.get(auditTenant, tenantId);
  return tenant && { uuid: tenant.uuid, head: await q.get(auditHead, tenantId) };
}

export async function insertRecord(tx: Writer, r: Sealed): Promise<void> {
  await tx.run(
    auditInsert,
    r.tenantId,
    r.seq,
    r.uuid,
    r.atMs,
    r.action,
    r.entityType,
    r.entityId,
    r.detailHash,
    r.piiHash,
    r.prevHash,
    r.hash,
  );
  await tx.run(
    auditDetailInsert,
    r.tenantId,
    r.seq,
    r.actorType,
    r.actorId,
    r.traceId,
    r.detailSalt,
    r.detail,
    r.piiSalt,
    r.pii,
  );
}

export const readPage = (
  q: Reader,
  tenantId: number,
  afterSeq: number,
  limit: number,
): Promise<AuditRow[]> => q.all(auditPage, tenantId, afterSeq, limit);

/** The tenant with the next higher number, or undefined after the last. */
export async function nextTenant(
  q: Reader,
  afterId: number,
): Promise<{ tenantId: number; uuid: string } | undefined> {
  const row = await q.get(auditTenantAfter, afterId);
  return row && { tenantId: row.tenant_id, uuid: row.uuid };
}
