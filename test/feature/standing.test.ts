/** What an access token is worth on each call: its signature, its life, and what holds by then. */
import { describe, expect, test } from "bun:test";
import { generateKeyPair, SignJWT } from "jose";
import { statement } from "../../schema/query/statement.ts";
import { hashOf, opaqueToken } from "../../src/domain/opaque.ts";
import { type Entrance, entrances, meddle, post, refusal, register } from "./entrance.ts";

const open = entrances();
const email = "dewi@example.com";
const me = (world: Entrance, token: string): Promise<string> =>
  refusal(world, "GET", "/auth/me", { token });

/** The parts of a JWT, changed and put together again. */
function tampered(token: string, at: 0 | 1 | 2, change: (json: string) => string): string {
  const parts = token.split(".");
  const text = Buffer.from(parts[at] ?? "", "base64url").toString();
  parts[at] = Buffer.from(change(text)).toString("base64url");
  return parts.join(".");
}

describe("a token that is not one of this server: 401 unauthorized", () => {
  const bad: [string, (token: string, world: Entrance) => string | Promise<string>][] = [
    ["no JWT", () => "abc"],
    ["two parts", (token) => token.split(".").slice(0, 2).join(".")],
    ["another payload", (token) => tampered(token, 1, (text) => text.replace("owner", "admin"))],
    ["an unknown key", (token) => tampered(token, 0, (text) => text.replace("tok_", "tok_x"))],
    [
      "alg none",
      (token) =>
        `${tampered(token, 0, (t) => t.replace("ES256", "none"))
          .split(".")
          .slice(0, 2)
          .join(".")}.`,
    ],
    ["alg HS256", (token) => tampered(token, 0, (text) => text.replace("ES256", "HS256"))],
    ["over 8 KiB", (token) => token + "A".repeat(8_192)],
    [
      "a header over 8 KiB",
      (token) => tampered(token, 0, (t) => t.replace("{", `{"x":"${"y".repeat(8_000)}",`)),
    ],
    [
      "somebody else's key under our kid",
      async (token) => {
        const { kid } = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
        const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
        const { privateKey } = await generateKeyPair("ES256");
        return await new SignJWT(claims)
          .setProtectedHeader({ alg: "ES256", kid, typ: "JWT" })
          .sign(privateKey);
      },
    ],
    ["a key of another use", (_, world) => signed(world, "grt_", {})],
    ["another issuer", (_, world) => signed(world, "tok_", { iss: "https://evil.example" })],
    ["an audience that is no application", (_, world) => signed(world, "tok_", { aud: "other" })],
    ["no kartu claim, as an id_token", (_, world) => signed(world, "tok_", { kartu: undefined })],
    [
      "a principal that is none",
      (_, world) => signed(world, "tok_", { kartu: { principal: "god" } }),
    ],
    ["another type", (_, world) => signed(world, "tok_", {}, "at+jwt")],
  ];

  /** A token that this server might have signed, changed. */
  async function signed(
    world: Entrance,
    use: "tok_" | "grt_",
    change: Readonly<Record<string, unknown>>,
    typ = "JWT",
  ): Promise<string> {
    const { accessToken } = await world.login();
    const claims = JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString());
    const { kid, key } = await world.signing.signer(use);
    return await new SignJWT({ ...claims, ...change })
      .setProtectedHeader({ alg: "ES256", kid, typ })
      .sign(key);
  }

  for (const [what, make] of bad) {
    test(what, async () => {
      const world = await open();
      const { accessToken } = await register(world, { email });
      expect(await me(world, await make(accessToken, world))).toBe("401 unauthorized");
    });
  }

  test("none at all, and another scheme", async () => {
    const world = await open();
    expect(await refusal(world, "GET", "/auth/me")).toBe("401 unauthorized");
    const headers = { authorization: "Basic YTpi" };
    expect(await refusal(world, "GET", "/auth/me", { headers })).toBe("401 unauthorized");
  });
});

describe("a token's life", () => {
  test("15 min, then 401 token-expired, whether or not it was seen before", async () => {
    const world = await open();
    const { accessToken, refreshToken } = await register(world, { email });
    const { accessToken: unseen } = await post(world, "/auth/refresh", 200, {
      json: { refreshToken },
    });
    const leftMs = 900_000 - (world.clock.nowMs() % 1000);
    world.clock.advance(Math.ceil(leftMs / 1000) - 1);
    expect(await me(world, accessToken)).toBe("200 ");
    world.clock.advance(1);
    expect(await me(world, accessToken)).toBe("401 token-expired");
    expect(await me(world, unseen)).toBe("401 token-expired");
  });
});

