/** Calls of the gateway: limits of routes, versions that end, and a development server's clock. */
import {
  clockAnswer,
  clockRequest,
  deprecateRequest,
  rateLimitAnswer,
  rateLimitChangeRequest,
  rateLimitParams,
  rateLimitRequest,
  versionAnswer,
  versionParams,
} from "../../../schema/contract/gateway.ts";
import { instantMs, instantText } from "../../domain/instant.ts";
import { actorOf } from "../../http/platform/caller.ts";
import { pageOf, pageOfArray } from "../../http/platform/page.ts";
import { operation, type PlatformRoute } from "../../http/platform/route.ts";
import type { ApiVersion, GatewayService, Rule } from "./service.ts";

export interface GatewayRouteDeps {
  readonly gateway: Pick<GatewayService, "rules" | "versions">;
}

const shared = { namespace: "gateway", tag: "Gateway" } as const;
const windowDefaultSec = 60;

const example = {
  id: "01936d7a-0000-7000-8000-000000000001",
  route: "listUsers",
  groupBy: "user",
  requests: 60,
  adminRequests: 300,
  windowSec: 60,
  createdAt: "2026-11-21T16:33:00.000Z",
  updatedAt: "2026-11-21T16:33:00.000Z",
  version: 1,
} as const;

const ruleView = (rule: Rule) => ({
  id: rule.id,
  route: rule.route,
  groupBy: rule.groupBy,
  requests: rule.requests,
  adminRequests: rule.adminRequests,
  windowSec: rule.windowSec,
  createdAt: instantText(rule.createdAtMs),
  updatedAt: instantText(rule.updatedAtMs),
  version: rule.version,
});

export const gatewayRoutes = ({ gateway }: GatewayRouteDeps): PlatformRoute[] => [
  ...ruleRoutes(gateway.rules),
  ...versionRoutes(gateway.versions),
];

