/** `/fleet/stream`: what happens in the device world, as it happens. */
import { Type } from "@sinclair/typebox";
import { fleetStreamQuery } from "../../../schema/contract/event.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import { type StreamDeps, streamOf } from "../../http/platform/stream.ts";
import type { EventLog } from "./service.ts";

export interface EventRouteDeps {
  readonly event: EventLog;
  readonly stream: StreamDeps;
}

export const eventRoutes = ({ event, stream }: EventRouteDeps): PlatformRoute[] => [
  operation({
    namespace: "fleet",
    tag: "Stream",
    method: "GET",
    path: "/fleet/stream",
    operationId: "streamFleet",
    summary: "What happens in the venue, as it happens",
    description:
      "Server-sent events of `fleet.*`: `id` is the position in the log, `event` the type, `data` the " +
      "envelope. From now on, or behind `Last-Event-ID`. Ends after 15 minutes at most.",
    access: { permission: "fleet.stream" },
    stream: true,
    contract: { query: fleetStreamQuery, response: Type.String() },
    produces: "text/event-stream",
    status: 200,
    refusals: [],
    examples: { query: { types: "fleet.card.*" } },
    handle: (call) => {
      const { caller, query } = call;
      const log = event.listen({
        tenantId: caller.tenantId,
        tenantUuid: caller.tenantUuid,
        patterns: (query.types ?? "*").split(","),
        domain: "fleet",
        terminalId: query.terminalId ?? null,
      });
      return streamOf(call, log, stream);
    },
  }),
];
