/** Statements that say what somebody may do now; all only read. */
import { statement } from "./statement.ts";

export interface AccessTenantRow {
  tenant_id: number;
  uuid: string;
  slug: string;
  name: string;
  type: "platform" | "partner" | "client";
  status: "active" | "blocked" | "deleted";
  parent_id: number | null;
  logo_url: string | null;
}

const tenantColumns = "tenant_id, uuid, slug, name, type, status, parent_id, logo_url";

export const accessTenant = statement<[tenantId: number], AccessTenantRow>(
  "access.tenant",
  `SELECT ${tenantColumns} FROM tenant WHERE tenant_id = ?1`,
);

export const accessTenantByUuid = statement<[uuid: string], AccessTenantRow>(
  "access.tenantByUuid",
  `SELECT ${tenantColumns} FROM tenant WHERE uuid = ?1`,
);

/** The tenant that all others hang below. */
export const accessRoot = statement<[], { tenant_id: number }>(
  "access.root",
  "SELECT tenant_id FROM tenant WHERE parent_id IS NULL ORDER BY tenant_id LIMIT 1",
);

export interface AccessUserRow {
  user_no: number;
  uuid: string;
  email: string;
  tokens_from_ms: number;
  email_verified_at_ms: number | null;
}

const userColumns = "user_no, uuid, email, tokens_from_ms, email_verified_at_ms";

export const accessUser = statement<[userNo: number], AccessUserRow>(
  "access.user",
  `SELECT ${userColumns} FROM user_account WHERE user_no = ?1`,
);

export const accessUserByUuid = statement<[uuid: string], AccessUserRow>(
  "access.userByUuid",
  `SELECT ${userColumns} FROM user_account WHERE uuid = ?1`,
);

export const accessMember = statement<
  [tenantId: number, userNo: number],
  {
    membership_no: number;
    status: "active" | "invited" | "blocked" | "deleted";
    tokens_from_ms: number;
    is_owner: number;
  }
>(
  "access.member",
  `SELECT membership_no, status, tokens_from_ms,
     EXISTS (SELECT 1 FROM tenant_owner AS o
             WHERE o.tenant_id = m.tenant_id AND o.membership_no = m.membership_no) AS is_owner
   FROM membership AS m WHERE tenant_id = ?1 AND user_no = ?2`,
);

export const accessMemberRoles = statement<
  [tenantId: number, membershipNo: number],
  { name: string; permissions: string }
>(
  "access.memberRoles",
  `SELECT r.name, r.permissions FROM membership_role AS m JOIN role AS r ON r.role_no = m.role_no
   WHERE m.membership_no = ?2 AND m.tenant_id = ?1`,
);

export const accessRoles = statement<[tenantId: number], { name: string; permissions: string }>(
  "access.roles",
  "SELECT name, permissions FROM role WHERE tenant_id = ?1",
);

export const accessKey = statement<
  [uuid: string],
  {
    api_key_no: number;
    tenant_id: number;
    name: string;
    roles: string;
    allowed_ips: string;
    expires_at_ms: number | null;
    revoked_at_ms: number | null;
    created_at_ms: number;
  }
>(
  "access.key",
  `SELECT api_key_no, tenant_id, name, roles, allowed_ips, expires_at_ms, revoked_at_ms, created_at_ms
   FROM api_key WHERE uuid = ?1`,
);

export const accessClient = statement<
  [uuid: string],
  {
    client_no: number;
    tenant_id: number;
    name: string;
    scopes: string;
    deleted_at_ms: number | null;
    created_at_ms: number;
  }
>(
  "access.client",
  `SELECT client_no, tenant_id, name, scopes, deleted_at_ms, created_at_ms
   FROM oauth_client WHERE uuid = ?1`,
);

export const accessSession = statement<
  [uuid: string],
  {
    session_no: number;
    user_no: number | null;
    tenant_id: number;
    client_no: number | null;
    scopes: string | null;
    cookie: number;
    revoked_at_ms: number | null;
  }
>(
  "access.session",
  `SELECT session_no, user_no, tenant_id, client_no, scopes, cookie, revoked_at_ms
   FROM session WHERE uuid = ?1`,
);
