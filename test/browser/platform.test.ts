/** The operator surface's documents in a real browser: Authorize and Try it out, the problem's own page. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { mountPages } from "../../src/http/pages.ts";
import { fallbackDeps } from "../../src/http/platform/mount.ts";
import { platformDocuments } from "../../src/http/platform/openapi.ts";
import { mountProblems } from "../../src/http/platform/problempage.ts";
import {
  FakeLog,
  openPlatform,
  type PlatformWorld,
  testRoutes,
} from "../surface/platform-fixture.ts";

const executablePath = Bun.which("chromium") ?? Bun.which("google-chrome");

if (executablePath !== null) {
  describe("the operators' documents in a browser", () => inBrowser(executablePath));
} else if (process.env.CI === "true") {
  test("there is a Chromium", () => expect(executablePath).not.toBeNull());
} else test.skip("not run: no Chromium on this machine", () => undefined);

const info = {
  namespace: "test",
  title: "Test calls",
  summary: "Made-up calls.",
  description: "Made-up calls.",
  tags: [{ name: "Notes", description: "Notes" }],
};

function inBrowser(path: string): void {
  let world: PlatformWorld;
  let browser: Browser;
  let page: Page;
  const foreign: string[] = [];

  beforeAll(async () => {
    world = openPlatform({
      extend: (app, deps) => {
        const fallback = fallbackDeps(deps);
        mountProblems(app, fallback);
        const pages = { product: "Kartu", lead: "Wallets.", links: [] };
        mountPages(
          app,
          { ...fallback, ...pages, mayRead: async () => "yes" },
          platformDocuments([info], testRoutes(deps, new FakeLog()), {
            version: "1.0.0",
            serverUrl: "",
          }),
        );
      },
    });
    browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
    page = await browser.newPage();
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(world.url) && !url.startsWith("data:")) foreign.push(url);
    });
  }, 30_000);

  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  test("Swagger UI: authorize, create, see the answer and a problem", async () => {
    const token = world.caller("browser");
    await page.goto(`${world.url}/api-docs/test`);
    await page.getByRole("button", { name: "Authorize", exact: true }).first().click();
    const scheme = page.locator(".auth-container", { hasText: "accessToken" });
    await scheme.locator("input").fill(token);
    await scheme.locator(".auth-btn-wrapper button.authorize").click();
    await page.locator(".btn-done").first().click();
    const operation = page.locator("#operations-Notes-createNote");
    await operation.locator(".opblock-summary-control").click();
    await operation.getByRole("button", { name: "Execute" }).click();
    const answer = operation.locator(".live-responses-table tr.response");
    await answer.waitFor();
    expect(await answer.locator(".response-col_status").textContent()).toStartWith("201");
    expect(await world.notes()).toBe(1);
    world.caller("browser", { permissions: [] });
    await operation.getByRole("button", { name: "Execute" }).click();
    await answer.locator(".response-col_status", { hasText: "403" }).waitFor();
    expect(await answer.textContent()).toContain("The permission notes.write is missing.");
  }, 30_000);

  test("Redoc: the document is there to read", async () => {
    await page.goto(`${world.url}/api-docs/test/redoc`);
    await page.getByRole("heading", { name: "Test calls (1.0.0)" }).waitFor();
    expect(await page.locator("body").textContent()).toContain("/api/v1/notes/{id}/clear");
  }, 30_000);

  test("a problem's type leads to its page", async () => {
    await page.goto(`${world.url}/problems`);
    await page.getByRole("link", { name: "429 Rate Limit Exceeded" }).click();
    await page.getByRole("heading", { name: "Rate Limit Exceeded" }).waitFor();
    expect(await page.locator("main").textContent()).toContain("Retry-After");
  }, 30_000);

  test("no other machine was asked", () => expect(foreign).toEqual([]));
}
