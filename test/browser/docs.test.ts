/** The documents in a real browser: Authorize and Try it out work, and no other machine is asked. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { openapiDocument } from "../../src/http/openapi.ts";
import { mountPages } from "../../src/http/pages.ts";
import { openWorld, testRoutes, type World } from "../surface/http-fixture.ts";

const executablePath = Bun.which("chromium") ?? Bun.which("google-chrome");

if (executablePath !== null) {
  describe("documents in a browser", () => inBrowser(executablePath));
} else if (process.env.CI === "true") {
  test("there is a Chromium", () => expect(executablePath).not.toBeNull());
} else test.skip("not run: no Chromium on this machine", () => undefined);

function inBrowser(path: string): void {
  let world: World;
  let browser: Browser;
  let page: Page;
  const foreign: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    const info = { title: "Test", version: "1", description: "d", serverUrl: "", tags: [] };
    const json = JSON.stringify(openapiDocument(info, testRoutes));
    world = openWorld({
      extend: (app, deps) =>
        mountPages(
          app,
          {
            ...deps,
            product: "Kartu",
            lead: "Offline wallets.",
            mayRead: async () => "yes",
            links: [],
          },
          [{ namespace: "terminal", title: "Terminal", summary: "Devices", json }],
        ),
    });
    browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
    page = await browser.newPage();
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(world.base) && !url.startsWith("data:")) foreign.push(url);
    });
    page.on("console", (line) => {
      if (line.type() === "error") complaints.push(line.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
  }, 30_000);

  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  test("Swagger UI: authorize, try a call, see its answer", async () => {
    const token = world.device("browser");
    await page.goto(`${world.base}/api-docs/terminal`);
    await page.getByRole("button", { name: "Authorize", exact: true }).first().click();
    await page.locator(".auth-container input").fill(token);
    await page.locator(".auth-btn-wrapper button.authorize").click();
    await page.locator(".btn-done").click();
    const operation = page.locator(".opblock", { hasText: "/api/notes/{noteId}" }).first();
    await operation.locator(".opblock-summary-control").click();
    await operation.getByPlaceholder("noteId").fill("0123456789ab");
    await operation.getByRole("button", { name: "Execute" }).click();
    const answer = operation.locator(".live-responses-table tr.response");
    await answer.waitFor();
    expect(await answer.locator(".response-col_status").textContent()).toStartWith("201");
    expect(await answer.textContent()).toContain('"text": "hello"');
    expect(await world.notes()).toBe(1);
  }, 30_000);

  test("Redoc: the document is there to read", async () => {
    await page.goto(`${world.base}/api-docs/terminal/redoc`);
    await page.getByRole("heading", { name: "Test (1)" }).waitFor();
    expect(await page.locator("body").textContent()).toContain("/api/notes/{noteId}");
  }, 30_000);

  test("no other machine was asked, and the browser found nothing to complain about", () => {
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
  });
}
