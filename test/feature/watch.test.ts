/** Probes, health and metrics: exact bodies, who may ask, and what each of them says when things go bad. */
import { describe, expect, test } from "bun:test";
import type { Caller } from "../../src/http/platform/caller.ts";
import { type GatewayOptions, type GatewayWorld, gateways, startMs } from "./gateway.ts";

const open = gateways();
const mib = 2 ** 20;

describe("/live and /ready", () => {
  for (const [path, body] of [
    ["/live", { status: "ok" }],
    ["/health/live", { status: "ok" }],
    ["/ready", { status: "ready" }],
    ["/health/ready", { status: "ready" }],
  ] as const) {
    test(`${path} needs no token, and draws on no limit`, async () => {
      const world = await open({ perMin: 1 });
      for (let i = 0; i < 5; i++) {
        const answer = await world.call(null, "GET", path);
        expect([answer.status, answer.json]).toEqual([200, body]);
        expect(answer.headers.get("content-type")).toStartWith("application/json");
        expect(answer.headers.get("cache-control")).toBe("no-store");
      }
    });
  }

  const reasons: [reason: string, health: GatewayOptions["health"]][] = [
    ["shutting down", { isStopping: () => true }],
    ["write queue full", { queue: { depth: 4_096 } }],
    ["less than 64 MiB of disk", { disk: async () => 64 * mib - 1 }],
    [
      "store not writable",
      {
        disk: async () => {
          throw new Error("EROFS");
        },
      },
    ],
  ];
  for (const [reason, health] of reasons) {
    test(`not ready: ${reason}`, async () => {
      const world = await open(health === undefined ? {} : { health });
      const answer = await world.call(null, "GET", "/ready");
      expect([answer.status, answer.json]).toEqual([503, { status: "not_ready", reason }]);
      expect(answer.headers.get("content-type")).toStartWith("application/json");
      expect((await world.call(null, "GET", "/live")).status).toBe(200);
    });
  }

  test("not ready: the store takes no write", async () => {
    const world = await open();
    await world.world.store.close();
    expect((await world.call(null, "GET", "/ready")).json.reason).toBe("store not writable");
  });

  test("a flood of probes is one look a second", async () => {
    let looks = 0;
    const disk = async () => {
      looks++;
      return 2 ** 40;
    };
    const world = await open({ health: { disk } });
    for (let i = 0; i < 50; i++) await world.call(null, "GET", "/ready");
    expect(looks).toBe(1);
    world.world.clock.advance(1);
    await world.call(null, "GET", "/ready");
    expect(looks).toBe(2);
  });
});

