/** Grants on a real store: what is signed, what is kept, what it covers, and the routes around it. */
import { describe, expect, test } from "bun:test";
import { statement } from "../../schema/query/statement.ts";
import { grantKey, type SignedGrant, verifyGrant } from "../../src/domain/grant.ts";
import type { DeviceIdentity } from "../../src/domain/identity.ts";
import { Refused } from "../../src/domain/refused.ts";
import { addWindow, type GrantWindow, WindowMemory } from "../../src/domain/window.ts";
import {
  commissioned,
  type Foundation,
  foundations,
  operator,
  rejection,
  startMs,
  surfaceOf,
} from "./foundation.ts";

const open = foundations();
const startSec = startMs / 1000;

async function issue(
  world: Foundation,
  device: Parameters<Foundation["session"]["issue"]>[0],
  version?: number,
) {
  const { text, kid } = await world.session.issue(device, version, world.clock.nowMs());
  return { grant: JSON.parse(text) as SignedGrant, kid, text };
}

const grants = statement<
  [],
  { device_no: number; key_version: number; ops: number; expires_at_sec: number }
>(
  "test.grants",
  "SELECT device_no, key_version, ops, expires_at_sec FROM session_grant ORDER BY grant_no",
);

describe("a grant", () => {
  test("is signed by a published key over its four fields, and kept", async () => {
    const world = await open();
    const { identity } = await commissioned(world, "till-1", "terminal");
    const { grant, kid } = await issue(world, identity);
    expect(grant).toMatchObject({
      keyVersion: 1,
      expiresAt: startSec + 28_800,
      allowedOps: ["read", "debit", "checkin", "checkout"],
    });
    const published = await world.signing.publicKeys();
    expect(published.map((key) => key.kid)).toEqual([kid]);
    expect(kid).toStartWith("grt_");
    const key = grantKey(published[0] ?? { kty: "", crv: "", x: "", y: "" });
    expect(verifyGrant(grant, key)).toBe(true);
    expect(verifyGrant({ ...grant, expiresAt: grant.expiresAt + 1 }, key)).toBe(false);
    expect(await world.store.read((q) => q.all(grants))).toEqual([
      { device_no: identity.deviceNo, key_version: 1, ops: 15, expires_at_sec: grant.expiresAt },
    ]);
  });

  test("of one second is signed once for all of a role, each with its own row", async () => {
    const world = await open();
    const tills: DeviceIdentity[] = [];
    for (let i = 0; i < 5; i++)
      tills.push((await commissioned(world, `till-${i}`, "terminal")).identity);
    const gate = (await commissioned(world, "gate", "gate")).identity;
    const texts = await Promise.all(
      [...tills, ...tills].map(async (device) => (await issue(world, device)).text),
    );
    expect(new Set(texts).size).toBe(1);
    const other = await issue(world, gate);
    expect(other.grant.allowedOps).toEqual(["read", "checkin", "checkout"]);
    expect(other.grant.sessionKey).toBe(JSON.parse(texts[0] ?? "{}").sessionKey);
    expect(await world.store.read((q) => q.all(grants))).toHaveLength(11);
    world.clock.advance(1);
    const later = await issue(world, tills[0] ?? gate);
    expect(later.grant.expiresAt).toBe(startSec + 28_801);
  });

  test("follows the policy: life and operations", async () => {
    const world = await open();
    const { identity } = await commissioned(world, "till-1", "terminal");
    const change = { grantTtlSec: 3_600, "allowedOps.terminal": 0b11 };
    await world.policy.set(1, { scope: "tenant" }, change, operator, startMs);
    const { grant } = await issue(world, identity);
    expect(grant).toMatchObject({ expiresAt: startSec + 3_600, allowedOps: ["read", "debit"] });
  });

  test("is of the primary version, or of another active one on request", async () => {
    const world = await open();
    const { identity } = await commissioned(world, "till-1", "terminal");
    const before = await issue(world, identity);
    await world.keys.create(1, null, operator, startMs);
    const code = async (version?: number) => {
      const fault = await rejection(issue(world, identity, version));
      expect(fault).toBeInstanceOf(Refused);
      return (fault as Refused).code;
    };
    expect(await code(2)).toBe("invalid_key_version");
    await world.keys.activate(1, 2, operator, startMs);
    const fresh = await issue(world, identity);
    expect(fresh.grant.keyVersion).toBe(2);
    expect(fresh.grant.sessionKey).not.toBe(before.grant.sessionKey);
    expect((await issue(world, identity, 1)).grant.sessionKey).toBe(before.grant.sessionKey);
    await world.keys.retire(1, 1, false, operator, startMs);
    expect([await code(1), await code(3)]).toEqual(Array(2).fill("invalid_key_version"));
  });

  test("of a version that is retired while it waits is refused and not kept", async () => {
    const world = await open();
    const { identity } = await commissioned(world, "till-1", "terminal");
    await world.keys.create(1, null, operator, startMs);
    await world.keys.activate(1, 2, operator, startMs);
    await world.keys.ring(1);
    const retiring = world.keys.retire(1, 1, false, operator, startMs);
    const outcomes = await Promise.allSettled([issue(world, identity, 1), retiring]);
    await rejection(issue(world, identity, 1));
    const kept = await world.store.read((q) => q.all(grants));
    expect(kept).toHaveLength(outcomes[0].status === "fulfilled" ? 1 : 0);
  });

  test("is another tenant's with another key", async () => {
    const world = await open();
    const other = await world.tenant.addTenant({ name: "Other" }, { actor: operator }, startMs);
    const { identity } = await commissioned(world, "till-1", "terminal");
    const mine = await issue(world, identity);
    const theirs = await issue(world, { ...identity, tenantId: other.tenantId });
    expect(theirs.grant.sessionKey).not.toBe(mine.grant.sessionKey);
  });
});

