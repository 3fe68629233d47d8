/** Changing a tenant that is there: its settings, blocking, deleting, and passing on the ownership. */
import type { By } from "../../domain/by.ts";
import { adminRole, ownerRole } from "../../domain/permission.ts";
import { checkVersion, invalid, Problem } from "../../domain/problem.ts";
import { localeOf } from "../../domain/tenant.ts";
import type { Reader, Writer } from "../../store/seam.ts";
import type { AccountService } from "../account/service.ts";
import * as rows from "./store.ts";
import { type Telling, tellRoles, tellTenant } from "./tell.ts";

export interface ChangeDeps extends Telling {
  readonly account: AccountService;
  readonly access: {
    forget(tx: Writer, what: { readonly tenantId?: number; readonly userNo?: number }): void;
  };
  /** Told with the COMMIT of a tenant whose currency or time zone changed. */
  readonly settingsChanged: readonly ((tenantId: number) => void)[];
  /** What ends with a tenant: its devices. */
  readonly closeTenant: readonly ((
    tx: Writer,
    tenantId: number,
    by: By,
    nowMs: number,
  ) => Promise<void>)[];
}

export interface TenantSettings {
  readonly name?: string;
  readonly logoUrl?: string | null;
  /** IANA. */
  readonly timezone?: string;
  /** BCP 47. */
  readonly locale?: string;
  /** ISO 4217. */
  readonly currency?: string;
  readonly version?: number;
}

export interface Transfer {
  /** Uuid of the one who gets it. */
  readonly userId: string;
  /** Uuid of the owner, whose password was right, and the hash that it was right for. */
  readonly ownerId: string;
  readonly passwordHash: string;
}

const state = (tenant: rows.Tenant, detail: string): Problem =>
  new Problem("wrong-state", detail, { members: { state: tenant.status } });

