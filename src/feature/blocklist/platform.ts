/** `/fleet/blocklist`: the cards that devices refuse offline. Nothing is decided here. */
import {
  listedAnswer,
  listedMeta,
  listedParams,
  listRequest,
} from "../../../schema/contract/blocklist.ts";
import { instantText } from "../../domain/instant.ts";
import { byOf } from "../../http/platform/by.ts";
import { pageOf } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { BlocklistService, Listed } from "./service.ts";

const blocklist = { namespace: "fleet", tag: "Blocklist" } as const;

const viewOf = (listed: Listed) => ({
  cardId: listed.cardId,
  status: listed.status,
  statusCode: listed.statusCode,
  registered: listed.registered,
  blockedAt: instantText(listed.blockedAtSec * 1000),
  reason: listed.reason,
});

const cardId = "a1b2c3d4e5f6";
const example = {
  ...{ cardId, status: "BLOCKED_ADMIN" as const, statusCode: 4, registered: false },
  ...{ blockedAt: "2026-11-21T16:33:00.000Z", reason: "stolen at another venue" },
};

/** `expireDue` writes down the expiries that have come, so that they are on the list. */
export const blocklistPlatformRoutes = (
  service: BlocklistService,
  expireDue: (nowMs: number) => Promise<number>,
): PlatformRoute[] => [
  operation({
    ...blocklist,
    method: "GET",
    path: "/fleet/blocklist",
    operationId: "listBlocklist",
    summary: "The cards that devices refuse offline",
    description: "The last that was listed first. `meta.version` is what devices compare.",
    access: { permission: "fleet.cards.read" },
    contract: { list: listedAnswer, meta: listedMeta },
    status: 200,
    refusals: [],
    examples: {
      response: { data: [example], meta: { cursor: null, hasMore: false, total: 1, version: 7 } },
    },
    handle: async (call) => {
      const { caller, nowMs } = call;
      const { tenantId } = caller;
      while ((await expireDue(nowMs)) > 0);
      const { count, version } = await service.summary(tenantId);
      const page = await pageOf(
        call,
        {
          read: (after, limit) =>
            service.page(tenantId, Number(after?.[0] ?? Number.MAX_SAFE_INTEGER), limit),
          placeOf: (listed) => [listed.version],
          count: async () => count,
        },
        viewOf,
      );
      return { ...page, meta: { ...page.meta, version } };
    },
  }),
  operation({
    ...blocklist,
    method: "POST",
    path: "/fleet/blocklist",
    operationId: "addToBlocklist",
    summary: "List a card that is not registered here",
    description: "A registered card is blocked instead.",
    access: { permission: "fleet.cards.block" },
    contract: { body: listRequest, response: listedAnswer },
    status: 201,
    refusals: ["already-exists"],
    examples: { request: { cardId, reason: example.reason }, response: example },
    location: (made) => `/fleet/blocklist/${made.cardId}`,
    handle: async (call) => {
      const { caller, body, nowMs } = call;
      const by = byOf(call);
      return await call.write(async (tx) =>
        viewOf(await service.list(tx, caller.tenantId, body.cardId, body.reason, by, nowMs)),
      );
    },
  }),
  operation({
    ...blocklist,
    method: "DELETE",
    path: "/fleet/blocklist/:cardId",
    operationId: "removeFromBlocklist",
    summary: "Take a card off that was listed by hand",
    access: { permission: "fleet.cards.block" },
    contract: { params: listedParams, response: null },
    status: 204,
    refusals: ["unblock-by-reissue"],
    examples: { params: { cardId } },
    handle: async (call) => {
      const { caller, params, nowMs } = call;
      const by = byOf(call);
      await call.write((tx) => service.unlist(tx, caller.tenantId, params.cardId, by, nowMs));
    },
  }),
];
