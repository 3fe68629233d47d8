/** Devices and their tokens on a real store: registering, commissioning, and what kills a token. */
import { describe, expect, test } from "bun:test";
import { deviceSecretLifeSec, terminalIdMax } from "../../schema/bound.ts";
import type { ProblemSlug } from "../../schema/problem.ts";
import { statement } from "../../schema/query/statement.ts";
import { Problem } from "../../src/domain/problem.ts";
import { Refused } from "../../src/domain/refused.ts";
import {
  commissioned,
  type Foundation,
  findBy,
  foundations,
  operator,
  rejection,
  startMs,
  surfaceOf,
  tokenTtlSec,
} from "./foundation.ts";

const open = foundations();
const registered = (world: Foundation, deviceId: string) =>
  world.devices.register(1, { deviceId, role: "terminal" }, operator, world.clock.nowMs());
const commission = (world: Foundation, deviceId: string, secret: string, role = "terminal") =>
  world.tokens.commission({ deviceId, secret, role }, "10.0.0.1", world.clock.nowMs());

async function refused(pending: Promise<unknown>, slug: ProblemSlug): Promise<void> {
  const fault = await rejection(pending);
  expect(fault).toBeInstanceOf(Problem);
  expect(fault).toMatchObject({ slug });
}

async function codeOf(pending: Promise<unknown>): Promise<string> {
  const fault = await rejection(pending);
  expect(fault).toBeInstanceOf(Refused);
  return (fault as Refused).code;
}

const actions = statement<[pattern: string], { action: string; entity_id: string; detail: string }>(
  "test.actions",
  `SELECT a.action, a.entity_id, d.detail FROM audit a JOIN audit_detail d USING (tenant_id, seq)
   WHERE a.action LIKE ?1 ORDER BY a.tenant_id, a.seq`,
);
const audited = (world: Foundation, pattern: string) =>
  world.store.read((q) => q.all(actions, pattern));
const published = statement<[type: string], { data: string }>(
  "test.published",
  "SELECT data FROM published_event WHERE type = ?1 ORDER BY event_no",
);

describe("registering", () => {
  test("gives the next terminalId, a settlement account and a secret that is not kept", async () => {
    const world = await open();
    const first = await registered(world, "till-1");
    expect(first.device).toMatchObject({
      terminalId: 1,
      status: "active",
      zone: null,
      userId: null,
    });
    expect(first.secret).toMatch(/^ks_[A-Za-z0-9_-]{43}$/);
    expect(first.secretExpiresAtSec).toBe(startMs / 1000 + deviceSecretLifeSec);
    const second = await world.devices.register(
      1,
      { deviceId: "till-2", role: "gate", name: "Gate", zone: "Hall" },
      operator,
      startMs,
    );
    expect(second.device).toMatchObject({
      terminalId: 2,
      role: "gate",
      name: "Gate",
      zone: "Hall",
    });
    const wallets = statement<[], { system_key: string }>(
      "test.wallets",
      "SELECT system_key FROM wallet WHERE system_key LIKE 'settlement:%' ORDER BY wallet_no",
    );
    const keys = await world.store.read((q) => q.all(wallets));
    expect(keys.map((row) => row.system_key)).toEqual(["settlement:1", "settlement:2"]);
    const file = await Bun.file(world.path).bytes();
    const log = await Bun.file(`${world.path}-wal`).bytes();
    for (const bytes of [file, log]) {
      expect(Buffer.from(bytes).includes(first.secret.slice(3))).toBe(false);
    }
    const zones = await world.devices.zones(1);
    expect(zones.map((zone) => zone.name)).toEqual(["Hall"]);
  });

  test("the code holds the address, the device and the secret", async () => {
    const { secret, qr } = await registered(await open(), "till-1");
    expect(qr.payload).toBe(
      `{"v":1,"url":"https://kartu.example/api","deviceId":"till-1","role":"terminal","secret":"${secret}"}`,
    );
    expect(qr.svg).toStartWith("<svg");
  });

  test("a number is never given twice, not after retiring either", async () => {
    const world = await open();
    await registered(world, "till-1");
    await registered(world, "till-2");
    await world.devices.retire(1, "till-2", operator, startMs);
    expect((await registered(world, "till-3")).device.terminalId).toBe(3);
    await refused(registered(world, "till-2"), "already-exists");
    const jump = statement<[terminalId: number]>(
      "test.jump",
      "UPDATE device SET terminal_id = ?1 WHERE device_id = 'till-3'",
    );
    await world.store.write((tx) => tx.run(jump, terminalIdMax));
    await refused(registered(world, "till-4"), "ids-exhausted");
  });

  test("a device id is one on the whole server", async () => {
    const world = await open();
    const other = await world.tenant.addTenant({ name: "Other" }, { actor: operator }, startMs);
    await registered(world, "till-1");
    const draft = { deviceId: "till-1", role: "gate" } as const;
    await refused(
      world.devices.register(other.tenantId, draft, operator, startMs),
      "already-exists",
    );
    expect(await world.devices.list(other.tenantId, 0, 10)).toEqual([]);
  });

  test("only a scout is bound, and to a member who is there", async () => {
    const world = await open();
    await world.member.add(1, { name: "A" }, operator, startMs);
    const register = (deviceId: string, role: "scout" | "gate", userId: number) =>
      world.devices.register(1, { deviceId, role, userId }, operator, startMs);
    expect((await register("scout-1", "scout", 1)).device.userId).toBe(1);
    await refused(register("gate-1", "gate", 1), "validation-error");
    await refused(register("scout-2", "scout", 2), "not-found");
    await world.member.close(1, 1, operator, startMs);
    await refused(register("scout-3", "scout", 1), "not-found");
  });

  for (const deviceId of ["", "a b", "ü", "x".repeat(129)]) {
    test(`${JSON.stringify(deviceId.slice(0, 9))} is no device id`, async () => {
      await refused(registered(await open(), deviceId), "validation-error");
    });
  }
});

