/** `/tenants`: the caller's own tenant, and those below it. */
import {
  tenantAnswer,
  tenantChangeRequest,
  tenantCreateRequest,
  tenantParams,
  tenantReasonRequest,
  tenantTransferRequest,
} from "../../../schema/contract/tenant.ts";
import { instantText } from "../../domain/instant.ts";
import { Problem } from "../../domain/problem.ts";
import { settingFaults } from "../../domain/tenant.ts";
import { mailAddress } from "../../domain/text.ts";
import { byOf } from "../../http/platform/by.ts";
import type { Caller } from "../../http/platform/caller.ts";
import { pageOf } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { Tenant, TenantService } from "./service.ts";

const view = (tenant: Tenant) => ({
  id: tenant.uuid,
  parentId: tenant.parentUuid,
  type: tenant.type,
  name: tenant.name,
  slug: tenant.slug,
  logoUrl: tenant.logoUrl,
  status: tenant.status,
  currency: tenant.currency,
  timezone: tenant.timezone,
  locale: tenant.locale,
  depth: tenant.depth,
  ownerId: tenant.ownerUuid,
  createdAt: instantText(tenant.createdAtMs),
  updatedAt: instantText(tenant.updatedAtMs),
  version: tenant.version,
});

/** One permission for one's own tenant, another for those below. @throws Problem forbidden */
function checkMay(caller: Caller, distance: number, own: string, below: string): void {
  const permission = distance === 0 ? own : below;
  if (!caller.can(permission)) throw new Problem("forbidden", `This needs ${permission}.`);
}

const tenants = { namespace: "iam", tag: "Tenants" } as const;

const id = "01936d7a-0000-7000-8000-000000000001";
const draft = {
  name: "Kantin Utama",
  slug: "kantin-utama",
  type: "client" as const,
  ownerEmail: "siti@example.com",
  currency: "IDR",
  timezone: "Asia/Jakarta",
};
const example = {
  id,
  parentId: "01936d7a-0000-7000-8000-000000000002",
  type: "client" as const,
  name: draft.name,
  slug: draft.slug,
  logoUrl: null,
  status: "active" as const,
  currency: draft.currency,
  timezone: draft.timezone,
  locale: "en",
  depth: 1,
  ownerId: "01936d7a-0000-7000-8000-000000000003",
  createdAt: "2026-11-21T16:33:00.000Z",
  updatedAt: "2026-11-21T16:33:00.000Z",
  version: 1,
};
const params = { id };

export const tenantRoutes = (service: TenantService): PlatformRoute[] => [
  ...listRoutes(service),
  ...singleRoutes(service),
  ...stateRoutes(service),
];

const listRoutes = (service: TenantService): PlatformRoute[] => [
  operation({
    ...tenants,
    method: "GET",
    path: "/tenants",
    operationId: "listTenants",
    summary: "Tenants below one's own, at any depth",
    access: { permission: "tenants.list" },
    contract: { list: tenantAnswer },
    status: 200,
    refusals: [],
    examples: { response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } } },
    handle: (call) => {
      const { tenantId } = call.caller;
      return pageOf(
        call,
        {
          read: (after, limit) =>
            service.listBelow(tenantId, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: (tenant) => [tenant.tenantId],
          count: () => service.countBelow(tenantId),
        },
        view,
      );
    },
  }),
  operation({
    ...tenants,
    method: "POST",
    path: "/tenants",
    operationId: "createTenant",
    summary: "Make a tenant",
    description:
      "Below one's own, or below `parentId`. Its owner is invited by mail. Partners make clients only, " +
      "clients none.",
    access: { permission: "tenants.create" },
    contract: { body: tenantCreateRequest, response: tenantAnswer },
    status: 201,
    refusals: ["already-exists", "wrong-state", "not-found"],
    examples: { request: draft, response: example },
    location: (made) => `/tenants/${made.id}`,
    check: (body) => settingFaults(body),
    handle: async (call) => {
      const { caller, nowMs, body } = call;
      const wanted = { ...body, ownerEmail: mailAddress(body.ownerEmail) };
      return await call.write(async (tx) =>
        view(await service.create(tx, caller.tenantId, wanted, byOf(call), nowMs)),
      );
    },
  }),
];

