/** `/fleet/overview`: the venue's figures of now and today. */
import { overviewAnswer } from "../../../schema/contract/device.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { FleetService } from "./service.ts";

export const fleetRoutes = (service: FleetService): PlatformRoute[] => [
  operation({
    namespace: "fleet",
    tag: "Overview",
    method: "GET",
    path: "/fleet/overview",
    operationId: "getOverview",
    summary: "The venue at a glance",
    description: "Today is the day of the tenant's time zone. Amounts are in minor units.",
    access: { permission: "fleet.devices.read" },
    contract: { response: overviewAnswer },
    status: 200,
    refusals: [],
    examples: {
      response: {
        devices: { active: 41, suspended: 1, retired: 3, silent24h: 2 },
        cards: {
          ...{ ACTIVE: 812, BLOCKED_TAMPER: 1, BLOCKED_FRAUD: 2 },
          ...{ BLOCKED_EXPIRED: 40, BLOCKED_ADMIN: 17 },
        },
        openFlags: 5,
        pendingTopups: { count: 3, amount: 150_000 },
        today: { debits: 1_204, debitAmount: 18_060_000, topups: 96, topupAmount: 9_600_000 },
        exposure: { amount: 24_000_000 },
        staleTopups: { count: 1, amount: 50_000 },
        overdrawn: { count: 1, amount: 12_500 },
      },
    },
    handle: ({ caller, nowMs }) => service.overview(caller.tenantId, nowMs),
  }),
];
