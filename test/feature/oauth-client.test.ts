/** Applications: registering, changing, removing them, their secrets, and who may do so. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { foundations } from "./foundation.ts";
import { type SignInWorld, signInWorld, slugOf } from "./signin.ts";

const open = foundations();
let world: SignInWorld;
let token: string;
beforeEach(async () => {
  world = await signInWorld(await open());
  token = (await world.login()).accessToken;
});
afterEach(() => world.close());

const draft = {
  name: "Till reports",
  type: "confidential",
  redirectUris: ["https://reports.example/callback"],
  grantTypes: ["authorization_code", "refresh_token"],
  scopes: ["openid", "fleet.settlement.read"],
};
const create = (json: unknown = draft, as = token) =>
  world.call("POST", "/oauth/clients", { token: as, json });

/** Audit actions of an application, each with the event of the same name. */
async function told(id: string): Promise<string[]> {
  const actions = await world.recordsOf(id);
  expect(await world.eventsOf("id", id)).toEqual(actions);
  return actions;
}

/** A person whose one role holds these permissions. */
async function holder(email: string, permissions: string[]): Promise<string> {
  const name = `role-${email.split("@")[0]}`;
  const all = { permissions: ["*"], isOwner: true, isPlatformOwner: true };
  const by = { actor: { type: "system", id: "test" } } as const;
  const nowMs = world.clock.nowMs();
  await world.store.write((tx) =>
    world.people.role.create(tx, 1, { name, permissions }, all, by, nowMs),
  );
  await world.person(email, [name]);
  return (await world.login(email)).accessToken;
}

describe("POST /oauth/clients", () => {
  test("201, the secret once, Location; audit and event", async () => {
    const made = await create();
    expect(made.status).toBe(201);
    const { id, clientSecret, createdAt, updatedAt, createdBy, ...rest } = made.json;
    expect(rest).toEqual({ ...draft, version: 1 });
    expect(clientSecret).toMatch(/^cs_[A-Za-z0-9_-]{43}$/);
    expect(made.headers.get("location")).toBe(`/api/v1/oauth/clients/${id}`);
    const read = await world.call("GET", `/oauth/clients/${id}`, { token });
    expect(read.json).toEqual({ ...rest, id, createdAt, updatedAt, createdBy });
    expect(await told(id)).toEqual(["auth.client.created"]);
  });

  test("a public one has no secret", async () => {
    const made = await create({ ...draft, type: "public" });
    expect(made.json.clientSecret).toBeNull();
  });

  test("under a key the same answer comes again", async () => {
    const headers = { "idempotency-key": crypto.randomUUID() };
    const sent = { token, json: draft, headers };
    const first = await world.call("POST", "/oauth/clients", sent);
    const again = await world.call("POST", "/oauth/clients", sent);
    expect(again.text).toBe(first.text);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
  });

  const bad: [string, object, string, string][] = [
    ["no name", { name: "" }, "name", "TOO_SHORT"],
    ["long name", { name: "x".repeat(101) }, "name", "TOO_LONG"],
    ["type", { type: "secret" }, "type", "NOT_ALLOWED"],
    [
      "11 addresses",
      { redirectUris: Array.from({ length: 11 }, (_, i) => `https://a.example/${i}`) },
      "redirectUris",
      "TOO_MANY",
    ],
    [
      "address twice",
      { redirectUris: ["https://a.example/", "https://a.example/"] },
      "redirectUris[1]",
      "DUPLICATE",
    ],
    ["plain http", { redirectUris: ["http://a.example/"] }, "redirectUris[0]", "INVALID_FORMAT"],
    ["script", { redirectUris: ["javascript:alert(1)"] }, "redirectUris[0]", "INVALID_FORMAT"],
    ["fragment", { redirectUris: ["https://a.example/#x"] }, "redirectUris[0]", "INVALID_FORMAT"],
    ["no address", { redirectUris: [] }, "redirectUris", "TOO_FEW"],
    ["grant", { grantTypes: ["password"] }, "grantTypes[0]", "NOT_ALLOWED"],
    ["no grant", { grantTypes: [] }, "grantTypes", "TOO_FEW"],
    ["refresh alone", { grantTypes: ["refresh_token"] }, "grantTypes[0]", "NOT_ALLOWED"],
    [
      "public by itself",
      { type: "public", grantTypes: ["client_credentials"] },
      "grantTypes[0]",
      "NOT_ALLOWED",
    ],
    ["scope", { scopes: ["money.nothing"] }, "scopes[0]", "INVALID_FORMAT"],
    ["unknown member", { logo: "x" }, "logo", "UNKNOWN_FIELD"],
  ];
  for (const [name, change, field, code] of bad) {
    test(`400 ${name}`, async () => {
      const refused = await create({ ...draft, ...change });
      expect(slugOf(refused)).toBe("validation-error");
      expect(refused.json.errors).toContainEqual({ field, code, message: expect.any(String) });
    });
  }

  test("403 permission-escalation: more than the caller holds, and system.* for anybody", async () => {
    const clerk = await holder("clerk@example.com", ["oauth.manage", "money.*"]);
    expect((await create({ ...draft, scopes: ["openid", "money.credit"] }, clerk)).status).toBe(
      201,
    );
    for (const scopes of [["users.list"], ["*"]]) {
      expect(slugOf(await create({ ...draft, scopes }, clerk))).toBe("permission-escalation");
    }
    const scopes = ["system.clock"];
    expect(slugOf(await create({ ...draft, scopes }))).toBe("permission-escalation");
  });

  test("401 without a token, 403 without oauth.manage", async () => {
    expect(slugOf(await world.call("POST", "/oauth/clients", { json: draft }))).toBe(
      "unauthorized",
    );
    const reader = await holder("reader@example.com", ["oauth.list"]);
    expect(slugOf(await create(draft, reader))).toBe("forbidden");
    expect((await world.call("GET", "/oauth/clients", { token: reader })).status).toBe(200);
  });
});

