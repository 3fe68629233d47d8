/** Statements that show the users of a tenant; all only read. */
import { statement } from "./statement.ts";

export interface UserRow {
  user_no: number;
  uuid: string;
  email: string;
  name: string | null;
  locale: string;
  status: "active" | "invited" | "blocked" | "deleted";
  deleted_at_ms: number | null;
  /** JSON array of names. */
  roles: string;
  email_verified_at_ms: number | null;
  mfa_enabled: number;
  last_login_at_ms: number | null;
  created_at_ms: number;
  updated_at_ms: number;
  version: number;
}

const columns = `u.user_no, u.uuid, u.email, u.name, u.locale, m.status, m.deleted_at_ms,
  u.email_verified_at_ms, u.mfa_enabled, u.last_login_at_ms, u.created_at_ms,
  max(u.updated_at_ms, m.updated_at_ms) AS updated_at_ms, u.version,
  (SELECT json_group_array(r.name) FROM membership_role mr JOIN role r ON r.role_no = mr.role_no
   WHERE mr.membership_no = m.membership_no) AS roles`;

export const userByUuid = statement<[tenantId: number, uuid: string], UserRow>(
  "user.byUuid",
  `SELECT ${columns} FROM user_account u
   JOIN membership m ON m.tenant_id = ?1 AND m.user_no = u.user_no WHERE u.uuid = ?2`,
);

export const userByEmail = statement<[tenantId: number, email: string], { uuid: string }>(
  "user.byEmail",
  `SELECT u.uuid FROM user_account u
   JOIN membership m ON m.tenant_id = ?1 AND m.user_no = u.user_no WHERE u.email = ?2`,
);

/** Without a status the removed ones are left out; `q` is a GLOB pattern. */
const filter = `m.tenant_id = ?1 AND (CASE WHEN ?2 IS NULL THEN m.status <> 'deleted' ELSE m.status = ?2 END)
   AND (?3 IS NULL OR u.email GLOB ?3 OR u.name GLOB ?3)
   AND (?4 IS NULL OR EXISTS (SELECT 1 FROM membership_role mr JOIN role r ON r.role_no = mr.role_no
        WHERE mr.membership_no = m.membership_no AND r.name = ?4))`;

/** Newest first. */
export const userPage = statement<
  [
    tenantId: number,
    status: string | null,
    glob: string | null,
    role: string | null,
    belowNo: number,
    limit: number,
  ],
  UserRow
>(
  "user.page",
  `SELECT ${columns} FROM membership m CROSS JOIN user_account u ON u.user_no = m.user_no
   WHERE ${filter} AND m.user_no < ?5 ORDER BY m.user_no DESC LIMIT ?6`,
);

export const userCount = statement<
  [tenantId: number, status: string | null, glob: string | null, role: string | null],
  { count: number }
>(
  "user.count",
  `SELECT count(*) AS count FROM membership m CROSS JOIN user_account u ON u.user_no = m.user_no
   WHERE ${filter}`,
);