export function tenantChanges(deps: ChangeDeps) {
  const { account, access, settingsChanged, closeTenant } = deps;

  /**
   * The tenant of a caller, or one below it, with how far: `current` is the caller's own.
   * @throws Problem not-found
   */
  async function reach(
    q: Reader,
    fromId: number,
    id: string,
  ): Promise<{ tenant: rows.Tenant; distance: number }> {
    if (id === "current") return { tenant: await rows.mustTenant(q, fromId), distance: 0 };
    const found = await rows.reachTenant(q, fromId, id);
    if (found === undefined) throw new Problem("not-found", "There is no such tenant.");
    return found;
  }

  async function parentOf(q: Reader, { parentUuid }: rows.Tenant): Promise<number | undefined> {
    if (parentUuid === null) return undefined;
    return (await rows.parentOf(q, parentUuid))?.tenantId;
  }

  /** @throws Problem version-conflict · wrong-state (deleted; wallets or days rest on the old value) */
  async function update(
    tx: Writer,
    before: rows.Tenant,
    { version, ...given }: TenantSettings,
    by: By,
    nowMs: number,
  ): Promise<rows.Tenant> {
    if (before.status === "deleted") throw state(before, "The tenant is deleted.");
    checkVersion(version, before.version);
    const { locale } = given;
    const change = {
      ...given,
      ...(locale !== undefined && { locale: localeOf(locale) ?? locale }),
    };
    const after = { ...before, ...change };
    const bonds = await rows.bondsOf(tx, before.tenantId);
    if (after.currency !== before.currency && bonds.hasWallets) {
      throw state(before, "The currency stays as it is once there is a wallet.");
    }
    if (after.timezone !== before.timezone && bonds.hasDays) {
      throw state(before, "The time zone stays as it is once days were counted by it.");
    }
    await rows.updateTenant(tx, after, nowMs);
    access.forget(tx, { tenantId: before.tenantId });
    if (after.currency !== before.currency || after.timezone !== before.timezone) {
      tx.onCommit(() => {
        for (const told of settingsChanged) told(before.tenantId);
      });
    }
    const fields = Object.keys(change) as (keyof typeof change)[];
    const values = (from: rows.Tenant) =>
      Object.fromEntries(fields.map((field) => [field, from[field]]));
    await tellTenant(
      deps,
      tx,
      {
        ...{ change: "updated", tenant: after, parentId: await parentOf(tx, before), fields },
        ...{ before: values(before), after: values(after) },
      },
      by,
      nowMs,
    );
    return await rows.mustTenant(tx, before.tenantId);
  }

  /** The root and one's own tenant are out of reach. @throws Problem wrong-state */
  function refuseOwn(tenant: rows.Tenant, distance: number): void {
    if (tenant.parentUuid === null) throw state(tenant, "The root tenant stays as it is.");
    if (distance === 0) throw state(tenant, "Nobody does this to their own tenant.");
  }

  async function setStatus(
    tx: Writer,
    tenant: rows.Tenant,
    status: rows.TenantStatus,
    change: "blocked" | "unblocked" | "deleted",
    reason: string | undefined,
    by: By,
    nowMs: number,
  ): Promise<rows.Tenant> {
    const { tenantId } = tenant;
    await rows.setTenantStatus(tx, tenantId, status, reason ?? null, nowMs);
    access.forget(tx, { tenantId });
    const before = { status: tenant.status };
    const after = { status, ...(reason !== undefined && { reason }) };
    const parentId = await parentOf(tx, tenant);
    await tellTenant(deps, tx, { change, tenant, parentId, before, after }, by, nowMs);
    return await rows.mustTenant(tx, tenantId);
  }

  /** Stops its people, not its devices. @throws Problem not-found · wrong-state (root, own, not active) */
  async function block(
    tx: Writer,
    fromId: number,
    id: string,
    reason: string | undefined,
    by: By,
    nowMs: number,
  ): Promise<rows.Tenant> {
    const { tenant, distance } = await reach(tx, fromId, id);
    refuseOwn(tenant, distance);
    if (tenant.status !== "active") throw state(tenant, `The tenant is ${tenant.status}.`);
    return await setStatus(tx, tenant, "blocked", "blocked", reason, by, nowMs);
  }

  /** @throws Problem not-found · wrong-state (root, own, not blocked) */
  async function unblock(
    tx: Writer,
    fromId: number,
    id: string,
    reason: string | undefined,
    by: By,
    nowMs: number,
  ): Promise<rows.Tenant> {
    const { tenant, distance } = await reach(tx, fromId, id);
    refuseOwn(tenant, distance);
    if (tenant.status !== "blocked") throw state(tenant, `The tenant is ${tenant.status}.`);
    return await setStatus(tx, tenant, "active", "unblocked", reason, by, nowMs);
  }

  /**
   * For good; what is recorded stays.
   * @throws Problem not-found · wrong-state (root, own, deleted, tenants below it) · in-use (money)
   */
  async function remove(
    tx: Writer,
    fromId: number,
    id: string,
    reason: string | undefined,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const { tenant, distance } = await reach(tx, fromId, id);
    refuseOwn(tenant, distance);
    if (tenant.status === "deleted") throw state(tenant, "The tenant is deleted.");
    const bonds = await rows.bondsOf(tx, tenant.tenantId);
    if (bonds.hasChildren) throw state(tenant, "There are tenants below it.");
    if (bonds.hasMoney) throw new Problem("in-use", "A wallet of the tenant holds money.");
    for (const close of closeTenant) await close(tx, tenant.tenantId, by, nowMs);
    await setStatus(tx, tenant, "deleted", "deleted", reason, by, nowMs);
  }

  /**
   * Makes a member the owner; who was it becomes an admin.
   * @throws Problem invalid-credentials (changed meanwhile) · forbidden (owner no more) ·
   * validation-error (no active member)
   */
  async function transfer(
    tx: Writer,
    tenant: rows.Tenant,
    { userId, ownerId, passwordHash }: Transfer,
    by: By,
    nowMs: number,
  ): Promise<rows.Tenant> {
    const { tenantId } = tenant;
    const owner = await rows.ownerOf(tx, tenantId);
    if (owner === undefined || owner.uuid !== ownerId) throw new Problem("forbidden");
    if (owner.passwordHash !== passwordHash) throw new Problem("invalid-credentials");
    const heir = await account.byUuid(tx, userId);
    const member = heir && (await account.membership(tx, tenantId, heir.userNo));
    if (heir === undefined || member?.status !== "active" || member.isOwner) {
      const message = "Must be an active member of the tenant";
      throw invalid([{ field: "userId", message, code: "NOT_ALLOWED" }]);
    }
    const old = await account.membership(tx, tenantId, owner.userNo);
    const oldRoles = old?.roles ?? [];
    const kept = oldRoles.filter((name) => name !== ownerRole);
    const newRoles = [...new Set([...kept, adminRole])].sort();
    await account.setOwner(tx, tenantId, member.membershipNo);
    await account.setRoles(tx, tenantId, owner.membershipNo, newRoles, nowMs);
    await account.setRoles(tx, tenantId, member.membershipNo, [ownerRole], nowMs);
    for (const { userNo } of [owner, heir]) access.forget(tx, { userNo });
    access.forget(tx, { tenantId });
    const given = { userId, oldRoles: member.roles, newRoles: [ownerRole] };
    await tellRoles(deps, tx, tenantId, { userId: ownerId, oldRoles, newRoles }, by, nowMs);
    await tellRoles(deps, tx, tenantId, given, by, nowMs);
    const told = { before: { ownerId }, after: { ownerId: userId }, fields: ["ownerId"] };
    const parentId = await parentOf(tx, tenant);
    await tellTenant(deps, tx, { change: "transferred", tenant, parentId, ...told }, by, nowMs);
    return await rows.mustTenant(tx, tenantId);
  }

  return { reach, update, block, unblock, remove, transfer };
}
