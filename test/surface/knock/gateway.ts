/** Knocks at the calls of the gateway: probes, limits, versions, jobs. */
import type { Knocks } from "./knock.ts";

const probe = (path: string) =>
  ({ may: "public", root: true, answers: "200", make: () => ({ path }) }) as const;

export const gatewayKnocks: Knocks = {
  "GET /live": probe("/live"),
  "GET /health/live": probe("/health/live"),
  "GET /ready": probe("/ready"),
  "GET /health/ready": probe("/health/ready"),
  "GET /metrics": probe("/metrics"),
  "GET /health": {
    ...{ may: "gateway.health", root: true, answers: "200" },
    make: () => ({ path: "/health" }),
  },
  "GET /gateway/rate-limits": {
    ...{ may: "gateway.rates", answers: "200" },
    make: () => ({ path: "/gateway/rate-limits" }),
  },
  "POST /gateway/rate-limits": {
    ...{ may: "gateway.rates", answers: "201", audit: "gateway.ratelimit.changed" },
    make: (house) => ({
      path: "/gateway/rate-limits",
      body: { ...house.limitDraft(), adminRequests: 100_000, windowSec: 60 },
    }),
  },
  "PATCH /gateway/rate-limits/:id": {
    ...{ may: "gateway.rates", answers: "200", audit: "gateway.ratelimit.changed" },
    make: async (house) => ({
      path: `/gateway/rate-limits/${(await house.rateLimit()).id}`,
      body: { groupBy: "tenant", requests: 99_999, windowSec: 30, version: 1 },
    }),
  },
  "DELETE /gateway/rate-limits/:id": {
    ...{ may: "gateway.rates", answers: "204", audit: "gateway.ratelimit.changed" },
    make: async (house) => ({ path: `/gateway/rate-limits/${(await house.rateLimit()).id}` }),
  },
  "GET /gateway/versions": {
    ...{ may: "modules.list", answers: "200" },
    make: () => ({ path: "/gateway/versions" }),
  },
  "POST /gateway/versions/:version/deprecate": {
    ...{ may: "platform", answers: "200", audit: "platform.api.deprecated", shared: true },
    make: (house) => ({
      path: "/gateway/versions/0/deprecate",
      body: { sunsetAt: "2040-01-01T00:00:00Z", successor: 2 },
      token: house.estate.root.owner,
    }),
  },
  "GET /jobs": { ...{ may: "self", answers: "200" }, make: () => ({ path: "/jobs?kind=wait" }) },
  "GET /jobs/:id": {
    ...{ may: "self", answers: "200" },
    make: async (house) => ({ path: `/jobs/${(await house.job()).id}` }),
  },
  "POST /jobs/:id/cancel": {
    ...{ may: "self", answers: "200", audit: "gateway.job.canceled", event: null },
    make: async (house) => ({ path: `/jobs/${(await house.job()).id}/cancel` }),
  },
};
