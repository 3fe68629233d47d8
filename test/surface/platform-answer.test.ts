/** What the operator surface answers: problems, ids and traces, verbs, cross-origin reads, its own faults. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { isProblemSlug, type ProblemSlug, problems } from "../../schema/problem.ts";
import { fallbackDeps } from "../../src/http/platform/mount.ts";
import { mountProblems } from "../../src/http/platform/problempage.ts";
import {
  call,
  noteUuid,
  openPlatform,
  type PlatformWorld,
  problem,
  problemBase,
  startMs,
} from "./platform-fixture.ts";

let world: PlatformWorld;
let token: string;
beforeAll(() => {
  world = openPlatform({
    extend: (app, deps) => mountProblems(app, fallbackDeps(deps)),
  });
  token = world.caller("ann");
});
afterAll(() => world.close());

const slugs = Object.keys(problems).filter(isProblemSlug);

describe("problems", () => {
  test("the whole document of a refused call", async () => {
    const response = await call(world, { token, body: '{"text":"refused"}', path: "/v1/notes" });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toEqual({
      type: `${problemBase}/already-exists`,
      title: "Already Exists",
      status: 409,
      detail: "Taken.",
      instance: "/v1/notes",
      traceId: response.headers.get("x-trace-id"),
      field: "text",
    });
  });

  test("members that a problem brings stand beside the others", async () => {
    const path = `/api/v1/notes/${noteUuid}`;
    const stale = { token, method: "PATCH", path, body: '{"text":"stale"}' };
    expect(await problem(await call(world, stale))).toMatchObject({
      slug: "version-conflict",
      currentVersion: 4,
    });
  });

  test("every slug of the closed list has its status, title and headers", async () => {
    const silent = openPlatform({ checkAnswers: false });
    for (const slug of slugs) {
      const path = `/api/v1/broken/${slug}?`;
      const response = await call(silent, { method: "GET", path });
      const wait = response.headers.get("retry-after");
      const told = await problem(response);
      expect([told.slug, told.status]).toEqual([slug, problems[slug].status]);
      expect(told.title.toLowerCase().replaceAll(" ", "-")).toBe(slug);
      expect(told.instance).toBe(`/api/v1/broken/${slug}`);
      expect([slug, wait]).toEqual([slug, "7"]);
      expect([slug, told.retryAfter]).toEqual([slug, told.status === 429 ? 7 : undefined]);
    }
    await silent.close();
  });

  test("titles are the slug's words, each capitalised", async () => {
    for (const [slug, title] of [
      ["insufficient-funds", "Insufficient Funds"],
      ["rate-limit-exceeded", "Rate Limit Exceeded"],
      ["validation-error", "Validation Error"],
    ] as const) {
      const path = `/problems/${slug}`;
      const page = await fetch(world.url + path, { headers: { accept: "application/json" } });
      expect(((await page.json()) as { title: string }).title).toBe(title);
    }
  });

  test("a refusal of limits has its wait in header and body, and the limits' headers", async () => {
    world.refused.add("user-bob");
    const bob = world.caller("bob");
    const response = await call(world, { token: bob });
    expect(response.headers.get("retry-after")).toBe("42");
    expect(response.headers.get("ratelimit")).toBe('"tenant";r=1;t=2');
    expect(await problem(response)).toMatchObject({
      retryAfter: 42,
      detail: "Too many of user-bob",
    });
  });

  test("limits' headers are on every answer to a caller, failures too", async () => {
    for (const spec of [{}, { body: "{" }, { body: '{"text":"refused"}' }]) {
      const response = await call(world, { token, ...spec });
      expect(response.headers.get("ratelimit")).toBe('"tenant";r=1;t=2');
    }
    expect((await call(world, {})).headers.get("ratelimit")).toBeNull();
  });

  test("what the program did wrong is reported, and told as 500 without a word of it", async () => {
    world.faults.length = 0;
    const answer = await problem(await call(world, { method: "GET", path: "/v1/broken/bug" }));
    expect([answer.status, answer.slug]).toEqual([500, "internal-error"]);
    expect(JSON.stringify(answer)).not.toContain("secret");
    expect(world.faults).toEqual(["Error: a secret detail"]);
  });

  test("storage that refuses is 503 with a wait", async () => {
    const response = await call(world, { method: "GET", path: "/v1/broken/storage" });
    expect(response.headers.get("retry-after")).toBe("1");
    const answer = await problem(response);
    expect(answer.slug).toBe("overloaded");
    expect(JSON.stringify(answer)).not.toContain("secret");
  });

  test("a slug that the route does not declare is told as it is, and reported", async () => {
    world.faults.length = 0;
    const path = "/v1/broken/wallet-closed";
    expect((await problem(await call(world, { method: "GET", path }))).slug).toBe("wallet-closed");
    expect(world.faults).toEqual(["Error: broken does not declare wallet-closed"]);
  });
});

describe("answers that break their document", () => {
  test("are 500 in development and staging, and people are told", async () => {
    world.alerts.length = 0;
    const answer = await problem(await call(world, { method: "GET", path: "/v1/broken/no" }));
    expect([answer.status, answer.slug]).toEqual([500, "response-validation-failed"]);
    expect(world.alerts).toEqual([
      {
        kind: "response-validation",
        route: "GET /broken/:how",
        detail: answer.detail,
        tenantId: null,
      },
    ]);
  });

  test("are passed through in production", async () => {
    const silent = openPlatform({ checkAnswers: false });
    const response = await call(silent, { method: "GET", path: "/v1/broken/no" });
    expect([response.status, await response.json()]).toEqual([200, { ok: false, more: "no" }]);
    expect(silent.alerts).toEqual([]);
    await silent.close();
  });
});

describe("ids and traces", () => {
  const ask = (headers: Record<string, string>) =>
    call(world, { method: "GET", path: "/api/v1/away", headers });

  test("a UUID in X-Request-ID is kept, anything else replaced", async () => {
    const kept = await ask({ "x-request-id": noteUuid.toUpperCase() });
    expect(kept.headers.get("x-request-id")).toBe(noteUuid);
    for (const bad of ["1", `${noteUuid}0`, "<script>"]) {
      const id = (await ask({ "x-request-id": bad })).headers.get("x-request-id");
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    }
  });

  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const span = "00f067aa0ba902b7";
  for (const good of [
    `00-${traceId}-${span}-01`,
    `00-${traceId}-${span}-00`,
    `cc-${traceId}-${span}-01-what`,
  ]) {
    test(`traceparent ${good} goes on`, async () => {
      const response = await ask({ traceparent: good });
      expect(response.headers.get("x-trace-id")).toBe(traceId);
    });
  }
  for (const bad of [
    "",
    traceId,
    `00-${traceId}-${span}`,
    `00-${traceId}-${span}-01-what`,
    `ff-${traceId}-${span}-01`,
    `00-${"0".repeat(32)}-${span}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${span}-01`,
  ]) {
    test(`traceparent "${bad}" starts a new trace`, async () => {
      const seen = (await ask({ traceparent: bad })).headers.get("x-trace-id");
      expect(seen).toMatch(/^[0-9a-f]{32}$/);
      expect(seen).not.toBe(traceId);
    });
  }

  test("the request log has one line a call, by the pattern of its path, with its trace", async () => {
    world.served.length = 0;
    const headers = { traceparent: `00-${traceId}-${span}-00`, "x-request-id": noteUuid };
    await call(world, { method: "GET", token, path: `/v1/notes/${noteUuid}`, headers });
    expect(world.served).toEqual([
      {
        requestId: noteUuid,
        traceId,
        parentSpanId: span,
        sampled: false,
        method: "GET",
        path: "/notes/:id",
        status: 200,
        caller: null,
        startedMs: startMs,
        tookMs: 0,
      },
    ]);
  });

  test("the line of a refusal says whose call it was, where that is known", async () => {
    world.served.length = 0;
    await (await call(world, { token, body: "{" })).text();
    await (await call(world, { token: "nobody" })).text();
    const told = world.served.map(({ status, caller }) => `${status} ${caller}`);
    expect(told).toEqual([expect.stringMatching(/^400 user \S+ of tenant \d+$/), "401 null"]);
  });
});

describe("paths and verbs", () => {
  for (const base of ["/api/v1", "/v1"]) {
    test(`${base} serves the same calls, and what is answered echoes it`, async () => {
      const response = await call(world, { token, path: `${base}/notes` });
      expect(response.status).toBe(201);
      expect(response.headers.get("location")).toBe(`${base}/notes/${noteUuid}`);
      expect((await problem(await call(world, { path: `${base}/notes` }))).instance).toBe(
        `${base}/notes`,
      );
    });
  }

  test("PUT and other verbs are 405 with Allow, before any token", async () => {
    for (const [path, allow] of [
      ["/api/v1/notes", "GET, HEAD, OPTIONS, POST"],
      [`/v1/notes/${noteUuid}`, "DELETE, GET, HEAD, OPTIONS, PATCH"],
      ["/api/v1/notes/batch", "DELETE, GET, HEAD, OPTIONS, PATCH, POST"],
      ["/probe", "GET, HEAD, OPTIONS"],
    ] as const) {
      for (const method of ["PUT", "TRACE"]) {
        if (method === "TRACE") continue;
        const response = await call(world, { method, path });
        expect((response.headers.get("allow") ?? "").split(", ").sort().join(", ")).toBe(allow);
        expect((await problem(response)).slug).toBe("method-not-allowed");
      }
      const options = await call(world, { method: "OPTIONS", path });
      expect([options.status, await options.text()]).toEqual([204, ""]);
      expect((options.headers.get("allow") ?? "").split(", ").sort().join(", ")).toBe(allow);
      expect(options.headers.get("x-trace-id")).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  test("HEAD is GET without a body", async () => {
    const response = await call(world, { method: "HEAD", path: "/v1/notes", token });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect((await call(world, { method: "HEAD", path: "/v1/notes" })).status).toBe(401);
  });

  test("a path that is nearly one is 404", async () => {
    for (const path of [
      "/api/v1/notes/",
      "/v1/notes/",
      "/api/v1",
      "/v1",
      "/api/v2/notes",
      "/api/v1/Notes",
      "/api/v1//notes",
      "/api/v1/probe",
      "/notes",
      "/api/v1/notes%2fbatch",
    ]) {
      const response = await call(world, { method: "GET", path, token });
      expect([path, response.status]).toEqual([path, 404]);
    }
  });

  test("a response of the handler's own gets the common headers", async () => {
    const response = await call(world, { method: "GET", path: "/v1/away" });
    expect([response.status, response.headers.get("location")]).toEqual([
      302,
      "https://kartu.test",
    ]);
    expect(response.headers.get("x-request-id")).toHaveLength(36);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("a deprecated version says so on every answer, and is 410 past its end", async () => {
    const headers = { deprecation: "@1800000000", sunset: "Tue, 16 Nov 2027 00:00:00 GMT" };
    world.notice = { headers, ended: false };
    for (const spec of [{ token }, {}, { path: "/v1/nothing" }, { method: "PUT" }]) {
      const response = await call(world, spec);
      expect(response.headers.get("deprecation")).toBe("@1800000000");
      expect(response.headers.get("sunset")).toBe(headers.sunset);
    }
    world.notice = { headers, ended: true };
    const gone = await problem(await call(world, { token }));
    world.notice = null;
    expect([gone.status, gone.slug]).toEqual([410, "version-sunset"]);
  });
});

describe("cross-origin reads", () => {
  const origin = "https://console.example";
  let open: PlatformWorld;
  beforeAll(() => {
    open = openPlatform({ corsOrigins: [origin] });
    open.caller("ann");
  });
  afterAll(() => open.close());

  test("are off by default", async () => {
    const response = await call(world, { token, headers: { origin } });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("vary")).toBeNull();
  });

  test("a listed origin reads answers, failures and 404s", async () => {
    for (const spec of [{ token }, {}, { path: "/v1/nothing" }, { token, body: "{" }]) {
      const response = await call(open, { ...spec, headers: { origin } });
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(response.headers.get("vary")).toBe("Origin");
      expect(response.headers.get("access-control-expose-headers")).toContain("X-Trace-Id");
    }
  });

  test("a preflight is told what may be sent", async () => {
    const headers = { origin, "access-control-request-method": "POST" };
    const response = await call(open, { method: "OPTIONS", headers });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-methods")).toContain("POST");
    expect(response.headers.get("access-control-allow-headers")).toContain("Idempotency-Key");
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(response.headers.get("allow")).toContain("POST");
  });

  for (const other of [
    `${origin}.evil.example`,
    "http://console.example",
    "null",
    origin.toUpperCase(),
  ]) {
    test(`${other} is not let in`, async () => {
      const headers = { origin: other, "access-control-request-method": "POST" };
      for (const method of ["OPTIONS", "POST"]) {
        const response = await call(open, { method, token, headers });
        expect(response.headers.get("access-control-allow-origin")).toBeNull();
        expect(response.headers.get("vary")).toBe("Origin");
      }
    });
  }
});

describe("/problems", () => {
  const get = (path: string, accept?: string) =>
    fetch(world.url + path, { headers: accept === undefined ? {} : { accept } });

  test("each slug has a page, and as JSON its row", async () => {
    for (const slug of slugs as ProblemSlug[]) {
      const page = await get(`/problems/${slug}`, "text/html,application/xhtml+xml,*/*;q=0.8");
      expect([slug, page.status]).toEqual([slug, 200]);
      expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
      const html = await page.text();
      expect(html).toContain(slug);
      expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
      const json = await get(`/problems/${slug}`, "application/json");
      const { status, when, retry } = problems[slug];
      expect(await json.json()).toEqual({ slug, title: expect.any(String), status, when, retry });
    }
  });

  test("the list names them all", async () => {
    const html = await (await get("/problems")).text();
    for (const slug of slugs) expect(html).toContain(`/problems/${slug}"`);
    const { data } = (await (await get("/problems", "application/json")).json()) as {
      data: { slug: string }[];
    };
    expect(data.map(({ slug }) => slug)).toEqual(slugs);
  });

  test("an unknown slug is 404", async () => {
    for (const path of ["/problems/nothing", "/problems/", "/problems/constructor"]) {
      expect((await problem(await get(path))).slug).toBe("not-found");
    }
  });
});
