/** `/invitations`: asking people into the caller's tenant. Accepting is where people sign in. */
import {
  invitationAnswer,
  invitationParams,
  invitationQuery,
  invitationRequest,
} from "../../../schema/contract/invitation.ts";
import { instantText } from "../../domain/instant.ts";
import { stateOf } from "../../domain/invitation.ts";
import { mailAddress } from "../../domain/text.ts";
import { byOf } from "../../http/platform/by.ts";
import { pageOf } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { Invitation, InvitationService } from "./service.ts";

const viewAt = (nowMs: number) => (invitation: Invitation) => ({
  id: invitation.uuid,
  email: invitation.email,
  roles: [...invitation.roles],
  status: stateOf(invitation, nowMs),
  expiresAt: instantText(invitation.expiresAtMs),
  invitedBy: invitation.invitedBy,
  createdAt: instantText(invitation.createdAtMs),
});

const invitations = { namespace: "iam", tag: "Invitations" } as const;

const id = "01936d7a-0000-7000-8000-000000000001";
const example = {
  id,
  email: "siti@example.com",
  roles: ["member"],
  status: "pending" as const,
  expiresAt: "2026-11-24T16:33:00.000Z",
  invitedBy: "01936d7a-0000-7000-8000-000000000002",
  createdAt: "2026-11-21T16:33:00.000Z",
};
const params = { id };

export const invitationRoutes = (service: InvitationService): PlatformRoute[] => [
  operation({
    ...invitations,
    method: "POST",
    path: "/invitations",
    operationId: "createInvitation",
    summary: "Ask somebody into the tenant by mail",
    description:
      "The link is good once, for 72 hours. An older invitation of the same address is revoked.",
    access: { permission: "users.create" },
    contract: { body: invitationRequest, response: invitationAnswer },
    status: 201,
    refusals: ["already-member", "permission-escalation", "owner-protected"],
    examples: { request: { email: "siti@example.com", roles: ["member"] }, response: example },
    location: (made) => `/invitations/${made.id}`,
    handle: async (call) => {
      const { caller, nowMs, body } = call;
      const draft = { ...body, email: mailAddress(body.email) };
      return await call.write(async (tx) =>
        viewAt(nowMs)(await service.create(tx, caller.tenantId, draft, caller, byOf(call), nowMs)),
      );
    },
  }),
  operation({
    ...invitations,
    method: "GET",
    path: "/invitations",
    operationId: "listInvitations",
    summary: "Invitations of the tenant",
    access: { permission: "users.list" },
    contract: { query: invitationQuery, list: invitationAnswer },
    status: 200,
    refusals: [],
    examples: {
      query: { status: "pending" },
      response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) => {
      const { caller, nowMs, query } = call;
      const { tenantId } = caller;
      return pageOf(
        call,
        {
          read: (after, limit) => {
            const below = Number(after?.[0] ?? Number.MAX_SAFE_INTEGER);
            return service.list(tenantId, query.status, below, limit, nowMs);
          },
          placeOf: ({ invitationNo }) => [invitationNo],
          count: () => service.count(tenantId, query.status, nowMs),
        },
        viewAt(nowMs),
      );
    },
  }),
  operation({
    ...invitations,
    method: "POST",
    path: "/invitations/:id/resend",
    operationId: "resendInvitation",
    summary: "Send a new link",
    description: "Another 72 hours; the old link is dead.",
    access: { permission: "users.create" },
    contract: { params: invitationParams, response: invitationAnswer },
    status: 200,
    refusals: ["wrong-state", "permission-escalation"],
    examples: { params, response: example },
    handle: async (call) => {
      const { caller, nowMs } = call;
      return await call.write(async (tx) =>
        viewAt(nowMs)(
          await service.resend(tx, caller.tenantId, call.params.id, caller, byOf(call), nowMs),
        ),
      );
    },
  }),
  operation({
    ...invitations,
    method: "DELETE",
    path: "/invitations/:id",
    operationId: "revokeInvitation",
    summary: "Revoke an invitation",
    access: { permission: "users.create" },
    contract: { params: invitationParams, response: null },
    status: 204,
    refusals: ["wrong-state"],
    examples: { params },
    handle: async (call) => {
      const { caller, nowMs } = call;
      await call.write((tx) =>
        service.revoke(tx, caller.tenantId, call.params.id, byOf(call), nowMs),
      );
      return undefined;
    },
  }),
];