describe("GET /oauth/clients", () => {
  test("newest first, in pages, removed ones left out", async () => {
    const ids: string[] = [];
    for (const name of ["a", "b", "c", "d"]) ids.push((await create({ ...draft, name })).json.id);
    await world.call("DELETE", `/oauth/clients/${ids[1]}`, { token });
    const first = await world.call("GET", "/oauth/clients?limit=2", { token });
    expect(first.json.data.map((row: { name: string }) => row.name)).toEqual(["d", "c"]);
    expect(first.json.meta).toMatchObject({ hasMore: true, total: 3 });
    const next = `/oauth/clients?limit=2&cursor=${first.json.meta.cursor}`;
    const second = await world.call("GET", next, { token });
    expect(second.json.data.map((row: { name: string }) => row.name)).toEqual(["a"]);
    expect(second.json.meta).toEqual({ cursor: null, hasMore: false, total: 3 });
    expect(JSON.stringify(first.json)).not.toContain("ecret");
  });
});

describe("PATCH /oauth/clients/{id}", () => {
  test("changes what is named, version + 1", async () => {
    const { id } = (await create()).json;
    const json = { name: "Reports", redirectUris: ["https://new.example/cb"], version: 1 };
    const changed = await world.call("PATCH", `/oauth/clients/${id}`, { token, json });
    expect(changed.json).toMatchObject({ ...draft, ...json, version: 2 });
    expect(await told(id)).toEqual(["auth.client.created", "auth.client.updated"]);
  });

  test("409 version-conflict", async () => {
    const { id } = (await create()).json;
    const json = { name: "Reports", version: 7 };
    const refused = await world.call("PATCH", `/oauth/clients/${id}`, { token, json });
    expect(slugOf(refused)).toBe("version-conflict");
    expect(refused.json.currentVersion).toBe(1);
  });

  test("400 what is unsound as a whole", async () => {
    const { id } = (await create()).json;
    const json = { redirectUris: [] };
    const refused = await world.call("PATCH", `/oauth/clients/${id}`, { token, json });
    expect(refused.json.errors[0]).toMatchObject({ field: "redirectUris", code: "TOO_FEW" });
  });

  test("403 permission-escalation: scopes, or calling by itself with scopes that one lacks", async () => {
    const { id } = (await create()).json;
    const clerk = await holder("clerk@example.com", ["oauth.manage"]);
    const change = (json: unknown) =>
      world.call("PATCH", `/oauth/clients/${id}`, { token: clerk, json });
    expect(slugOf(await change({ scopes: ["users.list"] }))).toBe("permission-escalation");
    const grantTypes = ["client_credentials"];
    expect(slugOf(await change({ grantTypes }))).toBe("permission-escalation");
    expect((await change({ name: "Mine" })).status).toBe(200);
  });

  test("one that becomes public loses its secret, and gets one again by rotating", async () => {
    const { id, clientSecret } = (await create()).json;
    const patch = (type: string) =>
      world.call("PATCH", `/oauth/clients/${id}`, { token, json: { type } });
    const revoke = (form: Record<string, string>) => world.call("POST", "/oauth/revoke", { form });
    expect((await patch("public")).status).toBe(200);
    const old = { client_id: id, client_secret: clientSecret, token: "x" };
    expect((await revoke(old)).status).toBe(401);
    expect((await revoke({ client_id: id, token: "x" })).status).toBe(200);
    expect((await patch("confidential")).status).toBe(200);
    expect((await revoke({ client_id: id, token: "x" })).status).toBe(401);
    const made = await world.call("POST", `/oauth/clients/${id}/rotate-secret`, { token });
    expect((await revoke({ ...old, client_secret: made.json.clientSecret })).status).toBe(200);
  });
});

