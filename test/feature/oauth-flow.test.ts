/**
 * Signing in through Kartu with a client library that others wrote (openid-client): code with PKCE, refresh,
 * userinfo, revocation, client credentials; and every request that is refused, by hand.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import * as oidc from "openid-client";
import { challengeOf } from "../../src/domain/pkce.ts";
import { foundations } from "./foundation.ts";
import { ownerEmail, type SignInWorld, signInWorld, slugOf } from "./signin.ts";

const open = foundations();
let world: SignInWorld;
let token: string;
let client: { id: string; secret: string };
beforeEach(async () => {
  world = await signInWorld(await open());
  token = (await world.login()).accessToken;
  client = await register();
});
afterEach(() => world.close());

const redirectUri = "https://reports.example/callback";
const state = "a state";
const verifier = "v".repeat(43);
const scope = "openid email profile users.list money.*";

async function register(change: object = {}): Promise<{ id: string; secret: string }> {
  const json = {
    name: "Till reports",
    type: "confidential",
    redirectUris: [redirectUri],
    grantTypes: ["authorization_code", "refresh_token", "client_credentials"],
    scopes: ["users.list", "money.*"],
    ...change,
  };
  const made = await world.call("POST", "/oauth/clients", { token, json });
  return { id: made.json.id, secret: made.json.clientSecret };
}

const question = (change: Record<string, string | undefined> = {}): string => {
  const params = new URLSearchParams();
  const all = {
    ...{ response_type: "code", client_id: client.id, redirect_uri: redirectUri, scope, state },
    ...{ code_challenge: challengeOf(verifier), code_challenge_method: "S256", nonce: "a nonce" },
    ...change,
  };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) params.set(name, value);
  return `/oauth/authorize?${params}`;
};

/** The request that the page holds. */
async function ask(change: Record<string, string | undefined> = {}): Promise<string> {
  const page = await world.call("GET", question(change));
  expect(page.status).toBe(200);
  const [, id = ""] = /"requestId":"([0-9a-f-]{36})"/.exec(page.text) ?? [];
  expect(page.text).toContain(`name="requestId" value="${id}"`);
  return id;
}

const answer = (id: string, deed = "approve", as = token) =>
  world.call("POST", `/oauth/requests/${id}/${deed}`, { token: as });

async function codeFor(change: Record<string, string | undefined> = {}, as = token) {
  const approved = await answer(await ask(change), "approve", as);
  expect(approved.status).toBe(200);
  return new URL(approved.json.redirectTo).searchParams.get("code") ?? "";
}

const credentials = () => ({ client_id: client.id, client_secret: client.secret });
const exchange = (code: string, change: Record<string, string> = {}) =>
  world.call("POST", "/oauth/token", {
    form: {
      ...{ grant_type: "authorization_code", code, redirect_uri: redirectUri },
      ...{ code_verifier: verifier, ...credentials(), ...change },
    },
  });
const refresh = (refresh_token: string, change: Record<string, string> = {}) =>
  world.call("POST", "/oauth/token", {
    form: { grant_type: "refresh_token", refresh_token, ...credentials(), ...change },
  });

