/** Tenants: making, reaching, changing, blocking, deleting them, and passing on the ownership. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { statement } from "../../schema/query/statement.ts";
import { foundations } from "./foundation.ts";
import { type House, house, nobody, ownerEmail, password, verdict } from "./house.ts";

const open = foundations();
let home: House;
beforeEach(async () => {
  home = await house(await open());
});
afterEach(() => home.close());

const draft = { name: "Kantin Kedua", type: "client", ownerEmail: "boss@example.com" };

async function made(more: object = {}): Promise<{ id: string; ownerId: string; slug: string }> {
  const answer = await home.call("POST", "/tenants", { ...draft, ...more });
  expect(verdict(answer)).toBe("201");
  return answer.json;
}

/** A tenant's owner, signed in. */
async function ownerOf(email: string): Promise<string> {
  return (await home.accept(await home.tokenTo(email))).json.accessToken;
}

const current = async (token?: string) =>
  (await home.call("GET", "/tenants/current", undefined, token)).json;

/** Runs one statement of the test's own. */
const run = (sql: string) => home.store.write((tx) => tx.run(statement("test.run", sql)));

describe("POST /tenants", () => {
  test("every member, Location; the owner is invited; told to both; roles and policy are there", async () => {
    const answer = await home.call("POST", "/tenants", {
      ...{ ...draft, slug: "kedua", currency: "EUR", timezone: "Europe/Paris", ownerName: "Boss" },
    });
    const { id, ownerId, createdAt, updatedAt } = answer.json;
    const root = await current();
    expect(answer.json).toEqual({
      ...{ id, parentId: root.id, type: "client", name: draft.name, slug: "kedua", logoUrl: null },
      ...{ status: "active", currency: "EUR", timezone: "Europe/Paris", locale: "en", depth: 1 },
      ...{ ownerId, createdAt, updatedAt, version: 1 },
    });
    expect(answer.headers.get("location")).toBe(`/api/v1/tenants/${id}`);
    expect(await home.recordsOf(id)).toEqual(["auth.tenant.created", "auth.tenant.created"]);
    expect(await home.eventsOf("tenantId", id)).toEqual(
      expect.arrayContaining(["auth.tenant.created", "auth.tenant.created", "auth.user.created"]),
    );
    const token = await ownerOf(draft.ownerEmail);
    expect(await current(token)).toMatchObject({ id, ownerId, parentId: root.id });
    const roles = await home.call("GET", "/roles", undefined, token);
    expect(roles.json.data.map((role: { name: string }) => role.name)).toEqual([
      ...["member", "admin", "owner"],
    ]);
  });

  test("without a slug one is made of the name, numbered where it is taken", async () => {
    expect((await made()).slug).toBe("kantin-kedua");
    expect((await made({ ownerEmail: "b@example.com" })).slug).toBe("kantin-kedua-2");
    expect((await made({ name: "日本", ownerEmail: "c@example.com" })).slug).toMatch(/^tenant-/);
    expect((await made({ name: "A", ownerEmail: "d@example.com" })).slug).toMatch(/^a-\w{8}$/);
  });

  test("a partner makes clients only, a client nothing; elsewhere is not there", async () => {
    const partner = await made({ type: "partner" });
    const boss = await ownerOf(draft.ownerEmail);
    const child = { ...draft, ownerEmail: "child@example.com" };
    const post = async (body: object, token?: string) =>
      verdict(await home.call("POST", "/tenants", { ...child, ...body }, token));
    expect(await post({ type: "partner" }, boss)).toBe("403 forbidden");
    expect(await post({ type: "partner", parentId: partner.id })).toBe("403 forbidden");
    expect(await post({ parentId: (await current()).id }, boss)).toBe("404 not-found");
    expect(await post({}, boss)).toBe("201");
    const clerk = await ownerOf("child@example.com");
    expect(await current(clerk)).toMatchObject({ depth: 2, parentId: partner.id });
    expect(await post({ ownerEmail: "x@example.com" }, clerk)).toBe("403 forbidden");
  });

  test("already-exists for a slug, wrong-state below a blocked one", async () => {
    const { id } = await made({ slug: "kedua", type: "partner" });
    const again = await home.call("POST", "/tenants", { ...draft, slug: "kedua" });
    expect([verdict(again), again.json.field]).toEqual(["409 already-exists", "slug"]);
    await home.call("POST", `/tenants/${id}/block`);
    const below = await home.call("POST", "/tenants", { ...draft, parentId: id });
    expect(verdict(below)).toBe("409 wrong-state");
  });

  const bad: [object, string, string][] = [
    [{ name: "" }, "name", "TOO_SHORT"],
    [{ name: "x".repeat(101) }, "name", "TOO_LONG"],
    [{ slug: "A b" }, "slug", "INVALID_FORMAT"],
    [{ slug: "x" }, "slug", "INVALID_FORMAT"],
    [{ type: "platform" }, "type", "NOT_ALLOWED"],
    [{ parentId: "x" }, "parentId", "INVALID_FORMAT"],
    [{ ownerEmail: "x" }, "ownerEmail", "INVALID_FORMAT"],
    [{ currency: "idr" }, "currency", "INVALID_FORMAT"],
    [{ timezone: "Mars/Base" }, "timezone", "INVALID_FORMAT"],
    [{ locale: "en" }, "locale", "UNKNOWN_FIELD"],
  ];
  for (const [more, field, code] of bad) {
    test(`400: ${JSON.stringify(more).slice(0, 40)}`, async () => {
      const answer = await home.call("POST", "/tenants", { ...draft, ...more });
      expect(verdict(answer)).toBe("400 validation-error");
      expect(answer.json.errors).toMatchObject([{ field, code }]);
    });
  }
});

