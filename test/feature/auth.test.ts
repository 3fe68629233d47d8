/** Signing in: registration, passwords, the choice of a tenant, and each refusal in its place. */
import { describe, expect, test } from "bun:test";
import { decodeJwt, decodeProtectedHeader } from "jose";
import {
  type Entrance,
  entrances,
  joinTenant,
  linked,
  meddle,
  phrase,
  post,
  refusal,
  register,
} from "./entrance.ts";

const open = entrances();
const email = "dewi@example.com";
const login = (json: Readonly<Record<string, unknown>> = {}) => ({
  json: { email, password: phrase, ...json },
});

/** Somebody who owns one tenant and is a member of the first. */
async function ofTwo(world: Entrance) {
  const made = await register(world, { email, organization: "Kantin Dua" });
  const root = await world.people.access.tenant(1);
  if (root === undefined) throw new Error("no root");
  await joinTenant(world, made.user.id, root.uuid, ["admin"]);
  return { made, own: made.tenantId as string, other: root.uuid };
}

describe("POST /auth/register", () => {
  test("makes a person with a tenant of their own, signed in", async () => {
    const world = await open();
    const json = {
      email: "  Dewi@Example.com ",
      password: phrase,
      name: "Dewi",
      organization: "Kantin Dua",
    };
    const { status, headers, json: made } = await world.call("POST", "/auth/register", { json });
    expect(status).toBe(201);
    expect(headers.get("location")).toBe("/api/v1/auth/me");
    expect(made).toMatchObject({
      tokenType: "Bearer",
      expiresIn: 900,
      subscriptionId: null,
      subscription: null,
      user: { email, name: "Dewi", roles: ["owner"], status: "active", emailVerified: false },
    });
    const me = await world.call("GET", "/auth/me", { token: made.accessToken });
    expect(me.json).toMatchObject({
      id: made.user.id,
      permissions: ["*"],
      tenant: { name: "Kantin Dua", type: "client" },
    });
    expect(await linked(world, email, "ev_")).toStartWith("ev_");
    expect(await world.recordsOf(made.user.id)).toEqual([
      "auth.user.created",
      "auth.user.logged_in",
    ]);
    expect(await world.eventsOf("userId", made.user.id)).toEqual([
      "auth.user.created",
      "auth.user.logged_in",
    ]);
  });

  test("two may give their organization the same name; without one it is the person's", async () => {
    const world = await open();
    await register(world, { email, organization: "Warung" });
    await register(world, { email: "ayu@example.com", organization: "Warung" });
    const { accessToken } = await register(world, { email: "eka@example.com", name: "Eka" });
    const me = await world.call("GET", "/auth/me", { token: accessToken });
    expect(me.json.tenant.name).toBe("Eka");
  });

  const bad: [string, Record<string, unknown>, string, string][] = [
    ["an email that is none", { email: "dewi" }, "email", "INVALID_FORMAT"],
    ["a password of 11", { password: "x".repeat(11) }, "password", "TOO_SHORT"],
    ["a password of 129", { password: "x".repeat(129) }, "password", "TOO_LONG"],
    ["the email as password", { password: "Dewi@example.com" }, "password", "NOT_ALLOWED"],
    ["an empty name", { name: "" }, "name", "TOO_SHORT"],
    ["a name of 101", { name: "x".repeat(101) }, "name", "TOO_LONG"],
    ["an unknown member", { role: "owner" }, "role", "UNKNOWN_FIELD"],
  ];
  for (const [what, change, field, code] of bad) {
    test(`${what} is 400`, async () => {
      const world = await open();
      const json = { email, password: phrase, name: "Dewi", ...change };
      const answer = await world.call("POST", "/auth/register", { json });
      expect(answer.status).toBe(400);
      expect(answer.json.errors).toEqual([{ field, code, message: expect.any(String) }]);
    });
  }

  test("a taken email is 409 already-exists", async () => {
    const world = await open();
    await register(world, { email });
    const json = { email: email.toUpperCase(), password: phrase, name: "Dewi" };
    const answer = await world.call("POST", "/auth/register", { json });
    expect(answer.json).toMatchObject({ status: 409, title: "Already Exists", field: "email" });
  });

  test("registration-closed is 403, also for an email that is there", async () => {
    const world = await open({ isOpen: false });
    const json = { email: "owner@example.com", password: phrase, name: "Dewi" };
    expect(await refusal(world, "POST", "/auth/register", { json })).toBe(
      "403 registration-closed",
    );
  });
});

