/** API keys: shown once, kept as a hash, dead at once when revoked. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { foundations } from "./foundation.ts";
import { type House, house, nobody, verdict } from "./house.ts";

const open = foundations();
let home: House;
beforeEach(async () => {
  home = await house(await open());
});
afterEach(() => home.close());

const draft = { name: "Nightly export", roles: ["admin"] };
const create = (more: object = {}, token?: string) =>
  home.call("POST", "/api-keys", { ...draft, ...more }, token);
const exchange = async (apiKey: string) =>
  await home.call("POST", "/auth/exchange", { apiKey }, undefined);

test("every member, Location; the key once; what it is exchanged for acts; audit and event", async () => {
  const expiresAt = new Date(home.clock.nowMs() + 86_400_000).toISOString();
  const made = await create({ expiresAt, allowedIps: ["127.0.0.1", "2001:db8::/32"] });
  const { id, key, createdAt, ...rest } = made.json;
  expect(made.status).toBe(201);
  expect(rest).toEqual({
    ...{ ...draft, prefix: key.slice(0, 8), expiresAt, lastUsedAt: null },
    allowedIps: ["127.0.0.1", "2001:db8::/32"],
  });
  expect(key).toMatch(/^ak_[\w-]{43}$/);
  expect(made.headers.get("location")).toBe(`/api/v1/api-keys/${id}`);
  const { accessToken } = (await exchange(key)).json;
  const listed = await home.call("GET", "/api-keys", undefined, accessToken);
  expect(listed.json.data).toEqual([{ id, ...rest, createdAt, lastUsedAt: expect.any(String) }]);
  expect(listed.text).not.toContain(key);
  expect(await home.recordsOf(id)).toContain("auth.apikey.created");
  expect(await home.eventsOf("id", id)).toEqual(["auth.apikey.created"]);
});

test("DELETE: its tokens die at once, the key too; audit and event", async () => {
  const { id, key } = (await create()).json;
  const { accessToken } = (await exchange(key)).json;
  const look = async () => verdict(await home.call("GET", "/roles", undefined, accessToken));
  expect(await look()).toBe("200");
  expect(verdict(await home.call("DELETE", `/api-keys/${id}`))).toBe("204");
  expect(await look()).toBe("401 token-revoked");
  expect(verdict(await exchange(key))).toBe("401 invalid-credentials");
  expect(verdict(await home.call("DELETE", `/api-keys/${id}`))).toBe("404 not-found");
  expect((await home.call("GET", "/api-keys")).json.meta.total).toBe(0);
  expect(await home.eventsOf("id", id)).toEqual(["auth.apikey.created", "auth.apikey.revoked"]);
});

test("a repeat under an Idempotency-Key answers the same key, which is kept sealed", async () => {
  const headers = { "idempotency-key": "01936d7a-0000-7000-8000-000000000009" };
  const sent = { token: home.owner, json: draft, headers };
  const first = await home.world("POST", "/api-keys", sent);
  const again = await home.world("POST", "/api-keys", sent);
  expect([again.status, again.text]).toEqual([201, first.text]);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  expect(again.headers.get("location")).toBe(first.headers.get("location"));
  expect((await home.call("GET", "/api-keys")).json.meta.total).toBe(1);
});

test("permission-escalation: nobody's key does more than they, and none owns", async () => {
  const { token } = await home.holder("dev@example.com", ["apikeys.*"]);
  expect(verdict(await create({}, token))).toBe("403 permission-escalation");
  expect(verdict(await create({ roles: ["owner"] }))).toBe("403 permission-escalation");
  expect(verdict(await create({ roles: ["member"] }, token))).toBe("201");
});

const bad: [object, string, string][] = [
  [{ name: "" }, "name", "TOO_SHORT"],
  [{ name: "x".repeat(101) }, "name", "TOO_LONG"],
  [{ roles: [] }, "roles", "TOO_FEW"],
  [{ roles: ["nope"] }, "roles[0]", "NOT_ALLOWED"],
  [{ expiresAt: "2020-01-01T00:00:00Z" }, "expiresAt", "NOT_ALLOWED"],
  [{ expiresAt: "2120-01-01T00:00:00" }, "expiresAt", "INVALID_FORMAT"],
  [{ allowedIps: ["10.0.0.0/8", "10.0.0.0/33"] }, "allowedIps[1]", "INVALID_FORMAT"],
  [{ allowedIps: Array(21).fill("::1") }, "allowedIps", "TOO_MANY"],
  [{ key: "ak_x" }, "key", "UNKNOWN_FIELD"],
];
for (const [more, field, code] of bad) {
  test(`400: ${JSON.stringify(more).slice(0, 50)}`, async () => {
    const answer = await create(more);
    expect(verdict(answer)).toBe("400 validation-error");
    expect(answer.json.errors).toMatchObject([{ field, code }]);
  });
}

describe("who may", () => {
  test("another tenant's are not there", async () => {
    const { id } = (await create()).json;
    await home.call("POST", "/tenants", { name: "B", type: "client", ownerEmail: "b@x.yz" });
    const { accessToken } = (await home.accept(await home.tokenTo("b@x.yz"))).json;
    for (const [target, token] of [[id, accessToken], [nobody], ["x"]] as const) {
      const answer = await home.call("DELETE", `/api-keys/${target}`, undefined, token);
      expect(verdict(answer)).toBe("404 not-found");
    }
    expect((await home.call("GET", "/api-keys", undefined, accessToken)).json.data).toEqual([]);
  });

  test("403 forbidden without the permission of each row", async () => {
    const { token } = await home.holder("x@example.com", ["roles.*"]);
    for (const [method, path, body] of [
      ["GET", ""],
      ["POST", "", draft],
      ["DELETE", `/${nobody}`],
    ] as const) {
      const answer = await home.call(method, `/api-keys${path}`, body, token);
      expect(verdict(answer)).toBe("403 forbidden");
    }
  });
});