describe("what was granted", () => {
  const covering = (world: Foundation, deviceNo: number, fromSec: number, toSec: number) =>
    world.store.read((q) => world.session.covering(q, deviceNo, fromSec, toSec));

  test("comes as spans, joined where they overlap, the same from memory and from the file", async () => {
    const world = await open();
    const { identity } = await commissioned(world, "till-1", "terminal");
    const { deviceNo } = identity;
    expect(await covering(world, deviceNo, 0, startSec)).toEqual([]);
    await issue(world, identity);
    world.clock.advance(3_600);
    await issue(world, identity);
    world.clock.advance(86_400);
    await issue(world, identity);
    const long = startSec + 90_000;
    const all = [
      { issuedSec: startSec, expiresSec: startSec + 3_600 + 28_800, ops: 15 },
      { issuedSec: long, expiresSec: long + 28_800, ops: 15 },
    ];
    expect(await covering(world, deviceNo, 0, long)).toEqual(all);
    const again = await open({ directory: world.directory, initialise: false, seed: 8 });
    expect(await covering(again, deviceNo, 0, long)).toEqual(all);
    expect(await covering(again, deviceNo, long - 10, long - 1)).toEqual([]);
    expect(await covering(again, deviceNo, long - 10, long)).toEqual(all.slice(1));
    const edge = startSec + 3_600 + 28_800;
    expect(await covering(again, deviceNo, edge, edge)).toEqual(all.slice(0, 1));
    expect(await covering(again, deviceNo, edge + 1, long - 1)).toEqual([]);
    expect(await covering(again, deviceNo + 1, 0, long)).toEqual([]);
  });

  test("of other operations stays apart", async () => {
    const world = await open();
    const { identity } = await commissioned(world, "till-1", "terminal");
    await issue(world, identity);
    await world.policy.set(1, { scope: "tenant" }, { "allowedOps.terminal": 1 }, operator, startMs);
    world.clock.advance(1);
    await issue(world, identity);
    const spans = await covering(world, identity.deviceNo, startSec, startSec + 9);
    expect(spans.map((span) => span.ops).sort()).toEqual([1, 15]);
  });

  test("an operation counts until its grant ends, also after a restart", async () => {
    const world = await open();
    const { identity } = await commissioned(world, "station", "station");
    const has = (of: Foundation, sec: number) => of.session.hasOp(identity, "topup", sec);
    expect(await has(world, startSec)).toBe(false);
    await issue(world, identity);
    expect(await has(world, startSec)).toBe(true);
    expect(await world.session.hasOp(identity, "debit", startSec)).toBe(false);
    const again = await open({ directory: world.directory, initialise: false, seed: 8 });
    for (const each of [world, again]) {
      expect(await has(each, startSec + 28_799)).toBe(true);
      expect(await has(each, startSec + 28_800)).toBe(false);
    }
  });

  test("openUntil is the latest end among those open then", async () => {
    const world = await open();
    const { identity } = await commissioned(world, "till-1", "terminal");
    const until = (sec: number, tenantId = 1) =>
      world.store.read((q) => world.session.openUntil(q, tenantId, sec));
    expect(await until(startSec)).toBeNull();
    await issue(world, identity);
    world.clock.advance(100);
    await issue(world, identity);
    expect(await until(startSec - 1)).toBeNull();
    expect(await until(startSec)).toBe(startSec + 28_800);
    expect(await until(startSec + 99)).toBe(startSec + 28_800);
    expect(await until(startSec + 100)).toBe(startSec + 28_900);
    expect(await until(startSec + 28_899)).toBe(startSec + 28_900);
    expect(await until(startSec + 28_900)).toBeNull();
    expect(await until(startSec, 2)).toBeNull();
  });
});

