/**
 * The gateway behind the operator surface, on a real store with a tenant, with real limits, jobs, probes
 * and metrics. Callers are entries of a map: who may sign in is not tested with it.
 */
import { afterEach } from "bun:test";
import { join } from "node:path";
import { Elysia } from "elysia";
import { bucketsMax } from "../../schema/bound.ts";
import { statement } from "../../schema/query/statement.ts";
import { covers } from "../../src/domain/permission.ts";
import { Problem } from "../../src/domain/problem.ts";
import { Windows } from "../../src/domain/quota.ts";
import { clockRoutes, gatewayRoutes } from "../../src/feature/gateway/platform.ts";
import {
  type ApiDocument,
  gatewayService,
  type HealthDeps,
} from "../../src/feature/gateway/service.ts";
import { jobRoutes } from "../../src/feature/job/platform.ts";
import { jobService } from "../../src/feature/job/service.ts";
import { mountFallback } from "../../src/http/mount.ts";
import type { Caller } from "../../src/http/platform/caller.ts";
import { createLimits } from "../../src/http/platform/limit.ts";
import { fallbackDeps, mountPlatform } from "../../src/http/platform/mount.ts";
import type { PlatformRoute } from "../../src/http/platform/route.ts";
import { StreamCounts } from "../../src/http/platform/stream.ts";
import type { PlatformDeps } from "../../src/http/platform/surface.ts";
import { Tickets } from "../../src/http/platform/ticket.ts";
import { watchRoutes } from "../../src/http/platform/watch.ts";
import { frozenFiles } from "../../src/system/frozen.ts";
import { createMetrics } from "../../src/system/metrics.ts";
import type { WindowCounter } from "../../src/system/valkey.ts";
import { type Foundation, foundations, startMs } from "./foundation.ts";

export { startMs } from "./foundation.ts";

export const problemBase = "https://kartu.example/problems";
export const otherUuid = "01936d7a-0000-7000-8000-0000000000ff";

const insertTenant = statement<[uuid: string, nowMs: number]>(
  "test.tenant.add",
  `INSERT INTO tenant (uuid, slug, name, type, parent_id, depth, status, currency, timezone, locale,
     policy_version, blocklist_version, created_at_ms, updated_at_ms, version)
   VALUES (?1, 'kedua', 'Kantin Kedua', 'client', 1, 1, 'active', 'IDR', 'Asia/Jakarta', 'id-ID',
     1, 0, ?2, ?2, 1)`,
);
const tenantUuids = statement<[], { tenant_id: number; uuid: string }>(
  "test.tenant.all",
  "SELECT tenant_id, uuid FROM tenant ORDER BY tenant_id",
);
const published = statement<[type: string], { tenant_id: number; data: string }>(
  "test.published",
  "SELECT tenant_id, data FROM published_event WHERE type = ?1 ORDER BY event_no",
);
const audited = statement<
  [action: string],
  { tenant_id: number; actor_id: string; detail: string }
>(
  "test.audited",
  `SELECT a.tenant_id, d.actor_id, d.detail FROM audit a JOIN audit_detail d USING (tenant_id, seq)
   WHERE a.action = ?1 ORDER BY a.tenant_id, a.seq`,
);

/** Two versions, each with a document of its own. */
const documents = new Map<number, () => ApiDocument>([
  [0, () => ({ openapi: "3.1.0", paths: { "/api/card/{cardId}": { get: {} } } })],
  [
    1,
    () => ({
      openapi: "3.1.0",
      info: { title: "Kartu: everything", description: 'quotes " and: colons\n# no comment' },
      paths: {
        "/api/v1/users": { get: { summary: "yes" }, post: {} },
        "/api/v1/users/{id}": { parameters: [] },
      },
    }),
  ],
]);

export interface GatewayOptions {
  readonly directory?: string;
  readonly perMin?: number;
  readonly adminPerMin?: number;
  readonly counter?: WindowCounter;
  readonly metricsToken?: string;
  readonly isDevelopment?: boolean;
  readonly health?: Partial<HealthDeps>;
  readonly routes?: readonly PlatformRoute[];
}

export class GatewayWorld {
  readonly callers = new Map<string, Caller>();
  readonly faults: string[] = [];
  readonly metrics = createMetrics();
  readonly gateway;
  readonly job;
  readonly deps: PlatformDeps;
  readonly app: Elysia;
  readonly advanced: number[] = [];

