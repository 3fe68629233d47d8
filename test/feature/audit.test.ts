/** The audit chain and the event log on a real store: what stands, what falls, what tampering shows. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { auditTalliesMax } from "../../schema/bound.ts";
import { statement } from "../../schema/query/statement.ts";
import type { AuditRecord } from "../../src/domain/audit.ts";
import { auditService } from "../../src/feature/audit/service.ts";
import { type Store, StoreUnavailable } from "../../src/store/seam.ts";
import { type Foundation, foundations, operator, rejection, startMs } from "./foundation.ts";

const open = foundations();
const record = (entityId: string, more: Partial<AuditRecord> = {}): AuditRecord => ({
  ...{ tenantId: 1, atMs: startMs, action: "test.thing.done", entityType: "thing", entityId },
  ...{ actor: operator, ...more },
});
const append = (world: Foundation, each: AuditRecord) =>
  world.store.write((tx) => world.audit.append(tx, each));
const faults = (world: Foundation) => world.store.read((q) => world.audit.verify(q));

const things = statement<[], { seq: number; entity_id: string }>(
  "test.things",
  "SELECT seq, entity_id FROM audit WHERE action = 'test.thing.done' ORDER BY seq",
);
const metadataOf = statement<[action: string], { entity_id: string; detail: string }>(
  "test.metadata",
  `SELECT a.entity_id, d.detail FROM audit a JOIN audit_detail d USING (tenant_id, seq)
   WHERE a.action = ?1 ORDER BY a.seq`,
);
const tallied = async (world: Foundation) => {
  const found = await world.store.read((q) => q.all(metadataOf, "test.thing.refused"));
  return found.map((row) => ({ of: row.entity_id, ...JSON.parse(row.detail).metadata }));
};

describe("chain", () => {
  test("counts without gaps, also across refused writes", async () => {
    const world = await open();
    const first = await append(world, record("a"));
    const lost = world.store.write(async (tx) => {
      await world.audit.append(tx, record("lost"));
      await world.audit.append(tx, record("lost too"));
      throw new Error("no");
    });
    const next = append(world, record("b"));
    expect(String(await rejection(lost))).toContain("no");
    expect(await next).toBe(first + 1);
    const kept = await world.store.read((q) => q.all(things));
    expect(kept).toEqual([
      { seq: first, entity_id: "a" },
      { seq: first + 1, entity_id: "b" },
    ]);
    expect(await faults(world)).toEqual([]);
  });

  test("is one a tenant, several records a transaction", async () => {
    const world = await open();
    const other = await world.tenant.addTenant({ name: "Other" }, { actor: operator }, startMs);
    const many = Array.from({ length: 40 }, (_, i) =>
      world.store.write(async (tx) => {
        await world.audit.append(tx, record(`${i}`, { ip: "10.0.0.1", userAgent: "é" }));
        return await world.audit.append(tx, record(`${i}`, { tenantId: other.tenantId }));
      }),
    );
    const seqs = await Promise.all(many);
    expect(seqs).toEqual(Array.from({ length: 40 }, (_, i) => (seqs[0] ?? 0) + i));
    expect(await faults(world)).toEqual([]);
  });

  test("goes on where it stood after a restart", async () => {
    const world = await open();
    const last = await append(world, record("a"));
    const again = await open({ directory: world.directory, initialise: false, seed: 8 });
    expect(await append(again, record("b"))).toBe(last + 1);
    expect(await faults(again)).toEqual([]);
  });

  const tampering: [string, string, string][] = [
    ["a word", "UPDATE audit SET action = 'x.y.z' WHERE seq = 2", "hash"],
    ["a time", "UPDATE audit SET at_ms = at_ms + 1 WHERE seq = 2", "hash"],
    ["a detail", "UPDATE audit_detail SET detail = '{}' WHERE seq = 2", "detail"],
    ["a personal part", "UPDATE audit_detail SET pii = NULL WHERE seq = 2", "personal"],
    ["a link", "UPDATE audit SET prev_hash = zeroblob(32) WHERE seq = 2", "link"],
    ["a missing record", "DELETE FROM audit WHERE seq = 2", "gap"],
    ["a missing detail", "DELETE FROM audit_detail WHERE seq = 2", "detail"],
  ];
  for (const [what, sql, fault] of tampering) {
    test(`shows ${what}`, async () => {
      const world = await open({ initialise: false });
      const file = new Database(world.path);
      file.run("PRAGMA foreign_keys = OFF");
      file.run(`INSERT INTO tenant (tenant_id, uuid, slug, name, type, depth, status,
        currency, timezone, locale, policy_version, blocklist_version, created_at_ms, updated_at_ms, version)
        VALUES (1, '0196b0a0-0000-7000-8000-000000000001', 's', 'n', 'platform', 0, 'active', 'IDR', 'UTC',
        'en', 1, 0, 0, 0, 1)`);
      for (const id of ["a", "b", "c"]) await append(world, record(id, { ip: "10.0.0.1" }));
      expect(await faults(world)).toEqual([]);
      for (const { name } of file
        .query("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .all() as {
        name: string;
      }[]) {
        file.run(`DROP TRIGGER ${name}`);
      }
      file.run(sql);
      file.close();
      const [found] = await faults(world);
      expect(found).toMatchObject({ tenantId: 1, fault });
    });
  }

  test("holds when a personal part is blanked as anonymising does", async () => {
    const world = await open();
    const seq = await append(world, record("a", { ip: "10.0.0.1", after: { name: "x" } }));
    const blank = statement<[seq: number]>(
      "test.blank",
      `UPDATE audit_detail SET pii = NULL, pii_salt = NULL, detail = '{}', redacted = 1
       WHERE tenant_id = 1 AND seq = ?1`,
    );
    await world.store.write((tx) => tx.run(blank, seq));
    expect(await faults(world)).toEqual([]);
  });
});

describe("tallies", () => {
  const refused = (entityId: string, reason = "invalid_credentials") => ({
    ...{ tenantId: 1, action: "test.thing.refused", entityType: "device", entityId, reason },
    facts: { deviceId: `till ${entityId}` },
  });

  test("one record a thing, reason and minute, once the minute is over", async () => {
    const world = await open();
    const minuteMs = Math.floor(startMs / 60_000) * 60_000;
    for (let i = 0; i < 5; i++) world.audit.tally(refused("a"), minuteMs + i);
    world.audit.tally(refused("a", "rate_limited"), minuteMs + 59_999);
    world.audit.tally(refused("b"), minuteMs + 60_000);
    await world.audit.flushTallies(minuteMs + 59_999);
    expect(await tallied(world)).toEqual([]);
    await world.audit.flushTallies(minuteMs + 60_001);
    const minute = new Date(minuteMs).toISOString();
    const deviceId = "till a";
    expect(await tallied(world)).toEqual([
      { of: "a", deviceId, reason: "invalid_credentials", count: 5, minute },
      { of: "a", deviceId, reason: "rate_limited", count: 1, minute },
    ]);
    await world.audit.flushTallies(minuteMs + 60_001, true);
    expect(await tallied(world)).toHaveLength(3);
    await world.audit.flushTallies(minuteMs + 200_000);
    expect(await tallied(world)).toHaveLength(3);
  });

  test("are bounded, and no count is lost at the bound", async () => {
    const world = await open();
    const count = auditTalliesMax + 50;
    for (let i = 0; i < count; i++) world.audit.tally(refused(`${i}`), startMs);
    await world.audit.flushTallies(startMs, true);
    const all = await tallied(world);
    expect(all.reduce((sum, each) => sum + each.count, 0)).toBe(count);
    expect(all.length).toBeLessThanOrEqual(count);
  });

  test("survive a store that fails for a while", async () => {
    const world = await open();
    const { store, random } = world;
    let isDown = true;
    const flaky: Store = {
      ...{ read: store.read.bind(store), close: store.close.bind(store) },
      ...{ keep: () => undefined, settle: () => Promise.resolve() },
      write: (work, options) =>
        isDown ? Promise.reject(new StoreUnavailable("down")) : store.write(work, options),
    };
    const audit = auditService({ store: flaky, random });
    audit.tally(refused("a"), startMs);
    expect(await rejection(audit.flushTallies(startMs, true))).toBeInstanceOf(StoreUnavailable);
    audit.tally(refused("a"), startMs);
    isDown = false;
    await audit.flushTallies(startMs, true);
    expect(await tallied(world)).toMatchObject([{ of: "a", count: 2 }]);
  });
});

describe("events", () => {
  const published = statement<[type: string], { data: string }>(
    "test.published",
    "SELECT data FROM published_event WHERE type = ?1 ORDER BY event_no",
  );

  test("stand or fall with their transaction", async () => {
    const world = await open();
    const draft = (n: number) => ({
      tenantId: 1,
      type: "test.thing.done",
      data: { n },
      atMs: startMs,
    });
    await world.store.write((tx) => world.event.publish(tx, draft(1)));
    const lost = world.store.write(async (tx) => {
      await world.event.publish(tx, draft(2));
      throw new Error("no");
    });
    await rejection(lost);
    const rows = await world.store.read((q) => q.all(published, "test.thing.done"));
    expect(rows).toEqual([{ data: '{"n":1}' }]);
  });
});
