/** Refresh families: rotation, the ten seconds in which two tabs agree, theft, cookies, and their end. */
import { describe, expect, test } from "bun:test";
import { statement } from "../../schema/query/statement.ts";
import { hashOf } from "../../src/domain/opaque.ts";
import { type Entrance, entrances, meddle, phrase, post, refusal, register } from "./entrance.ts";

const open = entrances();
const email = "dewi@example.com";
const refresh = (refreshToken: string) => ({ json: { refreshToken } });
const counted = statement<[], { live: number; graces: number; families: number }>(
  "test.counted",
  `SELECT (SELECT count(*) FROM refresh_token) AS live,
     (SELECT count(*) FROM refresh_grace) AS graces,
     (SELECT count(*) FROM session) AS families`,
);

const counts = (world: Entrance) => world.store.read((q) => q.get(counted));

describe("POST /auth/refresh", () => {
  test("a new pair without user; the old access token goes on", async () => {
    const world = await open();
    const first = await register(world, { email });
    world.clock.advance(60);
    const pair = await post(world, "/auth/refresh", 200, refresh(first.refreshToken));
    expect(Object.keys(pair)).toEqual([
      ...["accessToken", "refreshToken", "tokenType", "expiresIn", "expiresAt", "tenantId"],
    ]);
    expect(pair.refreshToken).not.toBe(first.refreshToken);
    for (const token of [first.accessToken, pair.accessToken]) {
      expect((await world.call("GET", "/auth/me", { token })).status).toBe(200);
    }
  });

  test("within 10 s of its first use the same token yields the byte-identical body, also after the newer one was used", async () => {
    const world = await open();
    const { refreshToken } = await register(world, { email });
    const first = await world.call("POST", "/auth/refresh", refresh(refreshToken));
    world.clock.advance(9);
    const again = await world.call("POST", "/auth/refresh", refresh(refreshToken));
    expect(again.text).toBe(first.text);
    await post(world, "/auth/refresh", 200, refresh(first.json.refreshToken));
    world.clock.advance(1);
    const last = await world.call("POST", "/auth/refresh", refresh(refreshToken));
    expect(last.text).toBe(first.text);
  });

  test("twenty at once agree, and one new token is made", async () => {
    const world = await open();
    const { refreshToken } = await register(world, { email });
    const before = (await counts(world))?.live ?? 0;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => world.call("POST", "/auth/refresh", refresh(refreshToken))),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect((await counts(world))?.live).toBe(before + 1);
  });

  test("after 10 s it is 401 refresh-token-reused once, and the whole family is dead", async () => {
    const world = await open();
    const { refreshToken, user } = await register(world, { email });
    const next = await post(world, "/auth/refresh", 200, refresh(refreshToken));
    const other = await post(world, "/auth/login", 200, { json: { email, password: phrase } });
    world.clock.advance(11);
    expect(await refusal(world, "POST", "/auth/refresh", refresh(refreshToken))).toBe(
      "401 refresh-token-reused",
    );
    for (const dead of [refreshToken, next.refreshToken]) {
      expect(await refusal(world, "POST", "/auth/refresh", refresh(dead))).toBe(
        "401 refresh-token-invalid",
      );
    }
    expect(await refusal(world, "GET", "/auth/me", { token: next.accessToken })).toBe(
      "401 token-revoked",
    );
    await post(world, "/auth/refresh", 200, refresh(other.refreshToken));
    const type = "auth.token.reuse_detected";
    expect((await world.recordsOf(user.id)).filter((action) => action === type)).toHaveLength(1);
    expect((await world.eventsOf("userId", user.id)).filter((one) => one === type)).toHaveLength(1);
  });

  test("the grace ends at once with the family", async () => {
    const world = await open();
    const { refreshToken, accessToken: token } = await register(world, { email });
    await post(world, "/auth/refresh", 200, refresh(refreshToken));
    await post(world, "/auth/logout", 204, { token });
    expect(await refusal(world, "POST", "/auth/refresh", refresh(refreshToken))).toBe(
      "401 refresh-token-invalid",
    );
  });

  test("it lives 7 days from its own issue", async () => {
    const world = await open();
    let { refreshToken } = await register(world, { email });
    for (let week = 0; week < 3; week++) {
      world.clock.advance(7 * 86_400 - 1);
      ({ refreshToken } = await post(world, "/auth/refresh", 200, refresh(refreshToken)));
    }
    world.clock.advance(7 * 86_400);
    expect(await refusal(world, "POST", "/auth/refresh", refresh(refreshToken))).toBe(
      "401 refresh-token-invalid",
    );
  });

  const strangers: [string, Record<string, unknown>][] = [
    ["unknown", { refreshToken: `rt_${"A".repeat(43)}` }],
    ["of another form", { refreshToken: "x" }],
    ["of another use", { refreshToken: `st_${"A".repeat(43)}` }],
    ["none, and no cookie", {}],
  ];
  for (const [what, json] of strangers) {
    test(`${what}: 401 refresh-token-invalid`, async () => {
      const world = await open();
      expect(await refusal(world, "POST", "/auth/refresh", { json })).toBe(
        "401 refresh-token-invalid",
      );
    });
  }

  test("an empty or too long one is 400", async () => {
    const world = await open();
    for (const [refreshToken, code] of [
      ["", "TOO_SHORT"],
      ["x".repeat(101), "TOO_LONG"],
    ]) {
      const answer = await world.call("POST", "/auth/refresh", { json: { refreshToken } });
      expect(answer.json.errors).toMatchObject([{ field: "refreshToken", code }]);
    }
  });

  test("a role change counts in the next token; a removed membership ends it", async () => {
    const world = await open();
    const { uuid, userNo } = await world.person(email, ["member"]);
    const first = await world.login(email);
    const member = await world.people.access.member(1, userNo);
    await world.store.write(async (tx) => {
      const { account, access } = world.people;
      const nowMs = world.clock.nowMs();
      await account.setRoles(tx, 1, member?.membershipNo ?? 0, ["admin"], nowMs);
      access.forget(tx, { userNo });
    });
    const pair = await post(world, "/auth/refresh", 200, refresh(first.refreshToken ?? ""));
    const me = await world.call("GET", "/auth/me", { token: pair.accessToken });
    expect(me.json).toMatchObject({ id: uuid, roles: ["admin"] });
    await meddle(world, `UPDATE membership SET status = 'blocked' WHERE user_no = ${userNo}`);
    expect(await refusal(world, "POST", "/auth/refresh", refresh(pair.refreshToken))).toBe(
      "401 refresh-token-invalid",
    );
  });

  test("a blocked tenant is 403, and the token is good again afterwards", async () => {
    const world = await open();
    const { refreshToken, tenantId } = await register(world, { email });
    await meddle(world, `UPDATE tenant SET status = 'blocked' WHERE uuid = '${tenantId}'`);
    expect(await refusal(world, "POST", "/auth/refresh", refresh(refreshToken))).toBe(
      "403 tenant-blocked",
    );
    await meddle(world, `UPDATE tenant SET status = 'active' WHERE uuid = '${tenantId}'`);
    await post(world, "/auth/refresh", 200, refresh(refreshToken));
  });

  test("with a cookie: the body has none, and within the grace the same Set-Cookie comes again", async () => {
    const world = await open();
    await register(world, { email });
    const json = { email, password: phrase, useCookie: true };
    const signedIn = await world.call("POST", "/auth/login", { json });
    expect(signedIn.json.refreshToken).toBeNull();
    const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    const sent = { headers: { cookie: `a=b; ${cookie}` }, json: {} };
    const first = await world.call("POST", "/auth/refresh", sent);
    const again = await world.call("POST", "/auth/refresh", sent);
    expect(first.status).toBe(200);
    expect(first.json.refreshToken).toBeNull();
    expect(again.text).toBe(first.text);
    expect(again.headers.get("set-cookie")).toBe(first.headers.get("set-cookie") ?? "none");
    expect(first.headers.get("set-cookie")).not.toContain(cookie);
  });
});

