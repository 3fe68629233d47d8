/**
 * Roles of a tenant, and the rule that nobody gives what they lack. Which roles a user has is the
 * account's; what a caller may do with theirs is decided elsewhere.
 */
import { customRolesMax } from "../../../schema/bound.ts";
import { type By, type Holder, recordedBy } from "../../domain/by.ts";
import {
  builtInRoles,
  covers,
  escalation,
  ownerRole,
  type PermissionEntry,
  permissionCatalogue,
  permissionFaults,
} from "../../domain/permission.ts";
import { checkVersion, type FieldFault, invalid, Problem } from "../../domain/problem.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import * as rows from "./store.ts";

export type { Role } from "./store.ts";

export interface RoleDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  readonly access: { forget(tx: Writer, what: { readonly tenantId: number }): void };
}

export interface RoleDraft {
  readonly name: string;
  /** Default: the name. */
  readonly displayName?: string;
  readonly description?: string | null;
  readonly permissions: readonly string[];
}

export interface RoleChange {
  readonly displayName?: string;
  readonly description?: string | null;
  readonly permissions?: readonly string[];
  readonly version: number;
}

export type RoleService = ReturnType<typeof roleService>;

export function roleService({ store, random, audit, event, access }: RoleDeps) {
  /** The roles that a tenant has from its beginning. */
  async function openTenant(tx: Writer, tenantId: number, nowMs: number): Promise<void> {
    for (const role of builtInRoles) {
      const made = { uuid: random.uuid(nowMs), tenantId, ...role };
      await rows.insertRole(tx, { ...made, builtIn: true, createdBy: "system" }, nowMs);
    }
  }

  /**
   * The union of what these roles grant.
   * @throws Problem validation-error: no such role in the tenant (`field` names the list)
   */
  async function permissionsOf(
    q: Reader,
    tenantId: number,
    names: readonly string[],
    field = "roles",
  ): Promise<readonly string[]> {
    const grants = await rows.grantsOf(q, tenantId);
    const faults: FieldFault[] = [];
    const union = new Set<string>();
    for (const [at, name] of names.entries()) {
      const granted = grants.get(name);
      if (granted === undefined) faults.push(unknownRole(`${field}[${at}]`));
      else for (const one of granted) union.add(one);
    }
    if (faults.length > 0) throw invalid(faults);
    return [...union];
  }

  /**
   * Whether a holder may give these roles of a tenant. `owner` is passed on by transfer alone: to one
   * who does not have it it is out of reach, and the owner cannot be two.
   * @throws Problem permission-escalation · owner-protected · validation-error (no such role)
   */
  async function checkGiven(
    q: Reader,
    tenantId: number,
    names: readonly string[],
    holder: Holder,
  ): Promise<void> {
    const wanted = await permissionsOf(q, tenantId, names);
    if (names.includes(ownerRole)) {
      if (holder.isOwner) {
        throw new Problem("owner-protected", "A tenant has one owner: transfer the ownership.");
      }
      throw new Problem("permission-escalation", "Only the owner can pass on the ownership.");
    }
    checkLacked(holder, wanted);
  }

  /** Newest first, below a number. */
  const list = (tenantId: number, belowNo: number, limit: number): Promise<rows.Role[]> =>
    store.read((q) => rows.pageRoles(q, tenantId, belowNo, limit));

  const count = (tenantId: number): Promise<number> =>
    store.read(async (q) => (await rows.countRoles(q, tenantId)).count);

  /** @throws Problem not-found */
  const get = (tenantId: number, uuid: string): Promise<rows.Role> =>
    store.read((q) => must(q, tenantId, uuid));

  /**
   * A role of the tenant's own.
   * @throws Problem already-exists (name) · permission-escalation · ids-exhausted · validation-error
   */
  async function create(
    tx: Writer,
    tenantId: number,
    draft: RoleDraft,
    holder: Holder,
    by: By,
    nowMs: number,
  ): Promise<rows.Role> {
    const { name, displayName = name, description = null, permissions } = draft;
    checkPermissions(permissions);
    checkLacked(holder, permissions);
    if ((await rows.grantsOf(tx, tenantId)).has(name)) {
      throw new Problem("already-exists", "There is a role of this name.", { field: "name" });
    }
    if ((await rows.countRoles(tx, tenantId)).custom >= customRolesMax) {
      throw new Problem(
        "ids-exhausted",
        `A tenant has at most ${customRolesMax} roles of its own.`,
      );
    }
    const uuid = random.uuid(nowMs);
    const texts = { name, displayName, description, permissions };
    const row = { uuid, tenantId, ...texts, builtIn: false, createdBy: by.actor.id };
    await rows.insertRole(tx, row, nowMs);
    // The roles of a tenant are kept as one: without it the new one would grant nothing to a key.
    access.forget(tx, { tenantId });
    const role = await must(tx, tenantId, uuid);
    await tell(tx, "auth.role.created", tenantId, role, undefined, by, nowMs);
    return role;
  }

  /** @throws Problem not-found · wrong-state (built-in) · version-conflict · permission-escalation */
  async function update(
    tx: Writer,
    tenantId: number,
    uuid: string,
    { version, ...change }: RoleChange,
    holder: Holder,
    by: By,
    nowMs: number,
  ): Promise<rows.Role> {
    const before = await must(tx, tenantId, uuid);
    refuseBuiltIn(before);
    checkVersion(version, before.version);
    if (change.permissions !== undefined) {
      checkPermissions(change.permissions);
      const kept = new Set(before.permissions);
      checkLacked(
        holder,
        change.permissions.filter((one) => !kept.has(one)),
      );
    }
    await rows.updateRole(tx, tenantId, { ...before, ...change }, nowMs);
    access.forget(tx, { tenantId });
    const role = await must(tx, tenantId, uuid);
    await tell(tx, "auth.role.updated", tenantId, role, before, by, nowMs);
    return role;
  }

  /** @throws Problem not-found · wrong-state (built-in, or still given to somebody) */
  async function remove(
    tx: Writer,
    tenantId: number,
    uuid: string,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const role = await must(tx, tenantId, uuid);
    refuseBuiltIn(role);
    if (role.users > 0 || (await rows.namedBy(tx, tenantId, role.name, nowMs)) > 0) {
      const detail = "The role is still given to users, API keys or invitations.";
      throw new Problem("wrong-state", detail, { members: { state: "assigned" } });
    }
    await rows.deleteRole(tx, tenantId, role.roleNo);
    access.forget(tx, { tenantId });
    await tell(tx, "auth.role.deleted", tenantId, role, role, by, nowMs);
  }

  async function tell(
    tx: Writer,
    type: string,
    tenantId: number,
    { uuid: roleId, name, displayName, description, permissions }: rows.Role,
    before: rows.Role | undefined,
    by: By,
    atMs: number,
  ): Promise<void> {
    const after = { name, displayName, description, permissions };
    await audit.append(tx, {
      ...{ tenantId, atMs, action: type, entityType: "role", entityId: roleId },
      ...recordedBy(by),
      ...(before && {
        before: {
          name,
          displayName: before.displayName,
          description: before.description,
          permissions: before.permissions,
        },
      }),
      ...(type !== "auth.role.deleted" && { after }),
    });
    await event.publish(tx, { tenantId, type, data: { roleId, name, permissions }, atMs });
  }

  /** Every permission there is to grant, by name; of one module alone where it is named. */
  const permissions = (module?: string): readonly PermissionEntry[] =>
    module === undefined
      ? permissionCatalogue
      : permissionCatalogue.filter((entry) => entry.module === module);

  return {
    ...{ openTenant, permissionsOf, checkGiven, permissions },
    ...{ list, count, get, create, update, remove },
  };
}