describe("commissioning", () => {
  test("turns the secret into a token of the device", async () => {
    const world = await open();
    const { secret } = await registered(world, "till-1");
    const answer = await commission(world, "till-1", secret);
    expect(answer).toEqual({
      token: expect.stringMatching(/^kt_[A-Za-z0-9_-]{43}$/),
      expiresAt: startMs / 1000 + tokenTtlSec,
      deviceId: "till-1",
      role: "terminal",
      terminalId: 1,
    });
    expect(await findBy(world, answer.token)).toMatchObject({
      ...{ tenantId: 1, deviceId: "till-1", terminalId: 1, role: "terminal" },
      ...{ zoneNo: null, memberNo: null, suspendedAtSec: null },
    });
    const [issued] = await audited(world, "fleet.device.token_issued");
    expect(issued?.detail).not.toContain(secret);
    expect(issued?.detail).not.toContain(answer.token);
    expect(await findBy(world, `${answer.token.slice(0, -1)}x`)).toBeNull();
  });

  test("can be repeated until a token is used; each repeat kills the token before", async () => {
    const world = await open();
    const { secret } = await registered(world, "till-1");
    const lost = await commission(world, "till-1", secret);
    const kept = await commission(world, "till-1", secret);
    expect(await findBy(world, lost.token)).toBeNull();
    expect(await findBy(world, kept.token)).not.toBeNull();
    expect(await codeOf(commission(world, "till-1", secret))).toBe("invalid_credentials");
    expect(await findBy(world, kept.token)).not.toBeNull();
    const events = await world.store.read((q) => q.all(published, "fleet.device.commissioned"));
    expect(events.map((row) => JSON.parse(row.data).deviceId)).toEqual(["till-1"]);
  });

  test("the first use spends the secret durably, however many come at once", async () => {
    const world = await open();
    const { secret } = await registered(world, "till-1");
    const { token } = await commission(world, "till-1", secret);
    const found = await Promise.all(Array.from({ length: 20 }, () => findBy(world, token)));
    expect(found.every((device) => device?.deviceId === "till-1")).toBe(true);
    const again = await open({ directory: world.directory, initialise: false, seed: 8 });
    expect(await codeOf(commission(again, "till-1", secret))).toBe("invalid_credentials");
    expect(await audited(world, "fleet.device.commissioned")).toHaveLength(1);
  });

  test("a secret lapses after seven days, a token after its life", async () => {
    const world = await open();
    const { secret } = await registered(world, "till-1");
    world.clock.advance(deviceSecretLifeSec - 1);
    const { token, expiresAt } = await commission(world, "till-1", secret);
    world.clock.advance(1);
    expect(await codeOf(commission(world, "till-1", secret))).toBe("invalid_credentials");
    world.clock.advance(expiresAt - world.clock.nowMs() / 1000 - 1);
    expect(await findBy(world, token)).not.toBeNull();
    world.clock.advance(1);
    expect(await findBy(world, token)).toBeNull();
  });

  test("wrong secret, wrong role and unknown device are one answer; a suspended device is told so", async () => {
    const world = await open({ perMin: 0 });
    const { secret } = await registered(world, "till-1");
    const codes = [
      commission(world, "till-1", "ks_wrong"),
      commission(world, "till-1", secret, "gate"),
      commission(world, "till-2", secret),
    ].map(codeOf);
    expect(await Promise.all(codes)).toEqual(Array(3).fill("invalid_credentials"));
    expect(await codeOf(commission(world, "till-1", secret, "boss"))).toBe("invalid_role");
    expect(await codeOf(commission(world, "nobody", secret, "boss"))).toBe("invalid_role");
    await world.devices.suspend(1, "till-1", operator, startMs);
    expect(await codeOf(commission(world, "till-1", "ks_wrong"))).toBe("invalid_credentials");
    expect(await codeOf(commission(world, "till-1", secret))).toBe("device_suspended");
    await world.devices.resume(1, "till-1", operator, startMs);
    expect((await commission(world, "till-1", secret)).terminalId).toBe(1);
  });

  test("is limited a device, after the role and before the secret", async () => {
    const world = await open({ perMin: 5 });
    const { secret } = await registered(world, "till-1");
    for (let i = 0; i < 5; i++) {
      expect(await codeOf(commission(world, "till-1", "wrong"))).toBe("invalid_credentials");
    }
    expect(await codeOf(commission(world, "till-1", secret, "boss"))).toBe("invalid_role");
    const fault = await rejection(commission(world, "till-1", secret));
    expect(fault).toMatchObject({ code: "rate_limited", extra: { retryAfterSec: 12 } });
    world.clock.advance(12);
    expect((await commission(world, "till-1", secret)).deviceId).toBe("till-1");
  });

  test("refusals are counted once a device, reason and minute; unknown ones without their name", async () => {
    const world = await open({ perMin: 0 });
    const { device, secret } = await registered(world, "till-1");
    for (let i = 0; i < 3; i++) await codeOf(commission(world, "till-1", "guess"));
    await codeOf(commission(world, "till-1", secret, "boss"));
    await codeOf(commission(world, "stranger-1", "guess"));
    await codeOf(commission(world, "stranger-2", "guess"));
    await world.audit.flushTallies(startMs, true);
    const records = await audited(world, "fleet.device.token_refused");
    const told = records.map((row) => {
      const { reason, count } = JSON.parse(row.detail).metadata;
      return [row.entity_id, reason, count];
    });
    expect(told).toEqual([
      [device.id, "invalid_credentials", 3],
      [device.id, "invalid_role", 1],
      ["", "invalid_credentials", 2],
    ]);
    for (const { detail } of records) expect(detail).not.toMatch(/stranger|guess|boss/);
  });
});

