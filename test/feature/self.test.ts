/** What people see and change about themselves: profile, email, password, sessions, mailed links. */
import { describe, expect, test } from "bun:test";
import {
  type Entrance,
  entrances,
  joinTenant,
  linked,
  phrase,
  post,
  refusal,
  register,
} from "./entrance.ts";

const open = entrances();
const email = "dewi@example.com";
const nextPhrase = "another pass phrase";
const login = (world: Entrance, password = phrase, address = email) =>
  post(world, "/auth/login", 200, { json: { email: address, password } });

const letters = (world: Entrance, to: string): string[] =>
  world.people.letters.filter((letter) => letter.to === to).map(({ subject }) => subject);

describe("GET /auth/me", () => {
  test("who one is, where, what one may do, and every tenant that one is in", async () => {
    const world = await open();
    const { accessToken, user, tenantId } = await register(world, { email, organization: "Dua" });
    const root = await world.people.access.tenant(1);
    await joinTenant(world, user.id, root?.uuid ?? "", ["member"]);
    const { json } = await world.call("GET", "/auth/me", { token: accessToken });
    expect(json).toMatchObject({
      ...{ id: user.id, email, name: "Dewi", locale: "en", tenantId, roles: ["owner"] },
      ...{ status: "active", emailVerified: false, mfaEnabled: false, version: 1 },
      tenant: { id: tenantId, name: "Dua", slug: "dua", type: "client", status: "active" },
      permissions: ["*"],
    });
    expect(json.memberships).toEqual([
      {
        ...{ tenantId, tenantName: "Dua", tenantSlug: "dua", logoUrl: null },
        ...{ roles: ["owner"], status: "active", isOwner: true },
      },
      {
        ...{ tenantId: root?.uuid, tenantName: "Kantin Utama", tenantSlug: root?.slug },
        ...{ logoUrl: null, roles: ["member"], status: "active", isOwner: false },
      },
    ]);
  });
});

describe("PATCH /auth/me", () => {
  test("name and locale; the version goes up, and it is told", async () => {
    const world = await open();
    const { accessToken: token, user } = await register(world, { email });
    const json = { name: "Dewi Lestari", locale: "id-id" };
    const answer = await world.call("PATCH", "/auth/me", { token, json });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ name: "Dewi Lestari", locale: "id-ID", version: 2 });
    expect((await world.eventsOf("userId", user.id)).at(-1)).toBe("auth.user.updated");
    expect((await world.recordsOf(user.id)).at(-1)).toBe("auth.user.updated");
  });

  test("another email is unverified again; the old address is told, its links are dead", async () => {
    const world = await open();
    const { accessToken: token } = await register(world, { email });
    const old = await linked(world, email, "ev_");
    await post(world, "/auth/request-reset", 202, { json: { email } });
    const oldReset = await linked(world, email, "pr_");
    const json = { email: "Dewi@New.example", currentPassword: phrase };
    const answer = await world.call("PATCH", "/auth/me", { token, json });
    expect(answer.json).toMatchObject({ email: "dewi@new.example", emailVerified: false });
    const verify = (link: string) => ({ json: { token: link } });
    expect(await refusal(world, "POST", "/auth/verify-email", verify(old))).toBe(
      "401 token-invalid",
    );
    const reset = { json: { token: oldReset, password: nextPhrase } };
    expect(await refusal(world, "POST", "/auth/reset-password", reset)).toBe("401 token-invalid");
    const fresh = await linked(world, "dewi@new.example", "ev_");
    expect(await post(world, "/auth/verify-email", 200, verify(fresh))).toEqual({
      emailVerified: true,
    });
    expect(letters(world, email)).toContain("Your email address was changed");
    const me = await world.call("GET", "/auth/me", { token });
    expect(me.json.emailVerified).toBe(true);
    await login(world, phrase, "dewi@new.example");
  });

  const bad: [string, Record<string, unknown>, string][] = [
    ["a wrong password", { email: "a@b.example", currentPassword: "x" }, "401 invalid-credentials"],
    [
      "a taken email",
      { email: "owner@example.com", currentPassword: phrase },
      "409 already-exists",
    ],
    ["an email without the password", { email: "a@b.example" }, "400 validation-error"],
    ["a locale that is none", { locale: "!!" }, "400 validation-error"],
    ["a null name", { name: null }, "400 validation-error"],
    ["roles", { roles: ["owner"] }, "400 validation-error"],
  ];
  for (const [what, json, answer] of bad) {
    test(`${what}: ${answer}`, async () => {
      const world = await open();
      const { accessToken: token } = await register(world, { email });
      expect(await refusal(world, "PATCH", "/auth/me", { token, json })).toBe(answer);
      const me = await world.call("GET", "/auth/me", { token });
      expect(me.json).toMatchObject({ email, version: 1 });
    });
  }

  test("ten wrong passwords are 429 for the rest of 15 min", async () => {
    const world = await open();
    const { accessToken: token } = await register(world, { email });
    const json = { email: "a@b.example", currentPassword: "x" };
    for (let at = 0; at < 10; at++) {
      expect(await refusal(world, "PATCH", "/auth/me", { token, json })).toBe(
        "401 invalid-credentials",
      );
    }
    const right = { email: "a@b.example", currentPassword: phrase };
    expect(await refusal(world, "PATCH", "/auth/me", { token, json: right })).toBe(
      "429 rate-limit-exceeded",
    );
  });
});

