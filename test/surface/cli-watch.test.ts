/**
 * The whole program with its watchers: a collector that gets its spans, Prometheus text behind a token,
 * and limits that are counted in a real server, which goes away and comes back.
 */
import { afterAll, expect, test } from "bun:test";
import { RedisUnderTest, redisProgram } from "../system/redis.ts";
import { kartu, post, serve, workspace } from "./cli-fixture.ts";

/** Each starts a program or two, beside others that do. */
const msMax = 30_000;

const work = workspace();
afterAll(work.remove);

const owner = { email: "owner@example.com", password: "a long password" };

async function initialised(name: string): Promise<string> {
  const data = work.path(name);
  const login = ["--owner-email", owner.email, "--owner-password", owner.password];
  expect((await kartu(["init", "--data", data, ...login])).code).toBe(0);
  return data;
}

async function signIn(url: string): Promise<{ authorization: string }> {
  const { json } = await post(`${url}/api/v1/auth/login`, owner);
  return { authorization: `Bearer ${json.accessToken}` };
}

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const parentSpanId = "00f067aa0ba902b7";
const traceparent = `00-${traceId}-${parentSpanId}-01`;

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
}
interface Sent {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: Span[] }[] }[];
}

test.concurrent(
  "spans of both surfaces reach the collector, those that wait at the stop too",
  async () => {
    const spans: Span[] = [];
    const collector = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        const { resourceSpans } = (await request.json()) as Sent;
        for (const { scopeSpans } of resourceSpans)
          spans.push(...scopeSpans.flatMap((s) => s.spans));
        return Response.json({});
      },
    });
    const env = {
      KARTU_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`,
      KARTU_LOG_LEVEL: "error",
    };
    const server = await serve(["--data", await initialised("traced")], { env });
    for (const path of ["/api/v1/users", "/api/policy"]) {
      expect((await fetch(server.url + path, { headers: { traceparent } })).status).toBe(401);
    }
    expect((await server.end("SIGTERM")).code).toBe(0);
    expect(spans.map(({ name, ...span }) => [name, span.traceId, span.parentSpanId])).toEqual([
      ["GET /users", traceId, parentSpanId],
      ["GET /api/policy", traceId, parentSpanId],
    ]);
    await collector.stop(true);
  },
  msMax,
);

test.concurrent(
  "metrics need their token, and count both surfaces and what no route took",
  async () => {
    const env = { KARTU_METRICS_TOKEN: "a-metrics-token", KARTU_LOG_LEVEL: "error" };
    const server = await serve(["--data", await initialised("counted")], { env });
    for (const path of ["/api/v1/users", "/api/policy", "/api/v1/users/1/2/3"]) {
      await fetch(server.url + path);
    }
    expect((await fetch(`${server.url}/metrics`)).status).toBe(401);
    const authorization = "Bearer a-metrics-token";
    const response = await fetch(`${server.url}/metrics`, { headers: { authorization } });
    const lines = (await response.text()).split("\n");
    for (const labels of [
      'surface="platform",route="/users",method="GET",status="401"',
      'surface="terminal",route="/api/policy",method="GET",status="401"',
      'surface="platform",route="unmatched",method="GET",status="404"',
    ]) {
      expect(lines).toContain(`kartu_http_requests_total{${labels}} 1`);
    }
    expect((await server.end("SIGTERM")).code).toBe(0);
  },
  msMax,
);

if (redisProgram !== null) sharedLimits(redisProgram);
else if (process.env.CI === "true") {
  test("there is a redis-server", () => expect(redisProgram).not.toBeNull());
} else test.skip("not run: no redis-server on this machine", () => undefined);

function sharedLimits(program: string): void {
  test.concurrent(
    "limits are counted in the shared server, alone while it is away, and there again after",
    async () => {
      const redis = await RedisUnderTest.open(program);
      const env = {
        KARTU_VALKEY_URL: redis.url,
        KARTU_RATE_ADMIN_PER_MIN: "8",
        KARTU_LOG_LEVEL: "error",
      };
      const server = await serve(["--data", await initialised("shared")], { env });
      const headers = await signIn(server.url);
      const ask = () => fetch(`${server.url}/api/v1/gateway/versions`, { headers });
      const limiter = async (): Promise<{ status: number; limiter: string | undefined }> => {
        const response = await fetch(`${server.url}/health`, { headers });
        const { components } = (await response.json()) as {
          components: { name: string; status: string }[];
        };
        const found = components.find(({ name }) => name === "limiter");
        return { status: response.status, limiter: found?.status };
      };
      expect((await ask()).headers.get("ratelimit")).toBe('"tenant";r=7;t=60');
      expect(await limiter()).toEqual({ status: 200, limiter: "ok" });
      // Probes count nowhere, health neither.
      for (let left = 6; left > 2; left--) {
        expect((await ask()).headers.get("ratelimit")).toStartWith(`"tenant";r=${left};`);
      }
      await redis.kill();
      const alone = await ask();
      expect([alone.status, alone.headers.get("ratelimit")]).toEqual([200, null]);
      expect(await limiter()).toEqual({ status: 200, limiter: "degraded" });
      await redis.start();
      for (;;) {
        if ((await limiter()).limiter === "ok") break;
        await Bun.sleep(50);
      }
      // The counter has forgotten, layer 1 has not.
      expect((await ask()).headers.get("ratelimit")).toStartWith('"tenant";r=7;');
      await ask();
      const refused = await ask();
      expect(refused.status).toBe(429);
      expect(refused.headers.get("retry-after")).not.toBeNull();
      expect((await server.end("SIGTERM")).code).toBe(0);
      await redis.kill();
    },
    msMax,
  );
}