describe("with openid-client", () => {
  for (const [name, auth] of [
    ["Basic", oidc.ClientSecretBasic],
    ["the body", oidc.ClientSecretPost],
  ] as const) {
    test(`code with PKCE, userinfo, refresh, revocation; the client by ${name}`, async () => {
      const issuer = new URL(world.url);
      const config = await oidc.discovery(issuer, client.id, undefined, auth(client.secret), {
        execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
      });
      const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
      const expectedNonce = oidc.randomNonce();
      const expectedState = oidc.randomState();
      const url = oidc.buildAuthorizationUrl(config, {
        ...{ redirect_uri: redirectUri, scope, state: expectedState, nonce: expectedNonce },
        code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: "S256",
      });
      expect(url.href).toStartWith(`${world.url}/api/v1/oauth/authorize?`);
      const page = await (await fetch(url)).text();
      const id = /"requestId":"([0-9a-f-]{36})"/.exec(page)?.[1] ?? "";
      const { redirectTo } = (await answer(id)).json;
      const tokens = await oidc.authorizationCodeGrant(config, new URL(redirectTo), {
        ...{ pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true },
      });
      const me = (await world.call("GET", "/oauth/userinfo", { token: tokens.access_token })).json;
      const claims = tokens.claims();
      expect(claims).toMatchObject({ iss: world.url, aud: client.id, sub: me.sub });
      expect(claims?.auth_time).toBeNumber();
      expect(tokens).toMatchObject({ token_type: "bearer", expires_in: 900, scope });
      expect(await oidc.fetchUserInfo(config, tokens.access_token, me.sub)).toEqual(me);

      const next = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? "");
      expect(next.refresh_token).not.toBe(tokens.refresh_token);
      expect(await oidc.fetchUserInfo(config, next.access_token, me.sub)).toEqual(me);
      await oidc.tokenRevocation(config, next.refresh_token ?? "");
      const ended = await world.call("GET", "/oauth/userinfo", { token: next.access_token });
      expect(slugOf(ended)).toBe("token-revoked");
    });
  }

  test("client credentials", async () => {
    const auth = oidc.ClientSecretBasic(client.secret);
    const execute = [oidc.allowInsecureRequests];
    const issuer = new URL(world.url);
    const config = await oidc.discovery(issuer, client.id, undefined, auth, { execute });
    const tokens = await oidc.clientCredentialsGrant(config, { scope: "users.list" });
    expect(tokens).toMatchObject({ expires_in: 900, scope: "users.list" });
    expect(tokens.refresh_token).toBeUndefined();
  });
});

