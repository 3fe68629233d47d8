/** `/users`: the users of the caller's tenant. Nothing is decided here. */
import {
  userAnswer,
  userChangeRequest,
  userCreateRequest,
  userParams,
  userQuery,
  userRolesRequest,
} from "../../../schema/contract/user.ts";
import { instantText } from "../../domain/instant.ts";
import { nameOf } from "../../domain/invitation.ts";
import { passwordFault } from "../../domain/password.ts";
import { mailAddress } from "../../domain/text.ts";
import { byOf } from "../../http/platform/by.ts";
import type { Caller } from "../../http/platform/caller.ts";
import { pageOf } from "../../http/platform/page.ts";
import { operation, type PlatformCall, type PlatformRoute } from "../../http/platform/route.ts";
import type { Doer, User, UserService } from "./service.ts";

type Called = PlatformCall<unknown, unknown, unknown, Caller>;

const doerOf = (call: Called): Doer => ({ by: byOf(call), holder: call.caller });

const viewIn =
  ({ tenantUuid }: Caller) =>
  (user: User) => ({
    id: user.uuid,
    email: user.email,
    name: user.name ?? nameOf(user.email),
    locale: user.locale,
    tenantId: tenantUuid,
    roles: [...user.roles],
    status: user.status,
    emailVerified: user.emailVerified,
    mfaEnabled: user.mfaEnabled,
    lastLoginAt: user.lastLoginAtMs === null ? null : instantText(user.lastLoginAtMs),
    createdAt: instantText(user.createdAtMs),
    updatedAt: instantText(user.updatedAtMs),
    version: user.version,
  });

const users = { namespace: "iam", tag: "Users" } as const;

const id = "01936d7a-0000-7000-8000-000000000001";
const example = {
  id,
  email: "siti@example.com",
  name: "Siti Rahayu",
  locale: "en",
  tenantId: "01936d7a-0000-7000-8000-000000000002",
  roles: ["admin"],
  status: "active" as const,
  emailVerified: true,
  mfaEnabled: false,
  lastLoginAt: "2026-11-21T16:33:00.000Z",
  createdAt: "2026-11-20T08:00:00.000Z",
  updatedAt: "2026-11-21T16:33:00.000Z",
  version: 1,
};
const params = { id };

export const userRoutes = (service: UserService): PlatformRoute[] => [
  ...listRoutes(service),
  ...singleRoutes(service),
  ...stateRoutes(service),
];

