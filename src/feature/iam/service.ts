/**
 * Tenants and their owners: the first one of a server and further ones. Signing in is not here.
 */
import type { Actor } from "../../domain/audit.ts";
import { OperatorRefused } from "../../domain/operator.ts";
import {
  checkCurrency,
  checkPassword,
  checkTimezone,
  slugOf,
  tenantDefaults,
} from "../../domain/tenant.ts";
import { checkEmail, checkName } from "../../domain/text.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { EventService } from "../event/service.ts";
import type { Tenant } from "./store.ts";
import * as rows from "./store.ts";

export type { Tenant } from "./store.ts";

export interface IamDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: Pick<AuditService, "append">;
  readonly event: EventService;
  /** What every tenant has from its beginning: its policy, its first key version. */
  readonly openTenant: readonly ((tx: Writer, tenantId: number, nowMs: number) => Promise<void>)[];
  /** What the server has from its beginning: the key that signs grants. */
  readonly openServer: readonly ((tx: Writer, nowMs: number) => Promise<unknown>)[];
}

export interface TenantDraft {
  readonly name: string;
  /** ISO 4217; default IDR. */
  readonly currency?: string;
  /** IANA; default Asia/Jakarta. */
  readonly timezone?: string;
}

export interface Initialisation {
  readonly tenant: TenantDraft;
  readonly ownerEmail: string;
  /** Absent: one is made and answered once. */
  readonly ownerPassword?: string;
}

export interface Initialised {
  readonly tenant: Tenant;
  readonly ownerEmail: string;
  /** Set if it was made here. */
  readonly ownerPassword?: string;
}

/** 144 bits, 24 characters. */
const passwordBytes = 18;
const tenantsListedMax = 10_000;

export function iamService({ store, random, audit, event, openTenant, openServer }: IamDeps) {
  /**
   * Makes the first tenant and its owner, the one who runs the server.
   * @throws OperatorRefused `wrong-state` (there is a tenant already), `validation-error`
   */
  async function initialise(
    { tenant: draft, ownerEmail, ownerPassword }: Initialisation,
    actor: Actor,
    nowMs: number,
  ): Promise<Initialised> {
    check(draft);
    const email = ownerEmail.toLowerCase();
    checkEmail("ownerEmail", email);
    const made = ownerPassword === undefined ? newPassword() : undefined;
    const password = ownerPassword ?? made ?? "";
    checkPassword(password, email);
    // Takes a tenth of a second on purpose, so never in a turn of the writer.
    const passwordHash = await Bun.password.hash(password, "argon2id");
    const tenant = await store.write(async (tx) => {
      if ((await rows.pageTenants(tx, 0, 1)).length > 0) {
        throw new OperatorRefused("wrong-state", "this server is initialised already");
      }
      for (const open of openServer) await open(tx, nowMs);
      const first = await insert(tx, draft, "platform", undefined, actor, nowMs);
      await insertOwner(tx, first, email, passwordHash, actor, nowMs);
      return first;
    });
    return { tenant, ownerEmail: email, ...(made !== undefined && { ownerPassword: made }) };
  }

  const newPassword = (): string =>
    random.bytes(passwordBytes).toBase64({ alphabet: "base64url", omitPadding: true });

  /** A further tenant below the first. @throws OperatorRefused `already-exists`, `validation-error` */
  async function addTenant(draft: TenantDraft, actor: Actor, nowMs: number): Promise<Tenant> {
    check(draft);
    return await store.write(async (tx) => {
      const [parent] = await rows.pageTenants(tx, 0, 1);
      if (parent === undefined)
        throw new OperatorRefused("wrong-state", "initialise this server first");
      return await insert(tx, draft, "client", parent, actor, nowMs);
    });
  }

  async function insert(
    tx: Writer,
    draft: TenantDraft,
    type: "platform" | "client",
    parent: Tenant | undefined,
    actor: Actor,
    nowMs: number,
  ): Promise<Tenant> {
    const { name, currency, timezone } = { ...tenantDefaults, ...draft };
    const uuid = random.uuid(nowMs);
    const slug = slugOf(name, uuid);
    if ((await rows.findTenant(tx, slug)) !== undefined) {
      throw new OperatorRefused("already-exists", `there is a tenant ${slug} already`, "name");
    }
    const row = { uuid, slug, name, type, parentId: parent?.tenantId ?? null, currency, timezone };
    await rows.insertTenant(tx, row, nowMs);
    const tenant = await rows.findTenant(tx, slug);
    if (tenant === undefined) throw new Error("a tenant that was just made is not there");
    for (const open of openTenant) await open(tx, tenant.tenantId, nowMs);
    await tellTenant(tx, tenant, parent, actor, nowMs);
    return tenant;
  }

  /** Told to the tenant itself and to the one above it. */
  async function tellTenant(
    tx: Writer,
    { tenantId, uuid, slug, name, type: kind, currency, timezone }: Tenant,
    parent: Tenant | undefined,
    actor: Actor,
    atMs: number,
  ): Promise<void> {
    const type = "auth.tenant.created";
    const entity = { entityType: "tenant", entityId: uuid };
    const after = { slug, name, type: kind, currency, timezone };
    const data = { tenantId: uuid, parentId: parent?.uuid ?? null, name };
    for (const to of parent === undefined ? [tenantId] : [tenantId, parent.tenantId]) {
      await audit.append(tx, { tenantId: to, atMs, action: type, ...entity, actor, after });
      await event.publish(tx, { tenantId: to, type, data, atMs });
    }
  }

  async function insertOwner(
    tx: Writer,
    { tenantId, uuid: tenantUuid }: Tenant,
    email: string,
    passwordHash: string,
    actor: Actor,
    atMs: number,
  ): Promise<void> {
    const userId = random.uuid(atMs);
    await rows.insertUser(tx, userId, email, passwordHash, atMs);
    const user = await rows.findUser(tx, email);
    if (user === undefined) throw new Error("a user that was just made is not there");
    await rows.insertMembership(tx, tenantId, user.userNo, "owner", atMs);
    const type = "auth.user.created";
    const entity = { entityType: "user", entityId: userId };
    const after = { email, roles: ["owner"] };
    await audit.append(tx, { tenantId, atMs, action: type, ...entity, actor, after });
    const data = { userId, email, tenantId: tenantUuid, roles: ["owner"] };
    await event.publish(tx, { tenantId, type, data, atMs });
  }

  /** Tenants in the order of their making. */
  const listTenants = (): Promise<Tenant[]> =>
    store.read((q) => rows.pageTenants(q, 0, tenantsListedMax));

  /** The tenant of this slug, or the first; undefined if there is none. */
  const tenantBySlug = (slug?: string): Promise<Tenant | undefined> =>
    store.read(async (q) =>
      slug === undefined ? (await rows.pageTenants(q, 0, 1))[0] : await rows.findTenant(q, slug),
    );

  return { initialise, addTenant, listTenants, tenantBySlug };
}

function check({ name, currency, timezone }: TenantDraft): void {
  checkName("name", name);
  if (currency !== undefined) checkCurrency(currency);
  if (timezone !== undefined) checkTimezone(timezone);
}
