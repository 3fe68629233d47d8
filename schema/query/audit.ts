/** Statements on `audit` and `audit_detail`, and the look at `tenant` that their chains need. */
import { statement } from "./statement.ts";

export interface AuditHeadRow {
  seq: number;
  hash: Uint8Array;
}

export interface AuditRow {
  seq: number;
  uuid: string;
  at_ms: number;
  action: string;
  entity_type: string;
  entity_id: string;
  detail_hash: Uint8Array;
  pii_hash: Uint8Array;
  prev_hash: Uint8Array;
  hash: Uint8Array;
  /** Null when the second row is missing. */
  detail_salt: Uint8Array | null;
  detail: string | null;
  pii_salt: Uint8Array | null;
  pii: string | null;
  redacted: number | null;
}

export const auditHead = statement<[tenantId: number], AuditHeadRow>(
  "audit.head",
  "SELECT seq, hash FROM audit WHERE tenant_id = ?1 ORDER BY seq DESC LIMIT 1",
);

export const auditTenant = statement<[tenantId: number], { uuid: string }>(
  "audit.tenant",
  "SELECT uuid FROM tenant WHERE tenant_id = ?1",
);

export const auditTenantAfter = statement<[afterId: number], { tenant_id: number; uuid: string }>(
  "audit.tenantAfter",
  "SELECT tenant_id, uuid FROM tenant WHERE tenant_id > ?1 ORDER BY tenant_id LIMIT 1",
);

export const auditInsert = statement<
  [
    tenantId: number,
    seq: number,
    uuid: string,
    atMs: number,
    action: string,
    entityType: string,
    entityId: string,
    detailHash: Uint8Array,
    piiHash: Uint8Array,
    prevHash: Uint8Array,
    hash: Uint8Array,
  ]
>(
  "audit.insert",
  `INSERT INTO audit (tenant_id, seq, uuid, at_ms, action, entity_type, entity_id,
     detail_hash, pii_hash, prev_hash, hash)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`,
);

export const auditDetailInsert = statement<
  [
    tenantId: number,
    seq: number,
    actorType: string,
    actorId: string,
    traceId: string | null,
    detailSalt: Uint8Array,
    detail: string,
    piiSalt: Uint8Array | null,
    pii: string | null,
  ]
>(
  "audit.detailInsert",
  `INSERT INTO audit_detail (tenant_id, seq, actor_type, actor_id, trace_id,
     detail_salt, detail, pii_salt, pii, redacted)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)`,
);

/** Records above `afterSeq`, in order, for walking the chain. */
export const auditPage = statement<[tenantId: number, afterSeq: number, limit: number], AuditRow>(
  "audit.page",
  `SELECT a.seq, a.uuid, a.at_ms, a.action, a.entity_type, a.entity_id, a.detail_hash, a.pii_hash,
     a.prev_hash, a.hash, d.detail_salt, d.detail, d.pii_salt, d.pii, d.redacted
   FROM audit a LEFT JOIN audit_detail d ON d.tenant_id = a.tenant_id AND d.seq = a.seq
   WHERE a.tenant_id = ?1 AND a.seq > ?2 ORDER BY a.seq LIMIT ?3`,
);