describe("the access token", () => {
  test("says who, where and as what, and nothing else", async () => {
    const world = await open();
    const { accessToken, user, tenantId } = await register(world, { email });
    expect(decodeProtectedHeader(accessToken)).toEqual({
      alg: "ES256",
      kid: expect.stringMatching(/^tok_/),
      typ: "JWT",
    });
    const nowSec = Math.floor(world.clock.nowMs() / 1000);
    expect(decodeJwt(accessToken)).toEqual({
      ...{ sub: user.id, email, tenantId, roles: ["owner"] },
      ...{ iat: nowSec, exp: nowSec + 900, iss: world.url, aud: "platform-kernel" },
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      sid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      kartu: { principal: "user" },
    });
  });
});

describe("POST /auth/login", () => {
  test("one tenant: a pair, and the sign-in is told", async () => {
    const world = await open();
    const { user } = await register(world, { email });
    world.clock.advance(5);
    const pair = await post(world, "/auth/login", 200, login({ email: " DEWI@example.com" }));
    expect(pair.user.lastLoginAt).toBe(new Date(world.clock.nowMs()).toISOString());
    expect(pair.refreshToken).toMatch(/^rt_[A-Za-z0-9_-]{43}$/);
    expect((await world.eventsOf("userId", user.id)).at(-1)).toBe("auth.user.logged_in");
  });

  test("a wrong password, an unknown email and no password at all are one and the same", async () => {
    const world = await open();
    const { user } = await register(world, { email });
    const answers: [number, unknown][] = [];
    await world.person("eka@example.com");
    await meddle(
      world,
      "UPDATE user_account SET password_hash = NULL WHERE email = 'eka@example.com'",
    );
    for (const who of [email, "nobody@example.com", "eka@example.com"]) {
      const { status, json } = await world.call("POST", "/auth/login", {
        json: { email: who, password: "a wrong pass phrase" },
      });
      const { traceId, ...body } = json;
      expect(traceId).toBeString();
      answers.push([status, body]);
    }
    expect(answers[0]?.[0]).toBe(401);
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect((await world.recordsOf(user.id)).at(-1)).toBe("auth.login.failed");
    expect(await world.recordsOf("")).toEqual(["auth.login.failed"]);
    expect(await world.eventsOf("userId", user.id)).not.toContain("auth.login.failed");
  });

  test("five failures of an email in 15 min are 429 until the window ends, whoever has it", async () => {
    const world = await open();
    await register(world, { email });
    for (const who of [email, "nobody@example.com"]) {
      const wrong = login({ email: who, password: "wrong" });
      for (let at = 0; at < 5; at++) {
        expect(await refusal(world, "POST", "/auth/login", wrong)).toBe("401 invalid-credentials");
      }
      const limited = await world.call("POST", "/auth/login", login({ email: who }));
      expect(limited.status).toBe(429);
      expect(limited.json.retryAfter).toBe(900);
      expect(limited.headers.get("retry-after")).toBe("900");
    }
    world.clock.advance(899);
    expect(await refusal(world, "POST", "/auth/login", login())).toBe("429 rate-limit-exceeded");
    world.clock.advance(1);
    await post(world, "/auth/login", 200, login());
  });

  test("six at once count one after the other", async () => {
    const world = await open();
    await register(world, { email });
    const wrong = login({ password: "wrong" });
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => refusal(world, "POST", "/auth/login", wrong)),
    );
    expect(answers.filter((answer) => answer === "429 rate-limit-exceeded")).toHaveLength(1);
  });

  test("a right one in between begins anew", async () => {
    const world = await open();
    await register(world, { email });
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < 4; at++) {
        await refusal(world, "POST", "/auth/login", login({ password: "wrong" }));
      }
      await post(world, "/auth/login", 200, login());
    }
  });

  test("no tenant: 403 no-tenant, and with open registration one is made", async () => {
    const closed = await open({ isOpen: false });
    const person = await closed.person(email);
    await meddle(
      closed,
      `UPDATE membership SET status = 'invited' WHERE user_no = ${person.userNo}`,
    );
    const asked = { json: { email, password: "a long password" } };
    expect(await refusal(closed, "POST", "/auth/login", asked)).toBe("403 no-tenant");
    const wrong = { json: { email, password: "wrong" } };
    expect(await refusal(closed, "POST", "/auth/login", wrong)).toBe("401 invalid-credentials");

    const world = await open();
    const { userNo } = await world.person(email);
    await meddle(world, `UPDATE membership SET status = 'invited' WHERE user_no = ${userNo}`);
    const pair = await post(world, "/auth/login", 200, asked);
    expect(pair.user.roles).toEqual(["owner"]);
  });

  test("every membership blocked: 403 account-blocked, once the password was right", async () => {
    const world = await open();
    await ofTwo(world);
    await meddle(world, "UPDATE membership SET status = 'blocked' WHERE user_no > 1");
    expect(await refusal(world, "POST", "/auth/login", login())).toBe("403 account-blocked");
    const wrong = login({ password: "wrong" });
    expect(await refusal(world, "POST", "/auth/login", wrong)).toBe("401 invalid-credentials");
  });

  test("a tenant that one is not in is 403 tenant-not-allowed; a blocked one 403 tenant-blocked", async () => {
    const world = await open();
    const { own } = await ofTwo(world);
    const elsewhere = (await register(world, { email: "eka@example.com" })).tenantId;
    const asked = login({ tenantId: elsewhere });
    expect(await refusal(world, "POST", "/auth/login", asked)).toBe("403 tenant-not-allowed");
    await meddle(world, `UPDATE tenant SET status = 'blocked' WHERE uuid = '${own}'`);
    const blocked = login({ tenantId: own });
    expect(await refusal(world, "POST", "/auth/login", blocked)).toBe("403 tenant-blocked");
  });

  test("mfaCode and recoveryCode exclude each other", async () => {
    const world = await open();
    const json = login({ mfaCode: "123456", recoveryCode: "AAAA-BBBB-CCCC" });
    const answer = await world.call("POST", "/auth/login", json);
    expect(answer.json.errors).toEqual([
      { field: "recoveryCode", code: "NOT_ALLOWED", message: expect.any(String) },
    ]);
  });
});

