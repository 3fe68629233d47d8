/**
 * Signing in with an account elsewhere, through the routes: which person an account leads to, what is taken
 * from somebody who never proved their address, codes for a page, and wallets.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { statement } from "../../schema/query/statement.ts";
import { addressOf, personalHash } from "../../src/domain/wallet.ts";
import { providerRoutes } from "../../src/feature/provider/platform.ts";
import { providerService } from "../../src/feature/provider/service.ts";
import { foundations } from "./foundation.ts";
import { type OutsideAccount, outsideClient, type RealProvider, realProvider } from "./outsider.ts";
import { type SignInWorld, signInWorld, slugOf } from "./signin.ts";

const open = foundations();
const publicUrl = "https://kartu.example";
const callback = `${publicUrl}/api/v1/auth/callback/out`;
const page = "https://app.example/signed-in?tab=1";

let real: RealProvider;
let world: SignInWorld;
beforeAll(async () => {
  real = await realProvider(callback);
});
afterAll(() => real.close());
afterEach(() => world.close());

async function start(isOpen: boolean): Promise<void> {
  world = await signInWorld(await open(), {
    isOpen,
    routes: (made) => {
      const { store, random, masterKey, people, auth, admit } = made;
      const { issuer } = real;
      const out = { ...outsideClient, id: "out", name: "Outside", type: "oidc", issuer } as const;
      const provider = providerService({
        ...{ store, random, masterKey, auth, isOpen, publicUrl: () => publicUrl },
        ...{ access: people.access, account: people.account },
        providers: [
          { ...out, redirectUris: [page] },
          { ...out, id: "twin", name: "Twin", redirectUris: [] },
          { id: "wallet", name: "Wallet", type: "wallet" },
        ],
      });
      return providerRoutes({ provider, admit });
    },
  });
}

const begin = (json: object = {}, id = "out", token?: string) =>
  world.call("POST", `/auth/login/${id}`, { json, ...(token && { token }) });

/** What the provider sends the browser back with. */
async function trip(account: OutsideAccount, json: object = {}): Promise<URL> {
  real.signInAs(account);
  const begun = await begin(json);
  expect(begun.status).toBe(200);
  return await real.walk(begun.json.redirectUrl, callback);
}

const comeBack = (url: URL, id = "out") => world.call("GET", `/auth/callback/${id}${url.search}`);
const arrive = async (account: OutsideAccount, json: object = {}) =>
  comeBack(await trip(account, json));

const siti: OutsideAccount = {
  ...{ sub: "s1", email: "siti@example.com", email_verified: true, name: "Siti" },
};

interface AccountState {
  password_hash: string | null;
  mfa_enabled: number;
  email_verified_at_ms: number | null;
  links: number;
  sessions: number;
}
const accountState = statement<[email: string], AccountState>(
  "test.accountState",
  `SELECT password_hash, mfa_enabled, email_verified_at_ms,
     (SELECT count(*) FROM identity_link l WHERE l.user_no = u.user_no) AS links,
     (SELECT count(*) FROM session s WHERE s.user_no = u.user_no AND revoked_at_ms IS NULL) AS sessions
   FROM user_account u WHERE email = ?1`,
);
const stateOf = (email: string) => world.store.read((q) => q.get(accountState, email));