describe("spans in memory", () => {
  const span = (issuedSec: number, expiresSec: number, ops = 1): GrantWindow => ({
    ...{ issuedSec, expiresSec, ops },
  });

  test("join whatever order they come in", () => {
    const windows: GrantWindow[] = [];
    for (const each of [span(0, 10), span(20, 30), span(5, 9, 2), span(9, 21), span(40, 50)]) {
      addWindow(windows, each);
    }
    expect(windows).toEqual([span(5, 9, 2), span(0, 30), span(40, 50)]);
  });

  test("never mislead: what was read before a grant is not kept after it", () => {
    const memory = new WindowMemory(2);
    const mark = memory.loading(1);
    memory.add(1, span(0, 10));
    memory.loaded(1, mark, 0, []);
    expect(memory.get(1, 0)).toBeUndefined();
    const again = memory.loading(1);
    memory.drop(1);
    memory.loaded(1, again, 0, [span(0, 10)]);
    expect(memory.get(1, 0)).toBeUndefined();
  });

  test("know from when on they are complete, and are bounded", () => {
    const memory = new WindowMemory(2);
    for (const deviceNo of [1, 2, 3]) {
      memory.loaded(deviceNo, memory.loading(deviceNo), 100, [span(90, 110)]);
    }
    expect(memory.get(1, 100)).toBeUndefined();
    expect(memory.get(3, 100)).toEqual([span(90, 110)]);
    expect(memory.get(3, 99)).toBeUndefined();
  });
});

describe("routes", () => {
  test("GET /api/session-grant", async () => {
    const world = await open();
    const call = surfaceOf(world, 10);
    const path = "/api/session-grant";
    const { token } = await commissioned(world, "till-1", "terminal");
    const answer = await call({ path, token });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(Object.keys(answer.json)).toEqual([
      "keyVersion",
      "sessionKey",
      "expiresAt",
      "allowedOps",
      "signature",
    ]);
    const jwks = await call({ path: "/.well-known/jwks.json" });
    expect(jwks.headers.get("cache-control")).toBe("public, max-age=300");
    const key = jwks.json.keys.find(
      (each: { kid: string }) => each.kid === answer.headers.get("kartu-key-id"),
    );
    expect(verifyGrant(answer.json, grantKey(key))).toBe(true);
    expect(JSON.stringify(jwks.json)).not.toContain('"d"');
    const errors: [string, string, number, string][] = [
      ["?keyVersion=0", token, 400, "malformed_payload"],
      ["?keyVersion=256", token, 400, "malformed_payload"],
      ["?keyVersion=01", token, 400, "malformed_payload"],
      ["?keyVersion=2", token, 422, "invalid_key_version"],
      ["?x=1", token, 400, "malformed_payload"],
      ["", "", 401, "invalid_token"],
      ["", (await commissioned(world, "scout", "scout")).token, 403, "insufficient_role"],
    ];
    for (const [query, bearer, status, error] of errors) {
      const refusal = await call({ path: path + query, token: bearer });
      expect([query, refusal.status, refusal.json.error]).toEqual([query, status, error]);
    }
    await world.devices.suspend(1, "till-1", operator, startMs);
    expect((await call({ path, token })).json.error).toBe("terminal_suspended");
    await world.devices.revoke(1, "till-1", operator, startMs);
    expect((await call({ path, token })).json.error).toBe("invalid_token");
  });

  test("the eleventh grant of a minute is 429", async () => {
    const world = await open();
    const call = surfaceOf(world, 10);
    const { token } = await commissioned(world, "till-1", "terminal");
    for (let i = 0; i < 10; i++) {
      expect((await call({ path: "/api/session-grant", token })).status).toBe(200);
    }
    const answer = await call({ path: "/api/session-grant", token });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "6"]);
  });

  test("GET /api/policy with its ETag, while suspended too", async () => {
    const world = await open();
    const call = surfaceOf(world);
    const { token } = await commissioned(world, "till-1", "terminal", "Hall");
    await world.devices.suspend(1, "till-1", operator, startMs);
    const first = await call({ path: "/api/policy", token });
    expect(first.json).toEqual({
      ...{ maxBalance: 5_000_000, singleTxLimit: 1_000_000 },
      ...{ dailyLimit: 2_000_000, weeklyLimit: 5_000_000 },
      ...{ blockedStatuses: [1, 2, 3, 4], clockDriftAllowanceSec: 3_600 },
      ...{ hardCeiling: 16_000_000, currency: "IDR", timezone: "Asia/Jakarta" },
      ...{ sessionMaxSec: 86_400, policyVersion: 1 },
    });
    const tag = first.headers.get("etag") ?? "";
    const same = await call({ path: "/api/policy", token, headers: { "if-none-match": tag } });
    expect([same.status, same.json]).toEqual([304, null]);
    const hall = { scope: "zone", zone: "Hall" } as const;
    await world.policy.set(1, hall, { dailyLimit: 0 }, operator, startMs);
    const changed = await call({ path: "/api/policy", token, headers: { "if-none-match": tag } });
    expect([changed.status, changed.json.dailyLimit, changed.json.policyVersion]).toEqual([
      200, 0, 2,
    ]);
  });
});
