/**
 * What the server writes down beside every change, in bulk: audit records, each sealed to the one
 * before with the server's own hashes, and the log of published events.
 */
import {
  auditDetailInsert,
  auditHead,
  auditInsert,
  auditTenant,
} from "../../schema/query/audit.ts";
import { publishedInsert } from "../../schema/query/published.ts";
import {
  type AuditRecord,
  auditSaltBytes,
  commitment,
  detailText,
  linkHash,
  zeroHash,
} from "../../src/domain/audit.ts";
import { uuidBytes } from "../../src/domain/uuid.ts";
import type { Random } from "../../src/system/random.ts";
import type { Bulk } from "./bulk.ts";

/** A record without personal parts. */
export type Told = Omit<AuditRecord, "tenantId" | "entityType" | "entityId"> & {
  readonly entityType: string;
  readonly entityId: string;
};

export class Record {
  readonly #tenant: Uint8Array;
  readonly #insert;
  readonly #insertDetail;
  readonly #publish;
  #seq: number;
  #hash: Uint8Array;

  constructor(
    bulk: Bulk,
    readonly tenantId: number,
    readonly random: Random,
  ) {
    const tenant = bulk.get(auditTenant, tenantId);
    if (tenant === undefined) throw new Error(`no tenant ${tenantId}`);
    const head = bulk.get(auditHead, tenantId);
    this.#tenant = uuidBytes(tenant.uuid);
    this.#seq = head?.seq ?? 0;
    this.#hash = head?.hash ?? zeroHash;
    this.#insert = bulk.use(auditInsert);
    this.#insertDetail = bulk.use(auditDetailInsert);
    this.#publish = bulk.use(publishedInsert);
  }

  /** Appends to the tenant's chain. Returns the record's number. */
  append(told: Told): number {
    const { tenantId, random } = this;
    const { atMs, action, entityType, entityId, actor } = told;
    const uuid = random.uuid(atMs);
    const salt = random.bytes(auditSaltBytes);
    const detail = detailText({ ...told, tenantId });
    const detailHash = commitment(salt, detail);
    const prevHash = this.#hash;
    this.#seq += 1;
    const seq = this.#seq;
    const what = { seq, id: uuidBytes(uuid), atMs, action, entityType, entityId };
    const hashes = { detailHash, piiHash: zeroHash, prevHash };
    this.#hash = linkHash({ tenant: this.#tenant, ...what, ...hashes });
    const sealed = [detailHash, zeroHash, prevHash, this.#hash] as const;
    this.#insert(tenantId, seq, uuid, atMs, action, entityType, entityId, ...sealed);
    this.#insertDetail(tenantId, seq, actor.type, actor.id, null, salt, detail, null, null);
    return seq;
  }

  publish(type: string, data: object, atMs: number): void {
    this.#publish(this.random.uuid(atMs), this.tenantId, type, JSON.stringify(data), atMs);
  }
}
