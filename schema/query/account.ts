/** Statements on `user_account`, `membership`, `membership_role` and `tenant_owner`: who is where. */
import { statement } from "./statement.ts";

export interface AccountRow {
  user_no: number;
  uuid: string;
  email: string;
  name: string | null;
  password_hash: string | null;
  email_verified_at_ms: number | null;
  version: number;
}

const accountColumns = "user_no, uuid, email, name, password_hash, email_verified_at_ms, version";

export const accountByEmail = statement<[email: string], AccountRow>(
  "account.byEmail",
  `SELECT ${accountColumns} FROM user_account WHERE email = ?1`,
);

export const accountByUuid = statement<[uuid: string], AccountRow>(
  "account.byUuid",
  `SELECT ${accountColumns} FROM user_account WHERE uuid = ?1`,
);

export const accountByNo = statement<[userNo: number], AccountRow>(
  "account.byNo",
  `SELECT ${accountColumns} FROM user_account WHERE user_no = ?1`,
);

export const accountInsert = statement<
  [
    uuid: string,
    email: string,
    name: string | null,
    locale: string,
    passwordHash: string | null,
    emailVerifiedAtMs: number | null,
    nowMs: number,
  ],
  { user_no: number }
>(
  "account.insert",
  `INSERT INTO user_account (uuid, email, name, locale, password_hash, email_verified_at_ms, mfa_enabled,
     mfa_step, tokens_from_ms, created_at_ms, updated_at_ms, version)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, ?7, ?7, 1) RETURNING user_no`,
);

export const accountChange = statement<
  [
    userNo: number,
    email: string,
    name: string | null,
    emailVerifiedAtMs: number | null,
    nowMs: number,
  ]
>(
  "account.change",
  `UPDATE user_account SET email = ?2, name = ?3, email_verified_at_ms = ?4, updated_at_ms = ?5,
     version = version + 1
   WHERE user_no = ?1`,
);

/** The first password of somebody who came by a mailed link, which proves the address too. */
export const accountProve = statement<[userNo: number, passwordHash: string | null, nowMs: number]>(
  "account.prove",
  `UPDATE user_account SET password_hash = coalesce(?2, password_hash),
     email_verified_at_ms = coalesce(email_verified_at_ms, ?3), updated_at_ms = ?3
   WHERE user_no = ?1`,
);

export const accountPassword = statement<[userNo: number, passwordHash: string, nowMs: number]>(
  "account.password",
  "UPDATE user_account SET password_hash = ?2, updated_at_ms = ?3 WHERE user_no = ?1",
);

export interface MembershipRow {
  membership_no: number;
  status: "active" | "invited" | "blocked" | "deleted";
  deleted_at_ms: number | null;
  joined_at_ms: number | null;
  /** JSON array of names. */
  roles: string;
  is_owner: number;
}

export const membershipOf = statement<[tenantId: number, userNo: number], MembershipRow>(
  "membership.of",
  `SELECT m.membership_no, m.status, m.deleted_at_ms, m.joined_at_ms,
     (SELECT json_group_array(r.name) FROM membership_role mr JOIN role r ON r.role_no = mr.role_no
      WHERE mr.membership_no = m.membership_no) AS roles,
     EXISTS (SELECT 1 FROM tenant_owner o WHERE o.membership_no = m.membership_no) AS is_owner
   FROM membership m WHERE m.tenant_id = ?1 AND m.user_no = ?2`,
);

/** In how many tenants the user is, whatever the status there, the removed ones left out. */
export const membershipCount = statement<[userNo: number], { count: number }>(
  "membership.count",
  "SELECT count(*) AS count FROM membership WHERE user_no = ?1 AND status <> 'deleted'",
);

/** One that was removed comes back under its old number. */
export const membershipPut = statement<
  [tenantId: number, userNo: number, status: string, nowMs: number],
  { membership_no: number }
>(
  "membership.put",
  `INSERT INTO membership (tenant_id, user_no, status, tokens_from_ms, joined_at_ms, created_at_ms,
     updated_at_ms, version)
   VALUES (?1, ?2, ?3, 0, CASE ?3 WHEN 'active' THEN ?4 END, ?4, ?4, 1)
   ON CONFLICT (tenant_id, user_no) DO UPDATE SET status = excluded.status, deleted_at_ms = NULL,
     joined_at_ms = excluded.joined_at_ms, created_at_ms = excluded.created_at_ms, updated_at_ms = excluded.updated_at_ms,
     version = membership.version + 1
   RETURNING membership_no`,
);

export const membershipStatus = statement<
  [
    tenantId: number,
    membershipNo: number,
    status: string,
    deletedAtMs: number | null,
    nowMs: number,
  ]
>(
  "membership.status",
  `UPDATE membership SET status = ?3, deleted_at_ms = ?4, updated_at_ms = ?5, version = version + 1,
     joined_at_ms = CASE ?3 WHEN 'active' THEN coalesce(joined_at_ms, ?5) ELSE joined_at_ms END
   WHERE membership_no = ?2 AND tenant_id = ?1`,
);

export const membershipTouch = statement<[tenantId: number, membershipNo: number, nowMs: number]>(
  "membership.touch",
  `UPDATE membership SET updated_at_ms = ?3, version = version + 1
   WHERE membership_no = ?2 AND tenant_id = ?1`,
);

export const membershipRolesClear = statement<[tenantId: number, membershipNo: number]>(
  "membership.rolesClear",
  "DELETE FROM membership_role WHERE membership_no = ?2 AND tenant_id = ?1",
);

/** Gives a membership a role of its tenant by name. */
export const membershipRoleInsert = statement<
  [tenantId: number, membershipNo: number, role: string]
>(
  "membership.roleInsert",
  `INSERT INTO membership_role (membership_no, role_no, tenant_id)
   SELECT ?2, role_no, tenant_id FROM role WHERE tenant_id = ?1 AND name = ?3`,
);

export const ownerPut = statement<[tenantId: number, membershipNo: number]>(
  "membership.ownerPut",
  `INSERT INTO tenant_owner (tenant_id, membership_no) VALUES (?1, ?2)
   ON CONFLICT (tenant_id) DO UPDATE SET membership_no = excluded.membership_no`,
);

/** Removed memberships of every tenant whose time to come back is over. */
export const membershipsLapsed = statement<
  [deletedUntilMs: number, limit: number],
  { tenant_id: number; membership_no: number }
>(
  "membership.lapsed",
  `SELECT tenant_id, membership_no FROM membership
   WHERE deleted_at_ms IS NOT NULL AND deleted_at_ms <= ?1 ORDER BY deleted_at_ms LIMIT ?2`,
);

export const membershipDelete = statement<[tenantId: number, membershipNo: number]>(
  "membership.delete",
  "DELETE FROM membership WHERE membership_no = ?2 AND tenant_id = ?1 AND status = 'deleted'",
);
