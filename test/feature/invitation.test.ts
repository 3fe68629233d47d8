/** Invitations: links that are good once and for 72 hours, and who may come by them. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { invitationLifeSec } from "../../schema/bound.ts";
import { foundations } from "./foundation.ts";
import { type House, house, nobody, ownerEmail, verdict } from "./house.ts";

const open = foundations();
let home: House;
beforeEach(async () => {
  home = await house(await open());
});
afterEach(() => home.close());

const email = "siti@example.com";
const invite = (more: object = {}, token?: string) =>
  home.call("POST", "/invitations", { email, ...more }, token);
const statuses = async (query = "") =>
  (await home.call("GET", `/invitations${query}`)).json.data.map(
    ({ status }: { status: string }) => status,
  );

test("POST /invitations: every member, Location, the letter; audit and event", async () => {
  const made = await invite({ email: " SITI@example.com ", name: "Siti" });
  const { id, expiresAt, invitedBy, createdAt } = made.json;
  expect(made.status).toBe(201);
  expect(made.json).toEqual({
    ...{ id, email, roles: ["member"], status: "pending", expiresAt, invitedBy, createdAt },
  });
  expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(invitationLifeSec * 1000);
  expect(made.headers.get("location")).toBe(`/api/v1/invitations/${id}`);
  const [letter] = await home.lettersTo(email);
  expect(letter?.subject).toBe("You are invited to Kantin Utama");
  expect(letter?.text).toContain("https://kartu.example/accept-invite?token=in_");
  expect(await home.recordsOf(id)).toEqual(["auth.invitation.created"]);
  expect(await home.eventsOf("invitationId", id)).toEqual(["auth.invitation.created"]);
});

test("accepting makes a verified user with those roles, once; audit and events", async () => {
  const { id } = (await invite({ roles: ["admin", "member"], name: "Siti" })).json;
  const token = await home.tokenTo(email);
  const weak = await home.accept(token, { password: "short" });
  expect(weak.json.errors).toMatchObject([{ field: "password", code: "TOO_SHORT" }]);
  const { json } = await home.accept(token);
  expect(json.user).toMatchObject({
    ...{ email, name: "Siti", roles: ["admin", "member"], status: "active", emailVerified: true },
  });
  expect(verdict(await home.accept(token))).toBe("401 token-invalid");
  expect(await statuses("?status=accepted")).toEqual(["accepted"]);
  expect(await home.recordsOf(id)).toEqual([
    ...["auth.invitation.created", "auth.invitation.accepted"],
  ]);
  expect(await home.eventsOf("userId", json.user.id)).toContain("auth.user.created");
  expect(verdict(await invite())).toBe("409 already-member");
  expect(verdict(await invite({ email: ownerEmail }))).toBe("409 already-member");
});

test("two who follow one link at once: one comes in", async () => {
  await invite();
  const token = await home.tokenTo(email);
  const both = await Promise.all([home.accept(token), home.accept(token)]);
  expect(both.map(verdict).sort()).toEqual(["200", "401 token-invalid"]);
});

test("the link lapses after 72 hours and is told apart from one that never was", async () => {
  await invite();
  const token = await home.tokenTo(email);
  const { people, clock } = home;
  const answer = { token, password: "a password of theirs" };
  const late = clock.nowMs() + invitationLifeSec * 1000;
  const at = (nowMs: number) =>
    people.invitation.accept(answer, { ip: "::1", userAgent: "t" }, nowMs);
  expect(at(late + 1)).rejects.toMatchObject({ slug: "token-expired" });
  const unknown = { ...answer, token: `in_${"x".repeat(43)}` };
  expect(verdict(await home.accept(unknown.token))).toBe("401 token-invalid");
  const list = await people.invitation.list(1, "expired", 1_000, 10, late);
  expect(list).toHaveLength(1);
  expect(await people.invitation.count(1, "pending", late)).toBe(0);
});

test("resend: a new link, the old one dead; a new invitation does the same", async () => {
  const { id } = (await invite()).json;
  const first = await home.tokenTo(email);
  const renewed = await home.call("POST", `/invitations/${id}/resend`);
  expect(renewed.json).toMatchObject({ id, status: "pending" });
  const second = await home.tokenTo(email);
  expect(verdict(await home.accept(first))).toBe("401 token-invalid");
  await invite();
  expect(verdict(await home.accept(second))).toBe("401 token-invalid");
  expect(await statuses()).toEqual(["pending", "revoked"]);
  expect(verdict(await home.accept(await home.tokenTo(email)))).toBe("200");
});

test("revoke: 204, the link is dead; wrong-state afterwards, also of an accepted one", async () => {
  const { id } = (await invite()).json;
  const token = await home.tokenTo(email);
  expect(verdict(await home.call("DELETE", `/invitations/${id}`))).toBe("204");
  expect(verdict(await home.accept(token))).toBe("401 token-invalid");
  const accepted = (await invite()).json;
  await home.accept(await home.tokenTo(email));
  for (const [target, state] of [
    [id, "revoked"],
    [accepted.id, "accepted"],
  ]) {
    for (const [method, path] of [
      ["DELETE", ""],
      ["POST", "/resend"],
    ] as const) {
      const answer = await home.call(method, `/invitations/${target}${path}`);
      expect([verdict(answer), answer.json.state]).toEqual(["409 wrong-state", state]);
    }
  }
  expect(await home.recordsOf(id)).toEqual(["auth.invitation.created", "auth.invitation.revoked"]);
  expect(await home.eventsOf("invitationId", id)).toContain("auth.invitation.revoked");
});

test("nobody invites beyond their own, nor sends such a link anew", async () => {
  const { token } = await home.holder("hr@example.com", ["users.*"]);
  expect(verdict(await invite({ roles: ["admin"] }, token))).toBe("403 permission-escalation");
  expect(verdict(await invite({ roles: ["owner"] }))).toBe("409 owner-protected");
  const { id } = (await invite({ roles: ["admin"] })).json;
  const again = await home.call("POST", `/invitations/${id}/resend`, undefined, token);
  expect(verdict(again)).toBe("403 permission-escalation");
  expect(verdict(await invite({}, token))).toBe("201");
});

const bad: [object, string, string][] = [
  [{ email: "x" }, "email", "INVALID_FORMAT"],
  [{ roles: [] }, "roles", "TOO_FEW"],
  [{ roles: ["nope"] }, "roles[0]", "NOT_ALLOWED"],
  [{ name: "x".repeat(101) }, "name", "TOO_LONG"],
  [{ password: "x" }, "password", "UNKNOWN_FIELD"],
];
for (const [more, field, code] of bad) {
  test(`400: ${JSON.stringify(more).slice(0, 40)}`, async () => {
    const answer = await invite(more);
    expect(verdict(answer)).toBe("400 validation-error");
    expect(answer.json.errors).toMatchObject([{ field, code }]);
  });
}

describe("who may", () => {
  test("another tenant's and unknown ones are 404", async () => {
    const { id } = (await invite()).json;
    await home.call("POST", "/tenants", { name: "B", type: "client", ownerEmail: "b@x.yz" });
    const { accessToken } = (await home.accept(await home.tokenTo("b@x.yz"))).json;
    for (const [target, token] of [[id, accessToken], [nobody], ["x"]] as const) {
      const paths = [`/invitations/${target}/resend`, `/invitations/${target}`] as const;
      expect(verdict(await home.call("POST", paths[0], undefined, token))).toBe("404 not-found");
      expect(verdict(await home.call("DELETE", paths[1], undefined, token))).toBe("404 not-found");
    }
  });

  test("403 forbidden without the permission of each row", async () => {
    const { token } = await home.holder("x@example.com", ["roles.*", "users.update"]);
    for (const [method, path, body] of [
      ["POST", "", { email }],
      ["GET", ""],
      ["POST", `/${nobody}/resend`],
      ["DELETE", `/${nobody}`],
    ] as const) {
      const answer = await home.call(method, `/invitations${path}`, body, token);
      expect(verdict(answer)).toBe("403 forbidden");
    }
  });
});

test("the owner of a new tenant is invited, and that invitation stays", async () => {
  const made = await home.call("POST", "/tenants", {
    ...{ name: "B", type: "client", ownerEmail: "b@x.yz" },
  });
  const { people, store, clock } = home;
  const tenantId = 2;
  const [asked] = await people.invitation.list(tenantId, undefined, 1_000, 10, clock.nowMs());
  expect(asked?.roles).toEqual(["owner"]);
  const by = { actor: { type: "system", id: "test" } } as const;
  const revoke = store.write((tx) =>
    people.invitation.revoke(tx, tenantId, asked?.uuid ?? "", by, clock.nowMs()),
  );
  expect(revoke).rejects.toMatchObject({ slug: "wrong-state" });
  const { json } = await home.accept(await home.tokenTo("b@x.yz"));
  expect(json.user).toMatchObject({ id: made.json.ownerId, roles: ["owner"] });
});
