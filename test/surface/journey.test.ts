/**
 * A person's way through the operator surface, against the program as people run it: registering, a mailed
 * link, two tenants, an invitation, a second factor, two tabs, a thief, a machine, an application, and out.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as oidc from "openid-client";
import { stepOf, totpCode } from "../../src/domain/totp.ts";
import { object, type Server, serve, workspace } from "./cli-fixture.ts";

const { path, remove } = workspace();
const data = path("data");
const env = {
  KARTU_ENV: "development",
  KARTU_REGISTRATION: "open",
  KARTU_RATE_AUTH_PER_MIN: "0",
  KARTU_RATE_IP_PER_MIN: "0",
};
const owner = { email: "owner@example.com", password: "the owner's pass phrase" };
const dewi = { email: "dewi@example.com", password: "dewi's long pass phrase" };
const eka = { email: "eka@example.com", password: "eka's long pass phrase" };
const redirectUri = "https://app.example/back";
let server: Server;
/** How far the server's clock is ahead. */
let aheadSec = 0;

interface Sent {
  readonly token?: string;
  readonly json?: unknown;
}

async function call(method: string, to: string, { token, json }: Sent = {}) {
  const headers = new Headers();
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (json !== undefined) headers.set("content-type", "application/json");
  const body = json === undefined ? null : JSON.stringify(json);
  const response = await fetch(`${server.url}/api/v1${to}`, { method, headers, body });
  const text = await response.text();
  return { status: response.status, text, json: text === "" ? null : JSON.parse(text) };
}

/** A call that must end so; the answer. */
async function must(status: number, method: string, to: string, sent?: Sent) {
  const answer = await call(method, to, sent);
  if (answer.status !== status) throw new Error(`${method} ${to}: ${answer.status} ${answer.text}`);
  return answer.json;
}

/** The slug of a call that must be refused. */
async function refused(method: string, to: string, sent?: Sent): Promise<string> {
  const { status, json } = await call(method, to, sent);
  return `${status} ${String(json?.type).replace(/^.*\//, "")}`;
}

const post = (to: string, json: unknown, token?: string, status = 200) =>
  must(status, "POST", to, { json, ...(token !== undefined && { token }) });

/** The newest token of this kind in a letter to an address, once it is there. */
async function letter(to: string, prefix: string): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const folder = join(data, "mail");
    const names = existsSync(folder) ? readdirSync(folder, { encoding: "utf8" }) : [];
    for (const name of names.sort().reverse()) {
      const text = readFileSync(join(folder, name), "utf8").replaceAll("=\r\n", "");
      const token = new RegExp(`${prefix}[A-Za-z0-9_-]{43}`).exec(text)?.[0];
      if (token !== undefined && text.includes(`To: ${to}`)) return token;
    }
    await Bun.sleep(25);
  }
  throw new Error(`no letter with ${prefix} to ${to}`);
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The code of now on the server's clock, or of so many steps later. */
function codeOf(secret: string, steps = 0): string {
  let bits = "";
  for (const each of secret) bits += alphabet.indexOf(each).toString(2).padStart(5, "0");
  const bytes = Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
  return totpCode(bytes, stepOf(Math.floor(Date.now() / 1000) + aheadSec) + steps);
}

async function advance(sec: number, token: string): Promise<void> {
  await post("/gateway/clock", { advanceSec: sec }, token);
  aheadSec += sec;
}

const me = (token: string) => must(200, "GET", "/auth/me", { token });

beforeAll(async () => {
  const options = ["--owner-email", owner.email, "--owner-password", owner.password];
  await object(["init", "--data", data, "--tenant", "Kartu", ...options]);
  server = await serve(["--data", data], { env });
});

afterAll(async () => {
  await server?.end("SIGTERM");
  remove();
});

