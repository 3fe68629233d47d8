/** Roles of tenants, as rows. */
import {
  type RoleRow,
  roleByUuid,
  roleCount,
  roleDelete,
  roleGrants,
  roleInsert,
  roleInvitations,
  roleKeys,
  rolePage,
  roleStrip,
  roleUpdate,
} from "../../../schema/query/role.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export interface Role {
  readonly roleNo: number;
  readonly uuid: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly permissions: readonly string[];
  readonly builtIn: boolean;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly version: number;
  readonly users: number;
}

const roleOf = (row: RoleRow): Role => ({
  roleNo: row.role_no,
  uuid: row.uuid,
  name: row.name,
  displayName: row.display_name,
  description: row.description,
  permissions: JSON.parse(row.permissions) as string[],
  builtIn: row.built_in === 1,
  createdBy: row.created_by,
  createdAtMs: row.created_at_ms,
  version: row.version,
  users: row.users,
});

export async function findRole(
  q: Reader,
  tenantId: number,
  uuid: string,
): Promise<Role | undefined> {
  const row = await q.get(roleByUuid, tenantId, uuid);
  return row && roleOf(row);
}

export async function pageRoles(
  q: Reader,
  tenantId: number,
  belowNo: number,
  limit: number,
): Promise<Role[]> {
  return (await q.all(rolePage, tenantId, belowNo, limit)).map(roleOf);
}

/** Of a tenant: all, and those that it made itself. */
export const countRoles = async (
  q: Reader,
  tenantId: number,
): Promise<{ count: number; custom: number }> =>
  (await q.get(roleCount, tenantId)) ?? { count: 0, custom: 0 };

/** What each role of a tenant grants, by name. */
export async function grantsOf(
  q: Reader,
  tenantId: number,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await q.all(roleGrants, tenantId);
  return new Map(rows.map((row) => [row.name, JSON.parse(row.permissions) as string[]]));
}

export interface NewRole {
  readonly uuid: string;
  readonly tenantId: number;
  readonly name: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly permissions: readonly string[];
  readonly builtIn: boolean;
  readonly createdBy: string;
}

export async function insertRole(tx: Writer, role: NewRole, nowMs: number): Promise<void> {
  await tx.run(
    roleInsert,
    role.uuid,
    role.tenantId,
    role.name,
    role.displayName,
    role.description,
    JSON.stringify(role.permissions),
    role.builtIn ? 1 : 0,
    role.createdBy,
    nowMs,
  );
}

export async function updateRole(
  tx: Writer,
  tenantId: number,
  { roleNo, displayName, description, permissions }: Role,
  nowMs: number,
): Promise<void> {
  const text = JSON.stringify(permissions);
  await tx.run(roleUpdate, tenantId, roleNo, displayName, description, text, nowMs);
}

/** Living API keys and open invitations that name the role. */
export async function namedBy(
  q: Reader,
  tenantId: number,
  name: string,
  nowMs: number,
): Promise<number> {
  const keys = await q.get(roleKeys, tenantId, name, nowMs);
  const invitations = await q.get(roleInvitations, tenantId, name, nowMs);
  return (keys?.count ?? 0) + (invitations?.count ?? 0);
}

export async function deleteRole(tx: Writer, tenantId: number, roleNo: number): Promise<void> {
  await tx.run(roleStrip, tenantId, roleNo);
  await tx.run(roleDelete, tenantId, roleNo);
}
