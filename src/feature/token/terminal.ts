/** `POST /api/auth/token`. */
import { tokenAnswer, tokenRequest } from "../../../schema/contract/token.ts";
import { publicRoute, type Route } from "../../http/route.ts";
import type { TokenService } from "./service.ts";

export const tokenRoutes = (tokens: Pick<TokenService, "commission">): Route[] => [
  publicRoute({
    method: "POST",
    path: "/api/auth/token",
    operationId: "commissionDevice",
    summary: "Commission a device: a one-time secret for an access token",
    description:
      "The secret is spent when the token that it yielded is first used: an answer that was lost can " +
      "be asked for again, which revokes the token before. A new token revokes the device's older ones.",
    tag: "Devices",
    access: { public: true, addressBucket: "token" },
    contract: { body: tokenRequest, response: tokenAnswer },
    status: 200,
    refusals: ["rate_limited", "invalid_role", "invalid_credentials", "device_suspended"],
    examples: {
      request: {
        deviceId: "till-1",
        secret: "ks_kq2nE0uJ8mZ5XW3vYbQmD1rT9sLc4hPaGfUoViNyBzE",
        role: "terminal",
      },
      response: {
        token: "kt_9Yc0m4Xr1wZpT7uKqB3sVnEoLhGdJfAi5RtMyPxNzCk",
        expiresAt: 1778230000,
        deviceId: "till-1",
        role: "terminal",
        terminalId: 42,
      },
    },
    ignoresIdempotencyKey: true,
    handle: async ({ body, address, nowMs, headers }) => {
      headers["cache-control"] = "no-store";
      return await tokens.commission(body, address, nowMs);
    },
  }),
];
