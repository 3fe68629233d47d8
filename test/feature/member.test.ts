/** Members, tenants and key versions on a real store: numbers, states, refusals, what is told. */
import { describe, expect, test } from "bun:test";
import { uint32Max } from "../../schema/bound.ts";
import type { ProblemSlug } from "../../schema/problem.ts";
import { statement } from "../../schema/query/statement.ts";
import { Problem } from "../../src/domain/problem.ts";
import { slugOf } from "../../src/domain/tenant.ts";
import { type Foundation, foundations, operator, rejection, startMs } from "./foundation.ts";

const open = foundations();

async function refused(pending: Promise<unknown>, slug: ProblemSlug): Promise<void> {
  const fault = await rejection(pending);
  expect(fault).toBeInstanceOf(Problem);
  expect(fault).toMatchObject({ slug });
}

const insertCard = statement<
  [
    cardId: string,
    uuid: string,
    memberNo: number,
    status: number,
    keyVersion: number,
    expires: number | null,
  ]
>(
  "test.card",
  `INSERT INTO card (tenant_id, card_id, wallet_uuid, member_no, user_id, name, status, key_version,
     created_at_sec, expires_at_sec, blocked_at_sec, needs_validation, registered_at_ms)
   VALUES (1, ?1, ?2, ?3, 1, 'x', ?4, ?5, 1, ?6, iif(?4 = 0, NULL, 1), 0, 1)`,
);
const giveCard = (world: Foundation, memberNo: number, status: number, expires: number | null) =>
  world.store.write((tx) =>
    tx.run(insertCard, "a1b2c3d4e5f6", world.random.uuid(startMs), memberNo, status, 1, expires),
  );
const types = statement<[], { type: string }>(
  "test.types",
  "SELECT type FROM published_event ORDER BY event_no",
);

describe("members", () => {
  test("get the next number, or their own", async () => {
    const { member, store } = await open();
    const add = (name: string, userId?: number) =>
      member.add(1, { name, ...(userId !== undefined && { userId }) }, operator, startMs);
    const made = [await add("A"), await add("B", 40), await add("C")];
    expect(made.map(({ userId, status }) => [userId, status])).toEqual([
      [1, "active"],
      [40, "active"],
      [41, "active"],
    ]);
    await refused(add("D", 40), "already-exists");
    const found = await store.read((q) => member.find(q, 1, 40));
    expect(found).toMatchObject({ name: "B", email: null });
    expect(await store.read((q) => member.find(q, 1, 39))).toBeUndefined();
    await add("Last", uint32Max);
    await refused(add("E"), "ids-exhausted");
  });

  test("come in numbers", async () => {
    const { member, store } = await open();
    const steps: number[] = [];
    const made = await member.addMany(1, { name: "Siswa" }, 1_201, operator, startMs, (n) => {
      steps.push(n);
    });
    expect(made).toHaveLength(1_201);
    expect(made.at(-1)).toMatchObject({ userId: 1_201, name: "Siswa 1201" });
    expect(steps).toEqual([500, 1_000, 1_201]);
    expect((await member.list(1, 1_199, 10)).map((each) => each.userId)).toEqual([1_200, 1_201]);
    const created = (await store.read((q) => q.all(types))).filter(
      ({ type }) => type === "fleet.member.created",
    );
    expect(created).toHaveLength(1_201);
  });

  test("are suspended, resumed and closed for good", async () => {
    const { member, store } = await open();
    await member.add(1, { name: "A" }, operator, startMs);
    const status = async () => (await store.read((q) => member.find(q, 1, 1)))?.status;
    await member.suspend(1, 1, operator, startMs);
    await member.suspend(1, 1, operator, startMs);
    expect(await status()).toBe("suspended");
    await member.resume(1, 1, operator, startMs);
    await member.close(1, 1, operator, startMs);
    await member.close(1, 1, operator, startMs);
    expect(await status()).toBe("closed");
    await refused(member.resume(1, 1, operator, startMs), "wrong-state");
    await refused(member.suspend(1, 2, operator, startMs), "not-found");
    const told = (await store.read((q) => q.all(types))).slice(-4).map(({ type }) => type);
    expect(told).toEqual([
      "fleet.member.created",
      "fleet.member.updated",
      "fleet.member.updated",
      "fleet.member.closed",
    ]);
  });

  const nowSec = startMs / 1000;
  const cards: [string, number, number | null, boolean][] = [
    ["an ACTIVE card", 0, null, false],
    ["an ACTIVE card that ends later", 0, nowSec + 1, false],
    ["a card that ended", 0, nowSec, true],
    ["a blocked card", 4, null, true],
  ];
  for (const [what, code, expires, closes] of cards) {
    test(`with ${what} ${closes ? "can" : "cannot"} be closed`, async () => {
      const world = await open();
      const { memberNo } = await world.member.add(1, { name: "A" }, operator, startMs);
      await giveCard(world, memberNo, code, expires);
      const closing = world.member.close(1, 1, operator, startMs);
      if (closes) expect((await closing).status).toBe("closed");
      else await refused(closing, "in-use");
    });
  }

  const bad = [
    { name: "" },
    { name: "x".repeat(101) },
    { name: "a\u0000b" },
    { name: "A", email: "nobody" },
    { name: "A", userId: 0 },
    { name: "A", userId: uint32Max + 1 },
  ];
  for (const draft of bad) {
    test(`${JSON.stringify(draft).slice(0, 40)} is refused`, async () => {
      const { member } = await open();
      await refused(member.add(1, draft, operator, startMs), "validation-error");
    });
  }
});

