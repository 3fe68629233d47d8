/** Policies on a real store: what is effective at once after a change, and what a change tells. */
import { describe, expect, test } from "bun:test";
import { statement } from "../../schema/query/statement.ts";
import { OperatorRefused } from "../../src/domain/operator.ts";
import type { PolicyChange } from "../../src/domain/policy.ts";
import type { PolicyTarget } from "../../src/feature/policy/service.ts";
import { commissioned, foundations, operator, rejection, startMs } from "./foundation.ts";

const open = foundations();
const tenant: PolicyTarget = { scope: "tenant" };
const hall: PolicyTarget = { scope: "zone", zone: "Hall" };
const till: PolicyTarget = { scope: "device", deviceId: "till" };

async function venue() {
  const world = await open();
  const { identity } = await commissioned(world, "till", "terminal", "Hall");
  const effective = () => world.policy.effective(1, identity.zoneNo, identity.deviceNo);
  const set = (target: PolicyTarget, change: PolicyChange) =>
    world.policy.set(1, target, change, operator, startMs);
  return { world, identity, effective, set };
}

const told = statement<[], { data: string }>(
  "test.policyEvents",
  "SELECT data FROM published_event WHERE type = 'fleet.policy.changed' ORDER BY event_no",
);
const audited = statement<[], { detail: string }>(
  "test.policyAudit",
  `SELECT d.detail FROM audit a JOIN audit_detail d USING (tenant_id, seq)
   WHERE a.action = 'fleet.policy.changed' ORDER BY a.seq`,
);
const faultOf = async (pending: Promise<unknown>) => {
  const fault = await rejection(pending);
  expect(fault).toBeInstanceOf(OperatorRefused);
  return fault as OperatorRefused;
};

describe("effective", () => {
  test("follows each change at once: tenant, zone, device, and back", async () => {
    const { effective, set } = await venue();
    const seen = async () => {
      const { maxBalance, policyVersion } = await effective();
      return [maxBalance, policyVersion];
    };
    expect(await seen()).toEqual([5_000_000, 1]);
    expect(await set(tenant, { maxBalance: 6_000_000 })).toBe(2);
    expect(await seen()).toEqual([6_000_000, 2]);
    await set(hall, { maxBalance: 7_000_000 });
    expect(await seen()).toEqual([7_000_000, 3]);
    await set(till, { maxBalance: 8_000_000 });
    expect(await seen()).toEqual([8_000_000, 4]);
    await set(till, { maxBalance: null });
    expect(await seen()).toEqual([7_000_000, 5]);
  });

  test("is the same object until something changes, and another device's is its own", async () => {
    const { world, effective, set } = await venue();
    const before = await effective();
    expect(await effective()).toBe(before);
    const other = await commissioned(world, "till 2".replace(" ", "-"), "terminal");
    await set(till, { dailyLimit: 1 });
    const { zoneNo, deviceNo } = other.identity;
    expect((await world.policy.effective(1, zoneNo, deviceNo)).dailyLimit).toBe(2_000_000);
    expect((await effective()).dailyLimit).toBe(1);
  });

  test("can be read inside a transaction, uncommitted changes included, without being kept", async () => {
    const { world, identity, effective } = await venue();
    const seen = await world.store.write((tx) =>
      world.policy.effective(1, identity.zoneNo, identity.deviceNo, tx),
    );
    expect(seen).toEqual(await effective());
  });

  test("of another tenant is untouched", async () => {
    const { world, set } = await venue();
    const other = await world.tenant.addTenant(
      { name: "Other", currency: "EUR" },
      { actor: operator },
      startMs,
    );
    await set(tenant, { maxBalance: 6_000_000 });
    const policy = await world.policy.effective(other.tenantId, null, 0);
    expect(policy).toMatchObject({ maxBalance: 5_000_000, policyVersion: 1, currency: "EUR" });
  });
});

