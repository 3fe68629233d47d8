/** How a person and the tenants they may choose are shown in answers. Nothing is read here. */
import type { MemberAccess, TenantAccess } from "../access/service.ts";
import type { SignInUser } from "./store.ts";

/** `User` of the API. */
export interface UserView {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly locale: string;
  readonly tenantId: string;
  readonly roles: string[];
  readonly status: "active" | "invited" | "blocked" | "deleted";
  readonly emailVerified: boolean;
  readonly mfaEnabled: boolean;
  readonly lastLoginAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly version: number;
}

/** One tenant of a choice. */
export interface ChoiceView {
  readonly id: string;
  readonly name: string;
  readonly logoUrl: string | null;
  /** The one that weighs most. */
  readonly role: string;
}

/** A membership that may be signed in to. */
export interface Place {
  readonly tenant: TenantAccess;
  readonly member: MemberAccess;
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();

/** @param tenantId uuid of the tenant that the roles are of. */
export const personView = (
  user: SignInUser,
  tenantId: string,
  { roles, status }: Pick<MemberAccess, "roles" | "status">,
): UserView => ({
  id: user.uuid,
  email: user.email,
  name: user.name ?? user.email.slice(0, user.email.indexOf("@")),
  locale: user.locale,
  tenantId,
  roles: [...roles],
  status,
  emailVerified: user.emailVerifiedAtMs !== null,
  mfaEnabled: user.mfaEnabled,
  lastLoginAt: user.lastLoginAtMs === null ? null : isoOf(user.lastLoginAtMs),
  createdAt: isoOf(user.createdAtMs),
  updatedAt: isoOf(user.updatedAtMs),
  version: user.version,
});

export const userView = (user: SignInUser, { tenant, member }: Place): UserView =>
  personView(user, tenant.uuid, member);

const heaviest = ({ isOwner, roles }: MemberAccess): string => {
  if (isOwner) return "owner";
  return roles.includes("admin") ? "admin" : (roles[0] ?? "member");
};

export const choiceView = ({ tenant, member }: Place): ChoiceView => ({
  id: tenant.uuid,
  name: tenant.name,
  logoUrl: tenant.logoUrl,
  role: heaviest(member),
});
