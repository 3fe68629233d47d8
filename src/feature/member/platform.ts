/** `/fleet/members`: the people who hold cards of the caller's venue. */
import {
  memberAnswer,
  memberChangeRequest,
  memberCreateRequest,
  memberParams,
  memberQuery,
} from "../../../schema/contract/member.ts";
import { instantText } from "../../domain/instant.ts";
import { byOf } from "../../http/platform/by.ts";
import { pageOf } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { Member, MemberService } from "./service.ts";

/** A card is the active one until its expiry, whether or not that is written down. */
const viewAt =
  (nowSec: number) =>
  ({ card, ...member }: Member) => ({
    id: member.memberId,
    userId: member.userId,
    name: member.name,
    email: member.email,
    status: member.status,
    activeCardId:
      card === null || (card.expiresAtSec !== null && card.expiresAtSec <= nowSec)
        ? null
        : card.cardId,
    createdAt: instantText(member.createdAtMs),
    updatedAt: instantText(member.updatedAtMs),
    version: member.version,
  });

const members = { namespace: "fleet", tag: "Members" } as const;

const id = "01936d7a-0000-7000-8000-000000000001";
const example = {
  id,
  userId: 1042,
  name: "Siti Rahayu",
  email: "siti@example.com",
  status: "active" as const,
  activeCardId: "04a1b2c3d4e5",
  createdAt: "2026-11-20T08:00:00.000Z",
  updatedAt: "2026-11-20T08:00:00.000Z",
  version: 1,
};
const params = { id };

export const memberRoutes = (service: MemberService): PlatformRoute[] => [
  operation({
    ...members,
    method: "GET",
    path: "/fleet/members",
    operationId: "listMembers",
    summary: "Members of the venue",
    description: "Newest first; closed ones too.",
    access: { permission: "fleet.members.read" },
    contract: { query: memberQuery, list: memberAnswer },
    status: 200,
    refusals: [],
    examples: {
      query: { q: "siti" },
      response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) => {
      const { tenantId } = call.caller;
      const { limit: _limit, after: _after, ...filter } = call.query;
      return pageOf(
        call,
        {
          read: (after, limit) =>
            service.search(tenantId, filter, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: ({ memberNo }) => [memberNo],
          count: () => service.count(tenantId, filter),
        },
        viewAt(call.nowSec),
      );
    },
  }),
  operation({
    ...members,
    method: "POST",
    path: "/fleet/members",
    operationId: "createMember",
    summary: "Add a member",
    description: "Without a number the next free one is given. A number is never given twice.",
    access: { permission: "fleet.members.write" },
    contract: { body: memberCreateRequest, response: memberAnswer },
    status: 201,
    refusals: ["plan-limit-exceeded", "already-exists", "ids-exhausted"],
    examples: {
      request: { name: "Siti Rahayu", email: "siti@example.com" },
      response: { ...example, activeCardId: null },
    },
    location: (member) => `/fleet/members/${member.id}`,
    handle: async (call) => {
      const { caller, nowMs, body } = call;
      return await call.write(async (tx) =>
        viewAt(call.nowSec)(await service.within.add(tx, caller.tenantId, body, byOf(call), nowMs)),
      );
    },
  }),
  operation({
    ...members,
    method: "GET",
    path: "/fleet/members/:id",
    operationId: "getMember",
    summary: "One member",
    access: { permission: "fleet.members.read" },
    contract: { params: memberParams, response: memberAnswer },
    status: 200,
    refusals: [],
    examples: { params, response: example },
    handle: async ({ caller, params, nowSec }) =>
      viewAt(nowSec)(await service.get(caller.tenantId, params)),
  }),
  operation({
    ...members,
    method: "PATCH",
    path: "/fleet/members/:id",
    operationId: "updateMember",
    summary: "Change a member",
    description:
      "A suspended member gets no new card and no top-up; the card they have goes on working offline.",
    access: { permission: "fleet.members.write" },
    contract: { params: memberParams, body: memberChangeRequest, response: memberAnswer },
    status: 200,
    refusals: ["wrong-state", "version-conflict"],
    examples: {
      params,
      request: { status: "suspended", version: 1 },
      response: { ...example, status: "suspended", version: 2 },
    },
    handle: async (call) => {
      const { caller, nowMs, params, body } = call;
      return await call.write(async (tx) =>
        viewAt(call.nowSec)(
          await service.within.change(tx, caller.tenantId, params, body, byOf(call), nowMs),
        ),
      );
    },
  }),
  operation({
    ...members,
    method: "DELETE",
    path: "/fleet/members/:id",
    operationId: "closeMember",
    summary: "Close a member for good",
    description: "Their record and their number stay. Who holds an ACTIVE card can't be closed.",
    access: { permission: "fleet.members.write" },
    contract: { params: memberParams, response: null },
    status: 204,
    refusals: ["wrong-state", "in-use"],
    examples: { params },
    handle: async (call) => {
      const { caller, nowMs, params } = call;
      await call.write(async (tx) => {
        await service.within.close(tx, caller.tenantId, params, byOf(call), nowMs);
      });
      return undefined;
    },
  }),
];
