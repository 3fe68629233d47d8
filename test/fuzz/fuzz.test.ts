/**
 * A short walk of hostile calls over every operation, and proof that it could find something: that all
 * that is served is attacked, that what is drawn is right and wrong as it is meant to be, and that an
 * oracle that is shown a wrong answer says so.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Random } from "../../src/sim/random.ts";
import { terminalRoutes } from "../../src/terminal.ts";
import { Estate } from "../surface/estate.ts";
import { type Operation, routesOf, Targets } from "./document.ts";
import { fuzz, growthOf } from "./fuzz.ts";
import { asked, Judge } from "./judge.ts";
import { Oracle } from "./oracle.ts";
import { Pool, refText } from "./pool.ts";
import { smallestOf } from "./smallest.ts";
import { Values } from "./value.ts";
import type { Seen, Wire } from "./wire.ts";
import { canary, marker } from "./word.ts";

const seed = 20_250_508;
const calls = 4_000;

let estate: Estate;
let targets: Targets;
let oracle: Oracle;

beforeAll(async () => {
  estate = await Estate.open();
  targets = await Targets.of(estate.serving.app, async (path) =>
    (await estate.send("GET", path, {}, true)).json(),
  );
  oracle = new Oracle(targets);
});
afterAll(() => estate.close());

test("every operation is attacked, and no answer is wrong", async () => {
  const { findings, missed, right, ...result } = await fuzz({ seed, calls, socketPercent: 15 });
  expect(findings).toEqual([]);
  expect(missed).toEqual([]);
  expect(result.calls).toBeGreaterThanOrEqual(calls);
  // Most are answered as right now and then: what refuses all would prove little.
  const operations = new Set(right.map((name) => name.replace(" /v1/", " /api/v1/")));
  expect(operations.size).toBeGreaterThan(120);
}, 300_000);

describe("what is attacked", () => {
  test("is what is served: described operations below each base, and pages", () => {
    const { routes } = estate;
    const named = (base: string, path: string): string => base + path.replaceAll(/:(\w+)/g, "{$1}");
    const operator = routes.flatMap(({ method, path, root }) =>
      (root ? [""] : ["/api/v1", "/v1"]).map((base) => `${method} ${named(base, path)}`),
    );
    const device = terminalRoutes(estate.kartu).map(
      ({ method, path }) => `${method} ${named("", path)}`,
    );
    const pages = targets.pages.map(({ name }) => name);
    expect(targets.names.sort()).toEqual([...operator, ...device, ...pages].sort());
    expect(targets.names.sort()).toEqual(routesOf(estate.serving.app).sort());
    const page = /^GET \/($|problems|api-docs|(api\/)?v1\/\w+\/openapi\.json$)|^HEAD \/api\//;
    expect(pages.filter((name) => !page.test(name))).toEqual([]);
  });

  test("is found again by a path as it is asked for", () => {
    const found = (method: string, path: string) => targets.find(method, path)?.name;
    expect(found("GET", "/v1/users/x")).toBe("GET /v1/users/{id}");
    expect(found("HEAD", "/api/v1/users")).toBe("GET /api/v1/users");
    expect(found("HEAD", "/api/policy")).toBe("HEAD /api/policy");
    expect(found("GET", "/api/v1/users/")).toBeUndefined();
    expect(found("GET", "/v1")).toBeUndefined();
    expect([targets.has("/api/v1/users"), targets.has("/api/v1/user")]).toEqual([true, false]);
  });
});

describe("what is drawn", () => {
  const numRuns = 30;
  const bodies = (): Operation[] => targets.described.filter(({ body }) => body !== null);

  /** Which part of the texts is JSON that the operation's document takes. */
  function rightShare(
    pick: (values: Values, operation: Operation) => fc.Arbitrary<string>,
  ): number {
    const values = new Values(seed);
    const pool = new Pool(new Random(seed));
    const judge = new Judge(asked);
    let count = 0;
    let right = 0;
    for (const operation of bodies()) {
      const { schema } = operation.body ?? { schema: {} };
      for (const text of fc.sample(pick(values, operation), { seed, numRuns })) {
        const filled = pool.fill(text, JSON.stringify, () => undefined);
        count += 1;
        try {
          if (judge.faults(operation, schema, JSON.parse(filled)) === "") right += 1;
        } catch {
          // No JSON is not right.
        }
      }
    }
    return right / count;
  }

  test("as right is mostly right, though nothing was learnt", () => {
    const share = rightShare((values, { body }) => values.right(body?.schema ?? {}));
    expect(share).toBeGreaterThan(0.5);
  });

  test("as wrong is mostly wrong", () => {
    const share = rightShare((values, { body }) => values.wrong(body?.schema ?? {}));
    expect(share).toBeLessThan(0.3);
  });

  test("is the same of the same seed", () => {
    const drawn = (): string[] => {
      const values = new Values(seed);
      return bodies().flatMap(({ body }) =>
        fc.sample(values.wrong(body?.schema ?? {}), { seed, numRuns: 3 }),
      );
    };
    expect(drawn()).toEqual(drawn());
  });
});

