/** Statements on `tenant` and its closure, and the looks at what keeps a tenant from being changed. */
import { statement } from "./statement.ts";

export interface TenantRow {
  tenant_id: number;
  uuid: string;
  slug: string;
  name: string;
  type: "platform" | "partner" | "client";
  parent_uuid: string | null;
  depth: number;
  status: "active" | "blocked" | "deleted";
  logo_url: string | null;
  currency: string;
  timezone: string;
  locale: string;
  owner_uuid: string | null;
  created_at_ms: number;
  updated_at_ms: number;
  version: number;
}

const columns = `t.tenant_id, t.uuid, t.slug, t.name, t.type, p.uuid AS parent_uuid, t.depth, t.status,
  t.logo_url, t.currency, t.timezone, t.locale, t.created_at_ms, t.updated_at_ms, t.version,
  (SELECT u.uuid FROM tenant_owner o JOIN membership m ON m.membership_no = o.membership_no
   JOIN user_account u ON u.user_no = m.user_no WHERE o.tenant_id = t.tenant_id) AS owner_uuid`;
const joined = "tenant t LEFT JOIN tenant p ON p.tenant_id = t.parent_id";

export const tenantBySlug = statement<[slug: string], TenantRow>(
  "tenant.bySlug",
  `SELECT ${columns} FROM ${joined} WHERE t.slug = ?1`,
);

export const tenantById = statement<[tenantId: number], TenantRow>(
  "tenant.byId",
  `SELECT ${columns} FROM ${joined} WHERE t.tenant_id = ?1`,
);

/** Every tenant of the server, in the order of their making. */
export const tenantPage = statement<[afterId: number, limit: number], TenantRow>(
  "tenant.page",
  `SELECT ${columns} FROM ${joined} WHERE t.tenant_id > ?1 ORDER BY t.tenant_id LIMIT ?2`,
);

/** A tenant as seen from one above it or from itself, with how far below it is. */
export const tenantReached = statement<
  [tenantId: number, uuid: string],
  TenantRow & { distance: number }
>(
  "tenant.reached",
  `SELECT ${columns}, c.distance FROM ${joined}
   JOIN tenant_closure c ON c.ancestor_id = ?1 AND c.descendant_id = t.tenant_id WHERE t.uuid = ?2`,
);

/** Those below a tenant, newest first; deleted ones left out. */
export const tenantBelow = statement<[tenantId: number, belowId: number, limit: number], TenantRow>(
  "tenant.below",
  `SELECT ${columns} FROM tenant_closure c JOIN ${joined}
   WHERE c.ancestor_id = ?1 AND c.descendant_id < ?2 AND c.distance > 0
     AND t.tenant_id = c.descendant_id AND t.status <> 'deleted'
   ORDER BY c.descendant_id DESC LIMIT ?3`,
);

export const tenantBelowCount = statement<[tenantId: number], { count: number }>(
  "tenant.belowCount",
  `SELECT count(*) AS count FROM tenant_closure c JOIN tenant t ON t.tenant_id = c.descendant_id
   WHERE c.ancestor_id = ?1 AND c.distance > 0 AND t.status <> 'deleted'`,
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
    locale: string,
    nowMs: number,
  ]
>(
  "tenant.insert",
  `INSERT INTO tenant (uuid, slug, name, type, parent_id, depth, status, currency, timezone, locale,
     policy_version, blocklist_version, created_at_ms, updated_at_ms, version)
   VALUES (?1, ?2, ?3, ?4, ?5, coalesce((SELECT depth + 1 FROM tenant WHERE tenant_id = ?5), 0), 'active',
     ?6, ?7, ?8, 1, 0, ?9, ?9, 1)`,
);

/** Every pair of the new tenant and one above it, itself included. */
export const closureInsert = statement<[tenantId: number, parentId: number | null]>(
  "tenant.closureInsert",
  `INSERT INTO tenant_closure (ancestor_id, descendant_id, distance)
   SELECT ?1, ?1, 0 UNION ALL
   SELECT ancestor_id, ?1, distance + 1 FROM tenant_closure WHERE descendant_id = ?2`,
);

export const tenantUpdate = statement<
  [
    tenantId: number,
    name: string,
    logoUrl: string | null,
    currency: string,
    timezone: string,
    locale: string,
    nowMs: number,
  ]
>(
  "tenant.update",
  // Devices are told currency and time zone with their policy.
  `UPDATE tenant SET name = ?2, logo_url = ?3, currency = ?4, timezone = ?5, locale = ?6,
     policy_version = policy_version + (currency <> ?4 OR timezone <> ?5),
     updated_at_ms = ?7, version = version + 1
   WHERE tenant_id = ?1`,
);

export const tenantStatus = statement<
  [tenantId: number, status: string, reason: string | null, nowMs: number]
>(
  "tenant.status",
  `UPDATE tenant SET status = ?2, block_reason = ?3, updated_at_ms = ?4, version = version + 1
   WHERE tenant_id = ?1`,
);

/** A wallet of the tenant, if there is any. */
export const tenantWallet = statement<[tenantId: number], { found: number }>(
  "tenant.wallet",
  "SELECT 1 AS found FROM wallet WHERE tenant_id = ?1 LIMIT 1",
);

/** Card wallets have no row of their own. */
export const tenantCard = statement<[tenantId: number], { found: number }>(
  "tenant.card",
  "SELECT 1 AS found FROM card WHERE tenant_id = ?1 LIMIT 1",
);

/** Something that was counted by the tenant's local days. */
export const tenantDay = statement<[tenantId: number], { found: number }>(
  "tenant.day",
  "SELECT 1 AS found FROM settlement WHERE tenant_id = ?1 LIMIT 1",
);

/** A wallet that is not empty: cash goes below zero with the first money that comes in. */
export const tenantMoney = statement<[tenantId: number], { found: number }>(
  "tenant.money",
  `SELECT 1 AS found FROM wallet WHERE tenant_id = ?1
     AND (available <> 0 OR pending <> 0 OR frozen <> 0) LIMIT 1`,
);

export const tenantChild = statement<[tenantId: number], { found: number }>(
  "tenant.child",
  "SELECT 1 AS found FROM tenant WHERE parent_id = ?1 AND status <> 'deleted' LIMIT 1",
);

export const tenantOwner = statement<
  [tenantId: number],
  { user_no: number; uuid: string; membership_no: number; password_hash: string | null }
>(
  "tenant.owner",
  `SELECT u.user_no, u.uuid, m.membership_no, u.password_hash FROM tenant_owner o
   JOIN membership m ON m.membership_no = o.membership_no
   JOIN user_account u ON u.user_no = m.user_no WHERE o.tenant_id = ?1`,
);

export const tenantNo = statement<[uuid: string], { tenant_id: number }>(
  "tenant.no",
  "SELECT tenant_id FROM tenant WHERE uuid = ?1",
);
