/** What is told of a change of a wallet: an audit record with balances before and after, and an event. */
import type { AuditJson } from "../../domain/audit.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import type { Writer } from "../../store/seam.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";

export interface TellDeps {
  readonly audit: Pick<AuditService, "append">;
  readonly event: Pick<EventService, "publish" | "publishAll">;
}

export interface Telling {
  readonly tenantId: number;
  /** The event's type, which is the audit action too. */
  readonly type: string;
  readonly entityType: "transaction" | "wallet" | "batch";
  readonly entityId: string;
  readonly by: By;
  readonly atMs: number;
  readonly before?: AuditJson;
  readonly after?: AuditJson;
  /** Further facts of the record. */
  readonly facts?: AuditJson;
  /** Data of the event; none is published without it. */
  readonly data?: AuditJson;
}

/** In the transaction of the change. */
export async function tellOf(
  { audit, event }: TellDeps,
  tx: Writer,
  { tenantId, type, entityType, entityId, by, atMs, before, after, facts, data }: Telling,
): Promise<void> {
  const { metadata, ...recorded } = recordedBy(by);
  const more = metadata === undefined ? facts : { ...metadata, ...facts };
  await audit.append(tx, {
    tenantId,
    atMs,
    action: type,
    entityType,
    entityId,
    ...recorded,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    ...(more !== undefined && { metadata: more }),
  });
  if (data !== undefined) await event.publish(tx, { tenantId, type, data, atMs });
}

/** The facts of one transaction of a batch, for its record. */
const lineOf = ({ entityId, facts }: Telling): AuditJson => ({ transactionId: entityId, ...facts });

/**
 * Of a batch: an event each, and one record of the whole, which names every transaction and holds the
 * balances of every account before the first and after the last.
 */
export async function tellAll(
  { audit, event }: TellDeps,
  tx: Writer,
  batchId: string,
  all: readonly Telling[],
): Promise<void> {
  const [first] = all;
  if (first === undefined) return;
  const { tenantId, type, by, atMs } = first;
  const before: Record<string, unknown> = {};
  const after: Record<string, unknown> = {};
  const events = all.map(({ before: b = {}, after: a = {}, data = {} }) => {
    for (const id in b) before[id] ??= b[id];
    Object.assign(after, a);
    return { tenantId, type, data, atMs };
  });
  const { metadata, ...recorded } = recordedBy(by);
  await audit.append(tx, {
    ...{ tenantId, atMs, action: type, entityType: "batch", entityId: batchId },
    ...{ ...recorded, before, after },
    metadata: { ...metadata, transactions: all.map(lineOf) },
  });
  await event.publishAll(tx, tenantId, events);
}