describe("GET /oauth/authorize", () => {
  test("the page: nothing from elsewhere, no frame, no store", async () => {
    const page = await world.call("GET", question());
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.headers.get("x-frame-options")).toBe("DENY");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(page.text).not.toMatch(/(src|href)="(?!https:\/\/reports\.example)/);
    for (const line of ["Till reports", "See your name", "See users and invitations"]) {
      expect(page.text).toContain(line);
    }
  });

  test("a name that is markup stays text", async () => {
    client = await register({ name: "</script><script>alert(1)</script>" });
    const page = await world.call("GET", question());
    expect(page.text).not.toContain("alert(1)</script>");
  });

  const here: [string, () => Record<string, string | undefined>, string, string][] = [
    ["no client", () => ({ client_id: undefined }), "client_id", "REQUIRED"],
    ["an unknown client", () => ({ client_id: crypto.randomUUID() }), "client_id", "NOT_ALLOWED"],
    ["no address", () => ({ redirect_uri: undefined }), "redirect_uri", "REQUIRED"],
    [
      "another address",
      () => ({ redirect_uri: `${redirectUri}/x` }),
      "redirect_uri",
      "NOT_ALLOWED",
    ],
    [
      "the address and more",
      () => ({ redirect_uri: `${redirectUri}?x=1` }),
      "redirect_uri",
      "NOT_ALLOWED",
    ],
  ];
  for (const [name, change, field, code] of here) {
    test(`400 validation-error: ${name}`, async () => {
      const refused = await world.call("GET", question(change()));
      expect(slugOf(refused)).toBe("validation-error");
      expect(refused.json.detail).toBe("The query contains invalid parameters.");
      expect(refused.json.errors).toEqual([{ field, code, message: expect.any(String) }]);
    });
  }

  test("400 validation-error: the application was removed", async () => {
    await world.call("DELETE", `/oauth/clients/${client.id}`, { token });
    expect(slugOf(await world.call("GET", question()))).toBe("validation-error");
  });

  const back: [string, Record<string, string | undefined>, string][] = [
    ["no response_type", { response_type: undefined }, "invalid_request"],
    ["response_type token", { response_type: "token" }, "unsupported_response_type"],
    ["response_mode fragment", { response_mode: "fragment" }, "invalid_request"],
    ["no PKCE", { code_challenge: undefined }, "invalid_request"],
    ["PKCE without a method", { code_challenge_method: undefined }, "invalid_request"],
    ["PKCE plain", { code_challenge_method: "plain" }, "invalid_request"],
    ["a challenge of 42", { code_challenge: "x".repeat(42) }, "invalid_request"],
    ["scope with two blanks", { scope: "openid  email" }, "invalid_scope"],
    ["scope of nothing", { scope: "openid money.nothing" }, "invalid_scope"],
    ["scope beyond the application's", { scope: "openid users.create" }, "invalid_scope"],
    ["everything", { scope: "*" }, "invalid_scope"],
    ["a request object", { request: "x" }, "request_not_supported"],
    ["a request_uri", { request_uri: "https://x.example" }, "request_uri_not_supported"],
    ["a nonce too long", { nonce: "x".repeat(1_025) }, "invalid_request"],
    ["prompt none", { prompt: "none" }, "login_required"],
    ["prompt none and login", { prompt: "none login" }, "invalid_request"],
    ["max_age of no number", { max_age: "soon" }, "invalid_request"],
  ];
  for (const [name, change, error] of back) {
    test(`302 ${error}: ${name}`, async () => {
      const refused = await world.call("GET", question(change));
      expect(refused.status).toBe(302);
      const location = new URL(refused.headers.get("location") ?? "");
      expect(location.origin + location.pathname).toBe(redirectUri);
      expect(Object.fromEntries(location.searchParams)).toEqual({
        error,
        error_description: expect.any(String),
        state,
        iss: world.url,
      });
    });
  }

  test("302 invalid_request without the state when that is too long", async () => {
    const refused = await world.call("GET", question({ state: "x".repeat(1_025) }));
    const { searchParams } = new URL(refused.headers.get("location") ?? "");
    expect(searchParams.get("error")).toBe("invalid_request");
    expect(searchParams.has("state")).toBe(false);
    expect((await world.call("GET", question({ state: "x".repeat(1_024) }))).status).toBe(200);
  });

  test("302 unauthorized_client: an application that may not ask for codes", async () => {
    client = await register({ grantTypes: ["client_credentials"] });
    const refused = await world.call("GET", question());
    expect(refused.headers.get("location")).toContain("error=unauthorized_client");
  });

  test("parameters that are not known are left alone; scope, state and nonce may be absent", async () => {
    const change = { scope: undefined, state: undefined, nonce: undefined, ui_locales: "id" };
    const approved = await answer(await ask(change));
    const { searchParams } = new URL(approved.json.redirectTo);
    expect([...searchParams.keys()]).toEqual(["code", "iss"]);
    const tokens = await exchange(searchParams.get("code") ?? "");
    expect(tokens.json.scope).toBe("");
    expect(tokens.json.id_token).toBeUndefined();
  });
});

