/** `GET /api/policy`. */
import { policyAnswer } from "../../../schema/contract/policy.ts";
import { type Route, route } from "../../http/route.ts";
import type { PolicyService } from "./service.ts";

export const policyRoutes = (policies: Pick<PolicyService, "effective">): Route[] => [
  route({
    method: "GET",
    path: "/api/policy",
    operationId: "getPolicy",
    summary: "The limits that this device works under",
    description:
      "Each value is the device's own, else its zone's, else the tenant's, else the default.",
    tag: "Policy",
    access: { roles: ["station", "gate", "terminal"], suspended: true, bucket: "device" },
    contract: { response: policyAnswer },
    status: 200,
    refusals: [],
    etag: true,
    examples: {
      response: {
        maxBalance: 5_000_000,
        singleTxLimit: 1_000_000,
        dailyLimit: 2_000_000,
        weeklyLimit: 5_000_000,
        blockedStatuses: [1, 2, 3, 4],
        clockDriftAllowanceSec: 3_600,
        hardCeiling: 16_000_000,
        currency: "IDR",
        timezone: "Asia/Jakarta",
        sessionMaxSec: 86_400,
        policyVersion: 1,
      },
    },
    handle: async ({ device: { tenantId, zoneNo, deviceNo } }) => {
      const policy = await policies.effective(tenantId, zoneNo, deviceNo);
      return {
        maxBalance: policy.maxBalance,
        singleTxLimit: policy.singleTxLimit,
        dailyLimit: policy.dailyLimit,
        weeklyLimit: policy.weeklyLimit,
        blockedStatuses: [...policy.blockedStatuses],
        clockDriftAllowanceSec: policy.clockDriftAllowanceSec,
        hardCeiling: policy.hardCeiling,
        currency: policy.currency,
        timezone: policy.timezone,
        sessionMaxSec: policy.sessionMaxSec,
        policyVersion: policy.policyVersion,
      };
    },
  }),
];