describe("the choice of a tenant", () => {
  test("two tenants: a choice; the token is good for one success", async () => {
    const world = await open();
    const { own, other } = await ofTwo(world);
    const choice = await post(world, "/auth/login", 200, login());
    expect(choice).toEqual({
      requiresTenantSelection: true,
      sessionToken: expect.stringMatching(/^st_[A-Za-z0-9_-]{43}$/),
      expiresAt: new Date(world.clock.nowMs() + 300_000).toISOString(),
      tenants: expect.arrayContaining([
        { id: own, name: "Kantin Dua", logoUrl: null, role: "owner" },
        { id: other, name: "Kantin Utama", logoUrl: null, role: "admin" },
      ]),
    });
    const { sessionToken } = choice;
    const elsewhere = (await register(world, { email: "eka@example.com" })).tenantId;
    const foreign = { json: { sessionToken, tenantId: elsewhere } };
    const select = "/auth/select-tenant";
    expect(await refusal(world, "POST", select, foreign)).toBe("403 tenant-not-allowed");
    const chosen = { json: { sessionToken, tenantId: other } };
    const pair = await post(world, select, 200, chosen);
    expect(pair).toMatchObject({ tenantId: other, user: { roles: ["admin"] } });
    expect(await refusal(world, "POST", select, chosen)).toBe("401 session-token-invalid");
  });

  test("a choice ends after 5 min, and nobody makes one up", async () => {
    const world = await open();
    const { other } = await ofTwo(world);
    const { sessionToken } = await post(world, "/auth/login", 200, login());
    world.clock.advance(300);
    for (const token of [sessionToken, `st_${"A".repeat(43)}`, "x"]) {
      const json = { sessionToken: token, tenantId: other };
      expect(await refusal(world, "POST", "/auth/select-tenant", { json })).toBe(
        "401 session-token-invalid",
      );
    }
  });

  test("remember: later sign-ins go there; a tenantId of the request goes before", async () => {
    const world = await open();
    const { own, other } = await ofTwo(world);
    const { sessionToken } = await post(world, "/auth/login", 200, login());
    const json = { sessionToken, tenantId: other, remember: true };
    await post(world, "/auth/select-tenant", 200, { json });
    expect((await post(world, "/auth/login", 200, login())).tenantId).toBe(other);
    expect((await post(world, "/auth/login", 200, login({ tenantId: own }))).tenantId).toBe(own);
    await meddle(
      world,
      "UPDATE membership SET status = 'blocked' WHERE tenant_id = 1 AND user_no > 1",
    );
    expect((await post(world, "/auth/login", 200, login())).tenantId).toBe(own);
  });

  test("a cookie that was asked for at the sign-in comes with the choice", async () => {
    const world = await open();
    const { other } = await ofTwo(world);
    const { sessionToken } = await post(world, "/auth/login", 200, login({ useCookie: true }));
    const json = { sessionToken, tenantId: other };
    const { headers, json: pair } = await world.call("POST", "/auth/select-tenant", { json });
    expect(pair.refreshToken).toBeNull();
    expect(headers.get("set-cookie")).toMatch(
      /^kartu_rt=rt_[\w-]{43}; Max-Age=604800; HttpOnly; Secure; SameSite=Strict; Path=\/$/,
    );
  });
});