describe("POST /oauth/requests/{id}/approve and deny", () => {
  test("approve: code, state and issuer; recorded", async () => {
    const approved = await answer(await ask());
    const url = new URL(approved.json.redirectTo);
    expect(url.origin + url.pathname).toBe(redirectUri);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      code: expect.stringMatching(/^oc_[A-Za-z0-9_-]{43}$/),
      state,
      iss: world.url,
    });
    expect(await world.recordsOf(client.id)).toEqual([
      "auth.client.created",
      "auth.client.approved",
    ]);
  });

  test("deny: access_denied goes back; recorded", async () => {
    const denied = await answer(await ask(), "deny");
    const { searchParams } = new URL(denied.json.redirectTo);
    expect(searchParams.get("error")).toBe("access_denied");
    expect(searchParams.get("state")).toBe(state);
    expect((await world.recordsOf(client.id)).at(-1)).toBe("auth.client.denied");
  });

  test("409 wrong-state: answered before, past ten minutes, application gone", async () => {
    const id = await ask();
    await answer(id);
    for (const deed of ["approve", "deny"]) {
      const refused = await answer(id, deed);
      expect(slugOf(refused)).toBe("wrong-state");
      expect(refused.json.state).toBe("approved");
    }
    const late = await ask();
    world.clock.advance(600);
    expect((await answer(late)).json.state).toBe("expired");
    const orphan = await ask();
    await world.call("DELETE", `/oauth/clients/${client.id}`, { token });
    expect((await answer(orphan)).json.state).toBe("deleted");
  });

  test("409 wrong-state: prompt=login and max_age ask for a fresh sign-in", async () => {
    world.clock.advance(60);
    for (const fresh of [{ prompt: "login" }, { max_age: "59" }]) {
      const refused = await answer(await ask(fresh));
      expect(refused.json.state).toBe("sign-in-required");
    }
    expect((await answer(await ask({ max_age: "60" }))).status).toBe(200);
    const id = await ask({ prompt: "login" });
    token = (await world.login()).accessToken;
    expect((await answer(id)).status).toBe(200);
  });

  test("401 without a token, 404 for an unknown id, 403 for an application's own token", async () => {
    const id = await ask();
    const path = `/oauth/requests/${id}/approve`;
    expect(slugOf(await world.call("POST", path))).toBe("unauthorized");
    expect(slugOf(await answer(crypto.randomUUID()))).toBe("not-found");
    const { access_token } = (await exchange(await codeFor())).json;
    expect(slugOf(await answer(id, "approve", access_token))).toBe("forbidden");
    expect(slugOf(await answer(id, "deny", access_token))).toBe("forbidden");
  });

  test("people of tenants below may use an application, others get 404", async () => {
    const by = { actor: { type: "system", id: "test" } } as const;
    const nowMs = world.clock.nowMs();
    const below = await world.tenant.addTenant({ name: "Warung" }, by, nowMs);
    const beside = await world.tenant.addTenant({ name: "Toko" }, by, nowMs);
    await world.person("below@example.com", ["admin"], below.tenantId);
    await world.person("beside@example.com", ["admin"], beside.tenantId);
    const belowToken = (await world.login("below@example.com")).accessToken;
    const besideToken = (await world.login("beside@example.com")).accessToken;
    const given = await exchange(await codeFor({}, belowToken));
    const me = await world.call("GET", "/oauth/userinfo", { token: given.json.access_token });
    expect(me.json.tenant_id).toBe(below.uuid);
    const rootToken = token;
    token = belowToken;
    client = await register();
    const id = await ask();
    expect(slugOf(await answer(id, "approve", besideToken))).toBe("not-found");
    expect(slugOf(await answer(id, "approve", rootToken))).toBe("not-found");
  });
});

/** The members that every refusal of the token endpoints has. */
function expectError(
  refused: { status: number; json: Record<string, unknown> | null },
  error: string,
  status = 400,
): void {
  expect(refused.status).toBe(status);
  expect(refused.json).toMatchObject({ error, error_description: expect.any(String) });
  const slug = status === 401 ? "invalid-credentials" : "validation-error";
  expect(slugOf(refused as never)).toBe(slug);
}

