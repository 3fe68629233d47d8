/**
 * Tenants: the first one of a server with its owner, further ones below it, and what is done to them.
 * Signing in, and who may call, are not here.
 */
import { type By, recordedBy } from "../../domain/by.ts";
import { nameOf } from "../../domain/invitation.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import { checkNewPassword } from "../../domain/password.ts";
import { ownerRole } from "../../domain/permission.ts";
import { Problem } from "../../domain/problem.ts";
import {
  checkCurrency,
  checkTimezone,
  mayHold,
  numberedSlug,
  slugOf,
  tenantDefaults,
} from "../../domain/tenant.ts";
import { checkEmail, checkName } from "../../domain/text.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { Account } from "../account/service.ts";
import type { InvitationService, Passwords } from "../invitation/service.ts";
import { type ChangeDeps, tenantChanges } from "./change.ts";
import * as rows from "./store.ts";
import { tellTenant } from "./tell.ts";

export type { Tenant } from "./store.ts";

export interface TenantDeps extends ChangeDeps {
  readonly store: Store;
  readonly random: Random;
  readonly invitation: Pick<InvitationService, "ask" | "tellCreated">;
  readonly passwords: Passwords;
  /** What every tenant has from its beginning: its roles first, its policy, its first key version. */
  readonly openTenant: readonly ((tx: Writer, tenantId: number, nowMs: number) => Promise<void>)[];
  /** What the server has from its beginning: the keys that it signs with. */
  readonly openServer: readonly ((tx: Writer, nowMs: number) => Promise<unknown>)[];
}

export interface TenantDraft {
  readonly name: string;
  /** Absent: made of the name. */
  readonly slug?: string;
  /** ISO 4217; default IDR. */
  readonly currency?: string;
  /** IANA; default Asia/Jakarta. */
  readonly timezone?: string;
}

/** One to be made by somebody of a tenant above it. */
export interface ChildDraft extends TenantDraft {
  readonly type: "partner" | "client";
  /** Uuid; absent: below the caller's own tenant. */
  readonly parentId?: string;
  /** Trimmed and in lower case; invited. */
  readonly ownerEmail: string;
  readonly ownerName?: string;
}

/** One that somebody makes for themselves. */
export interface OwnDraft {
  readonly name: string;
  readonly owner: Pick<Account, "userNo" | "uuid" | "email">;
}

export interface Initialisation {
  readonly tenant: TenantDraft;
  readonly ownerEmail: string;
  /** Absent: one is made and answered once. */
  readonly ownerPassword?: string;
}

export interface Initialised {
  readonly tenant: rows.Tenant;
  readonly ownerEmail: string;
  /** Set if it was made here. */
  readonly ownerPassword?: string;
}

/** 144 bits, 24 characters. */
const passwordBytes = 18;
const tenantsListedMax = 10_000;
/** Names that more have than this are numbered by chance. */
const numberedMax = 100;

export type TenantService = ReturnType<typeof tenantService>;