describe("what ends a token at once: 401 token-revoked on the very next call", () => {
  const ends: [string, string][] = [
    ["a blocked membership", "UPDATE membership SET status = 'blocked' WHERE user_no = 2"],
    [
      "a removed membership",
      "UPDATE membership SET status = 'deleted', deleted_at_ms = 1 WHERE user_no = 2",
    ],
    [
      "tokens of the membership ended",
      `UPDATE membership SET tokens_from_ms = ${2 ** 47} WHERE user_no = 2`,
    ],
    [
      "tokens of the user ended",
      `UPDATE user_account SET tokens_from_ms = ${2 ** 47} WHERE user_no = 2`,
    ],
    ["a deleted tenant", "UPDATE tenant SET status = 'deleted' WHERE tenant_id = 2"],
  ];
  for (const [what, sql] of ends) {
    test(what, async () => {
      const world = await open();
      const { accessToken } = await register(world, { email });
      expect(await me(world, accessToken)).toBe("200 ");
      await meddle(world, sql);
      expect(await me(world, accessToken)).toBe("401 token-revoked");
    });
  }

  test("a blocked tenant is 403 tenant-blocked, and back at once when it is unblocked", async () => {
    const world = await open();
    const { accessToken } = await register(world, { email });
    await meddle(world, "UPDATE tenant SET status = 'blocked' WHERE tenant_id = 2");
    expect(await me(world, accessToken)).toBe("403 tenant-blocked");
    await meddle(world, "UPDATE tenant SET status = 'active' WHERE tenant_id = 2");
    expect(await me(world, accessToken)).toBe("200 ");
  });

  test("tokens ended and made within the same millisecond are told apart", async () => {
    const world = await open();
    const { accessToken, user } = await register(world, { email });
    const { access } = world.people;
    const userNo = (await access.userByUuid(user.id))?.userNo ?? 0;
    let token: string = accessToken;
    const via = { ip: "::1", userAgent: "", method: "test" };
    for (let round = 0; round < 5; round++) {
      const nowMs = world.clock.nowMs();
      await world.store.write((tx) => world.auth.endTokens(tx, userNo, undefined, nowMs));
      expect(await me(world, token)).toBe("401 token-revoked");
      const again = await world.auth.signIn(userNo, via, nowMs);
      if ("requiresTenantSelection" in again) throw new Error("a choice");
      token = again.accessToken;
      expect(await me(world, token)).toBe("200 ");
    }
  });

  test("a role change counts on the very next call", async () => {
    const world = await open();
    const { userNo } = await world.person(email, ["member"]);
    const { accessToken } = await world.login(email);
    const permissions = async (): Promise<string[]> =>
      (await world.call("GET", "/auth/me", { token: accessToken })).json.permissions;
    expect(await permissions()).toEqual([]);
    const { account, access } = world.people;
    const member = await access.member(1, userNo);
    await world.store.write(async (tx) => {
      await account.setRoles(tx, 1, member?.membershipNo ?? 0, ["admin"], world.clock.nowMs());
      access.forget(tx, { userNo });
    });
    expect(await permissions()).toEqual(["*"]);
  });
});