describe("POST /oauth/token", () => {
  test("who calls is not proved: 401 invalid_client", async () => {
    const code = await codeFor();
    const open = await register({ type: "public", grantTypes: ["authorization_code"] });
    const wrong: Record<string, string>[] = [
      { client_secret: "cs_wrong" },
      { client_id: crypto.randomUUID() },
      { client_id: "none" },
      { client_id: "", client_secret: "" },
      { client_secret: "" },
      { client_id: open.id },
    ];
    for (const change of wrong) expectError(await exchange(code, change), "invalid_client", 401);
    const form = { grant_type: "authorization_code", code };
    for (const authorization of ["Basic", "Basic ?", "Bearer x", `Basic ${btoa("x")}`]) {
      const refused = await world.call("POST", "/oauth/token", {
        form,
        headers: { authorization },
      });
      expectError(refused, "invalid_client", 401);
    }
  });

  test("400 invalid_request: proved twice over, nothing asked, fields missing", async () => {
    const basic = `Basic ${btoa(`${client.id}:${client.secret}`)}`;
    const sent = (form: Record<string, string>) =>
      world.call("POST", "/oauth/token", { form, headers: { authorization: basic } });
    const grant_type = "authorization_code";
    expectError(await sent({ grant_type, client_secret: client.secret }), "invalid_request");
    expectError(await sent({ grant_type, client_id: crypto.randomUUID() }), "invalid_request");
    expectError(await sent({ code: "x" }), "invalid_request");
    expectError(await sent({ grant_type }), "invalid_request");
    expectError(await sent({ grant_type, code: "x" }), "invalid_request");
    expectError(await sent({ grant_type: "refresh_token" }), "invalid_request");
  });

  test("grants that there are not, or not for this application", async () => {
    expectError(await exchange("x", { grant_type: "password" }), "unsupported_grant_type");
    client = await register({ grantTypes: ["client_credentials"] });
    expectError(await exchange("x"), "unauthorized_client");
    expectError(await refresh("x"), "unauthorized_client");
  });

  test("415 for a body in JSON", async () => {
    const refused = await world.call("POST", "/oauth/token", { json: {} });
    expect(slugOf(refused)).toBe("unsupported-media-type");
  });

  test("a code: 200, no store, scope as given, recorded", async () => {
    const given = await exchange(await codeFor());
    expect(given.status).toBe(200);
    expect(given.headers.get("cache-control")).toBe("no-store");
    expect(given.json).toEqual({
      access_token: expect.any(String),
      token_type: "Bearer",
      expires_in: 900,
      refresh_token: expect.stringMatching(/^rt_/),
      id_token: expect.any(String),
      scope,
    });
    expect((await world.recordsOf(client.id)).at(-1)).toBe("auth.client.token_issued");
  });

  test("a code works within 60 s", async () => {
    const code = await codeFor();
    world.clock.advance(59);
    expect((await exchange(code)).status).toBe(200);
    const late = await codeFor();
    world.clock.advance(60);
    expectError(await exchange(late), "invalid_grant");
  });

  const wrong: [string, Record<string, string>][] = [
    ["another verifier", { code_verifier: "w".repeat(43) }],
    ["the challenge for a verifier", { code_verifier: challengeOf(verifier) }],
    ["another address", { redirect_uri: "https://reports.example/" }],
    ["no address", { redirect_uri: "" }],
    ["another code", { code: `oc_${"x".repeat(43)}` }],
  ];
  for (const [name, change] of wrong) {
    test(`a code with ${name}: 400 invalid_grant, and the code still works`, async () => {
      const code = await codeFor();
      expectError(await exchange(code, change), "invalid_grant");
      expect((await exchange(code)).status).toBe(200);
    });
  }

  test("a code of another application: 400 invalid_grant", async () => {
    const code = await codeFor();
    const other = await register();
    const change = { client_id: other.id, client_secret: other.secret };
    expectError(await exchange(code, change), "invalid_grant");
  });

  test("a code that comes back: 400 invalid_grant, and all that it gave ends", async () => {
    const code = await codeFor();
    const given = (await exchange(code)).json;
    const next = (await refresh(given.refresh_token)).json;
    expectError(await exchange(code), "invalid_grant");
    const used = await world.call("GET", "/oauth/userinfo", { token: next.access_token });
    expect(slugOf(used)).toBe("token-revoked");
    expectError(await refresh(next.refresh_token), "invalid_grant");
    const { sub } = (
      await world.call("GET", "/oauth/userinfo", {
        token: (await exchange(await codeFor())).json.access_token,
      })
    ).json;
    expect(await world.eventsOf("userId", sub)).toContain("auth.session.revoked");
  });

  test("two at once with one code: one gets tokens, and then loses them", async () => {
    const code = await codeFor();
    const both = await Promise.all([exchange(code), exchange(code)]);
    const [good, bad] = both.sort((a, b) => a.status - b.status);
    expect([good?.status, bad?.status]).toEqual([200, 400]);
    const used = await world.call("GET", "/oauth/userinfo", { token: good?.json.access_token });
    expect(slugOf(used)).toBe("token-revoked");
  });

  test("a code of somebody who was blocked meanwhile: 400 invalid_grant", async () => {
    const { userNo } = await world.person("siti@example.com", ["admin"]);
    const code = await codeFor({}, (await world.login("siti@example.com")).accessToken);
    await world.store.write(async (tx) => {
      const { account, access } = world.people;
      const found = await account.membership(tx, 1, userNo);
      await account.setStatus(tx, 1, found?.membershipNo ?? 0, "blocked", world.clock.nowMs());
      access.forget(tx, { userNo });
    });
    expectError(await exchange(code), "invalid_grant");
  });

  test("a code of somebody who signed out everywhere meanwhile: 400 invalid_grant", async () => {
    const { userNo } = await world.person("siti@example.com", ["admin"]);
    const code = await codeFor({}, (await world.login("siti@example.com")).accessToken);
    const nowMs = world.clock.nowMs();
    await world.store.write((tx) => world.auth.revokeSessions(tx, { userNo }, nowMs));
    expectError(await exchange(code), "invalid_grant");
  });

  test("a public application: by its id and PKCE alone; no refresh without the grant", async () => {
    client = await register({ type: "public", grantTypes: ["authorization_code"] });
    const form = {
      ...{ grant_type: "authorization_code", code: await codeFor(), client_id: client.id },
      ...{ redirect_uri: redirectUri, code_verifier: verifier },
    };
    const given = await world.call("POST", "/oauth/token", { form });
    expect(given.status).toBe(200);
    expect(given.json.refresh_token).toBeUndefined();
  });

  test("scope ∩ what the person holds", async () => {
    await world.person("siti@example.com", ["member"]);
    const given = await exchange(
      await codeFor({}, (await world.login("siti@example.com")).accessToken),
    );
    expect(given.json.scope).toBe("openid email profile");
  });
});

