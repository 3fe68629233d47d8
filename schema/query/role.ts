/** Statements on `role`, and the looks at who has one. */
import { statement } from "./statement.ts";

export interface RoleRow {
  role_no: number;
  uuid: string;
  name: string;
  display_name: string;
  description: string | null;
  /** JSON array. */
  permissions: string;
  built_in: number;
  created_by: string;
  created_at_ms: number;
  version: number;
  /** Memberships that have it, removed ones left out. */
  users: number;
}

const columns = `r.role_no, r.uuid, r.name, r.display_name, r.description, r.permissions, r.built_in,
  r.created_by, r.created_at_ms, r.version,
  (SELECT count(*) FROM membership_role mr JOIN membership m ON m.membership_no = mr.membership_no
   WHERE mr.role_no = r.role_no AND m.status <> 'deleted') AS users`;

export const roleByUuid = statement<[tenantId: number, uuid: string], RoleRow>(
  "role.byUuid",
  `SELECT ${columns} FROM role r WHERE r.uuid = ?2 AND r.tenant_id = ?1`,
);

/** Newest first. */
export const rolePage = statement<[tenantId: number, belowNo: number, limit: number], RoleRow>(
  "role.page",
  `SELECT ${columns} FROM role r WHERE r.tenant_id = ?1 AND r.role_no < ?2
   ORDER BY r.role_no DESC LIMIT ?3`,
);

export const roleCount = statement<[tenantId: number], { count: number; custom: number }>(
  "role.count",
  "SELECT count(*) AS count, count(*) - total(built_in) AS custom FROM role WHERE tenant_id = ?1",
);

export const roleGrants = statement<[tenantId: number], { name: string; permissions: string }>(
  "role.grants",
  "SELECT name, permissions FROM role WHERE tenant_id = ?1",
);

export const roleInsert = statement<
  [
    uuid: string,
    tenantId: number,
    name: string,
    displayName: string,
    description: string | null,
    permissions: string,
    builtIn: number,
    createdBy: string,
    nowMs: number,
  ]
>(
  "role.insert",
  `INSERT INTO role (uuid, tenant_id, name, display_name, description, permissions, built_in, created_by,
     created_at_ms, updated_at_ms, version)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 1)`,
);

export const roleUpdate = statement<
  [
    tenantId: number,
    roleNo: number,
    displayName: string,
    description: string | null,
    permissions: string,
    nowMs: number,
  ]
>(
  "role.update",
  `UPDATE role SET display_name = ?3, description = ?4, permissions = ?5, updated_at_ms = ?6,
     version = version + 1
   WHERE role_no = ?2 AND tenant_id = ?1`,
);

/** Names of roles hold no quote, so that their JSON can be searched as text. */
const named = "instr(roles, '\"' || ?2 || '\"') > 0";

/** Living API keys that name a role. */
export const roleKeys = statement<
  [tenantId: number, name: string, nowMs: number],
  { count: number }
>(
  "role.keys",
  `SELECT count(*) AS count FROM api_key WHERE tenant_id = ?1 AND revoked_at_ms IS NULL
     AND (expires_at_ms IS NULL OR expires_at_ms > ?3) AND ${named}`,
);

/** Open invitations that name a role. */
export const roleInvitations = statement<
  [tenantId: number, name: string, nowMs: number],
  { count: number }
>(
  "role.invitations",
  `SELECT count(*) AS count FROM invitation WHERE tenant_id = ?1 AND status = 'pending'
     AND expires_at_ms > ?3 AND ${named}`,
);

/** Takes the role from memberships that were removed; no others have it by then. */
export const roleStrip = statement<[tenantId: number, roleNo: number]>(
  "role.strip",
  "DELETE FROM membership_role WHERE role_no = ?2 AND tenant_id = ?1",
);

export const roleDelete = statement<[tenantId: number, roleNo: number]>(
  "role.delete",
  "DELETE FROM role WHERE role_no = ?2 AND tenant_id = ?1 AND built_in = 0",
);
