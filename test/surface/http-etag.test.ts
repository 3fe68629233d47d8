/** Strong validators and conditional reads. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { etagOf, isNoneMatch } from "../../src/http/etag.ts";
import { JsonText, notModified, publicRoute } from "../../src/http/route.ts";
import { call, openWorld, testRoutes, type World } from "./http-fixture.ts";

describe("If-None-Match", () => {
  const cases: readonly [header: string | null, matches: boolean][] = [
    [null, false],
    ["", false],
    ["*", true],
    ['"a"', true],
    ['W/"a"', true],
    ['"b"', false],
    ['"b", "a"', true],
    ['"b" ,W/"a"', true],
    ['"b,a"', false],
    ["a", false],
    ['"A"', false],
    ['"aa"', false],
  ];
  for (const [header, matches] of cases) {
    test(`${header}`, () => expect(isNoneMatch(header, '"a"')).toBe(matches));
  }
  test("equal bytes, equal tag", () => {
    expect(etagOf("x")).toBe(etagOf("x"));
    expect(etagOf("x")).not.toBe(etagOf("y"));
    expect(etagOf("x")).toMatch(/^"[0-9a-f]{32}"$/);
  });
});

describe("conditional reads", () => {
  let world: World;
  let token: string;
  let handled = 0;
  const versioned = publicRoute({
    method: "GET",
    path: "/api/versioned",
    operationId: "versioned",
    summary: "Versioned",
    tag: "notes",
    access: { public: true },
    contract: { response: Type.Object({ version: Type.Integer() }) },
    status: 200,
    refusals: [],
    examples: { response: { version: 4 } },
    handle: ({ matches }) => {
      if (matches("v4")) return notModified;
      handled++;
      return new JsonText('{"version":4}');
    },
  });
  beforeAll(() => {
    world = openWorld({ routes: [...testRoutes, versioned] });
    token = world.device("etag");
  });
  afterAll(() => world.close());

  test("a tag over the bytes; unchanged is 304 without a body", async () => {
    const spec = { token, method: "GET", path: "/api/notes?limit=3" };
    const first = await call(world, spec);
    const tag = first.headers.get("etag") ?? "";
    expect([first.status, first.headers.get("cache-control")]).toEqual([200, "no-cache"]);
    const again = await call(world, { ...spec, headers: { "if-none-match": `"x", ${tag}` } });
    expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", tag]);
    expect(again.headers.get("content-type")).toBeNull();
    expect(again.headers.get("x-request-id")).toHaveLength(36);
    const other = await call(world, {
      ...spec,
      path: "/api/notes?limit=4",
      headers: { "if-none-match": tag },
    });
    expect(other.status).toBe(200);
  });

  test("a tag that the handler knows saves the making", async () => {
    const spec = { method: "GET", path: "/api/versioned" };
    const first = await call(world, spec);
    expect([first.headers.get("etag"), await first.text(), handled]).toEqual([
      '"v4"',
      '{"version":4}',
      1,
    ]);
    const again = await call(world, { ...spec, headers: { "if-none-match": 'W/"v4"' } });
    expect([again.status, handled]).toEqual([304, 1]);
  });

  test("a stranger learns nothing from a tag", async () => {
    const response = await call(world, {
      method: "GET",
      path: "/api/notes",
      headers: { "if-none-match": "*" },
    });
    expect(response.status).toBe(401);
  });
});