describe("refreshing", () => {
  const first = async () => (await exchange(await codeFor())).json;

  test("the same token within 10 s: the same bytes; after it: ended with its family", async () => {
    const given = await first();
    const next = await refresh(given.refresh_token);
    expect(next.json).toEqual({
      access_token: expect.any(String),
      token_type: "Bearer",
      expires_in: 900,
      refresh_token: expect.stringMatching(/^rt_/),
      scope,
    });
    world.clock.advance(10);
    expect((await refresh(given.refresh_token)).text).toBe(next.text);
    world.clock.advance(1);
    expectError(await refresh(given.refresh_token), "invalid_grant");
    expectError(await refresh(next.json.refresh_token), "invalid_grant");
  });

  test("of another application, a person's own, an unknown one: 400 invalid_grant", async () => {
    const given = await first();
    const other = await register();
    const change = { client_id: other.id, client_secret: other.secret };
    expectError(await refresh(given.refresh_token, change), "invalid_grant");
    const own = (await world.login()).refreshToken ?? "";
    expectError(await refresh(own), "invalid_grant");
    expectError(await refresh("rt_x"), "invalid_grant");
    await expect(
      world.auth.refresh(given.refresh_token, { ip: "::1", userAgent: "" }, world.clock.nowMs()),
    ).rejects.toMatchObject({ slug: "refresh-token-invalid" });
  });

  test("scope: no more than was given", async () => {
    const given = await first();
    expectError(await refresh(given.refresh_token, { scope: "users.create" }), "invalid_scope");
    expect((await refresh(given.refresh_token, { scope: "openid" })).status).toBe(200);
  });

  test("what the person lost meanwhile is gone", async () => {
    const { userNo } = await world.person("siti@example.com", ["admin"]);
    const as = (await world.login("siti@example.com")).accessToken;
    const given = (await exchange(await codeFor({}, as))).json;
    expect(given.scope).toBe(scope);
    const listed = { token: given.access_token };
    const members = () => world.call("GET", "/oauth/clients", listed);
    expect(slugOf(await members())).toBe("forbidden");
    await world.store.write(async (tx) => {
      const { account, access } = world.people;
      const found = await account.membership(tx, 1, userNo);
      await account.setRoles(tx, 1, found?.membershipNo ?? 0, ["member"], world.clock.nowMs());
      access.forget(tx, { userNo });
    });
    expect((await refresh(given.refresh_token)).json.scope).toBe("openid email profile");
  });
});