describe("POST /oauth/clients/{id}/rotate-secret", () => {
  test("the old secret works for 24 hours more, one before it no longer", async () => {
    const { id, clientSecret } = (await create()).json;
    const rotate = () => world.call("POST", `/oauth/clients/${id}/rotate-secret`, { token });
    const tried = async (client_secret: string): Promise<number> => {
      const form = { client_id: id, client_secret, token: "x" };
      return (await world.call("POST", "/oauth/revoke", { form })).status;
    };
    const second = await rotate();
    expect(second.json).toMatchObject({ id, version: 2 });
    expect(second.json.clientSecret).not.toBe(clientSecret);
    expect(await tried(clientSecret)).toBe(200);
    expect(await tried(second.json.clientSecret)).toBe(200);
    const third = await rotate();
    expect(await tried(clientSecret)).toBe(401);
    expect(await tried(second.json.clientSecret)).toBe(200);
    world.clock.advance(86_400 - 1);
    expect(await tried(second.json.clientSecret)).toBe(200);
    world.clock.advance(1);
    expect(await tried(second.json.clientSecret)).toBe(401);
    expect(await tried(third.json.clientSecret)).toBe(200);
    const updated = "auth.client.updated";
    expect(await told(id)).toEqual(["auth.client.created", updated, updated]);
  });

  test("409 wrong-state for a public one", async () => {
    const { id } = (await create({ ...draft, type: "public" })).json;
    const refused = await world.call("POST", `/oauth/clients/${id}/rotate-secret`, { token });
    expect(slugOf(refused)).toBe("wrong-state");
    expect(refused.json.state).toBe("public");
  });

  test("403 permission-escalation: the secret of one that can do more by itself", async () => {
    const grantTypes = ["client_credentials"];
    const { id } = (await create({ ...draft, grantTypes, scopes: ["users.list"] })).json;
    const clerk = await holder("clerk@example.com", ["oauth.manage"]);
    const path = `/oauth/clients/${id}/rotate-secret`;
    expect(slugOf(await world.call("POST", path, { token: clerk }))).toBe("permission-escalation");
  });
});

test("DELETE /oauth/clients/{id}: gone, with its tokens", async () => {
  const grantTypes = ["client_credentials"];
  const scopes = ["oauth.list"];
  const { id, clientSecret } = (await create({ ...draft, grantTypes, scopes })).json;
  const form = { grant_type: "client_credentials", client_id: id, client_secret: clientSecret };
  const own = (await world.call("POST", "/oauth/token", { form })).json.access_token;
  expect((await world.call("GET", "/oauth/clients", { token: own })).status).toBe(200);
  expect((await world.call("DELETE", `/oauth/clients/${id}`, { token })).status).toBe(204);
  expect(slugOf(await world.call("GET", "/oauth/clients", { token: own }))).toBe("token-revoked");
  expect((await world.call("POST", "/oauth/token", { form })).status).toBe(401);
  expect((await world.call("GET", `/oauth/clients/${id}`, { token })).status).toBe(404);
  const issued = "auth.client.token_issued";
  const actions = await world.recordsOf(id);
  expect(actions).toEqual(["auth.client.created", issued, "auth.client.deleted"]);
});

test("404 for every call on another tenant's, an unknown or a malformed id", async () => {
  const { id } = (await create()).json;
  const by = { actor: { type: "system", id: "test" } } as const;
  const other = await world.tenant.addTenant({ name: "Warung" }, by, world.clock.nowMs());
  await world.person("admin@example.com", ["admin"], other.tenantId);
  const foreign = (await world.login("admin@example.com")).accessToken;
  for (const path of [id, crypto.randomUUID(), "none", id.toUpperCase()]) {
    const at = `/oauth/clients/${path}`;
    const as = { token: path === id ? foreign : token };
    expect(slugOf(await world.call("GET", at, as))).toBe("not-found");
    expect(slugOf(await world.call("PATCH", at, { ...as, json: {} }))).toBe("not-found");
    expect(slugOf(await world.call("POST", `${at}/rotate-secret`, as))).toBe("not-found");
    expect(slugOf(await world.call("DELETE", at, as))).toBe("not-found");
  }
});
