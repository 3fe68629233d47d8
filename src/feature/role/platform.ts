/** `/roles` and `/permissions`: what may be done in the caller's tenant, in bundles. */
import {
  permissionAnswer,
  permissionQuery,
  roleAnswer,
  roleChangeRequest,
  roleCreateRequest,
  roleParams,
} from "../../../schema/contract/role.ts";
import { instantText } from "../../domain/instant.ts";
import { permissionFaults } from "../../domain/permission.ts";
import { byOf } from "../../http/platform/by.ts";
import type { Caller } from "../../http/platform/caller.ts";
import { pageOf, pageOfArray } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { Role, RoleService } from "./service.ts";

const viewIn =
  ({ tenantUuid }: Caller) =>
  (role: Role) => ({
    id: role.uuid,
    name: role.name,
    displayName: role.displayName,
    description: role.description,
    permissions: [...role.permissions],
    scope: role.builtIn ? ("platform" as const) : ("tenant" as const),
    builtIn: role.builtIn,
    users: role.users,
    tenantId: tenantUuid,
    createdBy: role.createdBy,
    createdAt: instantText(role.createdAtMs),
    version: role.version,
  });

const roles = { namespace: "iam", tag: "Roles" } as const;

const id = "01936d7a-0000-7000-8000-000000000001";
const draft = {
  name: "cashier",
  displayName: "Cashier",
  description: "Tops up cards.",
  permissions: ["fleet.cards.read", "money.credit"],
};
const example = {
  id,
  ...draft,
  scope: "tenant" as const,
  builtIn: false,
  users: 3,
  tenantId: "01936d7a-0000-7000-8000-000000000002",
  createdBy: "01936d7a-0000-7000-8000-000000000003",
  createdAt: "2026-11-21T16:33:00.000Z",
  version: 1,
};
const params = { id };

export const roleRoutes = (service: RoleService): PlatformRoute[] => [
  operation({
    ...roles,
    method: "GET",
    path: "/roles",
    operationId: "listRoles",
    summary: "Roles of the tenant, the built-in ones too",
    access: { permission: "roles.list" },
    contract: { list: roleAnswer },
    status: 200,
    refusals: [],
    examples: { response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } } },
    handle: (call) => {
      const { tenantId } = call.caller;
      return pageOf(
        call,
        {
          read: (after, limit) =>
            service.list(tenantId, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: ({ roleNo }) => [roleNo],
          count: () => service.count(tenantId),
        },
        viewIn(call.caller),
      );
    },
  }),
  operation({
    ...roles,
    method: "POST",
    path: "/roles",
    operationId: "createRole",
    summary: "Make a role",
    description: "At most 100 a tenant. Nobody grants what they lack.",
    access: { permission: "roles.create" },
    contract: { body: roleCreateRequest, response: roleAnswer },
    status: 201,
    refusals: ["already-exists", "permission-escalation", "ids-exhausted"],
    examples: { request: draft, response: { ...example, users: 0 } },
    location: (role) => `/roles/${role.id}`,
    check: ({ permissions }) => permissionFaults(permissions),
    handle: async (call) => {
      const { caller, nowMs } = call;
      return await call.write(async (tx) =>
        viewIn(caller)(
          await service.create(tx, caller.tenantId, call.body, caller, byOf(call), nowMs),
        ),
      );
    },
  }),
  operation({
    ...roles,
    method: "GET",
    path: "/roles/:id",
    operationId: "getRole",
    summary: "One role",
    access: { permission: "roles.list" },
    contract: { params: roleParams, response: roleAnswer },
    status: 200,
    refusals: [],
    examples: { params, response: example },
    handle: async ({ caller, params }) =>
      viewIn(caller)(await service.get(caller.tenantId, params.id)),
  }),
  operation({
    ...roles,
    method: "PATCH",
    path: "/roles/:id",
    operationId: "updateRole",
    summary: "Change a role",
    description: "Counts on the very next call of everybody who has it.",
    access: { permission: "roles.update" },
    contract: { params: roleParams, body: roleChangeRequest, response: roleAnswer },
    status: 200,
    refusals: ["wrong-state", "version-conflict", "permission-escalation"],
    examples: {
      params,
      request: { permissions: draft.permissions, version: 1 },
      response: { ...example, version: 2 },
    },
    check: ({ permissions = [] }) => permissionFaults(permissions),
    handle: async (call) => {
      const { caller, nowMs, params, body } = call;
      return await call.write(async (tx) =>
        viewIn(caller)(
          await service.update(tx, caller.tenantId, params.id, body, caller, byOf(call), nowMs),
        ),
      );
    },
  }),
  operation({
    ...roles,
    method: "DELETE",
    path: "/roles/:id",
    operationId: "deleteRole",
    summary: "Delete a role that nobody has",
    access: { permission: "roles.delete" },
    contract: { params: roleParams, response: null },
    status: 204,
    refusals: ["wrong-state"],
    examples: { params },
    handle: async (call) => {
      const { caller, nowMs } = call;
      await call.write((tx) =>
        service.remove(tx, caller.tenantId, call.params.id, byOf(call), nowMs),
      );
      return undefined;
    },
  }),
  operation({
    ...roles,
    method: "GET",
    path: "/permissions",
    operationId: "listPermissions",
    summary: "Every permission there is, by name",
    access: { permission: "roles.list" },
    contract: { query: permissionQuery, list: permissionAnswer },
    status: 200,
    refusals: [],
    examples: {
      response: {
        data: [{ name: "apikeys.create", description: "Make API keys", module: null }],
        meta: { cursor: null, hasMore: false, total: 1 },
      },
    },
    handle: (call) => pageOfArray(call, service.permissions(call.query.module)),
  }),
];