const unknownRole = (field: string): FieldFault => ({
  field,
  message: "Must be a role of the tenant",
  code: "NOT_ALLOWED",
});

/** @throws Problem validation-error */
function checkPermissions(permissions: readonly string[]): void {
  const faults = permissionFaults(permissions);
  if (faults.length > 0) throw invalid(faults);
}

/** @throws Problem permission-escalation */
function checkLacked(holder: Holder, wanted: readonly string[]): void {
  const lacked = escalation(holder.permissions, wanted, holder.isPlatformOwner);
  if (lacked.length === 0) return;
  throw new Problem("permission-escalation", `You do not hold ${lacked.slice(0, 5).join(", ")}.`);
}

/** Whether `held` goes beyond what the holder has. */
export const exceeds = (held: readonly string[], holder: Holder): boolean =>
  held.some((one) => !covers(holder.permissions, one, holder.isPlatformOwner));

function refuseBuiltIn({ builtIn }: rows.Role): void {
  if (!builtIn) return;
  throw new Problem("wrong-state", "Built-in roles stay as they are.", {
    members: { state: "builtIn" },
  });
}

async function must(q: Reader, tenantId: number, uuid: string): Promise<rows.Role> {
  const role = await rows.findRole(q, tenantId, uuid);
  if (role === undefined) throw new Problem("not-found", "There is no such role.");
  return role;
}
