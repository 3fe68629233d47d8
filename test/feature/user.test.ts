/** Users of a tenant: every row that writes, every refusal, and what is told of each. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { membershipKeptSec } from "../../schema/bound.ts";
import { foundations } from "./foundation.ts";
import { type House, house, nobody, ownerEmail, password, verdict } from "./house.ts";

const open = foundations();
let home: House;
beforeEach(async () => {
  home = await house(await open());
});
afterEach(() => home.close());

const siti = { email: "siti@example.com", name: "Siti Rahayu", roles: ["member"], password };

async function added(draft: object = siti): Promise<{ id: string; version: number }> {
  const made = await home.call("POST", "/users", draft);
  expect(verdict(made)).toBe("201");
  return made.json;
}

const ownerId = async (): Promise<string> =>
  (await home.call("GET", `/users?q=${ownerEmail}`)).json.data[0].id;

describe("POST /users", () => {
  test("with a password: active at once, Location, every member; audit and event", async () => {
    const made = await home.call("POST", "/users", { ...siti, email: "  Siti@Example.COM " });
    expect(made.status).toBe(201);
    const { id, createdAt, updatedAt, tenantId } = made.json;
    expect(made.json).toEqual({
      ...{ id, email: siti.email, name: siti.name, locale: "en", tenantId, roles: ["member"] },
      ...{ status: "active", emailVerified: false, mfaEnabled: false, lastLoginAt: null },
      ...{ createdAt, updatedAt, version: 1 },
    });
    expect(made.headers.get("location")).toBe(`/api/v1/users/${id}`);
    expect((await home.call("GET", `/users/${id}`)).json).toEqual(made.json);
    expect(await home.recordsOf(id)).toEqual(["auth.user.created"]);
    expect(await home.eventsOf("userId", id)).toEqual(["auth.user.created"]);
    expect(await home.lettersTo(siti.email)).toEqual([]);
    expect((await home.login(siti.email)).user.id).toBe(id);
  });

  test("without one: invited, a set-password letter, active once it is followed", async () => {
    const { id } = await added({ email: siti.email, roles: ["member"] });
    const user = () => home.call("GET", `/users/${id}`);
    expect((await user()).json).toMatchObject({ status: "invited", name: "siti" });
    const [letter] = await home.lettersTo(siti.email);
    expect(letter?.subject).toBe("Your account at Kantin Utama");
    const token = await home.tokenTo(siti.email);
    const joined = await home.accept(token);
    expect(verdict(joined)).toBe("200");
    expect(joined.json.user).toMatchObject({ id, status: "active", emailVerified: true });
    expect((await user()).json).toMatchObject({ status: "active" });
    expect(verdict(await home.accept(token))).toBe("401 token-invalid");
  });

  test("of somebody known: nothing of theirs changes, invited until they accept", async () => {
    const other = await home.call("POST", "/tenants", {
      ...{ name: "Elsewhere", type: "client", ownerEmail: "boss@example.com" },
    });
    await home.accept(await home.tokenTo("boss@example.com"), { password });
    for (const field of [{ name: "New" }, { password }]) {
      const refused = await home.call("POST", "/users", {
        ...{ email: "boss@example.com", roles: ["member"] },
        ...field,
      });
      expect(verdict(refused)).toBe("400 validation-error");
      const [only] = Object.keys(field);
      expect(refused.json.errors).toMatchObject([{ field: only, code: "NOT_ALLOWED" }]);
    }
    const { id } = await added({ email: "boss@example.com", roles: ["member"] });
    expect(id).toBe(other.json.ownerId);
    expect((await home.call("GET", `/users/${id}`)).json.status).toBe("invited");
    const token = await home.tokenTo("boss@example.com");
    expect(verdict(await home.accept(token, { password: "not their password" }))).toBe(
      "401 invalid-credentials",
    );
    expect(verdict(await home.accept(token, { password, name: "New" }))).toBe("200");
    expect((await home.call("GET", `/users/${id}`)).json).toMatchObject({
      ...{ status: "active", name: "boss" },
    });
  });

  test("already-member: there, invited, or the owner", async () => {
    await added();
    await added({ email: "invited@example.com", roles: ["member"] });
    for (const email of [siti.email, "INVITED@example.com", ownerEmail]) {
      const again = await home.call("POST", "/users", { email, roles: ["member"] });
      expect(verdict(again)).toBe("409 already-member");
    }
  });

  test("permission-escalation: roles beyond one's own, and the ownership", async () => {
    const { token } = await home.holder("hr@example.com", ["users.*", "roles.assign"]);
    const draft = { email: "new@example.com", roles: ["admin"] };
    expect(verdict(await home.call("POST", "/users", draft, token))).toBe(
      "403 permission-escalation",
    );
    const owned = { ...draft, roles: ["owner"] };
    expect(verdict(await home.call("POST", "/users", owned, token))).toBe(
      "403 permission-escalation",
    );
    expect(verdict(await home.call("POST", "/users", owned))).toBe("409 owner-protected");
    expect(verdict(await home.call("POST", "/users", { ...draft, roles: ["member"] }, token))).toBe(
      "201",
    );
  });

  const bad: [what: string, body: object, field: string, code: string, message?: string][] = [
    ["no email", { roles: ["member"] }, "email", "REQUIRED"],
    [
      "bad email",
      { ...siti, email: "x" },
      "email",
      "INVALID_FORMAT",
      "Must be a valid email address",
    ],
    ["no roles", { ...siti, roles: [] }, "roles", "TOO_FEW", "At least one role is required"],
    ["too many roles", { ...siti, roles: Array(11).fill("a") }, "roles", "TOO_MANY"],
    ["unknown role", { ...siti, roles: ["member", "nope"] }, "roles[1]", "NOT_ALLOWED"],
    ["short password", { ...siti, password: "x".repeat(11) }, "password", "TOO_SHORT"],
    ["long password", { ...siti, password: "x".repeat(129) }, "password", "TOO_LONG"],
    ["email as password", { ...siti, password: siti.email }, "password", "NOT_ALLOWED"],
    ["empty name", { ...siti, name: "" }, "name", "TOO_SHORT"],
    ["unknown member", { ...siti, status: "active" }, "status", "UNKNOWN_FIELD"],
  ];
  for (const [what, body, field, code, message] of bad) {
    test(`400: ${what}`, async () => {
      const answer = await home.call("POST", "/users", body);
      expect(verdict(answer)).toBe("400 validation-error");
      expect(answer.json.errors).toMatchObject([{ field, code, ...(message && { message }) }]);
    });
  }
});

describe("GET /users", () => {
  test("filters by part of email or name, status and role; newest first; pages", async () => {
    for (const [email, name] of [
      ["a@one.example", "Éloïse"],
      ["b@two.example", "50% [Off]*"],
      ["c@one.example", "Zed"],
    ] as const) {
      await added({ ...siti, email, name });
    }
    const found = async (query: string) =>
      (await home.call("GET", `/users?${query}`)).json.data.map(
        ({ email }: { email: string }) => email,
      );
    const one = ["c@one.example", "a@one.example"];
    expect(await found("q=ONE.ex")).toEqual(one);
    expect(await found(`q=${encodeURIComponent("ÉLOÏSE")}`)).toEqual(["a@one.example"]);
    expect(await found(`q=${encodeURIComponent("[off]*")}`)).toEqual(["b@two.example"]);
    expect(await found(`q=${encodeURIComponent("%%")}`)).toEqual([]);
    expect(await found("role=owner")).toEqual([ownerEmail]);
    expect(await found("status=blocked")).toEqual([]);
    const first = await home.call("GET", "/users?limit=2");
    expect(first.json.meta).toMatchObject({ hasMore: true, total: 4 });
    const rest = await home.call("GET", `/users?limit=2&cursor=${first.json.meta.cursor}`);
    expect(rest.json.meta).toEqual({ cursor: null, hasMore: false, total: 4 });
    const ids = [...first.json.data, ...rest.json.data].map(({ id }: { id: string }) => id);
    expect(ids).toEqual([...ids].sort().reverse());
  });

  for (const query of ["q=x", `q=${"x".repeat(101)}`, "status=gone", "sort=name"]) {
    test(`400: ?${query.slice(0, 12)}`, async () => {
      expect(verdict(await home.call("GET", `/users?${query}`))).toBe("400 validation-error");
    });
  }
});

describe("PATCH /users/{id}", () => {
  test("name and email: unverified, version + 1, the old address is told; audit and event", async () => {
    const { id } = await added();
    const change = { name: "Siti R.", email: "New@example.com", version: 1 };
    const changed = await home.call("PATCH", `/users/${id}`, change);
    expect(changed.json).toMatchObject({
      ...{ name: "Siti R.", email: "new@example.com", emailVerified: false, version: 2 },
    });
    expect((await home.lettersTo(siti.email)).map(({ subject }) => subject)).toEqual([
      "Your email address was changed",
    ]);
    expect(await home.recordsOf(id)).toEqual(["auth.user.created", "auth.user.updated"]);
    expect(await home.eventsOf("userId", id)).toEqual(["auth.user.created", "auth.user.updated"]);
    const stale = await home.call("PATCH", `/users/${id}`, change);
    expect(verdict(stale)).toBe("409 version-conflict");
    expect(stale.json.currentVersion).toBe(2);
    expect((await home.login("new@example.com")).user.id).toBe(id);
  });

  test("identity-shared, owner-protected, permission-escalation, already-exists", async () => {
    const { id } = await added();
    const email = { email: "new@example.com" };
    const shared = await added({ ...siti, email: "shared@example.com" });
    await home.call("POST", "/tenants", {
      ...{ name: "Elsewhere", type: "client", ownerEmail: "shared@example.com" },
    });
    const { token } = await home.holder("hr@example.com", ["users.*"]);
    const admin = await added({ ...siti, email: "admin@example.com", roles: ["admin"] });
    const cases: [string, object, string, string?][] = [
      [shared.id, email, "403 identity-shared"],
      [await ownerId(), email, "409 owner-protected"],
      [admin.id, email, "403 permission-escalation", token],
      [id, { email: "ADMIN@example.com" }, "409 already-exists"],
      [id, email, "200", token],
      [admin.id, { name: "Ann" }, "200", token],
      [nobody, email, "404 not-found"],
    ];
    for (const [target, body, expected, as] of cases) {
      expect(verdict(await home.call("PATCH", `/users/${target}`, body, as))).toBe(expected);
    }
  });

  test("the link of somebody invited moves with the address", async () => {
    const { id } = await added({ email: siti.email, roles: ["member"] });
    const old = await home.tokenTo(siti.email);
    await home.call("PATCH", `/users/${id}`, { email: "new@example.com" });
    expect(verdict(await home.accept(old))).toBe("401 token-invalid");
    const joined = await home.accept(await home.tokenTo("new@example.com"));
    expect(joined.json.user).toMatchObject({ id, status: "active" });
  });
});

describe("a user's state", () => {
  test("DELETE ends their tokens, restore takes back for 30 days; audit and event", async () => {
    const { id } = await added();
    const { accessToken } = await home.login(siti.email);
    const me = () => home.call("GET", "/roles", undefined, accessToken);
    expect(verdict(await me())).toBe("403 forbidden");
    expect(verdict(await home.call("DELETE", `/users/${id}`))).toBe("204");
    expect(verdict(await me())).toBe("401 token-revoked");
    expect(verdict(await home.call("DELETE", `/users/${id}`))).toBe("404 not-found");
    expect((await home.call("GET", `/users/${id}`)).json.status).toBe("deleted");
    const emails = async (query: string) =>
      (await home.call("GET", `/users${query}`)).json.data.map((u: { email: string }) => u.email);
    expect(await emails("")).toEqual([ownerEmail]);
    expect(await emails("?status=deleted")).toEqual([siti.email]);
    const back = await home.call("POST", `/users/${id}/restore`);
    expect(back.json).toMatchObject({ status: "active", roles: ["member"] });
    const again = await home.call("POST", `/users/${id}/restore`);
    expect([verdict(again), again.json.state]).toEqual(["409 wrong-state", "active"]);
    const types = ["auth.user.created", "auth.user.deleted", "auth.user.restored"];
    const own = (all: string[]) => all.filter((type) => !/session|logged/.test(type));
    expect(own(await home.recordsOf(id))).toEqual(types);
    expect(own(await home.eventsOf("userId", id))).toEqual(types);
  });

  test("past the 30 days there is nothing to take back, swept up or not", async () => {
    const { id } = await added();
    await home.call("DELETE", `/users/${id}`);
    const { people, clock, store } = home;
    const later = clock.nowMs() + membershipKeptSec * 1000;
    const gone = (nowMs: number) => people.account.purge(nowMs);
    expect(await gone(later - 1)).toBe(0);
    expect(await gone(later)).toBe(1);
    expect(verdict(await home.call("GET", `/users/${id}`))).toBe("404 not-found");
    expect(await store.read((q) => people.account.byUuid(q, id))).toMatchObject({ uuid: id });
    await added({ email: siti.email, roles: ["member"] });
  });

  test("somebody who never came is asked again when taken back, and cannot be blocked", async () => {
    const { id } = await added({ email: siti.email, roles: ["member"] });
    const first = await home.tokenTo(siti.email);
    expect(verdict(await home.call("POST", `/users/${id}/block`))).toBe("409 wrong-state");
    await home.call("DELETE", `/users/${id}`);
    expect(verdict(await home.accept(first))).toBe("401 token-invalid");
    expect((await home.call("POST", `/users/${id}/restore`)).json.status).toBe("invited");
    expect(verdict(await home.accept(await home.tokenTo(siti.email)))).toBe("200");
  });

  test("block and unblock: tokens die at once; audit and event name the actor", async () => {
    const { id } = await added();
    const { accessToken } = await home.login(siti.email);
    expect((await home.call("POST", `/users/${id}/block`)).json.status).toBe("blocked");
    expect(verdict(await home.call("GET", "/roles", undefined, accessToken))).toBe(
      "401 token-revoked",
    );
    const again = await home.call("POST", `/users/${id}/block`);
    expect([verdict(again), again.json.state]).toEqual(["409 wrong-state", "blocked"]);
    expect((await home.call("POST", `/users/${id}/unblock`)).json.status).toBe("active");
    expect(verdict(await home.call("POST", `/users/${id}/unblock`))).toBe("409 wrong-state");
    expect(verdict(await home.call("GET", "/roles", undefined, accessToken))).toBe(
      "401 token-revoked",
    );
    const types = ["auth.user.blocked", "auth.user.unblocked"];
    expect(await home.recordsOf(id)).toEqual(expect.arrayContaining(types));
    expect(await home.eventsOf("userId", id)).toEqual(expect.arrayContaining(types));
  });

  test("revoke-sessions signs out everywhere, the user stays", async () => {
    const { id } = await added();
    const { accessToken } = await home.login(siti.email);
    expect(verdict(await home.call("POST", `/users/${id}/revoke-sessions`))).toBe("204");
    expect(verdict(await home.call("GET", "/roles", undefined, accessToken))).toBe(
      "401 token-revoked",
    );
    expect(await home.recordsOf(id)).toContain("auth.session.revoked");
    const fresh = await home.login(siti.email);
    expect(verdict(await home.call("GET", "/roles", undefined, fresh.accessToken))).toBe(
      "403 forbidden",
    );
  });

  test("the owner cannot be removed, blocked or stripped", async () => {
    const id = await ownerId();
    const { token } = await home.holder("hr@example.com", ["*"]);
    for (const [method, path, body] of [
      ["DELETE", ""],
      ["POST", "/block"],
      ["POST", "/assign-roles", { roles: ["member"] }],
    ] as const) {
      const answer = await home.call(method, `/users/${id}${path}`, body, token);
      expect(verdict(answer)).toBe("409 owner-protected");
    }
  });
});

describe("POST /users/{id}/assign-roles", () => {
  test("replaces the set and counts on the very next call; audit and event", async () => {
    const { id } = await added();
    const { accessToken } = await home.login(siti.email);
    const look = async () => verdict(await home.call("GET", "/roles", undefined, accessToken));
    const assign = (roles: string[]) => home.call("POST", `/users/${id}/assign-roles`, { roles });
    expect(await look()).toBe("403 forbidden");
    expect((await assign(["admin", "member", "admin"])).json.roles).toEqual(["admin", "member"]);
    expect(await look()).toBe("200");
    await assign(["member"]);
    expect(await look()).toBe("403 forbidden");
    expect((await home.recordsOf(id)).filter((type) => type === "auth.role.changed")).toHaveLength(
      2,
    );
    expect(await home.eventsOf("userId", id)).toContain("auth.role.changed");
  });

  test("refusals", async () => {
    const { id } = await added();
    const { token } = await home.holder("hr@example.com", ["roles.assign"]);
    const cases: [string[], string, string?][] = [
      [["admin"], "403 permission-escalation", token],
      [["owner"], "409 owner-protected"],
      [["owner"], "403 permission-escalation", token],
      [["nope"], "400 validation-error"],
      [[], "400 validation-error"],
      [["member"], "200", token],
    ];
    for (const [roles, expected, as] of cases) {
      const answer = await home.call("POST", `/users/${id}/assign-roles`, { roles }, as);
      expect(verdict(answer)).toBe(expected);
    }
  });
});

test("another tenant's users are not there", async () => {
  const other = await home.call("POST", "/tenants", {
    ...{ name: "Elsewhere", type: "client", ownerEmail: "boss@example.com" },
  });
  const { accessToken } = (await home.accept(await home.tokenTo("boss@example.com"))).json;
  expect(other.status).toBe(201);
  const { id } = await added();
  for (const [method, path, body] of [
    ["GET", ""],
    ["PATCH", "", { name: "x" }],
    ["DELETE", ""],
    ["POST", "/restore"],
    ["POST", "/block"],
    ["POST", "/unblock"],
    ["POST", "/revoke-sessions"],
    ["POST", "/assign-roles", { roles: ["member"] }],
  ] as const) {
    const answer = await home.call(method, `/users/${id}${path}`, body, accessToken);
    expect(verdict(answer)).toBe("404 not-found");
  }
  expect((await home.call("GET", "/users", undefined, accessToken)).json.meta.total).toBe(1);
});

describe("403 forbidden without", () => {
  const needs: [string, string, string, object?][] = [
    ["users.list", "GET", "/users"],
    ["users.list", "GET", `/users/${nobody}`],
    ["users.create", "POST", "/users", siti],
    ["users.update", "PATCH", `/users/${nobody}`, {}],
    ["users.delete", "DELETE", `/users/${nobody}`],
    ["users.delete", "POST", `/users/${nobody}/restore`],
    ["users.update", "POST", `/users/${nobody}/block`],
    ["users.update", "POST", `/users/${nobody}/unblock`],
    ["users.update", "POST", `/users/${nobody}/revoke-sessions`],
    ["roles.assign", "POST", `/users/${nobody}/assign-roles`, { roles: ["member"] }],
  ];
  test("the permission of each row", async () => {
    const all = ["users.list", "users.create", "users.update", "users.delete", "roles.assign"];
    for (const permission of new Set(needs.map(([name]) => name))) {
      const rest = all.filter((name) => name !== permission);
      const { token } = await home.holder(`no-${permission.replace(".", "-")}@example.com`, rest);
      for (const [needed, method, path, body] of needs) {
        if (needed !== permission) continue;
        expect(verdict(await home.call(method, path, body, token))).toBe("403 forbidden");
      }
    }
  });
});
