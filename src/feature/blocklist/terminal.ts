/** The blocklist on the device surface. */
import { blocklistAnswer, blocklistQuery } from "../../../schema/contract/blocklist.ts";
import { notModified, type Route, route } from "../../http/route.ts";
import type { BlocklistService } from "./service.ts";

/** `expireDue` writes down the expiries that have come, so that they are on the list. */
export const blocklistRoutes = (
  blocklist: BlocklistService,
  expireDue: (nowMs: number) => Promise<number>,
): Route[] => [
  route({
    method: "GET",
    path: "/api/blocklist",
    operationId: "getBlocklist",
    summary: "The cards to refuse offline, as a delta",
    description:
      "Without `since`, or with one that is not of this list, the whole list comes, page by page.",
    tag: "Policy",
    access: { roles: ["station", "gate", "terminal"], suspended: true, bucket: "device" },
    contract: { query: blocklistQuery, response: blocklistAnswer },
    status: 200,
    refusals: [],
    conditional: true,
    examples: {
      query: { since: 6 },
      response: {
        version: 7,
        full: false,
        add: [{ cardId: "a1b2c3d4e5f6", status: "BLOCKED_TAMPER" }],
        remove: [],
      },
    },
    handle: async ({ device, query, nowMs, matches }) => {
      while ((await expireDue(nowMs)) > 0);
      const version = await blocklist.version(device.tenantId);
      if (matches(`${version}-${query.since ?? "all"}`)) return notModified;
      return await blocklist.delta(device.tenantId, query.since);
    },
  }),
];