describe("what there is", () => {
  beforeEach(() => start(false));

  test("GET /auth/providers: neither issuer nor secret", async () => {
    const listed = await world.call("GET", "/auth/providers");
    expect(listed.json).toEqual({
      data: [
        { id: "out", name: "Outside", type: "oauth" },
        { id: "twin", name: "Twin", type: "oauth" },
        { id: "wallet", name: "Wallet", type: "wallet" },
      ],
    });
  });

  test("404 provider-not-found", async () => {
    for (const id of ["none", "OUT", "out%20"]) {
      expect(slugOf(await begin({}, id))).toBe("provider-not-found");
      const back = await world.call("GET", `/auth/callback/${id}?code=x&state=y`);
      expect(slugOf(back)).toBe("provider-not-found");
    }
    const json = { state: "x", address: "x", signature: "0x" };
    const signed = await world.call("POST", "/auth/callback/none", { json });
    expect(slugOf(signed)).toBe("provider-not-found");
  });

  const bad: [string, object, string, string, string][] = [
    [
      "an address that is not on the list",
      { redirectUri: "https://evil.example/" },
      "out",
      "redirectUri",
      "NOT_ALLOWED",
    ],
    ["one that only begins so", { redirectUri: `${page}&x` }, "out", "redirectUri", "NOT_ALLOWED"],
    ["a wallet's address for a provider", { address: "0x" }, "out", "address", "NOT_ALLOWED"],
    ["an unknown member", { next: "x" }, "out", "next", "UNKNOWN_FIELD"],
    ["no address for a wallet", {}, "wallet", "address", "REQUIRED"],
    ["a broken address for a wallet", { address: "0x12" }, "wallet", "address", "INVALID_FORMAT"],
    ["a page for a wallet", { redirectUri: page }, "wallet", "redirectUri", "NOT_ALLOWED"],
  ];
  for (const [name, json, id, field, code] of bad) {
    test(`400 ${name}`, async () => {
      const refused = await begin(json, id);
      expect(slugOf(refused)).toBe("validation-error");
      expect(refused.json.errors).toEqual([{ field, code, message: expect.any(String) }]);
    });
  }

  test("leaving: where to, a state, ten minutes", async () => {
    const begun = (await begin()).json;
    expect(begun).toEqual({
      redirectUrl: expect.stringContaining(`state=${begun.state}`),
      state: expect.stringMatching(/^[a-z]{2}_[A-Za-z0-9_-]{43}$/),
      expiresAt: new Date(world.clock.nowMs() + 600_000).toISOString(),
      message: null,
    });
  });
});

