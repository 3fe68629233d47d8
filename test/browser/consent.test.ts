/**
 * The page of a sign-in for an application, in a real browser: signing in, the second factor, the choice of
 * an organisation, allowing, denying, leaving. No other machine is asked, and nothing is complained of.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { statement } from "../../schema/query/statement.ts";
import { challengeOf } from "../../src/domain/pkce.ts";
import { seal, sealNonceBytes } from "../../src/domain/seal.ts";
import { stepOf, totpCode, totpSecretBytes } from "../../src/domain/totp.ts";
import { authRoutes } from "../../src/feature/auth/platform.ts";
import { factorPlace } from "../../src/feature/auth/service.ts";
import { Tickets } from "../../src/http/platform/ticket.ts";
import { foundations } from "../feature/foundation.ts";
import { ownerEmail, password, type SignInWorld, signInWorld } from "../feature/signin.ts";

const executablePath = Bun.which("chromium") ?? Bun.which("google-chrome");

if (executablePath !== null) {
  describe("signing in for an application", () => inBrowser(executablePath));
} else if (process.env.CI === "true") {
  test("there is a Chromium", () => expect(executablePath).not.toBeNull());
} else test.skip("not run: no Chromium on this machine", () => undefined);

const redirectUri = "http://localhost:9/callback";
const verifier = "v".repeat(43);
const enableFactor = statement<[userNo: number, sealed: Uint8Array]>(
  "test.enableFactor",
  "UPDATE user_account SET mfa_sealed = ?2, mfa_enabled = 1 WHERE user_no = ?1",
);

function inBrowser(path: string): void {
  const open = foundations();
  let browser: Browser;
  let page: Page;
  let world: SignInWorld;
  let client: { id: string; clientSecret: string };
  let address: string;
  let foreign: string[];
  let complaints: string[];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
  }, 30_000);
  afterAll(() => browser?.close());

  beforeEach(async () => {
    world = await signInWorld(await open(), {
      routes: ({ auth, random }) => authRoutes({ auth, tickets: new Tickets(random) }),
    });
    const { accessToken: token } = await world.login();
    const json = {
      ...{ name: "Till <reports>", type: "confidential", redirectUris: [redirectUri] },
      ...{ grantTypes: ["authorization_code"], scopes: ["users.list"] },
    };
    client = (await world.call("POST", "/oauth/clients", { token, json })).json;
    const query = new URLSearchParams({
      ...{ response_type: "code", client_id: client.id, redirect_uri: redirectUri },
      ...{ scope: "openid users.list", state: "a state" },
      ...{ code_challenge: challengeOf(verifier), code_challenge_method: "S256" },
    });
    address = `${world.url}/api/v1/oauth/authorize?${query}`;
    foreign = [];
    complaints = [];
    page = await browser.newPage();
    // The application's own page is not there: its address is all that counts.
    await page.route(`${redirectUri}**`, (route) => route.fulfill({ body: "back" }));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(world.url) && !url.startsWith(redirectUri)) foreign.push(url);
    });
    page.on("console", (line) => {
      // A refused call is a line of the browser's own.
      if (line.type() === "error" && !/status of 401/.test(line.text()))
        complaints.push(line.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
  });
  afterEach(async () => {
    await page.close();
    await world.close();
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
  });

  async function signIn(email: string, secret = password): Promise<void> {
    await page.getByLabel("Email").fill(email);
    await page.getByLabel("Password").fill(secret);
    await page.getByRole("button", { name: "Sign in" }).click();
  }

  async function backWith(): Promise<URLSearchParams> {
    await page.waitForURL(`${redirectUri}**`);
    return new URL(page.url()).searchParams;
  }

  test("allow: the application gets a code that is good for tokens", async () => {
    await page.goto(address);
    await signIn(ownerEmail);
    await page.getByRole("heading", { name: "Allow Till <reports>?" }).waitFor();
    expect(await page.locator("#person").textContent()).toBe(ownerEmail);
    expect(await page.locator("li").allTextContents()).toEqual([
      "Know who you are",
      "See users and invitations",
    ]);
    await page.getByRole("button", { name: "Allow" }).click();
    const answer = await backWith();
    expect(answer.get("state")).toBe("a state");
    const form = {
      ...{ grant_type: "authorization_code", code: answer.get("code") ?? "" },
      ...{ redirect_uri: redirectUri, code_verifier: verifier },
      ...{ client_id: client.id, client_secret: client.clientSecret },
    };
    const tokens = await world.call("POST", "/oauth/token", { form });
    expect(tokens.json.scope).toBe("openid users.list");
  }, 30_000);

  test("a wrong password is said, and can be mended; deny goes back with an error", async () => {
    await page.goto(address);
    await signIn(ownerEmail, "a wrong password");
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").textContent()).not.toBe("");
    await signIn(ownerEmail);
    await page.getByRole("button", { name: "Deny" }).click();
    expect((await backWith()).get("error")).toBe("access_denied");
  }, 30_000);

  test("cancel leaves without signing in", async () => {
    await page.goto(address);
    await page.getByRole("link", { name: "Cancel" }).first().click();
    expect(Object.fromEntries(await backWith())).toMatchObject({
      error: "access_denied",
      state: "a state",
    });
  }, 30_000);

  test("the second factor", async () => {
    const secret = new Uint8Array(totpSecretBytes).fill(3);
    const { userNo, uuid } = await world.person("siti@example.com", ["admin"]);
    const nonce = world.random.bytes(sealNonceBytes);
    const sealed = seal(world.masterKey, nonce, factorPlace(uuid), secret);
    await world.store.write((tx) => tx.run(enableFactor, userNo, sealed));
    await page.goto(address);
    await signIn("siti@example.com");
    const code = totpCode(secret, stepOf(Math.floor(world.clock.nowMs() / 1000)));
    await page.getByLabel("Code").fill(code);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("button", { name: "Allow" }).click();
    expect((await backWith()).has("code")).toBe(true);
  }, 30_000);

  test("the choice of an organisation", async () => {
    const { userNo } = await world.person("siti@example.com", ["admin"]);
    const by = { actor: { type: "system", id: "test" } } as const;
    const nowMs = world.clock.nowMs();
    const second = await world.tenant.addTenant({ name: "Warung Dua" }, by, nowMs);
    await world.store.write(async (tx) => {
      const { account, access } = world.people;
      const draft = { tenantId: second.tenantId, userNo, status: "active" } as const;
      await account.join(tx, { ...draft, roles: ["member"] }, nowMs);
      access.forget(tx, { userNo });
    });
    await page.goto(address);
    await signIn("siti@example.com");
    await page.getByRole("button", { name: "Warung Dua" }).click();
    await page.getByRole("button", { name: "Allow" }).click();
    expect((await backWith()).has("code")).toBe(true);
  }, 30_000);

  test("a request that lapsed is said", async () => {
    await page.goto(address);
    await signIn(ownerEmail);
    await page.getByRole("button", { name: "Allow" }).waitFor();
    const conflicts = complaints;
    world.clock.advance(600);
    await page.getByRole("button", { name: "Allow" }).click();
    await page.getByText("The request has expired.").waitFor();
    expect(conflicts.splice(0)).toHaveLength(1);
  }, 30_000);

  test("no other site may frame it", async () => {
    let body = "";
    const headers = { "content-type": "text/html" };
    const fetch = ({ url }: Request): Response =>
      new Response(url.endsWith("/own") ? "its own page" : body, { headers });
    const site = Bun.serve({ port: 0, fetch });
    /** Where a frame of another site ends that asks for this address. */
    const framed = async (url: string): Promise<string> => {
      body = `<iframe src="${url.replaceAll("&", "&amp;")}"></iframe>`;
      const main = page.mainFrame();
      const ended = page.waitForEvent("framenavigated", (frame) => frame !== main);
      await page.goto(site.url.href);
      return (await ended).url();
    };
    try {
      const own = `${site.url.href}own`;
      expect(await framed(own)).toBe(own);
      expect(await framed(address)).toStartWith("chrome-error:");
    } finally {
      await site.stop(true);
      foreign.length = 0;
      complaints.length = 0;
    }
  }, 30_000);
}
