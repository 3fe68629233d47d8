/** What somebody may do, as rows. */
import {
  accessClient,
  accessKey,
  accessMember,
  accessMemberRoles,
  accessRoles,
  accessRoot,
  accessSession,
  accessTenant,
  accessTenantByUuid,
  accessUser,
  accessUserByUuid,
} from "../../../schema/query/access.ts";
import type { Reader } from "../../store/seam.ts";

export interface TenantAccess {
  readonly tenantId: number;
  readonly uuid: string;
  readonly slug: string;
  readonly name: string;
  readonly type: "platform" | "partner" | "client";
  readonly status: "active" | "blocked" | "deleted";
  readonly parentId: number | null;
  readonly logoUrl: string | null;
  readonly isRoot: boolean;
}

export interface UserAccess {
  readonly userNo: number;
  readonly uuid: string;
  readonly email: string;
  /** Access tokens made then or before are dead. */
  readonly tokensFromMs: number;
  readonly emailVerified: boolean;
}

/** What roles bring along; `permissions` is their union, as granted. */
export interface Granted {
  /** By name, in order. */
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly isOwner: boolean;
  /** Has `owner` or `admin`. */
  readonly isAdmin: boolean;
}

export interface MemberAccess extends Granted {
  readonly membershipNo: number;
  readonly tenantId: number;
  readonly userNo: number;
  readonly status: "active" | "invited" | "blocked" | "deleted";
  /** Access tokens made then or before are dead in this tenant. */
  readonly tokensFromMs: number;
}

export interface KeyAccess {
  readonly apiKeyNo: number;
  readonly uuid: string;
  readonly tenantId: number;
  readonly name: string;
  readonly roles: readonly string[];
  /** Ranges; empty = from anywhere. */
  readonly allowedIps: readonly string[];
  readonly expiresAtMs: number | null;
  readonly isRevoked: boolean;
  readonly createdAtMs: number;
}

export interface ClientAccess {
  readonly clientNo: number;
  readonly uuid: string;
  readonly tenantId: number;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly isDeleted: boolean;
  readonly createdAtMs: number;
}

export interface SessionAccess {
  readonly sessionNo: number;
  readonly userNo: number | null;
  readonly tenantId: number;
  readonly clientNo: number | null;
  /** What an application was given; null for the person's own. */
  readonly scopes: readonly string[] | null;
  readonly cookie: boolean;
  readonly isRevoked: boolean;
}

const strings = (json: string): string[] => JSON.parse(json) as string[];

export async function readTenant(
  q: Reader,
  key: number | string,
): Promise<TenantAccess | undefined> {
  const row =
    typeof key === "number" ? await q.get(accessTenant, key) : await q.get(accessTenantByUuid, key);
  return (
    row && {
      tenantId: row.tenant_id,
      uuid: row.uuid,
      slug: row.slug,
      name: row.name,
      type: row.type,
      status: row.status,
      parentId: row.parent_id,
      logoUrl: row.logo_url,
      isRoot: row.parent_id === null,
    }
  );
}

export const readRoot = async (q: Reader): Promise<number | undefined> =>
  (await q.get(accessRoot))?.tenant_id;

export async function readUser(q: Reader, key: number | string): Promise<UserAccess | undefined> {
  const row =
    typeof key === "number" ? await q.get(accessUser, key) : await q.get(accessUserByUuid, key);
  return (
    row && {
      userNo: row.user_no,
      uuid: row.uuid,
      email: row.email,
      tokensFromMs: row.tokens_from_ms,
      emailVerified: row.email_verified_at_ms !== null,
    }
  );
}

const union = (lists: readonly (readonly string[])[]): string[] => [...new Set(lists.flat())];

export async function readMember(
  q: Reader,
  tenantId: number,
  userNo: number,
): Promise<MemberAccess | undefined> {
  const row = await q.get(accessMember, tenantId, userNo);
  if (row === undefined) return undefined;
  const rows = await q.all(accessMemberRoles, tenantId, row.membership_no);
  const roles = rows.map(({ name }) => name).sort();
  const isOwner = row.is_owner === 1;
  return {
    membershipNo: row.membership_no,
    tenantId,
    userNo,
    status: row.status,
    tokensFromMs: row.tokens_from_ms,
    roles,
    permissions: union(rows.map(({ permissions }) => strings(permissions))),
    isOwner,
    isAdmin: isOwner || roles.includes("admin"),
  };
}

/** Permissions of each role of a tenant, by its name. */
export async function readRoles(
  q: Reader,
  tenantId: number,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await q.all(accessRoles, tenantId);
  return new Map(rows.map(({ name, permissions }) => [name, strings(permissions)]));
}

export async function readKey(q: Reader, uuid: string): Promise<KeyAccess | undefined> {
  const row = await q.get(accessKey, uuid);
  return (
    row && {
      apiKeyNo: row.api_key_no,
      uuid,
      tenantId: row.tenant_id,
      name: row.name,
      roles: strings(row.roles),
      allowedIps: strings(row.allowed_ips),
      expiresAtMs: row.expires_at_ms,
      isRevoked: row.revoked_at_ms !== null,
      createdAtMs: row.created_at_ms,
    }
  );
}

export async function readClient(q: Reader, uuid: string): Promise<ClientAccess | undefined> {
  const row = await q.get(accessClient, uuid);
  return (
    row && {
      clientNo: row.client_no,
      uuid,
      tenantId: row.tenant_id,
      name: row.name,
      scopes: strings(row.scopes),
      isDeleted: row.deleted_at_ms !== null,
      createdAtMs: row.created_at_ms,
    }
  );
}

export async function readSession(q: Reader, uuid: string): Promise<SessionAccess | undefined> {
  const row = await q.get(accessSession, uuid);
  return (
    row && {
      sessionNo: row.session_no,
      userNo: row.user_no,
      tenantId: row.tenant_id,
      clientNo: row.client_no,
      scopes: row.scopes === null ? null : strings(row.scopes),
      cookie: row.cookie === 1,
      isRevoked: row.revoked_at_ms !== null,
    }
  );
}
