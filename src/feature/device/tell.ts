/** What is told of a device or a zone: the audit record and the event, in the transaction of the change. */
import type { AuditJson } from "../../domain/audit.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import type { Writer } from "../../store/seam.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { Device, Zone } from "./store.ts";

export interface TellDeps {
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
}

export interface Told {
  readonly before?: AuditJson;
  readonly after?: AuditJson;
  readonly metadata?: AuditJson;
}

export async function tellDevice(
  { audit, event }: TellDeps,
  tx: Writer,
  type: string,
  tenantId: number,
  device: Device,
  by: By,
  atMs: number,
  { metadata, ...told }: Told = {},
): Promise<void> {
  const { id, deviceId, terminalId, role, zoneId } = device;
  const recorded = recordedBy(by);
  await audit.append(tx, {
    ...{ tenantId, atMs, action: type, entityType: "device", entityId: id },
    ...recorded,
    ...told,
    metadata: { deviceId, terminalId, role, ...metadata, ...recorded.metadata },
  });
  const actor = { type: by.actor.type, id: by.actor.id };
  const data = { deviceId, terminalId, role, zoneId, actor };
  await event.publish(tx, { tenantId, type, data, atMs });
}

export async function tellZone(
  { audit, event }: TellDeps,
  tx: Writer,
  change: "created" | "renamed" | "deleted",
  tenantId: number,
  zone: Pick<Zone, "id">,
  by: By,
  atMs: number,
  told: Told,
): Promise<void> {
  const type = "fleet.zone.changed";
  const recorded = recordedBy(by);
  await audit.append(tx, {
    ...{ tenantId, atMs, action: type, entityType: "zone", entityId: zone.id },
    ...recorded,
    ...told,
    metadata: { change, ...recorded.metadata },
  });
  await event.publish(tx, { tenantId, type, data: { zoneId: zone.id, change }, atMs });
}