describe("POST /auth/switch-tenant", () => {
  test("a pair for the other tenant; the given refresh token's family ends", async () => {
    const world = await open();
    const { made, other } = await ofTwo(world);
    const { accessToken: token, refreshToken } = made;
    const json = { tenantId: other, refreshToken };
    const pair = await post(world, "/auth/switch-tenant", 200, { token, json });
    expect(pair).toMatchObject({ tenantId: other, user: { roles: ["admin"] } });
    const again = { json: { refreshToken } };
    expect(await refusal(world, "POST", "/auth/refresh", again)).toBe("401 refresh-token-invalid");
    expect(await refusal(world, "GET", "/auth/me", { token })).toBe("401 token-revoked");
    expect(await world.recordsOf(made.user.id)).toContain("auth.session.revoked");
  });

  test("without one the old family stays; a replay under a key is the same answer", async () => {
    const world = await open();
    const { made, other } = await ofTwo(world);
    const headers = { "idempotency-key": "0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a" };
    const sent = { token: made.accessToken, json: { tenantId: other }, headers };
    const first = await world.call("POST", "/auth/switch-tenant", sent);
    const second = await world.call("POST", "/auth/switch-tenant", sent);
    expect(second.headers.get("idempotent-replayed")).toBe("true");
    expect(second.text).toBe(first.text);
    await post(world, "/auth/refresh", 200, { json: { refreshToken: made.refreshToken } });
  });

  test("a tenant that one is not in is 403 tenant-not-allowed", async () => {
    const world = await open();
    const { made } = await ofTwo(world);
    const { tenantId } = await register(world, { email: "eka@example.com" });
    for (const id of [tenantId, "0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a"]) {
      const sent = { token: made.accessToken, json: { tenantId: id } };
      expect(await refusal(world, "POST", "/auth/switch-tenant", sent)).toBe(
        "403 tenant-not-allowed",
      );
    }
  });
});

