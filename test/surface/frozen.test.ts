/** Documents of deprecated versions: YAML or a page, for ever, and to nobody who may not read documents. */
import { expect, test } from "bun:test";
import { Elysia } from "elysia";
import { mountFrozen, prefersHtml } from "../../src/http/frozen.ts";
import { mountFallback } from "../../src/http/mount.ts";
import type { PagesDeps } from "../../src/http/pages.ts";

const yaml = "openapi: 3.1.0\ninfo:\n  title: Kartu\n";

function pages(may: "yes" | "unauthorized" | "off" = "yes") {
  const deps: PagesDeps = {
    newRequestId: () => "01936d7a-0000-7000-8000-000000000001",
    reportFault: (error) => {
      throw error;
    },
    problemBase: "https://kartu.example/problems",
    ...{ product: "Kartu", lead: "", links: [], mayRead: async () => may },
  };
  const app = new Elysia({ strictPath: true });
  mountFallback(app, deps);
  const document = async (version: number) => (version === 1 ? yaml : null);
  mountFrozen(app, deps, { numbers: [0, 1], document });
  return async (path: string, accept?: string) => {
    const headers = new Headers(accept === undefined ? {} : { accept });
    const response = await app.handle(new Request(`http://kartu.example${path}`, { headers }));
    return { response, text: await response.text() };
  };
}

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

test("YAML to whoever does not ask for HTML, for ever", async () => {
  const get = pages();
  for (const accept of [undefined, "*/*", "application/yaml", "application/json, */*"]) {
    const { response, text } = await get("/api-docs/v1", accept);
    expect([response.status, text]).toEqual([200, yaml]);
    expect(response.headers.get("content-type")).toBe("application/yaml");
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(response.headers.get("vary")).toBe("Accept");
  }
});

test("a page to a browser, which loads the same address as YAML, and nothing from elsewhere", async () => {
  const { response, text } = await pages()("/api-docs/v1", browser);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(response.headers.get("content-security-policy")).toContain("script-src 'self'");
  expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  expect(text).toContain('data-document="/api-docs/v1"');
  const loaded = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
  for (const address of loaded) expect(address).toStartWith("/api-docs/assets/");
});

test("never deprecated, or unknown: 404; documents off: 404; due a token: 401", async () => {
  for (const path of ["/api-docs/v0", "/api-docs/v2", "/api-docs/v01"]) {
    expect((await pages()(path)).response.status).toBe(404);
  }
  expect((await pages("off")("/api-docs/v1")).response.status).toBe(404);
  expect((await pages("unauthorized")("/api-docs/v1")).response.status).toBe(401);
});

const accepts: [accept: string, html: boolean][] = [
  [browser, true],
  ["text/html", true],
  ["TEXT/HTML;Q=0.5", true],
  ["text/*", true],
  ["text/html, application/yaml", false],
  ["text/html;q=0.4, application/yaml;q=0.5", false],
  ["text/html;q=0", false],
  ["text/html, */*", true],
  ["*/*", false],
  ["application/*", false],
  ["", false],
  [";;,,q", false],
];
for (const [accept, html] of accepts) {
  test(`Accept: ${accept || "(empty)"} is ${html ? "HTML" : "YAML"}`, () => {
    expect(prefersHtml(accept)).toBe(html);
  });
}