describe("a live token", () => {
  const kill: [string, (world: Foundation) => Promise<unknown>][] = [
    ["revoke", (world) => world.devices.revoke(1, "till-1", operator, startMs)],
    ["retire", (world) => world.devices.retire(1, "till-1", operator, startMs)],
    ["a new secret", (world) => world.devices.newSecret(1, "till-1", false, operator, startMs)],
  ];
  for (const [what, act] of kill) {
    test(`is dead with the next call after ${what}, also after a restart`, async () => {
      const world = await open();
      const { token } = await commissioned(world, "till-1", "terminal");
      await act(world);
      expect(await findBy(world, token)).toBeNull();
      const again = await open({ directory: world.directory, initialise: false, seed: 8 });
      expect(await findBy(again, token)).toBeNull();
    });
  }

  test("outlives a new secret that keeps it, until that one is turned into a token", async () => {
    const world = await open();
    const { token } = await commissioned(world, "till-1", "terminal");
    const old = await world.devices.newSecret(1, "till-1", true, operator, startMs);
    const { secret } = await world.devices.newSecret(1, "till-1", true, operator, startMs);
    expect(await codeOf(commission(world, "till-1", old.secret))).toBe("invalid_credentials");
    expect(await findBy(world, token)).not.toBeNull();
    const fresh = await commission(world, "till-1", secret);
    expect(await findBy(world, token)).toBeNull();
    expect(await findBy(world, fresh.token)).not.toBeNull();
  });

  test("shows suspension and resumption at once", async () => {
    const world = await open();
    const { token } = await commissioned(world, "till-1", "terminal");
    await world.devices.suspend(1, "till-1", operator, startMs + 5_000);
    expect((await findBy(world, token))?.suspendedAtSec).toBe(startMs / 1000 + 5);
    await world.devices.resume(1, "till-1", operator, startMs);
    expect((await findBy(world, token))?.suspendedAtSec).toBeNull();
  });

  test("of a revoked device gives way to a new one under the same terminalId", async () => {
    const world = await open();
    const { token, identity } = await commissioned(world, "till-1", "terminal");
    await world.devices.revoke(1, "till-1", operator, startMs);
    const { secret } = await world.devices.newSecret(1, "till-1", false, operator, startMs);
    const fresh = await commission(world, "till-1", secret);
    expect(fresh.terminalId).toBe(identity.terminalId);
    expect(await findBy(world, fresh.token)).toEqual(identity);
    expect(await findBy(world, token)).toBeNull();
  });

  test("notes when the device called last", async () => {
    const world = await open();
    const { token } = await commissioned(world, "till-1", "terminal");
    world.clock.advance(90);
    await findBy(world, token);
    const seen = async () => (await world.devices.list(1, 0, 10)).map((each) => each.lastSeenAtMs);
    expect(await seen()).toEqual([startMs + 90_000]);
    await world.tokens.flushSeen();
    expect(world.tokens.lastSeenMs(1)).toBeUndefined();
    expect(await seen()).toEqual([startMs + 90_000]);
  });
});

