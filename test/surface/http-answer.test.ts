/** Answers and errors as they leave: bodies, headers, request ids, and nothing of what was sent. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { commonRefusals } from "../../src/http/problem.ts";
import { call, openWorld, refusal, tokenOf, type World } from "./http-fixture.ts";

let world: World;
let token: string;
beforeAll(() => {
  world = openWorld();
  token = world.device("answers");
});
afterAll(() => world.close());

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe("answers", () => {
  test("a body has its type, a request id, and may not be stored", async () => {
    const response = await call(world, { token });
    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("x-request-id")).toMatch(uuid);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({ count: 1, text: "hello" });
  });

  test("204 has neither body nor type", async () => {
    const path = "/api/notes/0123456789ab/clear";
    for (const body of [null, "{}", " { } "]) {
      const response = await call(world, {
        token,
        path,
        body,
        type: body === null ? null : "application/json",
      });
      expect([response.status, await response.text()]).toEqual([204, ""]);
      expect(response.headers.has("content-type")).toBe(false);
      expect(response.headers.get("x-request-id")).toMatch(uuid);
    }
  });

  test("a UUID in X-Request-ID is taken, anything else is not", async () => {
    const ask = async (id: string): Promise<string | null> => {
      const response = await call(world, { token, headers: { "x-request-id": id } });
      return response.headers.get("x-request-id");
    };
    const id = "0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a";
    expect(await ask(id)).toBe(id);
    expect(await ask(id.toUpperCase())).toBe(id);
    for (const other of ["1", "x".repeat(36), `${id}0`, '{"a":1}']) {
      expect(await ask(other)).not.toBe(other);
    }
  });

  test("the request log has one line a call, with the pattern of its path", async () => {
    const before = world.served.length;
    const response = await call(world, { token });
    await response.text();
    expect(world.served.slice(before)).toEqual([
      {
        requestId: response.headers.get("x-request-id") ?? "",
        method: "POST",
        path: "/api/notes/:noteId",
        status: 201,
        caller: null,
        startedMs: world.clock.ms,
        tookMs: 0,
        traceparent: null,
      },
    ]);
  });

  test("the line of a refusal says whose call it was, where that is known", async () => {
    const before = world.served.length;
    await (await call(world, { token, body: "{" })).text();
    await (await call(world, { token: "kt_nobody" })).text();
    const told = world.served.slice(before).map(({ status, caller }) => `${status} ${caller}`);
    expect(told).toEqual([expect.stringMatching(/^400 device \d+ of tenant \d+$/), "401 null"]);
  });
});

describe("refusals", () => {
  const unknown: readonly [string, string][] = [
    ["GET", "/api"],
    ["GET", "/api/"],
    ["GET", "/api/notes/"],
    ["GET", "/api//notes"],
    ["POST", "/api/notes"],
    ["GET", "/api/notes/x/y/z"],
    ["DELETE", "/api/zzz"],
    ["OPTIONS", "/api/zzz"],
  ];
  for (const [method, path] of unknown) {
    const status = path === "/api/notes" ? 405 : 404;
    test(`${method} ${path} is ${status}, with or without a token`, async () => {
      for (const one of [token, null]) {
        expect(
          (await refusal(await call(world, { method, path, token: one, body: null }))).status,
        ).toBe(status);
      }
    });
  }

  test("405 names the methods there are", async () => {
    for (const method of ["PUT", "PATCH", "DELETE", "GET"]) {
      const response = await fetch(`${world.base}/api/notes/0123456789ab`, { method });
      expect(response.headers.get("allow")).toBe("POST, OPTIONS");
      expect((await refusal(response)).error).toBe("method_not_allowed");
    }
  });

  test("HEAD is 405, OPTIONS 204 with Allow", async () => {
    const head = await fetch(`${world.base}/api/notes`, { method: "HEAD" });
    expect([head.status, head.headers.get("allow")]).toEqual([405, "GET, OPTIONS"]);
    const options = await fetch(`${world.base}/api/notes`, { method: "OPTIONS" });
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, OPTIONS"]);
    expect(await options.text()).toBe("");
    expect(options.headers.get("x-request-id")).toMatch(uuid);
  });

  test("a malformed escape in a path is an unknown resource, on both routers", async () => {
    for (const id of ["%zz", "%E0%A4%A", "%00", "..%2f..%2fetc", "0123456789AB", "0123456789abc"]) {
      const path = `/api/notes/${id}`;
      expect((await refusal(await call(world, { token, path }))).error).toBe("card_not_found");
      const request = new Request(`http://localhost${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: '{"terminalId":7,"text":"hello"}',
      });
      expect((await refusal(await world.app.handle(request))).error).toBe("card_not_found");
    }
  });

  test("what is thrown by accident is 500 without its words, and goes to the log", async () => {
    world.faults.length = 0;
    const response = await call(world, { method: "GET", path: "/api/broken/bug" });
    const { error, message } = await refusal(response);
    expect(error).toBe("internal_error");
    expect(message).not.toContain("secret");
    expect(String(world.faults[0])).toContain("a secret detail");
  });

  test("storage that can't take the call is 503", async () => {
    const response = await call(world, { method: "GET", path: "/api/broken/storage" });
    const { error, message } = await refusal(response);
    expect(error).toBe("unavailable");
    expect(message).not.toContain("secret");
  });

  test("a refusal that the route does not declare is a bug", async () => {
    world.faults.length = 0;
    const response = await call(world, { method: "GET", path: "/api/broken/undeclared" });
    expect((await refusal(response)).error).toBe("internal_error");
    expect(String(world.faults[0])).toContain("broken does not declare card_replaced");
  });

  test("the common codes are those of the conventions", () => {
    expect(commonRefusals).toHaveLength(14);
  });

  test("outside the device surface errors are problem documents", async () => {
    for (const path of ["/nothing", "/api/v1/cards", "/api/v1", "/apis"]) {
      const response = await fetch(world.base + path);
      expect(response.status).toBe(404);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(response.headers.get("x-request-id")).toMatch(uuid);
      expect(await response.json()).toEqual({
        type: "https://kartu.test/problems/not-found",
        title: "Not Found",
        status: 404,
        detail: "There is nothing at this address.",
        instance: path,
        traceId: response.headers.get("x-trace-id"),
      });
      expect(response.headers.get("x-trace-id")).toMatch(/^[0-9a-f]{32}$/);
    }
    const wrong = await fetch(`${world.base}/page`, { method: "POST" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });
});

describe("tokens", () => {
  const good = tokenOf("answers");
  const bad: readonly (string | null)[] = [
    null,
    "",
    "Bearer",
    "Bearer ",
    good,
    `Basic ${good}`,
    `Bearer ${good}x`,
    `Bearer ${good.slice(0, -1)}`,
    `Bearer kt_${"A".repeat(43)}`,
    `Bearer ${good}, Bearer ${good}`,
    `Bearer ${good} ${good}`,
    `Bearer "${good}"`,
    `Bearer ${"A".repeat(4000)}`,
  ];
  for (const [at, authorization] of bad.entries()) {
    test(`not a token: ${at}`, async () => {
      const headers: Record<string, string> = authorization === null ? {} : { authorization };
      const response = await call(world, { method: "GET", path: "/api/notes", headers });
      expect((await refusal(response)).error).toBe("invalid_token");
    });
  }
  test("the scheme's letter case does not matter; the query is no place for a token", async () => {
    const headers = { authorization: `bEaReR ${good}` };
    expect((await call(world, { method: "GET", path: "/api/notes", headers })).status).toBe(200);
    const inQuery = await call(world, { method: "GET", path: `/api/notes?access_token=${good}` });
    expect((await refusal(inQuery)).error).toBe("invalid_token");
  });
});
