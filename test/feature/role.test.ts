/** Roles and permissions: what may be granted, by whom, and from when on it counts. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { customRolesMax } from "../../schema/bound.ts";
import { permissionCatalogue } from "../../src/domain/permission.ts";
import { foundations } from "./foundation.ts";
import { type House, house, nobody, verdict } from "./house.ts";

const open = foundations();
let home: House;
beforeEach(async () => {
  home = await house(await open());
});
afterEach(() => home.close());

const draft = { name: "cashier", permissions: ["fleet.cards.read", "money.*"] };
const create = (more: object = {}, token?: string) =>
  home.call("POST", "/roles", { ...draft, ...more }, token);

describe("POST /roles", () => {
  test("every member, defaults, Location; audit and event", async () => {
    const made = await create();
    const { id, tenantId, createdBy, createdAt } = made.json;
    expect(made.status).toBe(201);
    expect(made.json).toEqual({
      ...{ id, ...draft, displayName: "cashier", description: null, scope: "tenant" },
      ...{ builtIn: false, users: 0, tenantId, createdBy, createdAt, version: 1 },
    });
    expect(made.headers.get("location")).toBe(`/api/v1/roles/${id}`);
    expect((await home.call("GET", `/roles/${id}`)).json).toEqual(made.json);
    expect(await home.recordsOf(id)).toEqual(["auth.role.created"]);
    expect(await home.eventsOf("roleId", id)).toEqual(["auth.role.created"]);
  });

  test("already-exists (name), also of a built-in one", async () => {
    await create();
    for (const name of [draft.name, "admin"]) {
      const again = await create({ name });
      expect([verdict(again), again.json.field]).toEqual(["409 already-exists", "name"]);
    }
  });

  test("permission-escalation: what the caller lacks, wildcards, and the platform's own", async () => {
    const { token } = await home.holder("hr@example.com", ["roles.*", "fleet.cards.*"]);
    const admin = await home.person("admin@example.com", ["admin"]);
    expect(admin.uuid).not.toBe("");
    const { accessToken } = await home.login("admin@example.com");
    const cases: [string[], string, string?][] = [
      [["money.credit"], "403 permission-escalation", token],
      [["fleet.*"], "403 permission-escalation", token],
      [["*"], "403 permission-escalation", token],
      [["fleet.cards.read", "roles.list"], "201", token],
      [["*"], "201", accessToken],
      [["system.clock"], "403 permission-escalation", accessToken],
      [["system.clock"], "201"],
    ];
    for (const [at, [permissions, expected, as]] of cases.entries()) {
      const answer = await create({ name: `r${at}`, permissions }, as);
      expect([permissions, verdict(answer)]).toEqual([permissions, expected]);
    }
  });

  test("at most 100 of one's own", async () => {
    const { store, people, clock } = home;
    const all = { permissions: ["*"], isOwner: true, isPlatformOwner: true };
    const by = { actor: { type: "system", id: "test" } } as const;
    await store.write(async (tx) => {
      for (let at = 0; at < customRolesMax; at++) {
        const role = { name: `made-${at}`, permissions: [] };
        await people.role.create(tx, 1, role, all, by, clock.nowMs());
      }
    });
    expect(verdict(await create())).toBe("409 ids-exhausted");
  });

  const bad: [object, string, string][] = [
    [{ name: "Cashier" }, "name", "INVALID_FORMAT"],
    [{ name: "c" }, "name", "INVALID_FORMAT"],
    [{ name: "c".repeat(33) }, "name", "TOO_LONG"],
    [{ displayName: "" }, "displayName", "TOO_SHORT"],
    [{ displayName: "x".repeat(61) }, "displayName", "TOO_LONG"],
    [{ description: "x".repeat(501) }, "description", "TOO_LONG"],
    [{ permissions: ["money.credit", "money.credit"] }, "permissions[1]", "DUPLICATE"],
    [{ permissions: ["money.credit", "money.print"] }, "permissions[1]", "NOT_ALLOWED"],
    [{ permissions: ["Money"] }, "permissions[0]", "NOT_ALLOWED"],
    [
      { permissions: Array.from({ length: 201 }, (_, i) => `a.b.c${i}`) },
      "permissions",
      "TOO_MANY",
    ],
    [{ builtIn: true }, "builtIn", "UNKNOWN_FIELD"],
  ];
  for (const [more, field, code] of bad) {
    test(`400: ${JSON.stringify(more).slice(0, 50)}`, async () => {
      const answer = await create(more);
      expect(verdict(answer)).toBe("400 validation-error");
      expect(answer.json.errors).toMatchObject([{ field, code }]);
    });
  }
});

describe("PATCH and DELETE /roles/{id}", () => {
  test("a change counts on the very next call of who has it; audit and event", async () => {
    const { token } = await home.holder("c@example.com", ["roles.list"]);
    const { data } = (await home.call("GET", "/roles")).json;
    const role = data.find(({ name }: { name: string }) => name === "r-c");
    expect(role).toMatchObject({ users: 1, version: 1 });
    const look = async () => verdict(await home.call("GET", "/roles", undefined, token));
    expect(await look()).toBe("200");
    const change = { permissions: [], displayName: "C", description: "None.", version: 1 };
    const changed = await home.call("PATCH", `/roles/${role.id}`, change);
    expect(changed.json).toMatchObject({ ...change, version: 2 });
    expect(await look()).toBe("403 forbidden");
    const stale = await home.call("PATCH", `/roles/${role.id}`, change);
    expect([verdict(stale), stale.json.currentVersion]).toEqual(["409 version-conflict", 2]);
    const unversioned = await home.call("PATCH", `/roles/${role.id}`, { displayName: "D" });
    expect(unversioned.json.errors).toMatchObject([{ field: "version", code: "REQUIRED" }]);
    expect(await home.recordsOf(role.id)).toEqual(["auth.role.created", "auth.role.updated"]);
    expect(await home.eventsOf("roleId", role.id)).toEqual([
      ...["auth.role.created", "auth.role.updated"],
    ]);
  });

  test("what a role has may stay, more than the caller has may not come", async () => {
    const { json } = await create({ permissions: ["money.credit"] });
    const { token } = await home.holder("hr@example.com", ["roles.*"]);
    const patch = async (permissions: string[], version: number) =>
      verdict(await home.call("PATCH", `/roles/${json.id}`, { permissions, version }, token));
    expect(await patch(["money.credit", "money.debit"], 1)).toBe("403 permission-escalation");
    expect(await patch(["money.credit", "roles.list"], 1)).toBe("200");
  });

  test("wrong-state: built-in, or still given to a user, a key or an invitation", async () => {
    const { data } = (await home.call("GET", "/roles")).json;
    for (const role of data) {
      const { id, version } = role;
      expect(role).toMatchObject({ builtIn: true, scope: "platform", createdBy: "system" });
      expect(verdict(await home.call("DELETE", `/roles/${id}`))).toBe("409 wrong-state");
      const patched = await home.call("PATCH", `/roles/${id}`, { displayName: "X", version });
      expect(verdict(patched)).toBe("409 wrong-state");
    }
    const { id } = (await create()).json;
    const remove = async () => verdict(await home.call("DELETE", `/roles/${id}`));
    const roles = [draft.name];
    const user = await home.call("POST", "/users", {
      email: "u@x.yz",
      roles,
      password: "p".repeat(12),
    });
    expect(await remove()).toBe("409 wrong-state");
    await home.call("DELETE", `/users/${user.json.id}`);
    const key = await home.call("POST", "/api-keys", { name: "k", roles });
    expect(await remove()).toBe("409 wrong-state");
    await home.call("DELETE", `/api-keys/${key.json.id}`);
    const asked = await home.call("POST", "/invitations", { email: "i@x.yz", roles });
    expect(await remove()).toBe("409 wrong-state");
    await home.call("DELETE", `/invitations/${asked.json.id}`);
    expect(await remove()).toBe("204");
    expect(verdict(await home.call("GET", `/roles/${id}`))).toBe("404 not-found");
    expect(await home.recordsOf(id)).toEqual(["auth.role.created", "auth.role.deleted"]);
    // Who had it and is taken back is a plain member.
    const back = await home.call("POST", `/users/${user.json.id}/restore`);
    expect(back.json.roles).toEqual(["member"]);
    expect(verdict(await create())).toBe("201");
  });

  test("another tenant's, unknown and malformed ids are 404", async () => {
    const { id } = (await create()).json;
    await home.call("POST", "/tenants", { name: "B", type: "client", ownerEmail: "b@x.yz" });
    const { accessToken } = (await home.accept(await home.tokenTo("b@x.yz"))).json;
    for (const [target, token] of [[id, accessToken], [nobody], ["x"]] as const) {
      for (const [method, body] of [["GET"], ["PATCH", { version: 1 }], ["DELETE"]] as const) {
        const answer = await home.call(method, `/roles/${target}`, body, token);
        expect(verdict(answer)).toBe("404 not-found");
      }
    }
  });

  test("403 forbidden without the permission of each row", async () => {
    const { token } = await home.holder("x@example.com", ["users.*"]);
    for (const [method, path, body] of [
      ["GET", "/roles"],
      ["POST", "/roles", draft],
      ["GET", `/roles/${nobody}`],
      ["PATCH", `/roles/${nobody}`, { version: 1 }],
      ["DELETE", `/roles/${nobody}`],
      ["GET", "/permissions"],
    ] as const) {
      expect(verdict(await home.call(method, path, body, token))).toBe("403 forbidden");
    }
  });
});

describe("GET /permissions", () => {
  test("every one, by name, in pages", async () => {
    const names: string[] = [];
    for (let cursor = ""; ; ) {
      const { json } = await home.call("GET", `/permissions?limit=50${cursor}`);
      expect(json.meta.total).toBe(permissionCatalogue.length);
      names.push(...json.data.map(({ name }: { name: string }) => name));
      if (!json.meta.hasMore) break;
      cursor = `&cursor=${json.meta.cursor}`;
    }
    expect(names).toEqual(permissionCatalogue.map(({ name }) => name));
    expect(names).toEqual([...names].sort());
    expect((await home.call("GET", "/permissions?module=crm")).json.data).toEqual([]);
    expect((await home.call("GET", "/permissions?limit=1")).json.data).toEqual([
      { name: "apikeys.create", description: "Make API keys", module: null },
    ]);
  });
});
