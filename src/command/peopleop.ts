/**
 * What the command line can have done to tenants, users and API keys. Whoever has the data directory is
 * bound by no permission; everything else holds as it does for the operator surface.
 */
import { Type } from "@sinclair/typebox";
import {
  allowedIpsMax,
  blockTenantReasonMaxChars,
  emailMaxChars,
  nameMaxChars,
  passwordMaxChars,
  passwordMinChars,
  roleNameMaxChars,
  rolesGivenMax,
  searchMaxChars,
  searchMinChars,
} from "../../schema/bound.ts";
import { holdsAll } from "../domain/by.ts";
import { parseRange } from "../domain/cidr.ts";
import { instantMs } from "../domain/instant.ts";
import { nameOf } from "../domain/invitation.ts";
import { OperatorRefused } from "../domain/operator.ts";
import { checkEmail, mailAddress } from "../domain/text.ts";
import type { ApiKey } from "../feature/apikey/service.ts";
import type { User } from "../feature/user/service.ts";
import {
  cli,
  type Host,
  operation,
  reading,
  tenantSlug as tenant,
  tenantOf,
  text,
} from "./kind.ts";
import { isoOfMs, tenantView } from "./view.ts";

const email = text(emailMaxChars);
const roles = Type.Array(text(roleNameMaxChars), { minItems: 1, maxItems: rolesGivenMax });
const password = text(passwordMaxChars, passwordMinChars);
const reason = Type.Optional(text(blockTenantReasonMaxChars));
const below = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const limit = Type.Integer({ minimum: 1, maximum: 1_000 });
const status = Type.Union(
  (["active", "invited", "blocked", "deleted"] as const).map((word) => Type.Literal(word)),
);

const by = { actor: cli };
const doer = { by, holder: holdsAll };
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : isoOfMs(ms));

const userView = (user: User) => ({
  id: user.uuid,
  email: user.email,
  name: user.name ?? nameOf(user.email),
  roles: [...user.roles],
  status: user.status,
  emailVerified: user.emailVerified,
  mfaEnabled: user.mfaEnabled,
  lastLoginAt: isoOrNull(user.lastLoginAtMs),
  createdAt: isoOfMs(user.createdAtMs),
  updatedAt: isoOfMs(user.updatedAtMs),
});

const apiKeyView = (key: ApiKey) => ({
  id: key.uuid,
  name: key.name,
  prefix: key.prefix,
  roles: [...key.roles],
  allowedIps: [...key.allowedIps],
  expiresAt: isoOrNull(key.expiresAtMs),
  lastUsedAt: isoOrNull(key.lastUsedAtMs),
  createdAt: isoOfMs(key.createdAtMs),
});

/** The tenant, and the user of it with this address. */
async function found(host: Host, slug: string | undefined, address: string) {
  const tenantId = await tenantOf(host, slug);
  const user = await host.user.getByEmail(tenantId, mailAddress(address), host.clock.nowMs());
  return { tenantId, user };
}

const userChange = (change: "block" | "unblock") =>
  operation({ tenant, email }, async (host, args) => {
    const { tenantId, user } = await found(host, args.tenant, args.email);
    const nowMs = host.clock.nowMs();
    return userView(
      await host.store.write((tx) => host.user[change](tx, tenantId, user.uuid, by, nowMs)),
    );
  });

const tenantChange = (change: "block" | "unblock") =>
  operation({ slug: text(64), reason }, async (host, args) => {
    const rootId = await tenantOf(host, undefined);
    const one = await host.tenant.tenantBySlug(args.slug);
    if (one === undefined) {
      throw new OperatorRefused("not-found", `there is no tenant ${args.slug}`, "slug");
    }
    const nowMs = host.clock.nowMs();
    return tenantView(
      await host.store.write((tx) =>
        host.tenant[change](tx, rootId, one.uuid, args.reason, by, nowMs),
      ),
    );
  });

/** @throws OperatorRefused `validation-error` */
function endOf(expiresAt: string | undefined, nowMs: number): number | null {
  if (expiresAt === undefined) return null;
  const ms = instantMs(expiresAt);
  if (ms !== undefined && ms > nowMs) return ms;
  const message = "expires: must be a time ahead with a zone, such as 2030-01-01T00:00:00Z";
  throw new OperatorRefused("validation-error", message, "expires");
}

