/** Who a caller is, whatever kind of caller, with everything that they may do and where. */
import type { AccessService } from "../access/service.ts";
import { type AuthService, type Place, personView, type UserView } from "../auth/service.ts";

export interface Me extends UserView {
  readonly tenant: {
    readonly id: string;
    readonly name: string;
    readonly slug: string;
    readonly type: string;
    readonly status: string;
    readonly logoUrl: string | null;
  };
  /** What is granted: exact, `prefix.*` or `*`. */
  readonly permissions: string[];
  readonly memberships: {
    readonly tenantId: string;
    readonly tenantName: string;
    readonly tenantSlug: string;
    readonly logoUrl: string | null;
    readonly roles: string[];
    readonly status: string;
    readonly isOwner: boolean;
  }[];
}

/** What is asked of a caller here. */
export interface Asking {
  readonly kind: "user" | "apiKey" | "client" | "module";
  readonly id: string;
  readonly email: string;
  readonly userNo: number | null;
  readonly tenantId: number;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
}

export interface MeDeps {
  readonly access: AccessService;
  readonly auth: Pick<AuthService, "user" | "memberships">;
}

export function mePart({ access, auth }: MeDeps) {
  async function me(asking: Asking): Promise<Me> {
    const tenant = await access.tenant(asking.tenantId);
    if (tenant === undefined) throw new Error("a caller without a tenant");
    const { uuid: id, name, slug, type, status, logoUrl } = tenant;
    const user = asking.userNo === null ? undefined : await auth.user(asking.userNo);
    const memberships = user === undefined ? [] : await auth.memberships(user.userNo);
    const roles = [...asking.roles];
    const shown: UserView =
      user === undefined
        ? await machine(asking, id)
        : personView(user, id, { roles, status: "active" });
    return {
      ...shown,
      tenant: { id, name, slug, type, status, logoUrl },
      permissions: [...asking.permissions],
      memberships: memberships.map(membershipView),
    };
  }

  /** A key or an application as if it were a person. */
  async function machine({ kind, id, email, roles }: Asking, tenantId: string): Promise<UserView> {
    const row = kind === "apiKey" ? await access.apiKey(id) : await access.client(id);
    const createdAt = new Date(row?.createdAtMs ?? 0).toISOString();
    return {
      ...{ id, email, name: row?.name ?? email, locale: "en", tenantId, roles: [...roles] },
      ...{ status: "active", emailVerified: false, mfaEnabled: false, lastLoginAt: null },
      ...{ createdAt, updatedAt: createdAt, version: 1 },
    };
  }

  return { me };
}

const membershipView = ({ tenant, member }: Place): Me["memberships"][number] => ({
  tenantId: tenant.uuid,
  tenantName: tenant.name,
  tenantSlug: tenant.slug,
  logoUrl: tenant.logoUrl,
  roles: [...member.roles],
  status: member.status,
  isOwner: member.isOwner,
});