describe("tenants", () => {
  test("the first comes once, with its owner", async () => {
    const { tenant } = await open();
    const again = { tenant: { name: "Again" }, ownerEmail: "a@b.c", ownerPassword: "x".repeat(12) };
    await refused(tenant.initialise(again, { actor: operator }, startMs), "wrong-state");
    expect(await tenant.tenantBySlug()).toMatchObject({ slug: "kantin-utama", type: "platform" });
  });

  test("a password is made where none is given, kept only as argon2id", async () => {
    const { tenant, store } = await open({ initialise: false });
    const first = { tenant: { name: "A" }, ownerEmail: "Owner@Example.com" };
    const made = await tenant.initialise(first, { actor: operator }, startMs);
    expect(made.ownerPassword).toHaveLength(24);
    expect(made.ownerEmail).toBe("owner@example.com");
    const users = statement<[], { password_hash: string; role: string }>(
      "test.users",
      `SELECT u.password_hash, r.name AS role FROM user_account u JOIN membership m USING (user_no)
       JOIN membership_role mr USING (membership_no) JOIN role r USING (role_no)`,
    );
    const [user] = await store.read((q) => q.all(users));
    expect(user?.role).toBe("owner");
    expect(user?.password_hash).toStartWith("$argon2id$");
    const isRight = await Bun.password.verify(made.ownerPassword ?? "", user?.password_hash ?? "");
    expect(isRight).toBe(true);
  });

  for (const password of ["short", "x".repeat(129), "Owner@Example.com"]) {
    test(`password of ${password.length} characters like that is refused`, async () => {
      const { tenant } = await open({ initialise: false });
      const first = { tenant: { name: "A" }, ownerEmail: "owner@example.com" };
      const init = tenant.initialise(
        { ...first, ownerPassword: password },
        { actor: operator },
        startMs,
      );
      await refused(init, "validation-error");
    });
  }

  test("further ones start with a policy and key version 1", async () => {
    const { tenant, policy, keys } = await open();
    const { tenantId, slug } = await tenant.addTenant(
      { name: "Pasar Malam!" },
      { actor: operator },
      startMs,
    );
    expect(slug).toBe("pasar-malam");
    expect((await policy.effective(tenantId, null, 0)).policyVersion).toBe(1);
    expect((await keys.ring(tenantId)).primary).toBe(1);
    await refused(
      tenant.addTenant({ name: "pasar malam" }, { actor: operator }, startMs),
      "already-exists",
    );
    await refused(
      tenant.addTenant({ name: "X", timezone: "Mars/Base" }, { actor: operator }, startMs),
      "validation-error",
    );
    await refused(
      tenant.addTenant({ name: "X", currency: "rp" }, { actor: operator }, startMs),
      "validation-error",
    );
    const all = await tenant.listTenants();
    expect(all.map((each) => each.slug)).toEqual(["kantin-utama", "pasar-malam"]);
    expect(await tenant.tenantBySlug("pasar-malam")).toMatchObject({ tenantId });
    expect(await tenant.tenantBySlug("none")).toBeUndefined();
  });

  const slugs: [string, string][] = [
    ["Kantin Utama", "kantin-utama"],
    ["  A & B  ", "a-b"],
    ["日本", "tenant-89abcdef"],
    ["x".repeat(80), "x".repeat(32)],
  ];
  for (const [name, slug] of slugs)
    test(`slug of ${name}`, () => expect(slugOf(name, "0123-89abcdef")).toBe(slug));
});