describe("registration closed", () => {
  beforeEach(() => start(false));

  test("the person with the same proved address; from then on by the link", async () => {
    const { userNo, uuid } = await world.person("siti@example.com", ["admin"]);
    await world.store.write((tx) =>
      world.people.account.prove(tx, userNo, null, world.clock.nowMs()),
    );
    const pair = await arrive(siti);
    expect(pair.status).toBe(200);
    expect(pair.json).toMatchObject({ tokenType: "Bearer", user: { id: uuid, roles: ["admin"] } });
    const state = await stateOf("siti@example.com");
    expect(state).toMatchObject({ links: 1, password_hash: expect.any(String) });
    const renamed = { ...siti, email: "new@example.com", email_verified: false };
    expect((await arrive(renamed)).json.user.id).toBe(uuid);
    expect(await world.recordsOf(uuid)).toContain("auth.user.updated");
    expect(await world.eventsOf("userId", uuid)).toEqual([
      "auth.user.updated",
      "auth.user.logged_in",
      "auth.user.logged_in",
    ]);
  });

  test("somebody who never proved it: password, second factor, families and links go first", async () => {
    const { userNo, uuid } = await world.person("siti@example.com", ["admin"]);
    const squatter = await world.login("siti@example.com");
    await world.store.write(async (tx) => {
      const enable = statement<[userNo: number]>(
        "test.mfa",
        "UPDATE user_account SET mfa_sealed = x'00', mfa_enabled = 1 WHERE user_no = ?1",
      );
      const link = statement<[userNo: number]>(
        "test.link",
        "INSERT INTO identity_link VALUES ('twin', 'squatter', ?1, 0)",
      );
      await tx.run(enable, userNo);
      await tx.run(link, userNo);
    });
    const reset = await world.store.write((tx) => {
      const draft = { userNo, data: {}, ttlSec: 3_600 };
      return world.auth.proofs.issue(tx, "reset", draft, world.clock.nowMs());
    });
    const pair = await arrive(siti);
    expect(pair.json.user).toMatchObject({ id: uuid, emailVerified: true, mfaEnabled: false });
    expect(await stateOf("siti@example.com")).toEqual({
      ...{ password_hash: null, mfa_enabled: 0, links: 1, sessions: 1 },
      email_verified_at_ms: world.clock.nowMs(),
    });
    const old = await world.call("GET", "/oauth/clients", { token: squatter.accessToken });
    expect(slugOf(old)).toBe("token-revoked");
    await expect(world.login("siti@example.com")).rejects.toMatchObject({
      slug: "invalid-credentials",
    });
    const nowMs = world.clock.nowMs();
    await expect(
      world.store.read((q) => world.auth.proofs.find(q, "reset", reset, nowMs)),
    ).rejects.toMatchObject({ slug: "token-invalid" });
    const told = await world.eventsOf("userId", uuid);
    expect(told).toContain("auth.email.verified");
    expect(told).toContain("auth.user.updated");
  });

  test("attack: an unverified address of somebody here: 401, recorded, nothing changed", async () => {
    await world.person("siti@example.com", ["admin"]);
    const refused = await arrive({ ...siti, email_verified: false });
    expect(refused.status).toBe(401);
    expect(slugOf(refused)).toBe("invalid-credentials");
    expect(await stateOf("siti@example.com")).toMatchObject({ links: 0, sessions: 0 });
    expect(await world.recordsOf("")).toContain("auth.login.failed");
  });

  test("nobody known: 403 no-tenant, and nobody is made", async () => {
    expect(slugOf(await arrive(siti))).toBe("no-tenant");
    expect(await stateOf("siti@example.com")).toBeUndefined();
  });

  test("several tenants: the choice", async () => {
    const { userNo } = await world.person("siti@example.com", ["admin"]);
    const by = { actor: { type: "system", id: "test" } } as const;
    const nowMs = world.clock.nowMs();
    const second = await world.tenant.addTenant({ name: "Warung" }, by, nowMs);
    await world.store.write(async (tx) => {
      const { account, access } = world.people;
      const draft = { tenantId: second.tenantId, userNo, status: "active" } as const;
      await account.join(tx, { ...draft, roles: ["member"] }, nowMs);
      access.forget(tx, { userNo });
    });
    const choice = (await arrive(siti)).json;
    expect(choice).toMatchObject({
      requiresTenantSelection: true,
      sessionToken: expect.any(String),
    });
    expect(choice.tenants).toHaveLength(2);
  });

  test("with a page: 302 with a code that works once, and the state that it began with", async () => {
    await world.person("siti@example.com", ["admin"]);
    real.signInAs(siti);
    const begun = (await begin({ redirectUri: page })).json;
    const back = await comeBack(await real.walk(begun.redirectUrl, callback));
    expect(back.status).toBe(302);
    const location = new URL(back.headers.get("location") ?? "");
    expect(location.href).toStartWith(`${page}&login=`);
    expect(location.searchParams.get("state")).toBe(begun.state);
    const code = location.searchParams.get("login") ?? "";
    const via = { ip: "::1", userAgent: "test" };
    const exchange = () => world.auth.exchangeCode(code, via, world.clock.nowMs());
    expect(await exchange()).toMatchObject({ user: { email: "siti@example.com" } });
    await expect(exchange()).rejects.toMatchObject({ slug: "invalid-credentials" });
  });

  test("the code for a page works within 60 s", async () => {
    await world.person("siti@example.com", ["admin"]);
    const back = await arrive(siti, { redirectUri: page });
    const code = new URL(back.headers.get("location") ?? "").searchParams.get("login") ?? "";
    world.clock.advance(60);
    const via = { ip: "::1", userAgent: "test" };
    await expect(world.auth.exchangeCode(code, via, world.clock.nowMs())).rejects.toMatchObject({
      slug: "invalid-credentials",
    });
  });

  const wrong: [string, (url: URL) => void][] = [
    ["no state", (url) => url.searchParams.delete("state")],
    ["another state", (url) => url.searchParams.set("state", `os_${"x".repeat(43)}`)],
    ["no code", (url) => url.searchParams.delete("code")],
    ["another code", (url) => url.searchParams.set("code", "x")],
    ["another issuer", (url) => url.searchParams.set("iss", "https://evil.example")],
  ];
  for (const [name, change] of wrong) {
    test(`401 ${name}`, async () => {
      await world.person("siti@example.com", ["admin"]);
      const url = await trip(siti);
      change(url);
      expect(slugOf(await comeBack(url))).toBe("invalid-credentials");
    });
  }

  test("401 the same answer twice, or at another provider, or after ten minutes", async () => {
    await world.person("siti@example.com", ["admin"]);
    const once = await trip(siti);
    expect((await comeBack(once)).status).toBe(200);
    expect(slugOf(await comeBack(once))).toBe("invalid-credentials");
    const elsewhere = await trip(siti);
    expect(slugOf(await comeBack(elsewhere, "twin"))).toBe("invalid-credentials");
    const late = await trip(siti);
    world.clock.advance(600);
    expect(slugOf(await comeBack(late))).toBe("invalid-credentials");
  });

  test("401 the person declined there", async () => {
    const { state } = (await begin()).json;
    const url = new URL(`${callback}?error=access_denied&error_description=no&state=${state}`);
    expect(slugOf(await comeBack(url))).toBe("invalid-credentials");
  });

  test("403 account-blocked", async () => {
    const { userNo } = await world.person("siti@example.com", ["admin"]);
    await world.store.write(async (tx) => {
      const { account, access } = world.people;
      const found = await account.membership(tx, 1, userNo);
      await account.setStatus(tx, 1, found?.membershipNo ?? 0, "blocked", world.clock.nowMs());
      access.forget(tx, { userNo });
    });
    expect(slugOf(await arrive(siti))).toBe("account-blocked");
  });
});