test("from registration to signing out everywhere", async () => {
  // She registers, and follows the mailed link.
  const first = await post(
    "/auth/register",
    { ...dewi, name: "Dewi", organization: "Kantin" },
    undefined,
    201,
  );
  const kantin: string = first.tenantId;
  expect(first.user).toMatchObject({ roles: ["owner"], emailVerified: false });
  expect(await post("/auth/verify-email", { token: await letter(dewi.email, "ev_") })).toEqual({
    emailVerified: true,
  });
  expect((await me(first.accessToken)).emailVerified).toBe(true);

  // The platform's owner asks her into the root tenant as well; from then on she has a choice.
  const platform = await post("/auth/login", owner);
  const root: string = platform.tenantId;
  await post("/invitations", { email: dewi.email, roles: ["member"] }, platform.accessToken, 201);
  const joining = { token: await letter(dewi.email, "in_"), password: dewi.password };
  expect((await post("/auth/accept-invite", joining)).tenantId).toBe(root);
  const choice = await post("/auth/login", dewi);
  expect(choice.tenants.map(({ id }: { id: string }) => id).sort()).toEqual([kantin, root].sort());
  const chosen = { sessionToken: choice.sessionToken, tenantId: kantin, remember: true };
  const mine = await post("/auth/select-tenant", chosen);
  expect((await post("/auth/login", dewi)).tenantId).toBe(kantin);

  // She asks Eka in, who accepts; a change of roles counts on the very next call.
  await post("/invitations", { email: eka.email }, mine.accessToken, 201);
  const accepting = { token: await letter(eka.email, "in_"), password: eka.password, name: "Eka" };
  const ekas = await post("/auth/accept-invite", accepting);
  const asEka = { token: ekas.accessToken };
  expect(await refused("GET", "/users", asEka)).toBe("403 forbidden");
  await post(`/users/${ekas.user.id}/assign-roles`, { roles: ["admin"] }, mine.accessToken);
  const users = await must(200, "GET", "/users", asEka);
  expect(users.meta.total).toBe(2);
  await post(`/users/${ekas.user.id}/assign-roles`, { roles: ["member"] }, mine.accessToken);
  expect(await refused("GET", "/users", asEka)).toBe("403 forbidden");

  // She turns on a second factor; each code is good once.
  const { secret } = await post("/auth/mfa/enable", {}, mine.accessToken);
  await post("/auth/mfa/verify", { code: codeOf(secret) }, mine.accessToken);
  expect(await refused("POST", "/auth/login", { json: dewi })).toBe("401 mfa-required");
  const mfaCode = codeOf(secret, 1);
  const withCode = await post("/auth/login", { ...dewi, mfaCode });
  expect(await refused("POST", "/auth/login", { json: { ...dewi, mfaCode } })).toBe(
    "401 mfa-invalid",
  );

  // Two tabs refresh at once and agree; somebody with the old token later ends the family.
  const { refreshToken } = withCode;
  const tabs = await Promise.all(
    Array.from({ length: 2 }, () => call("POST", "/auth/refresh", { json: { refreshToken } })),
  );
  expect(tabs.map(({ status }) => status)).toEqual([200, 200]);
  expect(tabs[0]?.text).toBe(tabs[1]?.text ?? "");
  const tab = tabs[0]?.json;
  expect((await me(tab.accessToken)).email).toBe(dewi.email);
  await advance(11, platform.accessToken);
  expect(await refused("POST", "/auth/refresh", { json: { refreshToken } })).toBe(
    "401 refresh-token-reused",
  );
  expect(await refused("GET", "/auth/me", { token: tab.accessToken })).toBe("401 token-revoked");
  const newest = { json: { refreshToken: tab.refreshToken } };
  expect(await refused("POST", "/auth/refresh", newest)).toBe("401 refresh-token-invalid");

  // A machine calls with a key of its own, until the key is revoked.
  const keyDraft = { name: "till", roles: ["admin"] };
  const key = await post("/api-keys", keyDraft, mine.accessToken, 201);
  const { accessToken: token } = await post("/auth/exchange", { apiKey: key.key });
  expect((await me(token)).id).toBe(key.id);
  expect((await must(200, "GET", "/users", { token })).meta.total).toBe(2);
  await must(204, "DELETE", `/api-keys/${key.id}`, { token: mine.accessToken });
  expect(await refused("GET", "/users", { token })).toBe("401 token-revoked");

  // An application signs her in, by code and PKCE, and learns no more than she allows.
  const application = await signInApplication(mine.accessToken);
  const { access_token: appToken } = application.tokens;
  expect(application.tokens.claims()).toMatchObject({ sub: first.user.id, iss: server.url });
  expect((await must(200, "GET", "/users", { token: appToken })).meta.total).toBe(2);
  expect(await refused("GET", "/roles", { token: appToken })).toBe("403 forbidden");
  const changing = { token: appToken, json: { name: "X" } };
  expect(await refused("PATCH", "/auth/me", changing)).toBe("403 forbidden");

  // Out, everywhere, in all tenants; signing in again works at once.
  await post("/auth/logout-all", {}, mine.accessToken, 204);
  for (const dead of [first.accessToken, mine.accessToken, appToken]) {
    expect(await refused("GET", "/auth/me", { token: dead })).toBe("401 token-revoked");
  }
  expect(
    await refused("POST", "/auth/refresh", { json: { refreshToken: mine.refreshToken } }),
  ).toBe("401 refresh-token-invalid");
  await advance(60, platform.accessToken);
  const again = await post("/auth/login", { ...dewi, mfaCode: codeOf(secret) });
  expect(again.tenantId).toBe(kantin);
}, 60_000);

/** The way of an application with a library that others keep. */
async function signInApplication(token: string) {
  const draft = {
    name: "Till app",
    type: "public",
    redirectUris: [redirectUri],
    grantTypes: ["authorization_code", "refresh_token"],
    scopes: ["users.list"],
  };
  const { id } = await post("/oauth/clients", draft, token, 201);
  const config = await oidc.discovery(new URL(server.url), id, undefined, oidc.None(), {
    execute: [oidc.allowInsecureRequests],
  });
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const url = oidc.buildAuthorizationUrl(config, {
    ...{ redirect_uri: redirectUri, scope: "openid users.list", state: expectedState },
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  const page = await (await fetch(url)).text();
  const requestId = /"requestId":"([0-9a-f-]{36})"/.exec(page)?.[1] ?? "";
  const { redirectTo } = await post(`/oauth/requests/${requestId}/approve`, {}, token);
  const checks = { pkceCodeVerifier, expectedState };
  const tokens = await oidc.authorizationCodeGrant(config, new URL(redirectTo), checks);
  return { id, tokens };
}
