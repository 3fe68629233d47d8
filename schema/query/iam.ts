/** Statements on `tenant`, `user_account` and `membership`. */
import { statement } from "./statement.ts";

export interface TenantRow {
  tenant_id: number;
  uuid: string;
  slug: string;
  name: string;
  type: "platform" | "partner" | "client";
  currency: string;
  timezone: string;
  created_at_ms: number;
}

const columns = "tenant_id, uuid, slug, name, type, currency, timezone, created_at_ms";

export const tenantBySlug = statement<[slug: string], TenantRow>(
  "iam.tenantBySlug",
  `SELECT ${columns} FROM tenant WHERE slug = ?1`,
);

export const tenantPage = statement<[afterId: number, limit: number], TenantRow>(
  "iam.tenantPage",
  `SELECT ${columns} FROM tenant WHERE tenant_id > ?1 ORDER BY tenant_id LIMIT ?2`,
);

export const tenantInsert = statement<
  [
    uuid: string,
    slug: string,
    name: string,
    type: string,
    parentId: number | null,
    currency: string,
    timezone: string,
    nowMs: number,
  ]
>(
  "iam.tenantInsert",
  `INSERT INTO tenant (uuid, slug, name, type, parent_id, currency, timezone, policy_version,
     blocklist_version, created_at_ms, updated_at_ms, version)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 0, ?8, ?8, 1)`,
);

export const userByEmail = statement<[email: string], { user_no: number; uuid: string }>(
  "iam.userByEmail",
  "SELECT user_no, uuid FROM user_account WHERE email = ?1",
);

export const userInsert = statement<
  [uuid: string, email: string, name: string | null, passwordHash: string, nowMs: number]
>(
  "iam.userInsert",
  `INSERT INTO user_account (uuid, email, name, password_hash, created_at_ms, updated_at_ms, version)
   VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1)`,
);

export const membershipInsert = statement<
  [tenantId: number, userNo: number, role: string, nowMs: number]
>(
  "iam.membershipInsert",
  `INSERT INTO membership (tenant_id, user_no, role, created_at_ms) VALUES (?1, ?2, ?3, ?4)`,
);