describe("registration open", () => {
  beforeEach(() => start(true));

  test("nobody known: a person with a tenant of their own", async () => {
    const pair = (await arrive(siti)).json;
    const { user } = pair;
    expect(user).toMatchObject({ email: "siti@example.com", name: "Siti", emailVerified: true });
    expect(user.roles).toEqual(["owner"]);
    expect(await world.eventsOf("userId", user.id)).toEqual([
      "auth.user.created",
      "auth.user.logged_in",
    ]);
    expect((await arrive(siti)).json.user.id).toBe(user.id);
  });

  test("an address that the provider has not verified is not verified here", async () => {
    const { user } = (await arrive({ ...siti, email_verified: false })).json;
    expect(user).toMatchObject({ email: "siti@example.com", emailVerified: false });
  });

  test("no address at all: a stand-in that no mail reaches", async () => {
    const { user } = (await arrive({ sub: "s2" })).json;
    expect(user.email).toMatch(/^out\+[0-9a-f-]{36}@kartu\.invalid$/);
    expect(user.emailVerified).toBe(false);
  });
});

describe("wallets", () => {
  const key = new Uint8Array(32).fill(7);
  const address = addressOf(secp256k1.getPublicKey(key, false));
  const sign = (message: string, by = key): string => {
    const raw = secp256k1.sign(personalHash(message), by, { prehash: false, format: "recovered" });
    return `0x${Buffer.from(raw.subarray(1)).toString("hex")}${(27 + (raw[0] ?? 0)).toString(16)}`;
  };
  const back = (json: object, token?: string) =>
    world.call("POST", "/auth/callback/wallet", { json, ...(token && { token }) });
  beforeEach(() => start(false));

  test("the message names this server and the address, for ten minutes", async () => {
    const begun = (await begin({ address: address.toLowerCase() }, "wallet")).json;
    expect(begun.redirectUrl).toBeNull();
    const lines = begun.message.split("\n");
    expect(lines[0]).toBe("kartu.example wants you to sign in with your Ethereum account:");
    expect(lines[1]).toBe(address);
    expect(lines).toContain(`Expiration Time: ${begun.expiresAt}`);
  });

  test("linked by a person signed in, at the beginning or at the end; then it signs in alone", async () => {
    const { uuid } = await world.person("siti@example.com", ["admin"]);
    const { accessToken } = await world.login("siti@example.com");
    const first = (await begin({ address }, "wallet", accessToken)).json;
    const signature = sign(first.message);
    const linked = await back({ state: first.state, address, signature });
    expect(linked.json.user.id).toBe(uuid);
    const alone = (await begin({ address }, "wallet")).json;
    const given = { state: alone.state, address: address.toLowerCase() };
    const pair = await back({ ...given, signature: sign(alone.message).slice(2) });
    expect(pair.json.user.id).toBe(uuid);
    expect(await stateOf("siti@example.com")).toMatchObject({ links: 1 });

    const other = new Uint8Array(32).fill(8);
    const second = addressOf(secp256k1.getPublicKey(other, false));
    const begun = (await begin({ address: second }, "wallet")).json;
    const sent = { state: begun.state, address: second, signature: sign(begun.message, other) };
    expect((await back(sent, accessToken)).json.user.id).toBe(uuid);
    expect(await stateOf("siti@example.com")).toMatchObject({ links: 2 });
  });

  test("401 a wallet that nobody has linked", async () => {
    const { state, message } = (await begin({ address }, "wallet")).json;
    const refused = await back({ state, address, signature: sign(message) });
    expect(slugOf(refused)).toBe("invalid-credentials");
  });

  test("401 another signer, address, message or state; the right one still works then", async () => {
    await world.person("siti@example.com", ["admin"]);
    const { accessToken } = await world.login("siti@example.com");
    const { state, message } = (await begin({ address }, "wallet", accessToken)).json;
    const other = new Uint8Array(32).fill(8);
    const good = { state, address, signature: sign(message) };
    const wrong = [
      { signature: sign(message, other) },
      { signature: sign(`${message} `) },
      { signature: "0x00" },
      { address: addressOf(secp256k1.getPublicKey(other, false)) },
      { address: "0x12" },
      { state: `os_${"x".repeat(43)}` },
    ];
    for (const change of wrong) {
      expect(slugOf(await back({ ...good, ...change }))).toBe("invalid-credentials");
    }
    expect((await back(good)).status).toBe(200);
    expect(slugOf(await back(good))).toBe("invalid-credentials");
  });

  test("401 past ten minutes", async () => {
    const { state, message } = (await begin({ address }, "wallet")).json;
    world.clock.advance(600);
    const refused = await back({ state, address, signature: sign(message) });
    expect(slugOf(refused)).toBe("invalid-credentials");
  });

  test("401 a wallet of one person with the token of another", async () => {
    await world.person("siti@example.com", ["admin"]);
    await world.person("budi@example.com", ["admin"]);
    const mine = (await world.login("siti@example.com")).accessToken;
    const theirs = (await world.login("budi@example.com")).accessToken;
    const first = (await begin({ address }, "wallet", mine)).json;
    const good = { state: first.state, address, signature: sign(first.message) };
    expect(slugOf(await back(good, theirs))).toBe("invalid-credentials");
    expect((await back(good, mine)).status).toBe(200);
    const second = (await begin({ address }, "wallet", theirs)).json;
    const taken = { state: second.state, address, signature: sign(second.message) };
    expect(slugOf(await back(taken))).toBe("invalid-credentials");
  });

  test("a token that is broken is 401, one that is not the person's own 403", async () => {
    expect(slugOf(await begin({ address }, "wallet", "x"))).toBe("unauthorized");
    const { accessToken: token } = await world.login();
    const json = {
      ...{ name: "x", type: "confidential", redirectUris: [], scopes: [] },
      grantTypes: ["client_credentials"],
    };
    const client = (await world.call("POST", "/oauth/clients", { token, json })).json;
    const form = {
      ...{ grant_type: "client_credentials", client_id: client.id },
      client_secret: client.clientSecret,
    };
    const own = (await world.call("POST", "/oauth/token", { form })).json.access_token;
    expect(slugOf(await begin({ address }, "wallet", own))).toBe("forbidden");
  });

  test("GET for a wallet and POST for a provider: 401", async () => {
    const url = new URL(`${callback}?code=x&state=y`);
    expect(slugOf(await comeBack(url, "wallet"))).toBe("invalid-credentials");
    const json = { state: "x", address, signature: "0x" };
    const refused = await world.call("POST", "/auth/callback/out", { json });
    expect(slugOf(refused)).toBe("invalid-credentials");
  });
});