describe("signing out", () => {
  test("POST /auth/logout ends the token's family, its access tokens too", async () => {
    const world = await open();
    const { accessToken: token, refreshToken, user } = await register(world, { email });
    const other = await post(world, "/auth/login", 200, login());
    await post(world, "/auth/logout", 204, { token, json: {} });
    expect(await refusal(world, "GET", "/auth/me", { token })).toBe("401 token-revoked");
    const json = { refreshToken };
    expect(await refusal(world, "POST", "/auth/refresh", { json })).toBe(
      "401 refresh-token-invalid",
    );
    expect((await world.call("GET", "/auth/me", { token: other.accessToken })).status).toBe(200);
    expect((await world.eventsOf("userId", user.id)).at(-1)).toBe("auth.session.revoked");
  });

  test("POST /auth/logout with another refresh token of one's own ends that one's family", async () => {
    const world = await open();
    const { accessToken: token } = await register(world, { email });
    const other = await post(world, "/auth/login", 200, login());
    await post(world, "/auth/logout", 204, { token, json: { refreshToken: other.refreshToken } });
    expect((await world.call("GET", "/auth/me", { token })).status).toBe(200);
    expect(await refusal(world, "GET", "/auth/me", { token: other.accessToken })).toBe(
      "401 token-revoked",
    );
  });

  test("a refresh token of somebody else is nothing to end", async () => {
    const world = await open();
    const { accessToken: token } = await register(world, { email });
    const eka = await register(world, { email: "eka@example.com" });
    await post(world, "/auth/logout", 204, { token, json: { refreshToken: eka.refreshToken } });
    expect((await world.call("GET", "/auth/me", { token: eka.accessToken })).status).toBe(200);
  });

  test("POST /auth/logout reads the cookie, and takes it away", async () => {
    const world = await open();
    await register(world, { email });
    const first = await world.call("POST", "/auth/login", login({ useCookie: true }));
    const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
    const { accessToken: token } = await post(world, "/auth/login", 200, login());
    const out = await world.call("POST", "/auth/logout", { token, headers: { cookie } });
    expect(out.status).toBe(204);
    expect(out.headers.get("set-cookie")).toStartWith("kartu_rt=; Max-Age=0;");
    expect(await refusal(world, "GET", "/auth/me", { token: first.json.accessToken })).toBe(
      "401 token-revoked",
    );
    expect((await world.call("GET", "/auth/me", { token })).status).toBe(200);
  });

  test("POST /auth/logout-all ends every token, in all tenants; signing in again works at once", async () => {
    const world = await open();
    const { made, other } = await ofTwo(world);
    const second = await post(world, "/auth/login", 200, login({ tenantId: other }));
    await post(world, "/auth/logout-all", 204, { token: made.accessToken });
    for (const { accessToken, refreshToken } of [made, second]) {
      expect(await refusal(world, "GET", "/auth/me", { token: accessToken })).toBe(
        "401 token-revoked",
      );
      const json = { refreshToken };
      expect(await refusal(world, "POST", "/auth/refresh", { json })).toBe(
        "401 refresh-token-invalid",
      );
    }
    const { accessToken } = await post(world, "/auth/login", 200, login({ tenantId: other }));
    expect((await world.call("GET", "/auth/me", { token: accessToken })).status).toBe(200);
  });
});

describe("POST /auth/impersonate", () => {
  const reason = "support_request";

  test("the Platform Owner acts as admin of another tenant, marked and told on both sides", async () => {
    const world = await open();
    const { tenantId } = await register(world, { email });
    const { accessToken: token, user } = await world.login();
    const sent = { token, json: { tenantId, reason } };
    const acting = await post(world, "/auth/impersonate", 200, sent);
    expect(acting).toEqual({
      accessToken: expect.any(String),
      expiresAt: expect.any(String),
      tenantId,
      reason,
    });
    expect(decodeJwt(acting.accessToken)).toMatchObject({
      ...{ sub: user.id, act: { sub: user.id }, roles: ["admin"], tenantId },
    });
    const me = await world.call("GET", "/auth/me", { token: acting.accessToken });
    expect(me.json).toMatchObject({ tenantId, roles: ["admin"], permissions: ["*"] });
    const type = "auth.impersonation.started";
    expect((await world.recordsOf(user.id)).filter((action) => action === type)).toHaveLength(2);
    expect(await world.eventsOf("reason", reason)).toEqual([type, type]);
  });

  test("what one changes about oneself is 403 impersonation-restricted meanwhile; logout is not", async () => {
    const world = await open();
    const { tenantId } = await register(world, { email });
    const { accessToken } = await world.login();
    const sent = { token: accessToken, json: { tenantId, reason } };
    const { accessToken: token } = await post(world, "/auth/impersonate", 200, sent);
    const restricted: [string, string, unknown][] = [
      ["PATCH", "/auth/me", { name: "X" }],
      ["POST", "/auth/switch-tenant", { tenantId }],
      ["POST", "/auth/change-password", { currentPassword: "x", password: phrase }],
      ["POST", "/auth/mfa/enable", {}],
      ["POST", "/auth/logout-all", {}],
      ["POST", "/auth/stream-ticket", {}],
    ];
    for (const [method, path, json] of restricted) {
      expect(await refusal(world, method, path, { token, json })).toBe(
        "403 impersonation-restricted",
      );
    }
    const further = { token, json: { tenantId, reason } };
    expect(await refusal(world, "POST", "/auth/impersonate", further)).toMatch(/^403 /);
    await post(world, "/auth/logout", 204, { token });
  });

  test("it ends with the owner's own tokens", async () => {
    const world = await open();
    const { tenantId } = await register(world, { email });
    const { accessToken } = await world.login();
    const sent = { token: accessToken, json: { tenantId, reason } };
    const { accessToken: token } = await post(world, "/auth/impersonate", 200, sent);
    await post(world, "/auth/logout-all", 204, { token: accessToken });
    expect(await refusal(world, "GET", "/auth/me", { token })).toBe("401 token-revoked");
  });

  test("anybody else is 403 forbidden, other owners too; an unknown tenant 404", async () => {
    const world = await open();
    const { accessToken, tenantId } = await register(world, { email });
    const json = { tenantId, reason };
    expect(await refusal(world, "POST", "/auth/impersonate", { token: accessToken, json })).toBe(
      "403 forbidden",
    );
    const { accessToken: token } = await world.login();
    const unknown = { reason, tenantId: "0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a" };
    expect(await refusal(world, "POST", "/auth/impersonate", { token, json: unknown })).toBe(
      "404 not-found",
    );
    const other = { token, json: { tenantId, reason: "other" } };
    const answer = await world.call("POST", "/auth/impersonate", other);
    expect(answer.json.errors).toMatchObject([{ field: "note", code: "REQUIRED" }]);
  });
});

