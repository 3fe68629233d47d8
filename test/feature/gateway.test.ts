/** Limits of routes, versions that end, the development clock: each call's answers, rows and refusals. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gateways, otherUuid, problemBase, startMs } from "./gateway.ts";

const open = gateways();
const draft = { route: "listJobs", groupBy: "user", requests: 2 } as const;
const dayMs = 86_400_000;
const iso = (ms: number): string => new Date(ms).toISOString();

describe("limits of routes", () => {
  test("made, listed, changed, taken away; audited and told each time", async () => {
    const world = await open();
    const token = world.caller("rates", ["gateway.rates"]);
    const made = await world.call(token, "POST", "/gateway/rate-limits", draft);
    expect(made.status).toBe(201);
    const { id } = made.json;
    expect(made.headers.get("location")).toBe(`/api/v1/gateway/rate-limits/${id}`);
    expect(made.json).toEqual({
      ...{ id, route: "listJobs", groupBy: "user", requests: 2, adminRequests: null },
      ...{ windowSec: 60, createdAt: iso(startMs), updatedAt: iso(startMs), version: 1 },
    });
    const path = `/gateway/rate-limits/${id}`;
    world.world.clock.advance(5);
    const change = { groupBy: "ip", requests: 3, adminRequests: 9, windowSec: 10, version: 1 };
    const changed = await world.call(token, "PATCH", path, change);
    expect(changed.json).toEqual({
      ...made.json,
      ...change,
      updatedAt: iso(startMs + 5_000),
      version: 2,
    });
    expect((await world.call(token, "GET", "/gateway/rate-limits")).json).toEqual({
      data: [changed.json],
      meta: { cursor: null, hasMore: false, total: 1 },
    });
    const gone = await world.call(token, "DELETE", path);
    expect([gone.status, gone.text]).toEqual([204, ""]);
    expect((await world.call(token, "DELETE", path)).slug).toBe("not-found");
    const base = { route: "listJobs", windowSec: 60 };
    expect(await world.events("gateway.ratelimit.changed")).toEqual([
      { tenantId: 1, data: { ...base, groupBy: "user", requests: 2 } },
      { tenantId: 1, data: { ...base, groupBy: "ip", requests: 3, windowSec: 10 } },
      { tenantId: 1, data: { ...base, groupBy: "ip", requests: null, windowSec: 10 } },
    ]);
    const audits = await world.audits("gateway.ratelimit.changed");
    expect(audits.map(({ actorId }) => actorId)).toEqual(new Array(3).fill(world.idOf(token)));
    expect(audits.map(({ after }) => after === null)).toEqual([false, false, true]);
  });

  test("in force with the very next call, and gone with it", async () => {
    const world = await open();
    const token = world.caller("rates", ["gateway.rates", "jobs.read"]);
    const jobs = () => world.call(token, "GET", "/jobs");
    for (let i = 0; i < 5; i++) expect((await jobs()).status).toBe(200);
    const { json } = await world.call(token, "POST", "/gateway/rate-limits", draft);
    const first = await jobs();
    expect(first.headers.get("ratelimit-policy")).toBe('"listJobs";q=2;w=60');
    expect(first.headers.get("ratelimit")).toBe('"listJobs";r=1;t=60');
    await jobs();
    const refused = await jobs();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("60");
    expect(refused.json).toMatchObject({
      type: `${problemBase}/rate-limit-exceeded`,
      detail: `Request rate exceeds limit of 2 req/min for user ${world.idOf(token)}`,
      retryAfter: 60,
    });
    const path = `/gateway/rate-limits/${json.id}`;
    await world.call(token, "PATCH", path, { requests: 50 });
    expect((await jobs()).status).toBe(200);
    await world.call(token, "PATCH", path, { requests: 1 });
    expect((await jobs()).status).toBe(429);
    await world.call(token, "DELETE", path);
    expect((await jobs()).headers.get("ratelimit")).toBeNull();
    const text = await world.metrics.text();
    expect(text).toMatch(/^kartu_rate_limited_total\{layer="(local|global)"\} [12]$/m);
  });

  test("the tenant's limit stands beside, and is not widened", async () => {
    const world = await open({ perMin: 3 });
    const token = world.caller("rates", ["gateway.rates"]);
    const wide = { ...draft, groupBy: "tenant", requests: 100_000 };
    await world.call(token, "POST", "/gateway/rate-limits", wide);
    expect((await world.call(token, "GET", "/jobs")).headers.get("ratelimit")).toBe(
      '"tenant";r=1;t=60, "listJobs";r=99999;t=60',
    );
    await world.call(token, "GET", "/jobs");
    expect((await world.call(token, "GET", "/jobs")).json.detail).toBe(
      `Request rate exceeds limit of 3 req/min for tenant ${world.tenants[0]?.uuid}`,
    );
  });

  test("those of another tenant are not there, and count nothing", async () => {
    const world = await open();
    const token = world.caller("rates", ["gateway.rates"]);
    const other = world.caller("other", ["gateway.rates"], { tenantId: 2 });
    const { json } = await world.call(token, "POST", "/gateway/rate-limits", draft);
    const path = `/gateway/rate-limits/${json.id}`;
    expect((await world.call(other, "PATCH", path, { requests: 9 })).slug).toBe("not-found");
    expect((await world.call(other, "DELETE", path)).slug).toBe("not-found");
    expect((await world.call(other, "GET", "/gateway/rate-limits")).json.data).toEqual([]);
    expect((await world.call(other, "GET", "/jobs")).headers.get("ratelimit")).toBeNull();
    expect((await world.call(other, "POST", "/gateway/rate-limits", draft)).status).toBe(201);
  });

  test("pages, newest first", async () => {
    const world = await open();
    const token = world.caller("rates", ["gateway.rates"]);
    const routes = ["listJobs", "getJob", "/m/crm", "/m/pos-2"];
    for (const route of routes) {
      await world.call(token, "POST", "/gateway/rate-limits", { ...draft, route });
    }
    const seen: unknown[] = [];
    let cursor: unknown = "";
    for (let pages = 0; cursor !== null; pages++) {
      const more = cursor === "" ? "" : `&cursor=${cursor}`;
      const { json } = await world.call(token, "GET", `/gateway/rate-limits?limit=3${more}`);
      const { data, meta } = json as { data: { route: string }[]; meta: { cursor: unknown } };
      seen.push(...data.map(({ route }) => route));
      expect(meta).toMatchObject({ total: 4, hasMore: pages === 0 });
      cursor = meta.cursor;
    }
    expect(seen).toEqual(routes.toReversed());
  });

  describe("refused", () => {
    const cases: [
      why: string,
      body: unknown,
      status: number,
      slug: string,
      field: string | undefined,
    ][] = [
      ["an unknown route", { ...draft, route: "noSuchCall" }, 400, "validation-error", "route"],
      ["a module of no such form", { ...draft, route: "/m/X" }, 400, "validation-error", "route"],
      ["no group", { ...draft, groupBy: "role" }, 400, "validation-error", "groupBy"],
      ["0 requests", { ...draft, requests: 0 }, 400, "validation-error", "requests"],
      ["100 001 requests", { ...draft, requests: 100_001 }, 400, "validation-error", "requests"],
      ["a text", { ...draft, requests: "5" }, 400, "validation-error", "requests"],
      ["0 admins", { ...draft, adminRequests: 0 }, 400, "validation-error", "adminRequests"],
      ["a window of 0", { ...draft, windowSec: 0 }, 400, "validation-error", "windowSec"],
      ["a window of 3601", { ...draft, windowSec: 3_601 }, 400, "validation-error", "windowSec"],
      ["no requests", { route: "listJobs", groupBy: "ip" }, 400, "validation-error", "requests"],
      ["something more", { ...draft, burst: 1 }, 400, "validation-error", "burst"],
      ["a second one", draft, 409, "already-exists", undefined],
    ];
    for (const [why, body, status, slug, field] of cases) {
      test(`${why}: ${status} ${slug}`, async () => {
        const world = await open();
        const token = world.caller("rates", ["gateway.rates"]);
        await world.call(token, "POST", "/gateway/rate-limits", draft);
        const answer = await world.call(token, "POST", "/gateway/rate-limits", body);
        expect([answer.status, answer.slug]).toEqual([status, slug]);
        const { errors } = answer.json as { errors?: { field: string }[] };
        expect(errors?.map((each) => each.field)).toEqual(
          field === undefined ? undefined : [field],
        );
        if (slug === "already-exists") expect(answer.json.field).toBe("route");
      });
    }

    test("a stale version: 409 version-conflict with the current one", async () => {
      const world = await open();
      const token = world.caller("rates", ["gateway.rates"]);
      const { json } = await world.call(token, "POST", "/gateway/rate-limits", draft);
      const path = `/gateway/rate-limits/${json.id}`;
      const answer = await world.call(token, "PATCH", path, { requests: 5, version: 7 });
      expect([answer.status, answer.slug]).toEqual([409, "version-conflict"]);
      expect(answer.json.currentVersion).toBe(1);
    });

    test("without gateway.rates: 403; an id of no such form: 404", async () => {
      const world = await open();
      const none = world.caller("none", ["gateway.health"]);
      for (const [method, path] of [
        ["GET", "/gateway/rate-limits"],
        ["POST", "/gateway/rate-limits"],
        ["PATCH", `/gateway/rate-limits/${otherUuid}`],
        ["DELETE", `/gateway/rate-limits/${otherUuid}`],
      ] as const) {
        expect((await world.call(none, method, path)).slug).toBe("forbidden");
        expect((await world.call(null, method, path)).slug).toBe("unauthorized");
      }
      const token = world.caller("rates", ["gateway.rates"]);
      for (const id of ["x", otherUuid]) {
        const path = `/gateway/rate-limits/${id}`;
        expect((await world.call(token, "PATCH", path, { requests: 5 })).slug).toBe("not-found");
      }
    });
  });
});

describe("versions", () => {
  const owner = { isPlatformOwner: true };
  const sunsetMs = Date.parse("2026-06-01T00:00:00.000Z");
  const request = { sunsetAt: "2026-06-01T07:00:00+07:00", successor: 2 };

  test("current ones are listed, highest first", async () => {
    const world = await open();
    const token = world.caller("reader", ["modules.list"]);
    const rest = { status: "current", deprecatedAt: null, sunsetAt: null, snapshotUrl: null };
    expect((await world.call(token, "GET", "/gateway/versions")).json).toEqual({
      data: [
        { version: 1, ...rest },
        { version: 0, ...rest },
      ],
      meta: { cursor: null, hasMore: false, total: 2 },
    });
  });

  test("deprecated: frozen document, headers on every answer, every active tenant told, then 410", async () => {
    const world = await open();
    const token = world.caller("owner", ["*"], owner);
    const answer = await world.call(token, "POST", "/gateway/versions/1/deprecate", request);
    const view = {
      ...{ version: 1, status: "deprecated", deprecatedAt: iso(startMs) },
      ...{ sunsetAt: iso(sunsetMs), snapshotUrl: "/api-docs/v1" },
    };
    expect([answer.status, answer.json]).toEqual([200, view]);
    const directory = join(world.world.directory, "files/api-specs/v1");
    expect(readdirSync(directory)).toEqual(["openapi.yaml"]);
    const yaml = readFileSync(join(directory, "openapi.yaml"), "utf8");
    expect(await world.gateway.versions.document(1)).toBe(yaml);
    expect(Bun.YAML.parse(yaml)).toEqual({
      openapi: "3.1.0",
      info: { title: "Kartu: everything", description: 'quotes " and: colons\n# no comment' },
      paths: {
        "/api/v1/users": { get: { summary: "yes" }, post: {} },
        "/api/v1/users/{id}": { parameters: [] },
      },
    });
    const data = {
      ...{ version: 1, targetVersion: 2, sunsetDate: iso(sunsetMs) },
      affectedEndpoints: ["GET /api/v1/users", "POST /api/v1/users"],
    };
    expect(await world.events("platform.api.deprecated")).toEqual([
      { tenantId: 1, data },
      { tenantId: 2, data },
    ]);
    expect(await world.audits("platform.api.deprecated")).toMatchObject([
      { tenantId: 1, actorId: world.idOf(token) },
    ]);
    for (const [caller, path] of [
      [token, "/gateway/versions"],
      [null, "/gateway/versions"],
      [token, "/no/such/path"],
    ] as const) {
      const { headers } = await world.call(caller, "GET", path);
      expect(headers.get("deprecation")).toBe(`@${startMs / 1000}`);
      expect(headers.get("sunset")).toBe("Mon, 01 Jun 2026 00:00:00 GMT");
      expect(headers.get("link")).toBe('</api-docs/v1>; rel="deprecation"');
    }
    world.world.clock.advance((sunsetMs - startMs) / 1000 - 1);
    expect((await world.call(token, "GET", "/gateway/versions")).status).toBe(200);
    world.world.clock.advance(1);
    const ended = await world.call(token, "GET", "/gateway/versions");
    expect([ended.status, ended.slug]).toEqual([410, "version-sunset"]);
    expect(world.gateway.versions.list(sunsetMs)[0]).toMatchObject({ status: "sunset" });
    // The probes are of no version.
    expect((await world.call(null, "GET", "/live")).status).toBe(200);
  });

  test("a start later knows it still, and finishes what a crash before the naming left", async () => {
    const world = await open();
    const { gateway } = world;
    const wanted = { sunsetAtMs: sunsetMs };
    const snapshot = await gateway.versions.prepare(0, wanted, startMs);
    const by = { tenantId: 1, actor: { type: "system", id: "test" } } as const;
    await world.world.store.write((tx) =>
      gateway.versions.deprecate(tx, snapshot, wanted, by, startMs),
    );
    await world.world.store.close();
    const later = await open({ directory: world.world.directory });
    expect(later.gateway.versions.notice(0, startMs)?.headers.deprecation).toBe(
      `@${startMs / 1000}`,
    );
    expect(later.gateway.versions.notice(1, startMs)).toBeNull();
    expect(await later.gateway.versions.document(0)).toContain("/api/card/{cardId}");
    expect(await later.gateway.versions.document(1)).toBeNull();
  });

  test("a deprecation that was not committed leaves the version current", async () => {
    const world = await open();
    const { versions } = world.gateway;
    const wanted = { sunsetAtMs: sunsetMs };
    const snapshot = await versions.prepare(1, wanted, startMs);
    const by = { tenantId: 1, actor: { type: "system", id: "test" } } as const;
    const failing = world.world.store.write(async (tx) => {
      await versions.deprecate(tx, snapshot, wanted, by, startMs);
      throw new Error("something else went wrong");
    });
    expect(failing).rejects.toThrow("something else");
    await failing.catch(() => undefined);
    expect(versions.notice(1, startMs)).toBeNull();
    expect(await versions.document(1)).toBeNull();
  });

  describe("refused", () => {
    const sixMonths = "2025-11-08T10:26:40.000Z";
    const cases: [why: string, path: string, body: unknown, status: number, slug: string][] = [
      [
        "a second before six months",
        "1",
        { sunsetAt: iso(Date.parse(sixMonths) - 1_000) },
        400,
        "sunset-too-soon",
      ],
      ["a version there is not", "2", request, 404, "not-found"],
      ["no number", "one", request, 404, "not-found"],
      ["no zone", "1", { sunsetAt: "2026-06-01T00:00:00" }, 400, "validation-error"],
      ["no sunset", "1", {}, 400, "validation-error"],
      ["something more", "1", { ...request, force: true }, 400, "validation-error"],
    ];
    for (const [why, version, body, status, slug] of cases) {
      test(`${why}: ${status} ${slug}`, async () => {
        const world = await open();
        const token = world.caller("owner", ["*"], owner);
        const path = `/gateway/versions/${version}/deprecate`;
        const answer = await world.call(token, "POST", path, body);
        expect([answer.status, answer.slug]).toEqual([status, slug]);
      });
    }

    test("exactly six calendar months are enough", async () => {
      const world = await open();
      const token = world.caller("owner", ["*"], owner);
      const path = "/gateway/versions/0/deprecate";
      expect((await world.call(token, "POST", path, { sunsetAt: sixMonths })).status).toBe(200);
    });

    test("a second time: 409 wrong-state with the state; its document stays", async () => {
      const world = await open();
      const token = world.caller("owner", ["*"], owner);
      const path = "/gateway/versions/1/deprecate";
      await world.call(token, "POST", path, request);
      const again = await world.call(token, "POST", path, request);
      expect([again.status, again.slug, again.json.state]).toEqual([
        ...[409, "wrong-state", "deprecated"],
      ]);
    });

    test("an owner who is not the platform's: 403", async () => {
      const world = await open();
      const token = world.caller("owner", ["*"], { isOwner: true });
      const path = "/gateway/versions/1/deprecate";
      expect((await world.call(token, "POST", path, request)).slug).toBe("forbidden");
    });
  });
});

describe("the clock", () => {
  test("moves on a development server, and the move is on record", async () => {
    const world = await open({ isDevelopment: true });
    const token = world.caller("owner", ["*"], { isPlatformOwner: true });
    const answer = await world.call(token, "POST", "/gateway/clock", { advanceSec: 86_400 });
    expect([answer.status, answer.json]).toEqual([200, { now: iso(startMs + dayMs) }]);
    expect(world.advanced).toEqual([86_400]);
    expect(await world.audits("gateway.clock.moved")).toEqual([
      {
        tenantId: 1,
        actorId: world.idOf(token),
        after: { advanceSec: 86_400, now: iso(startMs + dayMs) },
      },
    ]);
  });

  test("within its bounds alone", async () => {
    const world = await open({ isDevelopment: true });
    const token = world.caller("owner", ["*"], { isPlatformOwner: true });
    for (const advanceSec of [0, -1, 1.5, "5", 31_622_401, null]) {
      const answer = await world.call(token, "POST", "/gateway/clock", { advanceSec });
      expect([answer.status, answer.slug]).toEqual([400, "validation-error"]);
    }
    expect(world.advanced).toEqual([]);
  });

  test("without a token 401, without system.clock 403, elsewhere nobody knows it: 404", async () => {
    const world = await open({ isDevelopment: true });
    const body = { advanceSec: 1 };
    const admin = world.caller("admin", ["*"], { isAdmin: true });
    expect((await world.call(null, "POST", "/gateway/clock", body)).slug).toBe("unauthorized");
    expect((await world.call(admin, "POST", "/gateway/clock", body)).slug).toBe("forbidden");
    const production = await open();
    const owner = production.caller("owner", ["*"], { isPlatformOwner: true });
    expect((await production.call(owner, "POST", "/gateway/clock", body)).slug).toBe("not-found");
  });
});

describe("alerts", () => {
  const alert = {
    kind: "limiter",
    route: "",
    detail: "The shared counter is away.",
    tenantId: null,
  };

  test("to the event log of the root tenant or of whom it is about, the metrics too", async () => {
    const world = await open();
    await world.gateway.alert(alert);
    await world.gateway.alert({
      ...alert,
      kind: "response-validation",
      route: "GET /x",
      tenantId: 2,
    });
    expect(await world.events("gateway.alert.raised")).toEqual([
      { tenantId: 1, data: { kind: "limiter", route: "", detail: alert.detail } },
      { tenantId: 2, data: { kind: "response-validation", route: "GET /x", detail: alert.detail } },
    ]);
    expect(await world.metrics.text()).toContain('kartu_alerts_total{kind="limiter"} 1');
  });

  test("the same one once a minute at most", async () => {
    const world = await open();
    for (let i = 0; i < 50; i++) await world.gateway.alert(alert);
    expect((await world.events("gateway.alert.raised")).length).toBe(1);
    world.world.clock.advance(60);
    await world.gateway.alert(alert);
    expect((await world.events("gateway.alert.raised")).length).toBe(2);
  });
});