describe("GET /tenants", () => {
  test("lists what is below, at any depth, newest first; deleted ones are gone", async () => {
    const first = await made({ type: "partner" });
    const boss = await ownerOf(draft.ownerEmail);
    const child = await home.call("POST", "/tenants", { ...draft, ownerEmail: "c@x.yz" }, boss);
    const other = await made({ ownerEmail: "o@x.yz" });
    const ids = async (token?: string) => {
      const { json } = await home.call("GET", "/tenants", undefined, token);
      expect(json.meta.total).toBe(json.data.length);
      return json.data.map((tenant: { id: string }) => tenant.id);
    };
    expect(await ids()).toEqual([other.id, child.json.id, first.id]);
    expect(await ids(boss)).toEqual([child.json.id]);
    await home.call("DELETE", `/tenants/${other.id}`);
    expect(await ids()).toEqual([child.json.id, first.id]);
    const page = await home.call("GET", "/tenants?limit=1");
    const next = await home.call("GET", `/tenants?limit=1&cursor=${page.json.meta.cursor}`);
    expect(next.json.data.map((tenant: { id: string }) => tenant.id)).toEqual([first.id]);
    expect(verdict(await home.call("GET", "/tenants?status=active"))).toBe("400 validation-error");
  });
});

describe("GET and PATCH /tenants/{id}", () => {
  test("own by `current` and by id, with its own permissions; below with others", async () => {
    const below = await made();
    const { id } = await current();
    const holds = async (name: string, permission: string) =>
      (await home.holder(`${name}@example.com`, [permission])).token;
    const cases: [string, string, string, string, string][] = [
      ["r", "settings.read", "GET", "current", "200"],
      ["r", "settings.read", "GET", id, "200"],
      ["r", "settings.read", "GET", below.id, "403 forbidden"],
      ["l", "tenants.list", "GET", below.id, "200"],
      ["l", "tenants.list", "GET", "current", "403 forbidden"],
      ["u", "settings.update", "PATCH", "current", "200"],
      ["u", "settings.update", "PATCH", below.id, "403 forbidden"],
      ["t", "tenants.update", "PATCH", below.id, "200"],
      ["t", "tenants.update", "PATCH", "current", "403 forbidden"],
      ["x", "users.list", "GET", "current", "403 forbidden"],
      ["r", "settings.read", "GET", nobody, "404 not-found"],
      ["r", "settings.read", "GET", "elsewhere", "404 not-found"],
    ];
    const tokens = new Map<string, string>();
    for (const [name, permission, method, path, expected] of cases) {
      const token = tokens.get(name) ?? (await holds(name, permission));
      tokens.set(name, token);
      const body = method === "PATCH" ? {} : undefined;
      expect([
        name,
        path,
        verdict(await home.call(method, `/tenants/${path}`, body, token)),
      ]).toEqual([name, path, expected]);
    }
  });

  test("changes settings, version + 1; told to itself and above; null clears the logo", async () => {
    const { id } = await made();
    const change = {
      ...{ name: "Baru", logoUrl: "https://k.example/l.png", timezone: "UTC", locale: "ID-id" },
      ...{ currency: "EUR", version: 1 },
    };
    const changed = await home.call("PATCH", `/tenants/${id}`, change);
    expect(changed.json).toMatchObject({ ...change, locale: "id-ID", version: 2 });
    const cleared = await home.call("PATCH", `/tenants/${id}`, { logoUrl: null });
    expect(cleared.json).toMatchObject({ logoUrl: null, version: 3 });
    const stale = await home.call("PATCH", `/tenants/${id}`, change);
    expect([verdict(stale), stale.json.currentVersion]).toEqual(["409 version-conflict", 3]);
    const types = (await home.recordsOf(id)).filter((type) => type === "auth.tenant.updated");
    expect(types).toHaveLength(4);
    expect(await home.eventsOf("tenantId", id)).toContain("auth.tenant.updated");
    for (const bad of [{ logoUrl: "ftp://x" }, { locale: "not a tag" }, { timezone: "+07:00" }]) {
      const answer = await home.call("PATCH", `/tenants/${id}`, bad);
      expect(answer.json.errors).toMatchObject([
        { field: Object.keys(bad)[0], code: "INVALID_FORMAT" },
      ]);
    }
  });

  test("the currency stays with the first wallet, the zone with the first day counted", async () => {
    const { policy, devices, clock } = home;
    const patch = async (body: object) =>
      verdict(await home.call("PATCH", "/tenants/current", body));
    expect(await patch({ currency: "EUR", timezone: "UTC" })).toBe("200");
    expect(await policy.effective(1, null, 0)).toMatchObject({ currency: "EUR", timezone: "UTC" });
    expect((await policy.effective(1, null, 0)).policyVersion).toBe(2);
    const by = { type: "system", id: "test" } as const;
    await devices.register(1, { deviceId: "till-1", role: "terminal" }, by, clock.nowMs());
    expect(await patch({ currency: "IDR" })).toBe("409 wrong-state");
    expect(await patch({ currency: "EUR", timezone: "Asia/Jakarta" })).toBe("200");
    await run(`INSERT INTO settlement (tenant_id, layer, day, device_no, checkins, checkouts, debits,
      debit_amount, credits, credit_amount, topups, topup_amount, rejected, flagged, late_events)
      VALUES (1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`);
    expect(await patch({ timezone: "UTC" })).toBe("409 wrong-state");
  });
});

