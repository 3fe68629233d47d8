/** What signing in tells others: each event's data, the record of the same name, and nothing secret. */
import { describe, expect, spyOn, test } from "bun:test";
import { statement } from "../../schema/query/statement.ts";
import { stepOf, totpCode } from "../../src/domain/totp.ts";
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
const events = statement<[], { tenant_id: number; type: string; data: string }>(
  "test.told",
  "SELECT tenant_id, type, data FROM published_event ORDER BY event_no",
);
const records = statement<
  [],
  { tenant_id: number; action: string; entity_id: string; detail: string; pii: string | null }
>(
  "test.recorded",
  `SELECT a.tenant_id, a.action, a.entity_id, d.detail, d.pii
   FROM audit AS a JOIN audit_detail AS d ON d.tenant_id = a.tenant_id AND d.seq = a.seq
   ORDER BY a.tenant_id, a.seq`,
);

const told = async (world: Entrance, type: string) =>
  (await world.store.read((q) => q.all(events)))
    .filter((row) => row.type === type)
    .map((row) => ({ tenantId: row.tenant_id, data: JSON.parse(row.data) }));

const recorded = async (world: Entrance, action: string) =>
  (await world.store.read((q) => q.all(records)))
    .filter((row) => row.action === action)
    .map((row) => ({
      tenantId: row.tenant_id,
      entityId: row.entity_id,
      detail: JSON.parse(row.detail),
      pii: row.pii === null ? null : JSON.parse(row.pii),
    }));

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function codeOf(world: Entrance, secret: string, steps = 0): string {
  let bits = "";
  for (const letter of secret) bits += alphabet.indexOf(letter).toString(2).padStart(5, "0");
  const bytes = Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
  return totpCode(bytes, stepOf(Math.floor(world.clock.nowMs() / 1000)) + steps);
}

describe("the data of each event, and its record", () => {
  test("auth.user.logged_in: who, where, from where and how", async () => {
    const world = await open();
    const { user, tenantId } = await register(world, { email });
    const [event] = await told(world, "auth.user.logged_in");
    const data = { userId: user.id, tenantId, ip: "127.0.0.1", method: "password" };
    expect(event).toEqual({
      tenantId: 2,
      data: { ...data, userAgent: expect.stringContaining("Bun") },
    });
    const [record] = await recorded(world, "auth.user.logged_in");
    expect(record).toMatchObject({
      entityId: user.id,
      detail: { actorType: "user", userId: user.id, metadata: { method: "password" } },
      pii: { ip: "127.0.0.1" },
    });
  });

  test("a person's own changes are told in every tenant that they are in", async () => {
    const world = await open();
    const { accessToken: token, user } = await register(world, { email });
    const root = await world.people.access.tenant(1);
    await joinTenant(world, user.id, root?.uuid ?? "");
    await world.call("PATCH", "/auth/me", { token, json: { name: "D", locale: "id" } });
    const link = await linked(world, email, "ev_");
    await post(world, "/auth/verify-email", 200, { json: { token: link } });
    const { secret } = await post(world, "/auth/mfa/enable", 200, { token });
    await post(world, "/auth/mfa/verify", 200, { token, json: { code: codeOf(world, secret) } });
    const disabling = { password: phrase, code: codeOf(world, secret, 1) };
    await post(world, "/auth/mfa/disable", 204, { token, json: disabling });
    const change = { currentPassword: phrase, password: "another pass phrase" };
    await post(world, "/auth/change-password", 204, { token, json: change });
    const userId = user.id;
    const wanted: [string, unknown][] = [
      ["auth.user.updated", { userId, fields: ["name", "locale"] }],
      ["auth.email.verified", { userId }],
      ["auth.mfa.enabled", { userId }],
      ["auth.mfa.disabled", { userId }],
      ["auth.password.changed", { userId }],
    ];
    for (const [type, data] of wanted) {
      const both = [1, 2].map((tenantId) => ({ tenantId, data }));
      expect([type, (await told(world, type)).sort((a, b) => a.tenantId - b.tenantId)]).toEqual([
        type,
        both,
      ]);
      expect((await recorded(world, type)).map(({ entityId }) => entityId)).toEqual([
        userId,
        userId,
      ]);
    }
  });

  test("auth.session.revoked and auth.token.reuse_detected: who, which family, from where", async () => {
    const world = await open();
    const { accessToken: token, refreshToken, user } = await register(world, { email });
    const sid = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString()).sid;
    await post(world, "/auth/refresh", 200, { json: { refreshToken } });
    world.clock.advance(11);
    await refusal(world, "POST", "/auth/refresh", { json: { refreshToken } });
    const data = { userId: user.id, sid, ip: "127.0.0.1" };
    expect(await told(world, "auth.token.reuse_detected")).toEqual([{ tenantId: 2, data }]);
    const login = { json: { email, password: phrase } };
    const next = await post(world, "/auth/login", 200, login);
    await post(world, "/auth/logout", 204, { token: next.accessToken });
    const [ended] = await told(world, "auth.session.revoked");
    expect(ended?.data).toEqual({ userId: user.id, sid: expect.any(String), ip: "127.0.0.1" });
    expect(ended?.data.sid).not.toBe(sid);
  });

  test("auth.impersonation.started: in the tenant and in the root; the record says who acts", async () => {
    const world = await open();
    const { tenantId } = await register(world, { email });
    const { accessToken: token, user } = await world.login();
    const json = { tenantId, reason: "other", note: "A question of theirs." };
    const { expiresAt } = await post(world, "/auth/impersonate", 200, { token, json });
    const data = { userId: user.id, tenantId, reason: "other", expiresAt };
    expect(await told(world, "auth.impersonation.started")).toEqual([
      { tenantId: 1, data },
      { tenantId: 2, data },
    ]);
    const [record] = await recorded(world, "auth.impersonation.started");
    expect(record?.detail.metadata).toMatchObject({ note: "A question of theirs." });
  });

  test("auth.login.failed is a record without an event, with its reason", async () => {
    const world = await open();
    const { user } = await register(world, { email });
    const json = { email, password: "wrong" };
    await refusal(world, "POST", "/auth/login", { json });
    expect(await told(world, "auth.login.failed")).toEqual([]);
    expect(await recorded(world, "auth.login.failed")).toMatchObject([
      { tenantId: 2, entityId: user.id, detail: { metadata: { reason: "invalid-credentials" } } },
    ]);
  });
});