describe("states", () => {
  test("a repeat changes and tells nothing", async () => {
    const world = await open();
    await registered(world, "till-1");
    const first = await world.devices.suspend(1, "till-1", operator, startMs, "lost");
    expect(await world.devices.suspend(1, "till-1", operator, startMs + 9)).toEqual(first);
    await world.devices.resume(1, "till-1", operator, startMs);
    await world.devices.resume(1, "till-1", operator, startMs);
    await world.devices.retire(1, "till-1", operator, startMs);
    await world.devices.retire(1, "till-1", operator, startMs);
    const told = (await audited(world, "fleet.device.%")).map((row) => row.action.slice(13));
    expect(told).toEqual(["registered", "suspended", "resumed", "retired"]);
  });

  test("a retired device stays so", async () => {
    const { devices, ...world } = await open();
    await devices.register(1, { deviceId: "till-1", role: "gate" }, operator, startMs);
    await devices.retire(1, "till-1", operator, startMs);
    await refused(devices.suspend(1, "till-1", operator, startMs), "wrong-state");
    await refused(devices.resume(1, "till-1", operator, startMs), "wrong-state");
    await refused(devices.newSecret(1, "till-1", false, operator, startMs), "wrong-state");
    await refused(devices.suspend(1, "none", operator, startMs), "not-found");
    await refused(devices.revoke(2, "till-1", operator, startMs), "not-found");
    expect(await world.store.read((q) => world.audit.verify(q))).toEqual([]);
  });

  test("what a device can do is listed by terminalId, a page at a time", async () => {
    const world = await open();
    for (let i = 1; i <= 5; i++) await registered(world, `till-${i}`);
    const page = await world.devices.list(1, 2, 2);
    expect(page.map((each) => each.deviceId)).toEqual(["till-3", "till-4"]);
  });
});

describe("POST /api/auth/token", () => {
  test("answers, and refuses in its order", async () => {
    const world = await open();
    const call = surfaceOf(world);
    const { secret } = await registered(world, "till-1");
    const post = (body: unknown) => call({ method: "POST", path: "/api/auth/token", body });
    const good = { deviceId: "till-1", secret, role: "terminal" };
    const errors: [unknown, number, string][] = [
      [{ ...good, role: 7 }, 400, "malformed_payload"],
      [{ ...good, more: 1 }, 400, "malformed_payload"],
      [{ ...good, deviceId: "x".repeat(129), role: "boss" }, 400, "malformed_payload"],
      [{ ...good, role: "boss", secret: "x" }, 422, "invalid_role"],
      [{ ...good, role: "" }, 422, "invalid_role"],
      [{ ...good, secret: "x" }, 401, "invalid_credentials"],
    ];
    for (const [body, status, error] of errors) {
      const answer = await post(body);
      expect([answer.status, answer.json.error]).toEqual([status, error]);
    }
    const answer = await post(good);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(Object.keys(answer.json)).toEqual([
      "token",
      "expiresAt",
      "deviceId",
      "role",
      "terminalId",
    ]);
    expect((await call({ path: "/api/policy", token: answer.json.token })).status).toBe(200);
    expect((await call({ path: "/api/policy", token: `${answer.json.token}x` })).status).toBe(401);
  });
});
