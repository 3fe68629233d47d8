/**
 * What those who watch the server ask: the probes, its health, its metrics. Outside both bases, and no
 * draw on any limit. How the parts are, and what was counted, is handed in.
 */
import type { Static } from "@sinclair/typebox";
import {
  deadAnswer,
  healthAnswer,
  liveAnswer,
  readyAnswer,
  unreadyAnswer,
} from "../../../schema/contract/gateway.ts";
import type { ComponentHealth, HealthStatus } from "../../domain/health.ts";
import { Problem } from "../../domain/problem.ts";
import { operation, type PlatformRoute, publicOperation } from "./route.ts";

export interface WatchDeps {
  /** Why the process can't go on; null: it can. */
  readonly failure: () => string | null;
  /** Why calls can't be taken; null: they can. */
  readonly unreadiness: (nowMs: number) => Promise<string | null>;
  readonly health: () => Promise<{
    readonly status: HealthStatus;
    readonly components: readonly ComponentHealth[];
  }>;
  readonly version: string;
  readonly environment: string;
  readonly startedMs: number;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  /** Due for the metrics; empty: loopback alone may read them. */
  readonly metricsToken: string;
}

type ProbePath = `/${string}`;

const shared = {
  method: "GET",
  root: true,
  uncounted: true,
  namespace: "gateway",
  tag: "Health",
  status: 200,
} as const;

export const watchRoutes = (deps: WatchDeps): PlatformRoute[] => [
  live(deps, "/live", "isLive"),
  live(deps, "/health/live", "isLiveToo"),
  ready(deps, "/ready", "isReady"),
  ready(deps, "/health/ready", "isReadyToo"),
  health(deps),
  metrics(deps),
];

const live = ({ failure }: WatchDeps, path: ProbePath, operationId: string): PlatformRoute =>
  publicOperation({
    ...shared,
    path,
    operationId,
    summary: "Whether the process can go on",
    description: "503 with `status: error` and a `reason` when only a restart helps.",
    access: { public: true },
    contract: { response: liveAnswer, unwell: deadAnswer },
    refusals: [],
    examples: { response: { status: "ok" } },
    handle: () => {
      const reason = failure();
      return reason === null ? { status: "ok" as const } : unwell({ status: "error", reason });
    },
  });

const ready = ({ unreadiness }: WatchDeps, path: ProbePath, operationId: string): PlatformRoute =>
  publicOperation({
    ...shared,
    path,
    operationId,
    summary: "Whether calls can be taken",
    description: "503 with `status: not_ready` and a `reason` while they can't.",
    access: { public: true },
    contract: { response: readyAnswer, unwell: unreadyAnswer },
    refusals: [],
    examples: { response: { status: "ready" } },
    handle: async ({ nowMs }) => {
      const reason = await unreadiness(nowMs);
      return reason === null
        ? { status: "ready" as const }
        : unwell({ status: "not_ready", reason });
    },
  });

/** Probes are read by machines that know no problem documents. */
const unwell = (body: Static<typeof deadAnswer> | Static<typeof unreadyAnswer>): Response =>
  Response.json(body, { status: 503 });

const health = (deps: WatchDeps): PlatformRoute =>
  operation({
    ...shared,
    path: "/health",
    operationId: "getHealth",
    summary: "How each part of the server is",
    description: "200 whenever it can be said, however bad.",
    access: { permission: "gateway.health" },
    contract: { response: healthAnswer },
    refusals: [],
    examples: {
      response: {
        status: "ok",
        version: "1.0.0",
        environment: "production",
        uptimeSec: 86_400,
        time: "2026-11-21T16:33:00.000Z",
        components: [{ name: "database", status: "ok", latencyMs: 0.2, detail: null }],
      },
    },
    handle: async ({ nowMs }) => {
      const { status, components } = await deps.health();
      return {
        status,
        version: deps.version,
        environment: deps.environment,
        uptimeSec: Math.max(0, Math.floor((nowMs - deps.startedMs) / 1000)),
        time: new Date(nowMs).toISOString(),
        components: [...components],
      };
    },
  });

const metrics = (deps: WatchDeps): PlatformRoute => {
  const due = deps.metricsToken === "" ? null : sha256(deps.metricsToken);
  return publicOperation({
    ...shared,
    path: "/metrics",
    operationId: "getMetrics",
    summary: "What was counted, as Prometheus text",
    description:
      "With the bearer token of KARTU_METRICS_TOKEN where one is set, else from the same machine alone.",
    access: { public: true },
    contract: {},
    produces: "text/plain",
    refusals: ["unauthorized", "forbidden"],
    examples: {},
    handle: async ({ request, address }) => {
      if (due !== null) checkToken(request, due);
      else if (isForwarded(request) || !isLoopback(address)) {
        throw new Problem("forbidden", "The metrics are read from this machine alone.");
      }
      const text = await deps.metrics.text();
      return new Response(text, { headers: { "content-type": deps.metrics.contentType } });
    },
  });
};

const sha256 = (text: string): Uint8Array => new Bun.CryptoHasher("sha256").update(text).digest();

/** Compared as hashes, in one time whatever was sent. @throws Problem unauthorized */
function checkToken(request: Request, due: Uint8Array): void {
  const [, given = ""] =
    /^Bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  let differs = 0;
  for (const [at, byte] of sha256(given).entries()) differs |= byte ^ due[at]!;
  if (differs !== 0) throw new Problem("unauthorized", "The metrics need their token.");
}

/** 127.0.0.0/8 or ::1, as the socket gives it. */
const isLoopback = (address: string): boolean => address === "::1" || address.startsWith("127.");

const isForwarded = ({ headers }: Request): boolean =>
  headers.has("forwarded") || headers.has("x-forwarded-for");
