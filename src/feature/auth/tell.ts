/**
 * Telling what happened to a person: one audit record and one event of the same name in each tenant
 * that it concerns, in the transaction of the change.
 */
import type { AuditJson } from "../../domain/audit.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import type { Writer } from "../../store/seam.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";

export interface TellDeps {
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
}

export interface Told {
  readonly type: string;
  /** Whom it concerns; each tenant has its own record. */
  readonly tenantIds: readonly number[];
  /** Uuid of the user that it happened to; empty: nobody who is known here. */
  readonly userId: string;
  readonly by: By;
  /** Data of the event; null: the record alone is written. */
  readonly data: AuditJson | null;
  readonly before?: AuditJson;
  readonly after?: AuditJson;
  readonly metadata?: AuditJson;
}

export type Tell = (tx: Writer, told: Told, atMs: number) => Promise<void>;

export const teller =
  ({ audit, event }: TellDeps): Tell =>
  async (tx, { type, tenantIds, userId, by, data, before, after, metadata }, atMs) => {
    const recorded = recordedBy(by);
    const facts = { ...recorded.metadata, ...metadata };
    for (const tenantId of tenantIds) {
      await audit.append(tx, {
        ...{ tenantId, atMs, action: type, entityType: "user", entityId: userId },
        ...recorded,
        ...(before !== undefined && { before }),
        ...(after !== undefined && { after }),
        ...(Object.keys(facts).length > 0 && { metadata: facts }),
      });
      if (data !== null) await event.publish(tx, { tenantId, type, data, atMs });
    }
  };