const listRoutes = (service: UserService): PlatformRoute[] => [
  operation({
    ...users,
    method: "GET",
    path: "/users",
    operationId: "listUsers",
    summary: "Users of the tenant",
    description: "Newest first. Removed users are shown with `status=deleted` alone.",
    access: { permission: "users.list" },
    contract: { query: userQuery, list: userAnswer },
    status: 200,
    refusals: [],
    examples: {
      query: { q: "siti" },
      response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) => {
      const { tenantId } = call.caller;
      const { q, status, role } = call.query;
      const filter = {
        ...(q !== undefined && { q }),
        ...(status !== undefined && { status }),
        ...(role !== undefined && { role }),
      };
      return pageOf(
        call,
        {
          read: (after, limit) =>
            service.list(tenantId, filter, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: ({ userNo }) => [userNo],
          count: () => service.count(tenantId, filter),
        },
        viewIn(call.caller),
      );
    },
  }),
  operation({
    ...users,
    method: "POST",
    path: "/users",
    operationId: "createUser",
    summary: "Add a user",
    description:
      "With a password the user is active at once. Without one, and for somebody who is known to the " +
      "server, the user stays `invited` until they follow the mailed link; who is known keeps their " +
      "own name and password.",
    access: { permission: "users.create" },
    contract: { body: userCreateRequest, response: userAnswer },
    status: 201,
    refusals: ["plan-limit-exceeded", "already-member", "permission-escalation", "owner-protected"],
    examples: {
      request: { email: "siti@example.com", name: "Siti Rahayu", roles: ["admin"] },
      response: example,
    },
    location: (user) => `/users/${user.id}`,
    check: ({ email, password }) => {
      const fault = password && passwordFault(password, mailAddress(email));
      return fault ? [fault] : [];
    },
    handle: async (call) => {
      const { caller, nowMs } = call;
      const { password, email: given, ...draft } = call.body;
      const email = mailAddress(given);
      const passwordHash = await service.hashFor(email, password);
      return await call.write(async (tx) =>
        viewIn(caller)(
          await service.create(
            tx,
            caller.tenantId,
            { ...draft, email, ...(passwordHash !== undefined && { passwordHash }) },
            doerOf(call),
            nowMs,
          ),
        ),
      );
    },
  }),
];

const singleRoutes = (service: UserService): PlatformRoute[] => [
  operation({
    ...users,
    method: "GET",
    path: "/users/:id",
    operationId: "getUser",
    summary: "One user",
    access: { permission: "users.list" },
    contract: { params: userParams, response: userAnswer },
    status: 200,
    refusals: [],
    examples: { params, response: example },
    handle: async (call) =>
      viewIn(call.caller)(await service.get(call.caller.tenantId, call.params.id, call.nowMs)),
  }),
  operation({
    ...users,
    method: "PATCH",
    path: "/users/:id",
    operationId: "updateUser",
    summary: "Change a user's name or email",
    description:
      "The email only of a user who is in this tenant alone, holds nothing that the caller lacks, and " +
      "is not the owner. It is unverified then, and the old address is told.",
    access: { permission: "users.update" },
    contract: { params: userParams, body: userChangeRequest, response: userAnswer },
    status: 200,
    refusals: [
      ...(["identity-shared", "owner-protected", "permission-escalation"] as const),
      ...(["already-exists", "version-conflict", "wrong-state"] as const),
    ],
    examples: { params, request: { name: "Siti R.", version: 1 }, response: example },
    handle: async (call) => {
      const { caller, nowMs } = call;
      const { email, ...rest } = call.body;
      const change = { ...rest, ...(email !== undefined && { email: mailAddress(email) }) };
      return await call.write(async (tx) =>
        viewIn(caller)(
          await service.change(tx, caller.tenantId, call.params.id, change, doerOf(call), nowMs),
        ),
      );
    },
  }),
  operation({
    ...users,
    method: "DELETE",
    path: "/users/:id",
    operationId: "deleteUser",
    summary: "Remove a user from the tenant",
    description: "Their tokens die at once. They can be taken back for 30 days.",
    access: { permission: "users.delete" },
    contract: { params: userParams, response: null },
    status: 204,
    refusals: ["owner-protected"],
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
    ...users,
    method: "POST",
    path: "/users/:id/assign-roles",
    operationId: "assignRoles",
    summary: "Replace a user's roles",
    description: "Counts on the user's very next call.",
    access: { permission: "roles.assign" },
    contract: { params: userParams, body: userRolesRequest, response: userAnswer },
    status: 200,
    refusals: ["owner-protected", "permission-escalation", "wrong-state"],
    examples: { params, request: { roles: ["admin"] }, response: example },
    handle: async (call) => {
      const { caller, nowMs, params, body } = call;
      return await call.write(async (tx) =>
        viewIn(caller)(
          await service.assignRoles(
            tx,
            caller.tenantId,
            params.id,
            body.roles,
            doerOf(call),
            nowMs,
          ),
        ),
      );
    },
  }),
];

const stateRoutes = (service: UserService): PlatformRoute[] => [
  operation({
    ...users,
    method: "POST",
    path: "/users/:id/restore",
    operationId: "restoreUser",
    summary: "Take a removed user back",
    access: { permission: "users.delete" },
    contract: { params: userParams, response: userAnswer },
    status: 200,
    refusals: ["wrong-state", "permission-escalation"],
    examples: { params, response: example },
    handle: async (call) => {
      const { caller, nowMs } = call;
      return await call.write(async (tx) =>
        viewIn(caller)(
          await service.restore(tx, caller.tenantId, call.params.id, doerOf(call), nowMs),
        ),
      );
    },
  }),
  operation({
    ...users,
    method: "POST",
    path: "/users/:id/block",
    operationId: "blockUser",
    summary: "Block a user in the tenant",
    description: "Their tokens for this tenant die at once.",
    access: { permission: "users.update" },
    contract: { params: userParams, response: userAnswer },
    status: 200,
    refusals: ["wrong-state", "owner-protected"],
    examples: { params, response: { ...example, status: "blocked" } },
    handle: async (call) => {
      const { caller, nowMs } = call;
      return await call.write(async (tx) =>
        viewIn(caller)(await service.block(tx, caller.tenantId, call.params.id, byOf(call), nowMs)),
      );
    },
  }),
  operation({
    ...users,
    method: "POST",
    path: "/users/:id/unblock",
    operationId: "unblockUser",
    summary: "Take a block back",
    access: { permission: "users.update" },
    contract: { params: userParams, response: userAnswer },
    status: 200,
    refusals: ["wrong-state", "owner-protected"],
    examples: { params, response: example },
    handle: async (call) => {
      const { caller, nowMs } = call;
      return await call.write(async (tx) =>
        viewIn(caller)(
          await service.unblock(tx, caller.tenantId, call.params.id, byOf(call), nowMs),
        ),
      );
    },
  }),
  operation({
    ...users,
    method: "POST",
    path: "/users/:id/revoke-sessions",
    operationId: "revokeUserSessions",
    summary: "Sign a user out of the tenant everywhere",
    access: { permission: "users.update" },
    contract: { params: userParams, response: null },
    status: 204,
    refusals: [],
    examples: { params },
    handle: async (call) => {
      const { caller, nowMs } = call;
      await call.write((tx) =>
        service.endSessions(tx, caller.tenantId, call.params.id, byOf(call), nowMs),
      );
      return undefined;
    },
  }),
];