describe("client credentials", () => {
  const own = (change: Record<string, string> = {}) =>
    world.call("POST", "/oauth/token", {
      form: { grant_type: "client_credentials", ...credentials(), ...change },
    });
  const claimsOf = (jwt: string) =>
    JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

  test("the application is the principal", async () => {
    const given = (await own()).json;
    expect(given.scope).toBe("users.list money.*");
    const claims = claimsOf(given.access_token);
    expect(claims).toMatchObject({
      ...{ sub: client.id, client_id: client.id, aud: client.id, iss: world.url, roles: [] },
      email: `client+${client.id}@kartu.invalid`,
      kartu: { principal: "client" },
    });
    expect(JSON.stringify(claims)).not.toContain("users.list");
  });

  test("its permissions are its scopes, or fewer if it asks for fewer", async () => {
    client = await register({ scopes: ["oauth.list", "oauth.manage"] });
    const all = (await own()).json.access_token;
    const few = (await own({ scope: "oauth.list" })).json.access_token;
    const json = {
      ...{ name: "x", type: "public", redirectUris: [], grantTypes: ["client_credentials"] },
      scopes: [],
    };
    expect((await world.call("GET", "/oauth/clients", { token: few })).status).toBe(200);
    const made = (as: string) => world.call("POST", "/oauth/clients", { token: as, json });
    expect(slugOf(await made(few))).toBe("forbidden");
    expect(slugOf(await made(all))).toBe("validation-error");
    expectError(await own({ scope: "users.list" }), "invalid_scope");
    expectError(await own({ scope: "openid" }), "invalid_scope");
  });

  test("tenant_id must be its own", async () => {
    const { tenantId } = await world.login();
    expect((await own({ tenant_id: tenantId })).status).toBe(200);
    expectError(await own({ tenant_id: crypto.randomUUID() }), "invalid_request");
  });

  test("no userinfo: there is no person", async () => {
    const { access_token } = (await own()).json;
    const refused = await world.call("GET", "/oauth/userinfo", { token: access_token });
    expect(slugOf(refused)).toBe("forbidden");
  });

  test("its token can be ended by itself", async () => {
    const { access_token } = (await own()).json;
    const form = { ...credentials(), token: access_token };
    expect((await world.call("POST", "/oauth/revoke", { form })).status).toBe(200);
    const used = await world.call("GET", "/oauth/userinfo", { token: access_token });
    expect(slugOf(used)).toBe("token-revoked");
  });
});

describe("POST /oauth/revoke", () => {
  const revoke = (form: Record<string, string>) => world.call("POST", "/oauth/revoke", { form });

  for (const kind of ["refresh_token", "access_token"] as const) {
    test(`by ${kind}: the whole family`, async () => {
      const given = (await exchange(await codeFor())).json;
      const answer = await revoke({ ...credentials(), token: given[kind] });
      expect([answer.status, answer.json]).toEqual([200, {}]);
      expectError(await refresh(given.refresh_token), "invalid_grant");
      const used = await world.call("GET", "/oauth/userinfo", { token: given.access_token });
      expect(slugOf(used)).toBe("token-revoked");
    });
  }

  test("200 and nothing done: unknown tokens, others' tokens", async () => {
    const given = (await exchange(await codeFor())).json;
    const other = await register();
    const as = { client_id: other.id, client_secret: other.secret };
    const mine = await world.login();
    for (const token of [
      ...["x", `rt_${"x".repeat(43)}`, given.refresh_token, given.access_token],
      ...[mine.accessToken, mine.refreshToken ?? ""],
    ]) {
      expect((await revoke({ ...as, token })).status).toBe(200);
    }
    expect((await refresh(given.refresh_token)).status).toBe(200);
    const me = await world.call("GET", "/oauth/clients", { token: mine.accessToken });
    expect(me.status).toBe(200);
  });

  test("401 invalid_client, 400 invalid_request", async () => {
    expectError(await revoke({ client_id: client.id, token: "x" }), "invalid_client", 401);
    expectError(await revoke(credentials()), "invalid_request");
  });
});