describe("POST /auth/change-password", () => {
  test("other families end, every access token dies, and one's own refresh token goes on", async () => {
    const world = await open();
    const first = await register(world, { email });
    const other = await login(world);
    const json = { currentPassword: phrase, password: nextPhrase };
    await post(world, "/auth/change-password", 204, { token: first.accessToken, json });
    for (const { accessToken: token } of [first, other]) {
      expect(await refusal(world, "GET", "/auth/me", { token })).toBe("401 token-revoked");
    }
    const lost = { json: { refreshToken: other.refreshToken } };
    expect(await refusal(world, "POST", "/auth/refresh", lost)).toBe("401 refresh-token-invalid");
    const kept = { json: { refreshToken: first.refreshToken } };
    const { accessToken: token } = await post(world, "/auth/refresh", 200, kept);
    expect((await world.call("GET", "/auth/me", { token })).status).toBe(200);
    const old = { json: { email, password: phrase } };
    expect(await refusal(world, "POST", "/auth/login", old)).toBe("401 invalid-credentials");
    await login(world, nextPhrase);
    expect(await world.eventsOf("userId", first.user.id)).toContain("auth.password.changed");
    await world.people.mail.idle();
    expect(letters(world, email)).toContain("Your password was changed");
  });

  const bad: [string, Record<string, unknown>, string][] = [
    [
      "the old one is wrong",
      { currentPassword: "x", password: nextPhrase },
      "401 invalid-credentials",
    ],
    [
      "the new one is the email",
      { currentPassword: phrase, password: email },
      "400 validation-error",
    ],
    [
      "the new one is short",
      { currentPassword: phrase, password: "short" },
      "400 validation-error",
    ],
    ["one is missing", { password: nextPhrase }, "400 validation-error"],
  ];
  for (const [what, json, answer] of bad) {
    test(`${what}: ${answer}, and nothing changed`, async () => {
      const world = await open();
      const { accessToken: token } = await register(world, { email });
      expect(await refusal(world, "POST", "/auth/change-password", { token, json })).toBe(answer);
      await login(world);
    });
  }
});

describe("sessions", () => {
  test("newest first, the own one marked, in pages; ending one ends its tokens", async () => {
    const world = await open();
    const first = await register(world, { email });
    const second = await login(world);
    const list = await world.call("GET", "/auth/sessions?limit=1", { token: first.accessToken });
    expect(list.json.meta).toMatchObject({ hasMore: true, total: 2 });
    expect(list.json.data).toEqual([
      {
        id: expect.any(String),
        ip: "127.0.0.1",
        userAgent: expect.stringContaining("Bun"),
        createdAt: new Date(world.clock.nowMs()).toISOString(),
        lastUsedAt: new Date(world.clock.nowMs()).toISOString(),
        current: false,
      },
    ]);
    const next = `/auth/sessions?limit=1&cursor=${list.json.meta.cursor}`;
    const page = await world.call("GET", next, { token: first.accessToken });
    expect(page.json.data[0].current).toBe(true);
    expect(page.json.meta.cursor).toBeNull();
    const path = `/auth/sessions/${list.json.data[0].id}`;
    expect((await world.call("DELETE", path, { token: first.accessToken })).status).toBe(204);
    expect(await refusal(world, "GET", "/auth/me", { token: second.accessToken })).toBe(
      "401 token-revoked",
    );
    expect(await refusal(world, "DELETE", path, { token: first.accessToken })).toBe(
      "404 not-found",
    );
    expect((await world.eventsOf("userId", first.user.id)).at(-1)).toBe("auth.session.revoked");
  });

  test("somebody else's is 404", async () => {
    const world = await open();
    const { accessToken: token } = await register(world, { email });
    const eka = await register(world, { email: "eka@example.com" });
    const { json } = await world.call("GET", "/auth/sessions", { token: eka.accessToken });
    const path = `/auth/sessions/${json.data[0].id}`;
    expect(await refusal(world, "DELETE", path, { token })).toBe("404 not-found");
    expect(await refusal(world, "DELETE", "/auth/sessions/x", { token })).toBe("404 not-found");
  });
});