test("no password, token, code or email of a stranger is in any record or event", async () => {
  const world = await open();
  const { accessToken: token, refreshToken } = await register(world, { email });
  const { secret, recoveryCodes } = await post(world, "/auth/mfa/enable", 200, { token });
  await post(world, "/auth/refresh", 200, { json: { refreshToken } });
  const strange = { email: "stranger@example.com", password: "a strange password" };
  await refusal(world, "POST", "/auth/login", { json: strange });
  await post(world, "/auth/request-reset", 202, { json: { email: strange.email } });
  await post(world, "/auth/request-reset", 202, { json: { email } });
  const secrets = [
    ...[phrase, token, refreshToken, secret, ...recoveryCodes, strange.email, strange.password],
    ...[await linked(world, email, "ev_"), await linked(world, email, "pr_")],
  ];
  const all = JSON.stringify([
    await world.store.read((q) => q.all(events)),
    await world.store.read((q) => q.all(records)),
  ]);
  for (const each of secrets) expect(all.includes(each)).toBe(false);
});

test("an email that nobody has costs a hash, too, and so does a person without a password", async () => {
  const world = await open();
  const verify = spyOn(world.people.passwords, "verify");
  const json = { email: "nobody@example.com", password: "wrong" };
  await refusal(world, "POST", "/auth/login", { json });
  expect(verify.mock.calls).toEqual([["wrong", null]]);
});

describe("bad input is 400 with the field at fault, and does nothing", () => {
  const uuid = "0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a";
  const long = "x".repeat(129);
  const cases: [string, unknown, string, string][] = [
    ["/auth/login", { password: "x" }, "email", "REQUIRED"],
    ["/auth/login", { email, password: "" }, "password", "TOO_SHORT"],
    ["/auth/login", { email, password: long }, "password", "TOO_LONG"],
    ["/auth/login", { email, password: "x", mfaCode: "12345" }, "mfaCode", "INVALID_FORMAT"],
    ["/auth/login", { email, password: "x", tenantId: "x" }, "tenantId", "INVALID_FORMAT"],
    ["/auth/login", { email, password: "x", useCookie: "yes" }, "useCookie", "INVALID_TYPE"],
    ["/auth/login", { email, password: "x", name: "x" }, "name", "UNKNOWN_FIELD"],
    ["/auth/exchange", {}, "apiKey", "REQUIRED"],
    ["/auth/exchange", { apiKey: "x", code: "x" }, "code", "NOT_ALLOWED"],
    ["/auth/select-tenant", { tenantId: uuid }, "sessionToken", "REQUIRED"],
    ["/auth/select-tenant", { sessionToken: "x", tenantId: "1" }, "tenantId", "INVALID_FORMAT"],
    ["/auth/switch-tenant", {}, "tenantId", "REQUIRED"],
    ["/auth/accept-invite", { token: "x" }, "password", "REQUIRED"],
    ["/auth/logout", { refreshToken: 1 }, "refreshToken", "INVALID_TYPE"],
    ["/auth/logout-all", { all: true }, "all", "UNKNOWN_FIELD"],
    ["/auth/stream-ticket", { x: 1 }, "x", "UNKNOWN_FIELD"],
    ["/auth/impersonate", { tenantId: uuid, reason: "fun" }, "reason", "NOT_ALLOWED"],
    ["/auth/change-password", { password: phrase }, "currentPassword", "REQUIRED"],
    ["/auth/mfa/enable", { x: 1 }, "x", "UNKNOWN_FIELD"],
    ["/auth/mfa/verify", {}, "code", "REQUIRED"],
    ["/auth/mfa/disable", { code: "123456" }, "password", "REQUIRED"],
    ["/auth/mfa/recovery-codes", { code: "1234567" }, "code", "INVALID_FORMAT"],
    ["/auth/request-verify-email", { x: 1 }, "x", "UNKNOWN_FIELD"],
    ["/auth/verify-email", { token: "" }, "token", "TOO_SHORT"],
    ["/auth/request-reset", { email: "x" }, "email", "INVALID_FORMAT"],
    ["/auth/reset-password", { token: "x", password: "short" }, "password", "TOO_SHORT"],
  ];
  test("of every call", async () => {
    const world = await open();
    await register(world, { email });
    const { accessToken: token } = await world.login();
    for (const [path, json, field, code] of cases) {
      const { status, json: body } = await world.call("POST", path, { token, json });
      expect([path, status, body.errors?.[0]]).toEqual([
        path,
        400,
        { field, code, message: expect.any(String) },
      ]);
    }
  });
});