describe("what was learnt", () => {
  const filled = (pool: Pool, kind: string, isHome = true): string[] =>
    Array.from({ length: 60 }, () => pool.fill(refText(kind), String, () => undefined, isHome));

  test("comes back by its name and by the collection that it is of", () => {
    const pool = new Pool(new Random(seed));
    pool.learn("/api/v1/wallets", { data: [{ id: "w1", currency: "IDR" }], meta: { cursor: "c" } });
    expect(filled(pool, "text id wallets")).toContain("w1");
    expect(filled(pool, "text fromWalletId")).toContain("w1");
    expect(filled(pool, "text cursor /api/v1/wallets")).toContain("c");
    pool.learn("/x", { redirectTo: "https://app.example/?code=oc_1" });
    expect(filled(pool, "text code")).toContain("oc_1");
  });

  test("of another house comes back seldom, and what is to be ignored never", () => {
    const pool = new Pool(new Random(seed), new Set(["theirs"]));
    pool.learn("/users", { id: "old" });
    pool.move();
    pool.learn("/users", [{ id: "new" }, { id: "theirs" }]);
    const ids = filled(pool, "text id users");
    expect(new Set(ids)).toEqual(new Set(["old", "new"]));
    expect(ids.filter((id) => id === "old").length).toBeLessThan(20);
  });
});

test("a wrong call is told without what may be left out", async () => {
  const wire: Wire = {
    ...{ who: "owner", method: "POST", target: "/x?a=1&b=2&c=3" },
    headers: [
      ["accept", "x"],
      ["cookie", "y"],
    ],
    body: Buffer.from('{"one":1,"two":{"three":3},"four":[]}'),
    stream: { chunk: 1, isCut: false },
  };
  const smallest = await smallestOf(wire, async ({ target, headers, body }) => {
    const text = Buffer.from(body ?? []).toString();
    return (
      target.includes("b=2") && headers.some(([name]) => name === "cookie") && /two/.test(text)
    );
  });
  expect({ ...smallest, body: Buffer.from(smallest.body ?? []).toString() }).toEqual({
    ...wire,
    ...{ target: "/x?b=2", headers: [["cookie", "y"]], body: '{"two":{"three":3}}', stream: null },
  });
});