  constructor(
    readonly world: Foundation,
    readonly tenants: readonly { tenant_id: number; uuid: string }[],
    options: GatewayOptions,
  ) {
    const { store, clock, random, audit, event, masterKey } = world;
    const log = { warn: () => undefined, error: (text: string) => void this.faults.push(text) };
    this.gateway = gatewayService({
      ...{ store, random, audit, event, clock, log, documents },
      frozen: frozenFiles(join(world.directory, "files")),
      isLimitable: (route) => limitable.has(route),
      queue: { depth: 0 },
      disk: async () => 2 ** 40,
      parts: { scanner: () => ({ status: "ok", detail: "not in use" }) },
      isStopping: () => false,
      onAlert: (kind) => this.metrics.alerted(kind),
      ...options.health,
    });
    this.job = jobService({ store, random, audit });
    const { rules, versions } = this.gateway;
    const { perMin = 0, adminPerMin = 0 } = options;
    this.deps = {
      ...{ store, clock, random, masterKey, problemBase, proxyHops: 0 },
      admit: ({ token }) => {
        const caller = this.callers.get(token);
        if (caller === undefined) throw new Problem("unauthorized");
        return caller;
      },
      limits: createLimits({
        plan: () => ({ windowSec: 60, requests: perMin, adminRequests: adminPerMin }),
        rules: rules.of,
        counter: options.counter ?? new Windows(bucketsMax),
        addressPerMin: { all: 0, auth: 0, refresh: 0, signup: 0 },
        refused: (layer) => this.metrics.rateLimited(layer),
      }),
      tickets: new Tickets(random),
      streams: new StreamCounts(),
      version: (nowMs) => versions.notice(1, nowMs),
      reportFault: (error) => void this.faults.push(String(error)),
      served: ({ method, path, status, tookMs }) =>
        this.metrics.served({ surface: "platform", route: path, method, status, tookMs }),
      ...{ bodyMaxBytes: 1 << 20, batchMaxBytes: 1 << 23, corsOrigins: [] },
      ...{ verifiedEmailDue: false, checkAnswers: true },
    };
    const advance = async (sec: number): Promise<number> => {
      this.advanced.push(sec);
      clock.advance(sec);
      return clock.nowMs();
    };
    const routes = [
      ...gatewayRoutes({ gateway: this.gateway }),
      ...jobRoutes({ job: this.job, problemBase: () => problemBase }),
      ...watchRoutes({
        failure: () => null,
        unreadiness: this.gateway.unreadiness,
        health: this.gateway.health,
        ...{ version: "1.2.3", environment: "staging", startedMs: startMs - 90_500 },
        metrics: this.metrics,
        metricsToken: options.metricsToken ?? "",
      }),
      ...(options.isDevelopment ? clockRoutes({ advance, moved: this.gateway.clockMoved }) : []),
      ...(options.routes ?? []),
    ];
    const limitable = new Set(routes.map(({ operationId }) => operationId));
    this.app = new Elysia({ strictPath: true, handler: { standardHostname: false } });
    mountFallback(this.app, fallbackDeps(this.deps));
    mountPlatform(this.app, this.deps, routes);
  }

  /** A caller of the first tenant or the second; the token is the name. */
  caller(name: string, permissions: readonly string[], change: Partial<Caller> = {}): string {
    const tenantId = change.tenantId ?? 1;
    const isPlatformOwner = change.isPlatformOwner ?? false;
    this.callers.set(name, {
      kind: "user",
      id: `01936d7a-0000-7000-8000-${Bun.SHA256.hash(name, "hex").slice(0, 12)}`,
      email: `${name}@kartu.example`,
      userNo: 1,
      tenantId,
      tenantUuid: this.tenants.find((each) => each.tenant_id === tenantId)?.uuid ?? "",
      tenant: { type: "client", status: "active", slug: "kantin" },
      ...{ roles: [], permissions, isAdmin: false, isOwner: false, isPlatformOwner },
      can: (permission) => covers(permissions, permission, isPlatformOwner),
      ...{ sid: null, jti: otherUuid, audience: "platform-kernel", actorId: null },
      ...{ issuedAtSec: 0, expiresAtSec: 9e9, emailVerified: true },
      ...change,
    });
    return name;
  }

  idOf(name: string): string {
    return this.callers.get(name)?.id ?? "";
  }

  async call(
    token: string | null,
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ) {
    const all = new Headers(headers);
    if (token !== null) all.set("authorization", `Bearer ${token}`);
    if (body !== undefined) all.set("content-type", "application/json");
    const isRoot = /^\/(live|ready|health|metrics)/.test(path);
    const response = await this.app.handle(
      new Request(`http://kartu.example${isRoot ? "" : "/api/v1"}${path}`, {
        method,
        headers: all,
        body: body === undefined ? null : JSON.stringify(body),
      }),
    );
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
    const slug = String(json.type ?? "").replace(`${problemBase}/`, "");
    return { status: response.status, headers: response.headers, text, json, slug };
  }

  async events(type: string): Promise<{ tenantId: number; data: Record<string, unknown> }[]> {
    const rows = await this.world.store.read((q) => q.all(published, type));
    return rows.map(({ tenant_id, data }) => ({ tenantId: tenant_id, data: JSON.parse(data) }));
  }

  async audits(action: string): Promise<{ tenantId: number; actorId: string; after: unknown }[]> {
    const rows = await this.world.store.read((q) => q.all(audited, action));
    return rows.map(({ tenant_id, actor_id, detail }) => ({
      tenantId: tenant_id,
      actorId: actor_id,
      after: (JSON.parse(detail) as { after: unknown }).after,
    }));
  }
}

/** To be called once in each test file, at its top. */
export function gateways(): (options?: GatewayOptions) => Promise<GatewayWorld> {
  const open = foundations();
  const made: GatewayWorld[] = [];
  afterEach(async () => {
    for (const world of made.splice(0)) {
      await world.job.stop();
      if (world.faults.length > 0) throw new Error(`faults inside: ${world.faults.join("\n")}`);
    }
  });
  return async (options = {}) => {
    const { directory } = options;
    const world = await open(directory === undefined ? {} : { directory, initialise: false });
    if (directory === undefined)
      await world.store.write((tx) => tx.run(insertTenant, otherUuid, startMs));
    const tenants = await world.store.read((q) => q.all(tenantUuids));
    const gateway = new GatewayWorld(world, tenants, options);
    await gateway.gateway.versions.open();
    made.push(gateway);
    return gateway;
  };
}
