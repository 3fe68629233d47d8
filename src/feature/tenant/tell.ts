/** What is told of a tenant's changes: to the tenant itself, and to the one above it. */
import { type By, recordedBy } from "../../domain/by.ts";
import type { Writer } from "../../store/seam.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { Tenant } from "./store.ts";

export interface Telling {
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
}

export type TenantChange =
  | "created"
  | "updated"
  | "blocked"
  | "unblocked"
  | "deleted"
  | "transferred";

type Facts = Readonly<Record<string, unknown>>;

export interface Told {
  readonly change: TenantChange;
  readonly tenant: Tenant;
  /** Row of the tenant above; undefined for the root. */
  readonly parentId: number | undefined;
  readonly fields?: readonly string[];
  readonly before?: Facts;
  readonly after?: Facts;
}

/** Audit and event in the transaction of the change, in both tenants. */
export async function tellTenant(
  { audit, event }: Telling,
  tx: Writer,
  { change, tenant, parentId, fields = [], before, after }: Told,
  by: By,
  atMs: number,
): Promise<void> {
  const { tenantId, uuid, parentUuid, name } = tenant;
  const type = `auth.tenant.${change}`;
  const data = { tenantId: uuid, parentId: parentUuid, name, fields };
  for (const to of parentId === undefined ? [tenantId] : [tenantId, parentId]) {
    await audit.append(tx, {
      ...{ tenantId: to, atMs, action: type, entityType: "tenant", entityId: uuid },
      ...recordedBy(by),
      ...(before && { before }),
      ...(after && { after }),
    });
    await event.publish(tx, { tenantId: to, type, data, atMs });
  }
}

/** That somebody has other roles than before. */
export async function tellRoles(
  { audit, event }: Telling,
  tx: Writer,
  tenantId: number,
  {
    userId,
    oldRoles,
    newRoles,
  }: { userId: string; oldRoles: readonly string[]; newRoles: readonly string[] },
  by: By,
  atMs: number,
): Promise<void> {
  const type = "auth.role.changed";
  await audit.append(tx, {
    ...{ tenantId, atMs, action: type, entityType: "user", entityId: userId },
    ...recordedBy(by),
    before: { roles: oldRoles },
    after: { roles: newRoles },
  });
  await event.publish(tx, { tenantId, type, data: { userId, oldRoles, newRoles }, atMs });
}