describe("an oracle", () => {
  const problem = (status: number, slug: string, more: object = {}): Partial<Seen> => ({
    status,
    headers: new Headers({
      ...{ "content-type": "application/problem+json", "www-authenticate": "Bearer" },
      ...{ "x-request-id": crypto.randomUUID(), "x-content-type-options": "nosniff" },
      "cache-control": "no-store",
    }),
    text: JSON.stringify({
      ...{
        type: `https://kartu.example/problems/${slug}`,
        title: "Title",
        status,
        detail: "Detail",
      },
      ...{ instance: "/api/v1/users", traceId: "0".repeat(32), ...more },
    }),
  });
  const wire = (more: Partial<Wire> = {}): Wire => ({
    ...{
      who: "owner",
      method: "GET",
      target: "/api/v1/users",
      headers: [],
      body: null,
      stream: null,
    },
    ...more,
  });
  const judged = (seen: Partial<Seen>, asked: Partial<Wire> = {}): string[] => {
    const answer = { status: 200, headers: new Headers(), text: "", ...seen };
    return oracle.judge(wire(asked), answer, "a token of some length");
  };

  test("has nothing against what is right", () => {
    expect(judged(problem(401, "unauthorized"))).toEqual([]);
    expect(judged(problem(404, "not-found"), { target: "/api/v1/user" })).toEqual([]);
  });

  const post = { method: "POST", target: "/api/v1/fleet/zones" };
  const taken = (body: string, more: Partial<Wire> = {}): Partial<Wire> => {
    return { ...post, body: Buffer.from(body), ...more };
  };
  const cases: [name: string, seen: Partial<Seen>, asked: Partial<Wire>, why: RegExp][] = [
    ["a fault of ours", problem(500, "internal-error"), {}, /^a 500/],
    ["overload", problem(503, "overloaded"), {}, /^a 503/],
    ["a status of no document", problem(418, "teapot"), {}, /418 is not described/],
    ["a slug of no document", problem(401, "wallet-closed"), {}, /wallet-closed is not described/],
    ["no problem document", { ...problem(401, "x"), text: "{}" }, {}, /no problem document/],
    ["an echo", problem(400, "validation-error", { detail: canary }), {}, /echoes what was sent/],
    ["the token", problem(401, "unauthorized", { detail: "a token of some length" }), {}, /token/],
    ["a stack", problem(401, "unauthorized", { detail: "at f (a.js:1)" }), {}, /inside/],
    [
      "an object as text",
      problem(401, "unauthorized", { detail: "[object Object]" }),
      {},
      /inside/,
    ],
    ["another's name", problem(401, "unauthorized", { detail: marker }), {}, /another tenant/],
    [
      "no request id",
      { ...problem(401, "unauthorized"), headers: new Headers() },
      {},
      /X-Request-ID/,
    ],
    [
      "an answer where nothing is",
      problem(400, "x"),
      { target: "/api/v1/user" },
      /where nothing is/,
    ],
    ["another method taken", problem(404, "x"), { method: "DELETE" }, /where nothing is/],
    ["a wrong body taken", { status: 201 }, taken('{"name":1}'), /what its document refuses/],
    ["no JSON taken", { status: 201 }, taken("{"), /no JSON was taken/],
    [
      "a coded body taken",
      { status: 201 },
      taken("{}", { headers: [["content-encoding", "br"]] }),
      /compressed/,
    ],
    ["an unknown parameter taken", {}, { target: "/api/v1/users?x=1" }, /not described was taken/],
    ["a parameter twice", {}, { target: "/api/v1/users?limit=1&limit=1" }, /taken twice/],
    [
      "a wrong parameter taken",
      {},
      { target: "/api/v1/users?limit=0" },
      /refuses was taken: limit/,
    ],
  ];
  for (const [name, seen, asked, why] of cases) {
    test(`sees ${name}`, () => {
      const wrong = judged(seen, asked);
      expect(wrong.filter((each) => why.test(each))).not.toEqual([]);
    });
  }

  test("of memory sees growth that goes on, not warming up", () => {
    expect(growthOf([100, 300, 400, 410, 405, 412, 408, 409])).toBeLessThan(10);
    expect(growthOf([100, 200, 300, 400, 500, 600, 700, 800])).toBeGreaterThan(150);
    expect(growthOf([100, 900])).toBe(0);
  });
});