export function tenantService(deps: TenantDeps) {
  const { store, random, audit, event, account, access, invitation, passwords } = deps;
  const { openTenant, openServer } = deps;
  const changes = tenantChanges(deps);

  /**
   * Makes the first tenant and its owner, the one who runs the server.
   * @throws Problem `wrong-state` (there is a tenant already), `validation-error`
   */
  async function initialise(
    { tenant: draft, ownerEmail, ownerPassword }: Initialisation,
    by: By,
    nowMs: number,
  ): Promise<Initialised> {
    check(draft);
    const email = ownerEmail.trim().toLowerCase();
    checkEmail("ownerEmail", email);
    const made = ownerPassword === undefined ? newPassword() : undefined;
    const password = ownerPassword ?? made ?? "";
    checkNewPassword(password, email, "ownerPassword");
    const passwordHash = await passwords.hash(password);
    const tenant = await store.write(async (tx) => {
      if ((await rows.pageTenants(tx, 0, 1)).length > 0) {
        throw new OperatorRefused("wrong-state", "this server is initialised already");
      }
      for (const open of openServer) await open(tx, nowMs);
      const first = await insert(tx, draft, "platform", undefined, by, nowMs);
      const person = { email, name: nameOf(email), passwordHash };
      await enter(tx, first, await account.create(tx, person, nowMs), by, nowMs);
      return first;
    });
    return { tenant, ownerEmail: email, ...(made !== undefined && { ownerPassword: made }) };
  }

  const newPassword = (): string =>
    random.bytes(passwordBytes).toBase64({ alphabet: "base64url", omitPadding: true });

  /** A tenant's owner from now on. */
  async function enter(
    tx: Writer,
    { tenantId, uuid }: rows.Tenant,
    { userNo, uuid: userId, email }: Pick<Account, "userNo" | "uuid" | "email">,
    by: By,
    atMs: number,
  ): Promise<void> {
    const roles = [ownerRole];
    await account.join(tx, { tenantId, userNo, status: "active", roles, isOwner: true }, atMs);
    access.forget(tx, { userNo });
    const type = "auth.user.created";
    await audit.append(tx, {
      ...{ tenantId, atMs, action: type, entityType: "user", entityId: userId },
      ...recordedBy(by),
      after: { email, roles },
    });
    await event.publish(tx, {
      tenantId,
      type,
      data: { userId, email, tenantId: uuid, roles },
      atMs,
    });
  }

  /**
   * A further tenant below the first; without an owner's address nobody but the server's own commands
   * gets in. @throws Problem `already-exists`, `validation-error`
   */
  async function addTenant(
    draft: TenantDraft & { readonly ownerEmail?: string },
    by: By,
    nowMs: number,
  ): Promise<rows.Tenant> {
    check(draft);
    const ownerEmail = draft.ownerEmail?.trim().toLowerCase();
    if (ownerEmail !== undefined) checkEmail("ownerEmail", ownerEmail);
    return await store.write(async (tx) => {
      const [root] = await rows.pageTenants(tx, 0, 1);
      if (root === undefined)
        throw new OperatorRefused("wrong-state", "initialise this server first");
      const made = await insert(tx, draft, "client", root, by, nowMs);
      if (ownerEmail === undefined) return made;
      await inviteOwner(tx, made, ownerEmail, undefined, by, nowMs);
      return await rows.mustTenant(tx, made.tenantId);
    });
  }

  /**
   * A tenant of somebody's own, below the first, who owns it at once.
   * Names may be the same: the slug is numbered where it is taken.
   */
  async function open(
    tx: Writer,
    { name, owner }: OwnDraft,
    by: By,
    nowMs: number,
  ): Promise<rows.Tenant> {
    const [root] = await rows.pageTenants(tx, 0, 1);
    if (root === undefined)
      throw new OperatorRefused("wrong-state", "initialise this server first");
    const slug = await freeSlug(tx, name, nowMs);
    const made = await insert(tx, { name, slug }, "client", root, by, nowMs);
    await enter(tx, made, owner, by, nowMs);
    return await rows.mustTenant(tx, made.tenantId);
  }

  /** The slug of a name, numbered where others have it. */
  async function freeSlug(q: Reader, name: string, nowMs: number): Promise<string> {
    const uuid = random.uuid(nowMs);
    const made = slugOf(name, uuid);
    const slug = made.length < 2 ? `${made}-${uuid.slice(-8)}` : made;
    for (let number = 1; number <= numberedMax; number++) {
      const tried = number === 1 ? slug : numberedSlug(slug, number);
      if ((await rows.findTenant(q, tried)) === undefined) return tried;
    }
    return `${slug.slice(0, 23)}-${uuid.slice(-8)}`;
  }

  /**
   * A tenant below the caller's own or below one that hangs there; its owner is invited.
   * @throws Problem not-found (parent) · forbidden (not below such a tenant) · wrong-state (parent
   * blocked, deleted) · already-exists (slug)
   */
  async function create(
    tx: Writer,
    fromId: number,
    { type, parentId, ownerEmail, ownerName, slug: wanted, ...draft }: ChildDraft,
    by: By,
    nowMs: number,
  ): Promise<rows.Tenant> {
    const { tenant: parent } = await changes.reach(tx, fromId, parentId ?? "current");
    if (!mayHold(parent.type, type)) {
      throw new Problem("forbidden", `A ${parent.type} tenant has no ${type} tenants below it.`);
    }
    if (parent.status !== "active") {
      const members = { members: { state: parent.status } };
      throw new Problem("wrong-state", `The tenant above is ${parent.status}.`, members);
    }
    const slug = wanted ?? (await freeSlug(tx, draft.name, nowMs));
    const made = await insert(tx, { ...draft, slug }, type, parent, by, nowMs);
    await inviteOwner(tx, made, ownerEmail, ownerName, by, nowMs);
    return await rows.mustTenant(tx, made.tenantId);
  }

  async function inviteOwner(
    tx: Writer,
    { tenantId }: rows.Tenant,
    email: string,
    name: string | undefined,
    by: By,
    nowMs: number,
  ): Promise<void> {
    const known = await account.byEmail(tx, email);
    const called = name ?? nameOf(email);
    const draft = { email, name: called, passwordHash: null };
    const person = known ?? (await account.create(tx, draft, nowMs));
    const roles = [ownerRole];
    const { userNo, uuid: userId } = person;
    await account.join(tx, { tenantId, userNo, status: "invited", roles, isOwner: true }, nowMs);
    access.forget(tx, { userNo });
    await invitation.tellCreated(tx, tenantId, { userId, email, roles }, by, nowMs);
    const letter = known === undefined ? "setPassword" : "invite";
    await invitation.ask(tx, { tenantId, email, name: called, roles, letter }, by, nowMs);
  }

  async function insert(
    tx: Writer,
    draft: TenantDraft,
    type: rows.TenantType,
    parent: rows.Tenant | undefined,
    by: By,
    nowMs: number,
  ): Promise<rows.Tenant> {
    const { name, currency, timezone, locale } = { ...tenantDefaults, ...draft };
    const uuid = random.uuid(nowMs);
    const slug = draft.slug ?? slugOf(name, uuid);
    if ((await rows.findTenant(tx, slug)) !== undefined) {
      const field = draft.slug === undefined ? "name" : "slug";
      throw new OperatorRefused("already-exists", `there is a tenant ${slug} already`, field);
    }
    const parentId = parent?.tenantId ?? null;
    const row = { uuid, slug, name, type, parentId, currency, timezone, locale };
    const tenant = await rows.insertTenant(tx, row, nowMs);
    for (const open of openTenant) await open(tx, tenant.tenantId, nowMs);
    access.forget(tx, { tenantId: tenant.tenantId });
    const after = { slug, name, type, currency, timezone };
    const told = { change: "created", tenant, parentId: parent?.tenantId, after } as const;
    await tellTenant(deps, tx, told, by, nowMs);
    return tenant;
  }

  /** Tenants in the order of their making. */
  const listTenants = (): Promise<rows.Tenant[]> =>
    store.read((q) => rows.pageTenants(q, 0, tenantsListedMax));

  /** The tenant of this slug, or the first; undefined if there is none. */
  const tenantBySlug = (slug?: string): Promise<rows.Tenant | undefined> =>
    store.read(async (q) =>
      slug === undefined ? (await rows.pageTenants(q, 0, 1))[0] : await rows.findTenant(q, slug),
    );

  /** Those below a tenant, newest first, below a number; deleted ones left out. */
  const listBelow = (fromId: number, belowId: number, limit: number): Promise<rows.Tenant[]> =>
    store.read((q) => rows.tenantsBelow(q, fromId, belowId, limit));

  const countBelow = (fromId: number): Promise<number> =>
    store.read((q) => rows.countBelow(q, fromId));

  /**
   * The tenant itself (distance 0) or one below it; `current` is the caller's own.
   * @throws Problem not-found
   */
  const find = (fromId: number, id: string): Promise<{ tenant: rows.Tenant; distance: number }> =>
    store.read((q) => changes.reach(q, fromId, id));

  /**
   * Whether the owner's password is this; answers the hash that it is right for.
   * @throws Problem invalid-credentials
   */
  async function proveOwner(userUuid: string, password: string): Promise<string> {
    const hash = (await store.read((q) => account.byUuid(q, userUuid)))?.passwordHash ?? null;
    if (hash === null || !(await passwords.verify(password, hash))) {
      throw new Problem("invalid-credentials");
    }
    return hash;
  }

  return {
    ...{ initialise, addTenant, open, create, listTenants, tenantBySlug },
    ...{ listBelow, countBelow, find, proveOwner },
    ...changes,
  };
}

function check({ name, currency, timezone }: TenantDraft): void {
  checkName("name", name);
  if (currency !== undefined) checkCurrency(currency);
  if (timezone !== undefined) checkTimezone(timezone);
}
