/** The users of a tenant, as rows. */
import {
  type UserRow,
  userByEmail,
  userByUuid,
  userCount,
  userPage,
} from "../../../schema/query/user.ts";
import type { Reader } from "../../store/seam.ts";

export interface User {
  readonly userNo: number;
  readonly uuid: string;
  readonly email: string;
  readonly name: string | null;
  readonly locale: string;
  readonly status: UserRow["status"];
  readonly deletedAtMs: number | null;
  /** Names, in order. */
  readonly roles: readonly string[];
  readonly emailVerified: boolean;
  readonly mfaEnabled: boolean;
  readonly lastLoginAtMs: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly version: number;
}

const userOf = (row: UserRow): User => ({
  userNo: row.user_no,
  uuid: row.uuid,
  email: row.email,
  name: row.name,
  locale: row.locale,
  status: row.status,
  deletedAtMs: row.deleted_at_ms,
  roles: (JSON.parse(row.roles) as string[]).sort(),
  emailVerified: row.email_verified_at_ms !== null,
  mfaEnabled: row.mfa_enabled === 1,
  lastLoginAtMs: row.last_login_at_ms,
  createdAtMs: row.created_at_ms,
  updatedAtMs: row.updated_at_ms,
  version: row.version,
});

export async function findUser(
  q: Reader,
  tenantId: number,
  uuid: string,
): Promise<User | undefined> {
  const row = await q.get(userByUuid, tenantId, uuid);
  return row && userOf(row);
}

export const uuidWithEmail = async (
  q: Reader,
  tenantId: number,
  email: string,
): Promise<string | undefined> => (await q.get(userByEmail, tenantId, email))?.uuid;

export interface UserFilter {
  readonly status?: UserRow["status"];
  /** GLOB pattern over email and name. */
  readonly glob?: string;
  /** Name of a role. */
  readonly role?: string;
}

export async function pageUsers(
  q: Reader,
  tenantId: number,
  { status = null, glob = null, role = null }: { [K in keyof UserFilter]: UserFilter[K] | null },
  belowNo: number,
  limit: number,
): Promise<User[]> {
  return (await q.all(userPage, tenantId, status, glob, role, belowNo, limit)).map(userOf);
}

export const countUsers = async (
  q: Reader,
  tenantId: number,
  { status = null, glob = null, role = null }: { [K in keyof UserFilter]: UserFilter[K] | null },
): Promise<number> => (await q.get(userCount, tenantId, status, glob, role))?.count ?? 0;