/** @throws OperatorRefused `validation-error` */
function checkRanges(ranges: readonly string[]): void {
  const bad = ranges.find((range) => parseRange(range) === undefined);
  if (bad === undefined) return;
  const message = `ip: ${JSON.stringify(bad)} is no CIDR range such as 192.0.2.0/24`;
  throw new OperatorRefused("validation-error", message, "ip");
}

export const peopleOperations = {
  "tenant.add": operation(
    { name: text(nameMaxChars), ownerEmail: Type.Optional(email) },
    async (host, draft) => tenantView(await host.tenant.addTenant(draft, by, host.clock.nowMs())),
  ),
  "tenant.list": reading({}, async (host) => (await host.tenant.listTenants()).map(tenantView)),
  "tenant.block": tenantChange("block"),
  "tenant.unblock": tenantChange("unblock"),

  "user.list": reading(
    {
      ...{ tenant, below, limit, status: Type.Optional(status) },
      q: Type.Optional(text(searchMaxChars, searchMinChars)),
    },
    async (host, { tenant: slug, below: from, limit: most, ...filter }) => {
      const tenantId = await tenantOf(host, slug);
      const users = await host.user.list(tenantId, filter, from, most);
      return users.map((user) => ({ userNo: user.userNo, user: userView(user) }));
    },
  ),
  "user.add": operation(
    {
      ...{ tenant, email, roles },
      name: Type.Optional(text(nameMaxChars)),
      password: Type.Optional(password),
    },
    async (host, { tenant: slug, email: given, password: chosen, ...draft }) => {
      const tenantId = await tenantOf(host, slug);
      const address = mailAddress(given);
      checkEmail("email", address);
      const passwordHash = await host.user.hashFor(address, chosen);
      const wanted = { ...draft, email: address, ...(passwordHash && { passwordHash }) };
      const nowMs = host.clock.nowMs();
      return userView(
        await host.store.write((tx) => host.user.create(tx, tenantId, wanted, doer, nowMs)),
      );
    },
  ),
  "user.block": userChange("block"),
  "user.unblock": userChange("unblock"),
  "user.resetPassword": operation(
    { tenant, email, password: Type.Optional(password) },
    async (host, args) => {
      const { tenantId, user } = await found(host, args.tenant, args.email);
      const made = args.password === undefined ? host.user.newPassword() : undefined;
      const hash = await host.user.hashFor(user.email, args.password ?? made);
      if (hash === undefined) throw new Error("a password without a hash");
      const nowMs = host.clock.nowMs();
      await host.store.write((tx) =>
        host.user.setPassword(tx, tenantId, user.uuid, hash, by, nowMs),
      );
      return { id: user.uuid, email: user.email, ...(made !== undefined && { password: made }) };
    },
  ),
  "user.roles": operation({ tenant, email, roles }, async (host, args) => {
    const { tenantId, user } = await found(host, args.tenant, args.email);
    const nowMs = host.clock.nowMs();
    return userView(
      await host.store.write((tx) =>
        host.user.assignRoles(tx, tenantId, user.uuid, args.roles, doer, nowMs),
      ),
    );
  }),

  "apikey.add": operation(
    {
      ...{ tenant, roles, name: text(nameMaxChars) },
      expiresAt: Type.Optional(text(64)),
      allowedIps: Type.Array(text(64), { maxItems: allowedIpsMax }),
    },
    async (host, { tenant: slug, expiresAt, ...draft }) => {
      const tenantId = await tenantOf(host, slug);
      const nowMs = host.clock.nowMs();
      checkRanges(draft.allowedIps);
      const wanted = { ...draft, expiresAtMs: endOf(expiresAt, nowMs) };
      const { apiKey, key } = await host.store.write((tx) =>
        host.apikey.create(tx, tenantId, wanted, holdsAll, by, nowMs),
      );
      return { ...apiKeyView(apiKey), key };
    },
  ),
  "apikey.list": reading({ tenant, below, limit }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const keys = await host.apikey.list(tenantId, args.below, args.limit);
    return keys.map((key) => ({ keyNo: key.apiKeyNo, key: apiKeyView(key) }));
  }),
  "apikey.revoke": operation({ tenant, id: text(36, 36) }, async (host, args) => {
    const tenantId = await tenantOf(host, args.tenant);
    const nowMs = host.clock.nowMs();
    return apiKeyView(
      await host.store.write((tx) => host.apikey.revoke(tx, tenantId, args.id, by, nowMs)),
    );
  }),
} as const;
