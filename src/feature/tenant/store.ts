/** Tenants, and who is below whom, as rows. */
import {
  closureInsert,
  type TenantRow,
  tenantBelow,
  tenantBelowCount,
  tenantById,
  tenantBySlug,
  tenantCard,
  tenantChild,
  tenantDay,
  tenantInsert,
  tenantMoney,
  tenantNo,
  tenantOwner,
  tenantPage,
  tenantReached,
  tenantStatus,
  tenantUpdate,
  tenantWallet,
} from "../../../schema/query/tenant.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export type TenantType = TenantRow["type"];
export type TenantStatus = TenantRow["status"];

export interface Tenant {
  readonly tenantId: number;
  readonly uuid: string;
  readonly slug: string;
  readonly name: string;
  readonly type: TenantType;
  /** Uuid; null for the root. */
  readonly parentUuid: string | null;
  /** The root stands at 0. */
  readonly depth: number;
  readonly status: TenantStatus;
  readonly logoUrl: string | null;
  readonly currency: string;
  readonly timezone: string;
  readonly locale: string;
  /** Uuid of a user; null where the command line made it without one. */
  readonly ownerUuid: string | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly version: number;
}

const tenantOf = (row: TenantRow): Tenant => ({
  tenantId: row.tenant_id,
  uuid: row.uuid,
  slug: row.slug,
  name: row.name,
  type: row.type,
  parentUuid: row.parent_uuid,
  depth: row.depth,
  status: row.status,
  logoUrl: row.logo_url,
  currency: row.currency,
  timezone: row.timezone,
  locale: row.locale,
  ownerUuid: row.owner_uuid,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
  version: row.version,
});

export async function findTenant(q: Reader, slug: string): Promise<Tenant | undefined> {
  const row = await q.get(tenantBySlug, slug);
  return row && tenantOf(row);
}

/** @throws Error there is none of this number */
export async function mustTenant(q: Reader, tenantId: number): Promise<Tenant> {
  const row = await q.get(tenantById, tenantId);
  if (row === undefined) throw new Error("a tenant that must be there is not");
  return tenantOf(row);
}

/** Tenants in the order of their making, from the one after `afterId`. */
export async function pageTenants(q: Reader, afterId: number, limit: number): Promise<Tenant[]> {
  return (await q.all(tenantPage, afterId, limit)).map(tenantOf);
}

/** The tenant itself or one below it, with how far. */
export async function reachTenant(
  q: Reader,
  fromId: number,
  uuid: string,
): Promise<{ tenant: Tenant; distance: number } | undefined> {
  const row = await q.get(tenantReached, fromId, uuid);
  return row && { tenant: tenantOf(row), distance: row.distance };
}

/** Those below a tenant, newest first. */
export async function tenantsBelow(
  q: Reader,
  fromId: number,
  belowId: number,
  limit: number,
): Promise<Tenant[]> {
  return (await q.all(tenantBelow, fromId, belowId, limit)).map(tenantOf);
}

export const countBelow = async (q: Reader, fromId: number): Promise<number> =>
  (await q.get(tenantBelowCount, fromId))?.count ?? 0;

export interface NewTenant {
  readonly uuid: string;
  readonly slug: string;
  readonly name: string;
  readonly type: TenantType;
  readonly parentId: number | null;
  readonly currency: string;
  readonly timezone: string;
  readonly locale: string;
}

/** The tenant with its pairs in the closure. */
export async function insertTenant(tx: Writer, t: NewTenant, nowMs: number): Promise<Tenant> {
  await tx.run(
    tenantInsert,
    t.uuid,
    t.slug,
    t.name,
    t.type,
    t.parentId,
    t.currency,
    t.timezone,
    t.locale,
    nowMs,
  );
  const made = await findTenant(tx, t.slug);
  if (made === undefined) throw new Error("a tenant that was just made is not there");
  await tx.run(closureInsert, made.tenantId, t.parentId);
  return made;
}

export async function updateTenant(
  tx: Writer,
  { tenantId, name, logoUrl, currency, timezone, locale }: Tenant,
  nowMs: number,
): Promise<void> {
  await tx.run(tenantUpdate, tenantId, name, logoUrl, currency, timezone, locale, nowMs);
}

export async function setTenantStatus(
  tx: Writer,
  tenantId: number,
  status: TenantStatus,
  reason: string | null,
  nowMs: number,
): Promise<void> {
  await tx.run(tenantStatus, tenantId, status, reason, nowMs);
}

/** What keeps a tenant as it is. */
export interface Bonds {
  readonly hasWallets: boolean;
  /** Something was counted by its local days. */
  readonly hasDays: boolean;
  readonly hasMoney: boolean;
  readonly hasChildren: boolean;
}

export async function bondsOf(q: Reader, tenantId: number): Promise<Bonds> {
  return {
    hasWallets:
      (await q.get(tenantWallet, tenantId)) !== undefined ||
      (await q.get(tenantCard, tenantId)) !== undefined,
    hasDays: (await q.get(tenantDay, tenantId)) !== undefined,
    hasMoney: (await q.get(tenantMoney, tenantId)) !== undefined,
    hasChildren: (await q.get(tenantChild, tenantId)) !== undefined,
  };
}

export interface Owner {
  readonly userNo: number;
  readonly uuid: string;
  readonly membershipNo: number;
  readonly passwordHash: string | null;
}

export async function ownerOf(q: Reader, tenantId: number): Promise<Owner | undefined> {
  const row = await q.get(tenantOwner, tenantId);
  return (
    row && {
      userNo: row.user_no,
      uuid: row.uuid,
      membershipNo: row.membership_no,
      passwordHash: row.password_hash,
    }
  );
}

/** The tenant's row by its uuid, whoever asks. */
export async function parentOf(q: Reader, uuid: string): Promise<{ tenantId: number } | undefined> {
  const row = await q.get(tenantNo, uuid);
  return row && { tenantId: row.tenant_id };
}
