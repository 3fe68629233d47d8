/** Tenants, users and memberships as rows. */
import {
  membershipInsert,
  type TenantRow,
  tenantBySlug,
  tenantInsert,
  tenantPage,
  userByEmail,
  userInsert,
} from "../../../schema/query/iam.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export type TenantType = "platform" | "partner" | "client";

export interface Tenant {
  readonly tenantId: number;
  readonly uuid: string;
  readonly slug: string;
  readonly name: string;
  readonly type: TenantType;
  readonly currency: string;
  readonly timezone: string;
  readonly createdAtMs: number;
}

const tenantOf = (row: TenantRow): Tenant => ({
  tenantId: row.tenant_id,
  uuid: row.uuid,
  slug: row.slug,
  name: row.name,
  type: row.type,
  currency: row.currency,
  timezone: row.timezone,
  createdAtMs: row.created_at_ms,
});

export async function findTenant(q: Reader, slug: string): Promise<Tenant | undefined> {
  const row = await q.get(tenantBySlug, slug);
  return row && tenantOf(row);
}

/** Tenants in the order of their making, from the one after `afterId`. */
export async function pageTenants(q: Reader, afterId: number, limit: number): Promise<Tenant[]> {
  return (await q.all(tenantPage, afterId, limit)).map(tenantOf);
}

export interface NewTenant {
  readonly uuid: string;
  readonly slug: string;
  readonly name: string;
  readonly type: TenantType;
  readonly parentId: number | null;
  readonly currency: string;
  readonly timezone: string;
}

export async function insertTenant(tx: Writer, t: NewTenant, nowMs: number): Promise<void> {
  await tx.run(
    tenantInsert,
    t.uuid,
    t.slug,
    t.name,
    t.type,
    t.parentId,
    t.currency,
    t.timezone,
    nowMs,
  );
}

export async function findUser(q: Reader, email: string) {
  const row = await q.get(userByEmail, email);
  return row && { userNo: row.user_no, uuid: row.uuid };
}

export async function insertUser(
  tx: Writer,
  uuid: string,
  email: string,
  passwordHash: string,
  nowMs: number,
): Promise<void> {
  await tx.run(userInsert, uuid, email, null, passwordHash, nowMs);
}

export async function insertMembership(
  tx: Writer,
  tenantId: number,
  userNo: number,
  role: string,
  nowMs: number,
): Promise<void> {
  await tx.run(membershipInsert, tenantId, userNo, role, nowMs);
}