const ruleRoutes = (rules: GatewayService["rules"]): PlatformRoute[] => [
  operation({
    ...shared,
    method: "GET",
    path: "/gateway/rate-limits",
    operationId: "listRateLimits",
    summary: "Limits of single routes",
    access: { permission: "gateway.rates" },
    contract: { list: rateLimitAnswer },
    status: 200,
    refusals: [],
    examples: {
      response: { data: [example], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: async (call) => {
      const { caller, query } = call;
      const first = Number(query.after?.[0] ?? Number.MAX_SAFE_INTEGER);
      const page = rules.page(caller.tenantId, first, query.limit + 1);
      return await pageOf(
        call,
        {
          read: async () => (await page).rules,
          placeOf: ({ ruleNo }) => [ruleNo],
          count: async () => (await page).total,
        },
        ruleView,
      );
    },
  }),
  operation({
    ...shared,
    method: "POST",
    path: "/gateway/rate-limits",
    operationId: "createRateLimit",
    summary: "Limit a route further",
    description:
      "In force with the next call. It stands beside the limits of the plan, so it can only narrow them.",
    access: { permission: "gateway.rates" },
    contract: { body: rateLimitRequest, response: rateLimitAnswer },
    status: 201,
    refusals: ["already-exists"],
    examples: {
      request: {
        route: "listUsers",
        groupBy: "user",
        requests: 60,
        adminRequests: 300,
        windowSec: 60,
      },
      response: example,
    },
    location: ({ id }) => `/gateway/rate-limits/${id}`,
    handle: ({ caller, body, nowMs, write }) => {
      const { adminRequests = null, windowSec = windowDefaultSec } = body;
      const draft = { ...body, adminRequests, windowSec };
      return write(async (tx) =>
        ruleView(await rules.create(tx, caller.tenantId, draft, actorOf(caller), nowMs)),
      );
    },
  }),
  operation({
    ...shared,
    method: "PATCH",
    path: "/gateway/rate-limits/:id",
    operationId: "updateRateLimit",
    summary: "Change the limit of a route",
    access: { permission: "gateway.rates" },
    contract: { params: rateLimitParams, body: rateLimitChangeRequest, response: rateLimitAnswer },
    status: 200,
    refusals: ["version-conflict"],
    examples: {
      params: { id: example.id },
      request: { requests: 30, version: 1 },
      response: { ...example, requests: 30, version: 2 },
    },
    handle: ({ caller, params, body, nowMs, write }) =>
      write(async (tx) =>
        ruleView(await rules.change(tx, caller.tenantId, params.id, body, actorOf(caller), nowMs)),
      ),
  }),
  operation({
    ...shared,
    method: "DELETE",
    path: "/gateway/rate-limits/:id",
    operationId: "deleteRateLimit",
    summary: "Take the limit of a route away",
    access: { permission: "gateway.rates" },
    contract: { params: rateLimitParams, response: null },
    status: 204,
    refusals: [],
    examples: { params: { id: example.id } },
    handle: ({ caller, params, nowMs, write }) =>
      write(async (tx) => {
        await rules.remove(tx, caller.tenantId, params.id, actorOf(caller), nowMs);
        return undefined;
      }),
  }),
];

const versionView = (each: ApiVersion) => ({
  version: each.version,
  status: each.status,
  deprecatedAt: each.deprecatedAtMs === null ? null : instantText(each.deprecatedAtMs),
  sunsetAt: each.sunsetAtMs === null ? null : instantText(each.sunsetAtMs),
  snapshotUrl: each.snapshotUrl,
});

const versionExample = {
  version: 1,
  status: "deprecated",
  deprecatedAt: "2026-11-21T16:33:00.000Z",
  sunsetAt: "2027-06-01T00:00:00.000Z",
  snapshotUrl: "/api-docs/v1",
} as const;

const versionRoutes = (versions: GatewayService["versions"]): PlatformRoute[] => [
  operation({
    ...shared,
    method: "GET",
    path: "/gateway/versions",
    operationId: "listVersions",
    summary: "Versions of the API and how long they live",
    description: "Version 0 is the unversioned surface of the devices.",
    access: { permission: "modules.list" },
    contract: { list: versionAnswer },
    status: 200,
    refusals: [],
    examples: {
      response: { data: [versionExample], meta: { cursor: null, hasMore: false, total: 1 } },
    },
    handle: (call) => pageOfArray(call, versions.list(call.nowMs).map(versionView)),
  }),
  operation({
    ...shared,
    method: "POST",
    path: "/gateway/versions/:version/deprecate",
    operationId: "deprecateVersion",
    summary: "Announce the end of a version",
    description:
      "Freezes its whole document for ever, adds `Deprecation`, `Sunset` and `Link` to each of its " +
      "answers, and tells every active tenant. From the sunset on it answers 410. Can't be undone.",
    access: { permission: "system.versions" },
    contract: { params: versionParams, body: deprecateRequest, response: versionAnswer },
    status: 200,
    refusals: ["wrong-state", "sunset-too-soon"],
    examples: {
      params: { version: "1" },
      request: { sunsetAt: "2027-06-01T00:00:00Z", successor: 2 },
      response: versionExample,
    },
    handle: async ({ caller, params, body, nowMs, write }) => {
      const wanted = { ...body, sunsetAtMs: instantMs(body.sunsetAt) ?? Number.NaN };
      const snapshot = await versions.prepare(Number(params.version), wanted, nowMs);
      const by = { tenantId: caller.tenantId, actor: actorOf(caller) };
      const answer = await write(async (tx) =>
        versionView(await versions.deprecate(tx, snapshot, wanted, by, nowMs)),
      );
      await versions.freeze(snapshot);
      return answer;
    },
  }),
];

export interface ClockDeps {
  /** Moves the clock; resolves when the jobs that became due are done. Returns the time then, in ms. */
  advance(sec: number): Promise<number>;
  /** Writes down that it was moved. */
  readonly moved: GatewayService["clockMoved"];
}

/** Mounted on a development server alone; elsewhere nobody knows the address. */
export const clockRoutes = ({ advance, moved }: ClockDeps): PlatformRoute[] => [
  operation({
    ...shared,
    method: "POST",
    path: "/gateway/clock",
    operationId: "moveClock",
    summary: "Move the clock of a development server forward",
    description: "Moves every timer of the server; resolves when what became due is done.",
    access: { permission: "system.clock" },
    contract: { body: clockRequest, response: clockAnswer },
    status: 200,
    refusals: [],
    examples: { request: { advanceSec: 86_400 }, response: { now: "2026-11-22T16:33:00.000Z" } },
    handle: async ({ caller, body, write }) => {
      const nowMs = await advance(body.advanceSec);
      return await write(async (tx) => {
        await moved(tx, caller.tenantId, actorOf(caller), body.advanceSec, nowMs);
        return { now: instantText(nowMs) };
      });
    },
  }),
];