describe("changing", () => {
  test("is audited and told, with the fields that changed", async () => {
    const { world, set } = await venue();
    await set(tenant, { dailyLimit: 3_000_000, blockedStatuses: 0b110, maxBalance: null });
    const [event] = await world.store.read((q) => q.all(told));
    expect(JSON.parse(event?.data ?? "")).toMatchObject({
      scope: "tenant",
      policyVersion: 2,
      fields: ["dailyLimit", "blockedStatuses"],
    });
    const [record] = await world.store.read((q) => q.all(audited));
    expect(JSON.parse(record?.detail ?? "")).toMatchObject({
      before: { dailyLimit: null, blockedStatuses: null },
      after: { dailyLimit: 3_000_000, blockedStatuses: [1, 2] },
    });
  });

  test("to what is there changes nothing", async () => {
    const { world, effective, set } = await venue();
    await set(tenant, { dailyLimit: 3_000_000 });
    expect(await set(tenant, { dailyLimit: 3_000_000 })).toBe(2);
    expect((await effective()).policyVersion).toBe(2);
    expect(await world.store.read((q) => q.all(told))).toHaveLength(1);
  });

  test("the tenant's refused statuses tells the blocklist; a device's does not", async () => {
    const { world, set } = await venue();
    await set(till, { blockedStatuses: 0 });
    await set(tenant, { dailyLimit: 1 });
    expect(world.relisted).toEqual([]);
    await set(tenant, { blockedStatuses: 0b10 });
    await set(tenant, { blockedStatuses: null });
    expect(world.relisted).toEqual([
      [1, 0b10],
      [1, 0b11110],
    ]);
  });

  test("that would break a narrower scope is refused and leaves nothing behind", async () => {
    const { effective, set } = await venue();
    await set(till, { singleTxLimit: 4_000_000 });
    const fault = await faultOf(set(tenant, { maxBalance: 3_000_000 }));
    expect(fault).toMatchObject({ slug: "validation-error", field: "maxBalance" });
    expect(await effective()).toMatchObject({ maxBalance: 5_000_000, policyVersion: 2 });
    await set(till, { singleTxLimit: null });
    await set(tenant, { maxBalance: 3_000_000 });
    expect(await effective()).toMatchObject({ maxBalance: 3_000_000, policyVersion: 4 });
  });

  const refused: [string, PolicyTarget, PolicyChange, string][] = [
    ["out of range", tenant, { maxBalance: 16_000_001 }, "validation-error"],
    ["a week below a day", tenant, { weeklyLimit: 1_999_999 }, "validation-error"],
    ["grant life of a zone", hall, { grantTtlSec: 3_600 }, "validation-error"],
    ["an unknown zone", { scope: "zone", zone: "None" }, { dailyLimit: 1 }, "not-found"],
    ["an unknown device", { scope: "device", deviceId: "none" }, { dailyLimit: 1 }, "not-found"],
  ];
  for (const [what, target, change, slug] of refused) {
    test(`${what}: ${slug}`, async () => {
      const { world, set } = await venue();
      expect((await faultOf(set(target, change))).slug).toBe(slug as OperatorRefused["slug"]);
      expect(await world.store.read((q) => q.all(told))).toEqual([]);
    });
  }

  test("show says where each value comes from", async () => {
    const { world, set } = await venue();
    await set(hall, { dailyLimit: 1_000_000 });
    const at = async (target: PolicyTarget) => {
      const { values, sources } = await world.policy.show(1, target);
      return [values.dailyLimit, sources.dailyLimit];
    };
    expect(await at(tenant)).toEqual([2_000_000, "default"]);
    expect(await at(hall)).toEqual([1_000_000, "zone"]);
    expect(await at(till)).toEqual([1_000_000, "zone"]);
  });
});

test("a device of another tenant is not there", async () => {
  const { world } = await venue();
  const other = await world.tenant.addTenant({ name: "Other" }, { actor: operator }, startMs);
  const show: Promise<unknown> = world.policy.show(other.tenantId, till);
  expect((await faultOf(show)).slug).toBe("not-found");
});