describe("block, unblock, DELETE", () => {
  test("a blocked tenant's people are 403, and back with unblock; told to both", async () => {
    const { id } = await made();
    const boss = await ownerOf(draft.ownerEmail);
    const blocked = await home.call("POST", `/tenants/${id}/block`, { reason: "Unpaid" });
    expect(blocked.json).toMatchObject({ status: "blocked", version: 2 });
    expect(verdict(await home.call("GET", "/roles", undefined, boss))).toBe("403 tenant-blocked");
    const again = await home.call("POST", `/tenants/${id}/block`);
    expect([verdict(again), again.json.state]).toEqual(["409 wrong-state", "blocked"]);
    expect((await home.call("POST", `/tenants/${id}/unblock`)).json.status).toBe("active");
    expect(verdict(await home.call("GET", "/roles", undefined, boss))).toBe("200");
    expect(verdict(await home.call("POST", `/tenants/${id}/unblock`))).toBe("409 wrong-state");
    const types = ["auth.tenant.blocked", "auth.tenant.unblocked"];
    for (const type of types) {
      expect((await home.recordsOf(id)).filter((each) => each === type)).toHaveLength(2);
      const events = await home.eventsOf("tenantId", id);
      expect(events.filter((each) => each === type)).toHaveLength(2);
    }
  });

  test("deleted softly: its people are out, its links dead, its slug stays taken", async () => {
    const { id } = await made({ slug: "kedua" });
    const link = await home.tokenTo(draft.ownerEmail);
    expect(verdict(await home.call("DELETE", `/tenants/${id}`))).toBe("204");
    expect(verdict(await home.accept(link))).toBe("401 token-invalid");
    expect((await home.call("GET", `/tenants/${id}`)).json.status).toBe("deleted");
    for (const [method, path, body] of [
      ["DELETE", ""],
      ["POST", "/block"],
      ["POST", "/unblock"],
      ["PATCH", "", { name: "x" }],
    ] as const) {
      const answer = await home.call(method, `/tenants/${id}${path}`, body);
      expect([verdict(answer), answer.json.state]).toEqual(["409 wrong-state", "deleted"]);
    }
    expect(await home.recordsOf(id)).toContain("auth.tenant.deleted");
    expect(await home.eventsOf("tenantId", id)).toContain("auth.tenant.deleted");
    const again = await home.call("POST", "/tenants", { ...draft, slug: "kedua" });
    expect(verdict(again)).toBe("409 already-exists");
  });

  test("not the root, not one's own, not with tenants or money below", async () => {
    const partner = await made({ type: "partner" });
    const boss = await ownerOf(draft.ownerEmail);
    await home.call("POST", "/tenants", { ...draft, ownerEmail: "c@x.yz" }, boss);
    const rich = await made({ ownerEmail: "r@x.yz" });
    const { tenantId } = (await home.store.read((q) =>
      q.get(
        statement<[string], { tenantId: number }>(
          "test.no",
          "SELECT tenant_id AS tenantId FROM tenant WHERE uuid = ?1",
        ),
        rich.id,
      ),
    )) ?? { tenantId: 0 };
    await run(`INSERT INTO wallet (uuid, tenant_id, kind, system_key, currency, status, available, pending,
      frozen, created_at_ms, updated_at_ms, version) VALUES ('${nobody}', ${tenantId}, 'system', 'cash',
      'IDR', 'active', -5, 0, 0, 1, 1, 1)`);
    const cases: [string, string, string, string?][] = [
      ["DELETE", "current", "409 wrong-state"],
      ["POST", "current/block", "409 wrong-state"],
      ["DELETE", "current", "409 wrong-state", boss],
      ["POST", "current/block", "409 wrong-state", boss],
      ["DELETE", partner.id, "409 wrong-state"],
      ["DELETE", rich.id, "409 in-use"],
      ["DELETE", rich.id, "404 not-found", boss],
      ["POST", `${rich.id}/block`, "404 not-found", boss],
      ["POST", `${nobody}/block`, "404 not-found"],
    ];
    for (const [method, path, expected, token] of cases) {
      const answer = await home.call(method, `/tenants/${path}`, undefined, token);
      expect([path, verdict(answer)]).toEqual([path, expected]);
    }
  });

  test("403 forbidden without the permission of each row", async () => {
    const { id } = await made();
    const { token } = await home.holder("clerk@example.com", ["settings.*", "users.*"]);
    for (const [method, path, body] of [
      ["GET", ""],
      ["POST", "", draft],
      ["DELETE", `/${id}`],
      ["POST", `/${id}/block`],
      ["POST", `/${id}/unblock`],
      ["POST", "/current/transfer-ownership", { userId: nobody, password }],
    ] as const) {
      expect(verdict(await home.call(method, `/tenants${path}`, body, token))).toBe(
        "403 forbidden",
      );
    }
  });
});