describe("/health", () => {
  const asked = async (world: GatewayWorld) => {
    const token = world.caller("admin", ["gateway.health"]);
    return await world.call(token, "GET", "/health");
  };

  test("every part with its status, its time and a word", async () => {
    const { status, json } = await asked(await open());
    const components = json.components as { name: string; latencyMs: number }[];
    expect(status).toBe(200);
    expect({ ...json, components: [] }).toEqual({
      ...{ status: "ok", version: "1.2.3", environment: "staging", uptimeSec: 90 },
      ...{ time: new Date(startMs).toISOString(), components: [] },
    });
    expect(components.map(({ latencyMs, ...rest }) => rest)).toEqual([
      { name: "database", status: "ok", detail: null },
      { name: "writeQueue", status: "ok", detail: "0 waiting" },
      { name: "disk", status: "ok", detail: "1048576 MiB free" },
      { name: "scanner", status: "ok", detail: "not in use" },
    ] as unknown as Omit<(typeof components)[number], "latencyMs">[]);
    for (const { latencyMs } of components) expect(latencyMs).toBeGreaterThanOrEqual(0);
  });

  test("as bad as its worst part, yet 200", async () => {
    const parts = {
      limiter: () => ({ status: "degraded" as const, detail: "the shared counter is away" }),
    };
    const degraded = await asked(await open({ health: { parts } }));
    expect([degraded.status, degraded.json.status]).toEqual([200, "degraded"]);
    const broken = {
      ...parts,
      files: () => {
        throw new Error("no such directory");
      },
    };
    const error = await asked(await open({ health: { parts: broken } }));
    expect([error.status, error.json.status]).toEqual([200, "error"]);
    const components = error.json.components as { name: string }[];
    expect(components.find(({ name }) => name === "files")).toMatchObject({
      status: "error",
      detail: "no such directory",
    });
  });

  test("says so when the database answers no more", async () => {
    const world = await open();
    await world.world.store.close();
    const { status, json } = await asked(world);
    expect([status, json.status]).toEqual([200, "error"]);
  });

  test("a part that is silent is in error, and holds nobody up for long", async () => {
    const parts = { mail: () => new Promise<never>(() => undefined) };
    const { json } = await asked(await open({ health: { parts, answerMsMax: 20 } }));
    const components = json.components as { name: string; detail: string }[];
    expect(components.at(-1)).toMatchObject({ name: "mail", detail: "no answer in 20 ms" });
  });

  test("without a token 401, without gateway.health 403", async () => {
    const world = await open();
    const none = world.caller("none", ["jobs.read"]);
    expect((await world.call(null, "GET", "/health")).slug).toBe("unauthorized");
    expect((await world.call(none, "GET", "/health")).slug).toBe("forbidden");
  });
});

describe("/metrics", () => {
  /** Over a socket, where there is an address. */
  const served = async (options: GatewayOptions) => {
    const world = await open(options);
    world.app.listen({ port: 0, hostname: "127.0.0.1" });
    const url = `http://127.0.0.1:${world.app.server?.port}/metrics`;
    const get = async (headers: Record<string, string> = {}) => {
      const response = await fetch(url, { headers });
      return { status: response.status, headers: response.headers, text: await response.text() };
    };
    return { world, get, end: () => world.app.stop(true) };
  };

  test("without a token set: loopback alone, and never through a proxy", async () => {
    const { world, get, end } = await served({});
    const caller = world.caller("user", [], { kind: "user" } satisfies Partial<Caller>);
    await world.call(caller, "GET", "/jobs");
    const open = await get();
    expect(open.status).toBe(200);
    expect(open.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
    const line =
      'kartu_http_requests_total{surface="platform",route="/jobs",method="GET",status="200"} 1';
    expect(open.text.split("\n")).toContain(line);
    expect(open.text).not.toContain(world.tenants[0]?.uuid ?? "");
    for (const name of ["forwarded", "x-forwarded-for"]) {
      const { status, text } = await get({ [name]: "127.0.0.1" });
      expect(status).toBe(403);
      expect(JSON.parse(text).type).toEndWith("/forbidden");
    }
    // With no socket there is no address, so nothing is loopback.
    expect((await world.call(null, "GET", "/metrics")).slug).toBe("forbidden");
    await end();
  });

  test("with one set: that bearer alone, from anywhere", async () => {
    const { get, end } = await served({ metricsToken: "a-metrics-token" });
    const right = { authorization: "Bearer a-metrics-token" };
    expect((await get(right)).status).toBe(200);
    expect((await get({ ...right, "x-forwarded-for": "192.0.2.1" })).status).toBe(200);
    const authorizations = ["Bearer a-metrics-tokens", "Bearer ", "Basic a-metrics-token", "a"];
    for (const authorization of authorizations) {
      const { status, headers, text } = await get({ authorization });
      expect(status).toBe(401);
      expect(headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
      expect(JSON.parse(text).type).toEndWith("/unauthorized");
    }
    expect((await get()).status).toBe(401);
    await end();
  });
});

test("a verb that they do not offer: 405 with Allow", async () => {
  const world = await open();
  for (const path of ["/live", "/ready", "/health", "/metrics"]) {
    const { status, headers } = await world.call(null, "POST", path);
    expect([status, headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  }
});