describe("verifying the address", () => {
  test("a link of the registration works once, for 24 h", async () => {
    const world = await open();
    const { user } = await register(world, { email });
    const token = await linked(world, email, "ev_");
    await post(world, "/auth/verify-email", 200, { json: { token } });
    expect((await world.eventsOf("userId", user.id)).at(-1)).toBe("auth.email.verified");
    expect(await refusal(world, "POST", "/auth/verify-email", { json: { token } })).toBe(
      "401 token-invalid",
    );
    await register(world, { email: "eka@example.com" });
    const late = await linked(world, "eka@example.com", "ev_");
    world.clock.advance(24 * 3_600);
    expect(await refusal(world, "POST", "/auth/verify-email", { json: { token: late } })).toBe(
      "401 token-expired",
    );
  });

  test("three links an hour, then 429; none to an address that is verified", async () => {
    const world = await open();
    const { accessToken: token } = await register(world, { email });
    for (let at = 0; at < 3; at++) {
      expect(await post(world, "/auth/request-verify-email", 202, { token })).toEqual({
        status: "queued",
      });
    }
    expect(await refusal(world, "POST", "/auth/request-verify-email", { token })).toBe(
      "429 rate-limit-exceeded",
    );
    await world.people.mail.idle();
    expect(letters(world, email)).toHaveLength(4);
    const link = await linked(world, email, "ev_");
    await post(world, "/auth/verify-email", 200, { json: { token: link } });
    const eka = await register(world, { email: "eka@example.com" });
    const ekas = await linked(world, "eka@example.com", "ev_");
    await post(world, "/auth/verify-email", 200, { json: { token: ekas } });
    await post(world, "/auth/request-verify-email", 202, { token: eka.accessToken });
    await world.people.mail.idle();
    expect(letters(world, "eka@example.com")).toHaveLength(1);
  });
});

describe("a forgotten password", () => {
  test("request-reset answers the same for anybody; the link sets a password and ends every family", async () => {
    const world = await open();
    const first = await register(world, { email });
    for (const address of [email, "nobody@example.com"]) {
      expect(await post(world, "/auth/request-reset", 202, { json: { email: address } })).toEqual({
        status: "queued",
      });
    }
    await world.people.mail.idle();
    expect(letters(world, "nobody@example.com")).toEqual([]);
    const token = await linked(world, email, "pr_");
    const weak = { json: { token, password: email } };
    expect(await refusal(world, "POST", "/auth/reset-password", weak)).toBe("400 validation-error");
    const json = { token, password: nextPhrase };
    await post(world, "/auth/reset-password", 204, { json });
    expect(await refusal(world, "GET", "/auth/me", { token: first.accessToken })).toBe(
      "401 token-revoked",
    );
    const refresh = { json: { refreshToken: first.refreshToken } };
    expect(await refusal(world, "POST", "/auth/refresh", refresh)).toBe(
      "401 refresh-token-invalid",
    );
    expect(await refusal(world, "POST", "/auth/reset-password", { json })).toBe(
      "401 token-invalid",
    );
    const pair = await login(world, nextPhrase);
    expect(pair.user.emailVerified).toBe(true);
    const events = await world.eventsOf("userId", first.user.id);
    expect(events).toContain("auth.password.changed");
    expect(events).toContain("auth.email.verified");
  });

  test("three mails an hour of an email, silently; a link works for an hour", async () => {
    const world = await open();
    await register(world, { email });
    for (let at = 0; at < 5; at++)
      await post(world, "/auth/request-reset", 202, { json: { email } });
    await world.people.mail.idle();
    expect(letters(world, email).filter((one) => one === "Set a new password")).toHaveLength(3);
    const token = await linked(world, email, "pr_");
    world.clock.advance(3_600);
    const json = { token, password: nextPhrase };
    expect(await refusal(world, "POST", "/auth/reset-password", { json })).toBe(
      "401 token-expired",
    );
    await post(world, "/auth/request-reset", 202, { json: { email } });
    await world.people.mail.idle();
    expect(letters(world, email).filter((one) => one === "Set a new password")).toHaveLength(4);
  });

  test("it makes up for failed sign-ins, and leaves the second factor as it is", async () => {
    const world = await open();
    await register(world, { email });
    const wrong = { json: { email, password: "wrong" } };
    for (let at = 0; at < 5; at++) await refusal(world, "POST", "/auth/login", wrong);
    await post(world, "/auth/request-reset", 202, { json: { email } });
    const json = { token: await linked(world, email, "pr_"), password: nextPhrase };
    await post(world, "/auth/reset-password", 204, { json });
    await login(world, nextPhrase);
  });
});