describe("POST /tenants/{id}/transfer-ownership", () => {
  const transfer = (userId: string, more: object = {}, path = "current", token?: string) =>
    home.call("POST", `/tenants/${path}/transfer-ownership`, { userId, password, ...more }, token);

  test("the heir owns, the old owner becomes admin, at once; told", async () => {
    const { uuid } = await home.person("heir@example.com");
    const before = (await current()).ownerId;
    const answer = await transfer(uuid);
    expect(answer.json).toMatchObject({ ownerId: uuid });
    const roles = async (id: string) => (await home.call("GET", `/users/${id}`)).json.roles;
    expect(await roles(uuid)).toEqual(["owner"]);
    expect(await roles(before)).toEqual(["admin"]);
    expect(verdict(await transfer(before))).toBe("403 forbidden");
    expect(await home.recordsOf(answer.json.id)).toContain("auth.tenant.transferred");
    for (const id of [before, uuid]) {
      expect(await home.recordsOf(id)).toContain("auth.role.changed");
      expect(await home.eventsOf("userId", id)).toContain("auth.role.changed");
    }
    const heir = (await home.login("heir@example.com")).accessToken;
    expect(verdict(await transfer(before, {}, "current", heir))).toBe("200");
  });

  test("refusals", async () => {
    const { uuid } = await home.person("heir@example.com");
    const below = await made();
    const invited = await home.call("POST", "/users", { email: "i@x.yz", roles: ["member"] });
    const own = (await current()).ownerId;
    const cases: [string, object, string, string][] = [
      [uuid, { password: "not the password" }, "current", "401 invalid-credentials"],
      [nobody, {}, "current", "400 validation-error"],
      [own, {}, "current", "400 validation-error"],
      [invited.json.id, {}, "current", "400 validation-error"],
      [uuid, { userId: "x" }, "current", "400 validation-error"],
      [uuid, {}, below.id, "403 forbidden"],
      [uuid, {}, nobody, "404 not-found"],
    ];
    for (const [userId, more, path, expected] of cases) {
      expect(verdict(await transfer(userId, more, path))).toBe(expected);
    }
    expect((await current()).ownerId).toBe(own);
  });
});

test("a tenant of one's own, as registering makes it: numbered, owned, below the root", async () => {
  const { store, tenant, people, clock } = home;
  const by = { actor: { type: "system", id: "test" } } as const;
  const slugs: string[] = [];
  for (const email of ["a@x.yz", "b@x.yz"]) {
    const opened = await store.write(async (tx) => {
      const owner = await people.account.create(
        tx,
        { email, name: "A", passwordHash: null },
        clock.nowMs(),
      );
      return await tenant.open(tx, { name: "Acme", owner }, by, clock.nowMs());
    });
    slugs.push(opened.slug);
    expect(opened).toMatchObject({ type: "client", depth: 1 });
  }
  expect(slugs).toEqual(["acme", "acme-2"]);
  expect(ownerEmail).not.toBe("a@x.yz");
});