describe("GET /oauth/userinfo", () => {
  const infoFor = async (scope: string) => {
    const { access_token } = (await exchange(await codeFor({ scope }))).json;
    return await world.call("GET", "/oauth/userinfo", { token: access_token });
  };

  test("by scope", async () => {
    const { json: bare } = await infoFor("openid");
    expect(Object.keys(bare)).toEqual(["sub", "tenant_id"]);
    const { json: more } = await infoFor("openid email profile");
    expect(more).toEqual({
      ...{ sub: bare.sub, email: ownerEmail, email_verified: expect.any(Boolean) },
      ...{ name: expect.any(String), tenant_id: bare.tenant_id },
    });
  });

  test("403 forbidden without openid, and for a person's own token", async () => {
    expect(slugOf(await infoFor("email"))).toBe("forbidden");
    expect(slugOf(await world.call("GET", "/oauth/userinfo", { token }))).toBe("forbidden");
    expect(slugOf(await world.call("GET", "/oauth/userinfo"))).toBe("unauthorized");
  });
});

test("an id_token opens nothing", async () => {
  const { id_token } = (await exchange(await codeFor())).json;
  const refused = await world.call("GET", "/oauth/userinfo", { token: id_token });
  expect(slugOf(refused)).toBe("unauthorized");
});

test("an application's token on the API: its scopes, never more", async () => {
  client = await register({ scopes: ["oauth.list"] });
  const { access_token } = (await exchange(await codeFor({ scope: "oauth.list" }))).json;
  const listed = await world.call("GET", "/oauth/clients", { token: access_token });
  expect(listed.status).toBe(200);
  const gone = `/oauth/clients/${client.id}`;
  expect(slugOf(await world.call("DELETE", gone, { token: access_token }))).toBe("forbidden");
});

test("narrowing what an application may ask for counts on the next call", async () => {
  client = await register({ scopes: ["oauth.list", "users.list"] });
  const given = (await exchange(await codeFor({ scope: "openid oauth.list" }))).json;
  const listed = () => world.call("GET", "/oauth/clients", { token: given.access_token });
  expect((await listed()).status).toBe(200);
  const json = { scopes: ["users.list"] };
  await world.call("PATCH", `/oauth/clients/${client.id}`, { token, json });
  expect(slugOf(await listed())).toBe("forbidden");
  expect((await refresh(given.refresh_token)).json.scope).toBe("openid");
});

test("GET /.well-known/openid-configuration: true addresses, kept for five minutes", async () => {
  const found = await world.call("GET", "/.well-known/openid-configuration", { isWhole: true });
  expect(found.headers.get("cache-control")).toBe("public, max-age=300");
  expect(found.json).toMatchObject({
    issuer: world.url,
    authorization_endpoint: `${world.url}/api/v1/oauth/authorize`,
    response_types_supported: ["code"],
    code_challenge_methods_supported: ["S256"],
    id_token_signing_alg_values_supported: ["ES256"],
  });
  const { keys } = (await (await fetch(found.json.jwks_uri)).json()) as { keys: { kid: string }[] };
  expect(keys.some(({ kid }) => kid.startsWith("tok_"))).toBe(true);
});

test("requests go a day after their codes lapsed", async () => {
  await ask();
  expect(await world.oauth.purge(world.clock.nowMs(), 10)).toBe(0);
  world.clock.advance(600 + 86_400 + 1);
  expect(await world.oauth.purge(world.clock.nowMs(), 10)).toBe(1);
});
