/** What is told of a change of a wallet: an audit record with balances before and after, and an event. */
import type { AuditJson } from "../../domain/audit.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import type { Writer } from "../../store/seam.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";

export interface TellDeps {
  readonly audit: Pick<AuditService, "append">;
  readonly event: Pick<EventService, "publish">;
}

export interface Telling {
  readonly tenantId: number;
  /** The event's type, which is the audit action too. */
  readonly type: string;
  readonly entityType: "transaction" | "wallet";
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