describe("what is kept", () => {
  test("no token is in the file in clear, and a kept answer opens with its old token alone", async () => {
    const world = await open();
    const { refreshToken } = await register(world, { email });
    const pair = await post(world, "/auth/refresh", 200, refresh(refreshToken));
    const row = await world.store.read((q) =>
      q.get(
        statement<[Uint8Array], { grace: Uint8Array }>(
          "test.grace",
          `SELECT sealed AS grace FROM refresh_grace JOIN refresh_token USING (grace_no) WHERE hash = ?1`,
        ),
        hashOf(refreshToken),
      ),
    );
    const kept = Buffer.from(row?.grace ?? []);
    expect(kept.length).toBeGreaterThan(500);
    for (const secret of [refreshToken, pair.refreshToken, pair.accessToken]) {
      expect(kept.includes(secret)).toBe(false);
      expect(kept.includes(secret.slice(3, 30))).toBe(false);
    }
  });

  test("purging drops answers after the grace, tokens and families once they have lapsed", async () => {
    const world = await open();
    const { refreshToken } = await register(world, { email });
    await post(world, "/auth/refresh", 200, refresh(refreshToken));
    await world.auth.purge(world.clock.nowMs());
    expect(await counts(world)).toEqual({ live: 2, graces: 1, families: 1 });
    world.clock.advance(12);
    await world.auth.purge(world.clock.nowMs());
    expect(await counts(world)).toEqual({ live: 2, graces: 0, families: 1 });
    world.clock.advance(8 * 86_400);
    await world.auth.purge(world.clock.nowMs());
    expect(await counts(world)).toEqual({ live: 0, graces: 0, families: 0 });
  });
});