describe("POST /auth/stream-ticket", () => {
  test("201 with a ticket of 60 s", async () => {
    const world = await open();
    const { accessToken: token } = await register(world, { email });
    expect(await post(world, "/auth/stream-ticket", 201, { token })).toEqual({
      ticket: expect.stringMatching(/^tk_[A-Za-z0-9_-]{43}$/),
      expiresAt: new Date(world.clock.nowMs() + 60_000).toISOString(),
    });
  });
});

describe("POST /auth/accept-invite", () => {
  async function invited(world: Entrance, to: string, roles = ["member"]) {
    const actor = { type: "system", id: "test" } as const;
    const holder = { permissions: ["*"], isOwner: true, isPlatformOwner: true };
    const { invitation } = world.people;
    await world.store.write((tx) =>
      invitation.create(tx, 1, { email: to, roles }, holder, { actor }, world.clock.nowMs()),
    );
    return await linked(world, to, "in_");
  }

  test("somebody new chooses a password and is signed in to that tenant, address verified", async () => {
    const world = await open();
    const token = await invited(world, email);
    const json = { token, password: phrase, name: "Dewi" };
    const pair = await post(world, "/auth/accept-invite", 200, { json });
    expect(pair.user).toMatchObject({ name: "Dewi", emailVerified: true, roles: ["member"] });
    expect(await refusal(world, "POST", "/auth/accept-invite", { json })).toBe("401 token-invalid");
    await post(world, "/auth/login", 200, login());
  });

  test("somebody known gives their own password, and lands in the new tenant", async () => {
    const world = await open();
    await register(world, { email });
    const token = await invited(world, email, ["admin"]);
    const wrong = { json: { token, password: "a wrong pass phrase" } };
    expect(await refusal(world, "POST", "/auth/accept-invite", wrong)).toBe(
      "401 invalid-credentials",
    );
    const pair = await post(world, "/auth/accept-invite", 200, {
      json: { token, password: phrase },
    });
    expect(pair.user.roles).toEqual(["admin"]);
    expect(pair.tenantId).toBe((await world.people.access.tenant(1))?.uuid);
  });

  test("a link of 72 h ago is 401 token-expired, one that never was token-invalid", async () => {
    const world = await open();
    const token = await invited(world, email);
    world.clock.advance(72 * 3_600);
    const json = { token, password: phrase };
    expect(await refusal(world, "POST", "/auth/accept-invite", { json })).toBe("401 token-expired");
    const strange = { json: { token: `in_${"A".repeat(43)}`, password: phrase } };
    expect(await refusal(world, "POST", "/auth/accept-invite", strange)).toBe("401 token-invalid");
  });
});