const singleRoutes = (service: TenantService): PlatformRoute[] => [
  operation({
    ...tenants,
    method: "GET",
    path: "/tenants/:id",
    operationId: "getTenant",
    summary: "One tenant",
    description: "`current` is one's own: `settings.read`. One below needs `tenants.list`.",
    access: { permission: "settings.read", or: ["tenants.list"] },
    contract: { params: tenantParams, response: tenantAnswer },
    status: 200,
    refusals: [],
    examples: { params, response: example },
    handle: async ({ caller, params }) => {
      const { tenant, distance } = await service.find(caller.tenantId, params.id);
      checkMay(caller, distance, "settings.read", "tenants.list");
      return view(tenant);
    },
  }),
  operation({
    ...tenants,
    method: "PATCH",
    path: "/tenants/:id",
    operationId: "updateTenant",
    summary: "Change a tenant's settings",
    description:
      "`current` is one's own: `settings.update`. One below needs `tenants.update`. The currency stays " +
      "once there is a wallet, the time zone once days were counted by it.",
    access: { permission: "settings.update", or: ["tenants.update"] },
    contract: { params: tenantParams, body: tenantChangeRequest, response: tenantAnswer },
    status: 200,
    refusals: ["wrong-state", "version-conflict"],
    examples: {
      params,
      request: { name: "Kantin Baru", version: 1 },
      response: { ...example, name: "Kantin Baru", version: 2 },
    },
    check: (body) => settingFaults(body),
    handle: async (call) => {
      const { caller, nowMs, params, body } = call;
      return await call.write(async (tx) => {
        const { tenant, distance } = await service.reach(tx, caller.tenantId, params.id);
        checkMay(caller, distance, "settings.update", "tenants.update");
        return view(await service.update(tx, tenant, body, byOf(call), nowMs));
      });
    },
  }),
];

const stateRoutes = (service: TenantService): PlatformRoute[] => [
  operation({
    ...tenants,
    method: "POST",
    path: "/tenants/:id/block",
    operationId: "blockTenant",
    summary: "Block a tenant",
    description: "Stops its people (403), not its devices.",
    access: { permission: "tenants.block" },
    contract: { params: tenantParams, body: tenantReasonRequest, response: tenantAnswer },
    status: 200,
    refusals: ["wrong-state"],
    examples: {
      params,
      request: { reason: "Unpaid" },
      response: { ...example, status: "blocked" },
    },
    handle: async (call) => {
      const { caller, nowMs, params, body } = call;
      const { tenantId } = caller;
      return await call.write(async (tx) =>
        view(await service.block(tx, tenantId, params.id, body.reason, byOf(call), nowMs)),
      );
    },
  }),
  operation({
    ...tenants,
    method: "POST",
    path: "/tenants/:id/unblock",
    operationId: "unblockTenant",
    summary: "Take a block back",
    access: { permission: "tenants.block" },
    contract: { params: tenantParams, body: tenantReasonRequest, response: tenantAnswer },
    status: 200,
    refusals: ["wrong-state"],
    examples: { params, request: {}, response: example },
    handle: async (call) => {
      const { caller, nowMs, params, body } = call;
      const { tenantId } = caller;
      return await call.write(async (tx) =>
        view(await service.unblock(tx, tenantId, params.id, body.reason, byOf(call), nowMs)),
      );
    },
  }),
  operation({
    ...tenants,
    method: "DELETE",
    path: "/tenants/:id",
    operationId: "deleteTenant",
    summary: "Delete a tenant",
    description: "For good; what is recorded of it stays. Only when nothing hangs below it.",
    access: { permission: "tenants.delete" },
    contract: { params: tenantParams, body: tenantReasonRequest, response: null },
    status: 204,
    refusals: ["wrong-state", "in-use"],
    examples: { params },
    handle: async (call) => {
      const { caller, nowMs, params, body } = call;
      await call.write((tx) =>
        service.remove(tx, caller.tenantId, params.id, body.reason, byOf(call), nowMs),
      );
      return undefined;
    },
  }),
  operation({
    ...tenants,
    method: "POST",
    path: "/tenants/:id/transfer-ownership",
    operationId: "transferOwnership",
    summary: "Make another user the owner",
    description: "One's own tenant only, with one's password. Who was the owner becomes an admin.",
    access: { role: "owner", restricted: true },
    contract: { params: tenantParams, body: tenantTransferRequest, response: tenantAnswer },
    status: 200,
    refusals: ["invalid-credentials"],
    examples: {
      params,
      request: { userId: example.ownerId, password: "correct horse battery" },
      response: example,
    },
    handle: async (call) => {
      const { caller, nowMs, params, body } = call;
      const { tenant, distance } = await service.find(caller.tenantId, params.id);
      if (distance !== 0) throw new Problem("forbidden", "Only its owner passes on a tenant.");
      const passwordHash = await service.proveOwner(caller.id, body.password);
      const transfer = { userId: body.userId, ownerId: caller.id, passwordHash };
      return await call.write(async (tx) =>
        view(await service.transfer(tx, tenant, transfer, byOf(call), nowMs)),
      );
    },
  }),
];