describe("key versions", () => {
  const all = (world: Foundation) => world.keys.list(1, startMs);

  test("are created, activated and retired in their order", async () => {
    const world = await open();
    const { keys } = world;
    const made = await keys.create(1, "autumn", operator, startMs);
    expect(made).toMatchObject({
      keyVersion: 2,
      status: "created",
      primary: false,
      note: "autumn",
    });
    expect([...(await keys.ring(1)).keys.keys()]).toEqual([1]);
    await refused(keys.retire(1, 1, true, operator, startMs), "wrong-state");
    await keys.activate(1, 2, operator, startMs);
    const ring = await keys.ring(1);
    expect([ring.primary, ...ring.keys.keys()]).toEqual([2, 1, 2]);
    expect(ring.keys.get(1)?.text).not.toBe(ring.keys.get(2)?.text);
    await keys.activate(1, 1, operator, startMs);
    expect((await keys.ring(1)).primary).toBe(1);
    await keys.activate(1, 2, operator, startMs);
    await keys.retire(1, 1, false, operator, startMs);
    expect((await all(world)).map((each) => [each.keyVersion, each.status, each.primary])).toEqual([
      [1, "retired", false],
      [2, "active", true],
    ]);
    await refused(keys.activate(1, 1, operator, startMs), "wrong-state");
    await refused(keys.activate(1, 3, operator, startMs), "not-found");
  });

  test("retiring wipes the key in memory and the version is served no more", async () => {
    const { keys, store } = await open();
    await keys.create(1, null, operator, startMs);
    await keys.activate(1, 2, operator, startMs);
    const old = (await keys.ring(1)).keys.get(1);
    expect(old?.text).toHaveLength(44);
    expect(await store.read((q) => keys.isActive(q, 1, 1))).toBe(true);
    await keys.retire(1, 1, false, operator, startMs);
    expect(old?.text).toBeUndefined();
    expect(await store.read((q) => keys.isActive(q, 1, 1))).toBe(false);
    expect((await keys.ring(1)).keys.has(1)).toBe(false);
  });

  test("that ACTIVE cards carry is retired by force alone", async () => {
    const world = await open();
    const { keys } = world;
    const { memberNo } = await world.member.add(1, { name: "A" }, operator, startMs);
    await giveCard(world, memberNo, 0, null);
    await keys.create(1, null, operator, startMs);
    await keys.activate(1, 2, operator, startMs);
    expect((await all(world)).map((each) => each.activeCards)).toEqual([1, 0]);
    await refused(keys.retire(1, 1, false, operator, startMs), "in-use");
    expect(await keys.retire(1, 1, true, operator, startMs)).toMatchObject({ status: "retired" });
  });

  test("end at 255", async () => {
    const { keys } = await open();
    for (let version = 2; version <= 255; version++) await keys.create(1, null, operator, startMs);
    await refused(keys.create(1, null, operator, startMs), "ids-exhausted");
    await refused(keys.create(1, "x".repeat(201), operator, startMs), "validation-error");
  });

  test("give the same session key after a restart, and none under another master key", async () => {
    const world = await open();
    const key = (await world.keys.ring(1)).keys.get(1)?.text;
    const { directory } = world;
    const again = await open({ directory, initialise: false, seed: 8 });
    expect((await again.keys.ring(1)).keys.get(1)?.text).toBe(key ?? "");
    const masterKey = new Uint8Array(32).fill(6);
    const wrong = await open({ directory, initialise: false, masterKey });
    expect(await rejection(wrong.keys.ring(1))).toMatchObject({ name: "SealBroken" });
    expect(await rejection(wrong.signing.signer("grt_"))).toMatchObject({ name: "SealBroken" });
  });
});