describe("POST /auth/exchange with an API key", () => {
  const insert = statement<
    [uuid: string, hash: Uint8Array, roles: string, ips: string, expiresAtMs: number | null]
  >(
    "test.key",
    `INSERT INTO api_key (uuid, tenant_id, name, hash, prefix, roles, allowed_ips, expires_at_ms,
       created_by, created_at_ms) VALUES (?1, 1, 'till', ?2, 'ak_12345', ?3, ?4, ?5, 'test', 1)`,
  );
  const uuid = "0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a";

  interface KeyDraft {
    readonly roles?: readonly string[];
    readonly ips?: readonly string[];
    readonly expiresInSec?: number;
  }

  async function keyed(
    world: Entrance,
    { roles = ["admin"], ips = [], expiresInSec }: KeyDraft = {},
  ) {
    const key = opaqueToken("ak_", world.random.bytes(32));
    const endMs = expiresInSec === undefined ? null : world.clock.nowMs() + expiresInSec * 1000;
    await world.store.write(async (tx) => {
      await tx.run(insert, uuid, hashOf(key), JSON.stringify(roles), JSON.stringify(ips), endMs);
    });
    return key;
  }

  test("an access token of the key itself, with the key's roles", async () => {
    const world = await open();
    const answer = await post(world, "/auth/exchange", 200, {
      json: { apiKey: await keyed(world) },
    });
    expect(Object.keys(answer)).toEqual(["accessToken", "tokenType", "expiresIn", "expiresAt"]);
    const { json } = await world.call("GET", "/auth/me", { token: answer.accessToken });
    expect(json).toMatchObject({
      ...{ id: uuid, email: `apikey+${uuid}@kartu.invalid`, name: "till", roles: ["admin"] },
      ...{ permissions: ["*"], memberships: [] },
    });
  });

  test("it is not a person: what people change about themselves is 403 forbidden", async () => {
    const world = await open();
    const { accessToken: token } = await post(world, "/auth/exchange", 200, {
      json: { apiKey: await keyed(world) },
    });
    for (const path of ["/auth/logout-all", "/auth/mfa/enable", "/auth/stream-ticket"]) {
      expect(await refusal(world, "POST", path, { token })).toBe("403 forbidden");
    }
    expect((await world.call("GET", "/auth/sessions", { token })).json.meta.total).toBe(0);
    await post(world, "/auth/logout", 204, { token });
  });

  test("revoked: its tokens die at once, and it is exchanged no more", async () => {
    const world = await open();
    const apiKey = await keyed(world);
    const { accessToken } = await post(world, "/auth/exchange", 200, { json: { apiKey } });
    await world.store.write(async (tx) => {
      await tx.run(statement<[]>("test.revoke", "UPDATE api_key SET revoked_at_ms = 1"));
      world.people.access.forget(tx, { apiKey: uuid });
    });
    expect(await me(world, accessToken)).toBe("401 token-revoked");
    expect(await refusal(world, "POST", "/auth/exchange", { json: { apiKey } })).toBe(
      "401 invalid-credentials",
    );
  });

  test("the token ends with the key", async () => {
    const world = await open();
    const apiKey = await keyed(world, { expiresInSec: 60 });
    const { accessToken, expiresIn } = await post(world, "/auth/exchange", 200, {
      json: { apiKey },
    });
    expect(expiresIn).toBe(60);
    world.clock.advance(60);
    expect(await me(world, accessToken)).toBe("401 token-expired");
    expect(await refusal(world, "POST", "/auth/exchange", { json: { apiKey } })).toBe(
      "401 invalid-credentials",
    );
  });

  test("from an address that it is not for: 401, at the exchange and on each call", async () => {
    const world = await open();
    const apiKey = await keyed(world, { ips: ["203.0.113.0/24"] });
    expect(await refusal(world, "POST", "/auth/exchange", { json: { apiKey } })).toBe(
      "401 invalid-credentials",
    );
    const { accessToken } = await world.auth.exchangeKey(
      apiKey,
      "203.0.113.7",
      world.clock.nowMs(),
    );
    expect(await me(world, accessToken)).toBe("401 unauthorized");
    const nowMs = world.clock.nowMs();
    const caller = await world.admit({ token: accessToken, address: "203.0.113.9" }, nowMs);
    expect(caller).toMatchObject({ kind: "apiKey", userNo: null, isPlatformOwner: false });
    expect(caller.can("system.clock")).toBe(false);
    expect(caller.can("users.list")).toBe(true);
  });

  const bad: [string, Record<string, unknown>, string][] = [
    ["unknown", { apiKey: `ak_${"A".repeat(43)}` }, "401 invalid-credentials"],
    ["of another form", { apiKey: "x" }, "401 invalid-credentials"],
    ["neither key nor code", {}, "400 validation-error"],
    ["both", { apiKey: "x", code: "y" }, "400 validation-error"],
    ["an unknown code", { code: `lc_${"A".repeat(43)}` }, "401 invalid-credentials"],
  ];
  for (const [what, json, answer] of bad) {
    test(`${what}: ${answer}`, async () => {
      const world = await open();
      expect(await refusal(world, "POST", "/auth/exchange", { json })).toBe(answer);
    });
  }

  test("a code of a redirect signs in, once, within 60 s", async () => {
    const world = await open();
    const { user } = await register(world, { email });
    const userNo = (await world.people.access.userByUuid(user.id))?.userNo ?? 0;
    const issue = (): Promise<string> =>
      world.store.write((tx) =>
        world.auth.proofs.issue(
          tx,
          "login",
          { userNo, data: { method: "oauth" }, ttlSec: 60 },
          world.clock.nowMs(),
        ),
      );
    const code = await issue();
    const pair = await post(world, "/auth/exchange", 200, { json: { code } });
    expect(pair.user.id).toBe(user.id);
    expect(await refusal(world, "POST", "/auth/exchange", { json: { code } })).toBe(
      "401 invalid-credentials",
    );
    const late = await issue();
    world.clock.advance(60);
    expect(await refusal(world, "POST", "/auth/exchange", { json: { code: late } })).toBe(
      "401 invalid-credentials",
    );
  });
});

describe("keys that sign access tokens", () => {
  test("rotate every 90 days; the old one stays published until its last token has ended", async () => {
    const world = await open();
    const kids = async (): Promise<string[]> =>
      (await world.signing.publicKeys())
        .map(({ kid }) => kid)
        .filter((kid) => kid.startsWith("tok_"));
    const rotate = (): Promise<void> => world.signing.rotateTokenKeys(world.clock.nowMs());
    const [first] = await kids();
    world.clock.advance(90 * 86_400 - 1);
    await rotate();
    expect(await kids()).toEqual([first ?? ""]);
    const { accessToken } = await register(world, { email });
    world.clock.advance(1);
    await rotate();
    const both = await kids();
    expect(both).toHaveLength(2);
    expect((await world.signing.signer("tok_")).kid).toBe(both[1] ?? "");
    expect(await me(world, accessToken)).toBe("200 ");
    world.clock.advance(900);
    await rotate();
    expect(await kids()).toEqual(both);
    world.clock.advance(60);
    await rotate();
    expect(await kids()).toEqual([both[1] ?? ""]);
    expect(await world.signing.verifier(first ?? "")).toBeUndefined();
  });
});
