/** The documents' pages as they are served: who may see them, their headers, what they load. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openapiDocument } from "../../src/http/openapi.ts";
import { mountPages } from "../../src/http/pages.ts";
import { openWorld, testRoutes, type World } from "./http-fixture.ts";

let world: World;
let mayRead: "yes" | "unauthorized" | "off" = "yes";
const json = JSON.stringify(
  openapiDocument(
    { title: "T", version: "1", description: "d", serverUrl: "", tags: [] },
    testRoutes,
  ),
);
const pages = ["/api-docs", "/api-docs/terminal", "/api-docs/terminal/redoc"];
const documentPath = "/api/v1/terminal/openapi.json";

beforeAll(() => {
  world = openWorld({
    extend: (app, deps) =>
      mountPages(
        app,
        {
          ...deps,
          product: "Kartu <test>",
          lead: "Offline wallets.",
          mayRead: async () => mayRead,
          links: [{ href: "/.well-known/jwks.json", title: "Keys", summary: "Public & plain" }],
        },
        [{ namespace: "terminal", title: "Terminal", summary: "The device surface", json }],
      ),
  });
});
afterAll(() => world.close());

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(world.base + path, { headers }) as Promise<Response>;

describe("pages", () => {
  for (const path of ["/", ...pages]) {
    test(`${path} is HTML that loads from here alone`, async () => {
      const response = await get(path);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      const policy = response.headers.get("content-security-policy") ?? "";
      expect(policy).toStartWith("default-src 'none'; script-src 'self';");
      expect(policy).not.toContain("unsafe");
      expect(policy).not.toContain("http");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(response.headers.get("x-request-id")).toHaveLength(36);
      const html = await response.text();
      expect(html).not.toContain("<test>");
      expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
      const loaded = [...html.matchAll(/(?:src|rel="(?:icon|stylesheet)" href)="([^"]+)"/g)];
      expect(loaded.length).toBeGreaterThan(0);
      for (const [, asset = ""] of loaded) {
        const found = await get(asset);
        expect([asset, found.status]).toEqual([asset, 200]);
        expect((await found.bytes()).length).toBeGreaterThan(0);
        const again = await get(asset, { "if-none-match": found.headers.get("etag") ?? "" });
        expect(again.status).toBe(304);
      }
    });
  }

  test("Redoc's picture from its makers' network is taken out", async () => {
    expect(await (await get("/api-docs/assets/redoc.standalone.js")).text()).not.toContain(
      "cdn.redoc.ly",
    );
  });

  test("HEAD is GET without a body, a trailing slash and an unknown namespace are 404", async () => {
    const head = await fetch(`${world.base}/api-docs/terminal`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    for (const path of [
      "/api-docs/",
      "/api-docs/terminal/",
      "/api-docs/iam",
      "/api-docs/assets/none.js",
      "/api-docs/assets/..%2fproblem.ts",
    ]) {
      const response = await get(path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
    }
  });
});

describe("the document", () => {
  test("is JSON with a tag", async () => {
    const response = await get(documentPath);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.text()).toBe(json);
    const tag = response.headers.get("etag") ?? "";
    expect((await get(documentPath, { "if-none-match": tag })).status).toBe(304);
    expect(response.headers.get("x-trace-id")).toMatch(/^[0-9a-f]{32}$/);
  });

  test("is behind the alias of the base too", async () => {
    expect(await (await get("/v1/terminal/openapi.json")).text()).toBe(json);
    expect((await get("/v1/iam/openapi.json")).status).toBe(404);
  });

  test("with KARTU_DOCS=auth it and its pages are 401 to a stranger, with off they are not there", async () => {
    for (const [may, status] of [
      ["unauthorized", 401],
      ["off", 404],
    ] as const) {
      mayRead = may;
      for (const path of [documentPath, documentPath.replace("/api", ""), ...pages]) {
        const response = await get(path);
        expect([path, response.status]).toEqual([path, status]);
        expect(response.headers.get("content-type")).toBe("application/problem+json");
        expect(response.headers.has("www-authenticate")).toBe(status === 401);
      }
    }
    mayRead = "yes";
  });
});
