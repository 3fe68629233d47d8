/** Policies and key versions over the operators' routes: scopes, sources, versions, rotations. */
import { describe, expect, test } from "bun:test";
import { statement } from "../../schema/query/statement.ts";
import { outcome, type Venue, venues } from "../harness.ts";
import { Desk, dataOf, type Heard } from "./desk.ts";

const open = venues();
const nobody = "01936d7a-0000-7000-8000-00000000dead";

async function desk(): Promise<{ venue: Venue; at: Desk }> {
  const venue = await open();
  return { venue, at: new Desk(venue) };
}

const must = (heard: Heard, status: number): Record<string, unknown> => {
  if (heard.status !== status) throw new Error(`${heard.status} ${heard.text}`);
  return heard.json;
};

const published = async (venue: Venue, type: string): Promise<Record<string, unknown>[]> =>
  (
    await venue.rows<{ data: string }>(
      "SELECT data FROM published_event WHERE type LIKE ?1 ORDER BY event_no",
      type,
    )
  ).map(({ data }) => JSON.parse(data));

const inheriting = {
  ...{ maxBalance: null, singleTxLimit: null, dailyLimit: null, weeklyLimit: null },
  ...{ blockedStatuses: null, clockDriftAllowanceSec: null, grantTtlSec: null, allowedOps: null },
};

/** A terminal in a zone, and the policies there are. */
async function hall() {
  const { venue, at } = await desk();
  const device = await venue.device("terminal", { deviceId: "till", zone: "Hall" });
  const [till] = dataOf(await at.get("/fleet/devices"));
  const [zone] = dataOf(await at.get("/fleet/zones"));
  const effective = async () => must(await at.get(`/fleet/devices/${till?.id}/policy`), 200);
  const create = (scope: "zone" | "device", more: object) =>
    at.post("/fleet/policies", { scope, scopeId: scope === "zone" ? zone?.id : till?.id, ...more });
  const [tenant] = dataOf(await at.get("/fleet/policies?scope=tenant"));
  const change = (id: unknown, body: object) => at.send("PATCH", `/fleet/policies/${id}`, body);
  return { venue, at, device, till, zone, tenant, effective, create, change };
}

describe("/fleet/policies", () => {
  test("the tenant's is there from the start, and stays", async () => {
    const { at, tenant } = await hall();
    const [row] = await at.venue.rows<{ uuid: string }>("SELECT uuid FROM tenant");
    expect(tenant).toEqual({
      ...{ id: tenant?.id, scope: "tenant", scopeId: row?.uuid, ...inheriting },
      ...{ createdAt: tenant?.createdAt, updatedAt: tenant?.updatedAt, version: 1 },
    });
    const heard = await at.send("DELETE", `/fleet/policies/${tenant?.id}`);
    expect([heard.outcome, heard.json.state]).toEqual(["409 wrong-state", "tenant"]);
  });

  test("device → zone → tenant → default, each value with whose it is; devices follow at once", async () => {
    const { venue, at, device, zone, till, tenant, effective, create, change } = await hall();
    expect(await effective()).toEqual({
      ...{ maxBalance: 5_000_000, singleTxLimit: 1_000_000, dailyLimit: 2_000_000 },
      ...{ weeklyLimit: 5_000_000, blockedStatuses: [1, 2, 3, 4], clockDriftAllowanceSec: 3_600 },
      grantTtlSec: 28_800,
      allowedOps: {
        terminal: ["read", "debit", "checkin", "checkout"],
        gate: ["read", "checkin", "checkout"],
        station: ["read", "checkout", "topup", "reissue", "block"],
      },
      sources: Object.fromEntries(Object.keys(inheriting).map((field) => [field, "default"])),
      policyVersion: 1,
    });
    const heard = await create("zone", { dailyLimit: 900, blockedStatuses: [4, 1] });
    const ofZone = must(heard, 201);
    expect(heard.headers.get("location")).toBe(`/api/v1/fleet/policies/${ofZone.id}`);
    expect(ofZone).toEqual({
      ...{ id: ofZone.id, scope: "zone", scopeId: zone?.id, ...inheriting, dailyLimit: 900 },
      ...{ blockedStatuses: [1, 4], createdAt: ofZone.createdAt, updatedAt: ofZone.updatedAt },
      version: 1,
    });
    expect(must(await at.get(`/fleet/policies/${ofZone.id}`), 200)).toEqual(ofZone);
    must(await create("device", { maxBalance: 7_000, singleTxLimit: 7_000 }), 201);
    const body = {
      ...{ version: 1, grantTtlSec: 3_600, weeklyLimit: 6_000_000 },
      allowedOps: { gate: ["checkout", "read"], station: [] },
    };
    expect(must(await change(tenant?.id, body), 200)).toMatchObject({
      allowedOps: { terminal: null, gate: ["read", "checkout"], station: [] },
      version: 2,
    });
    const now = await effective();
    expect(now).toMatchObject({
      ...{ maxBalance: 7_000, dailyLimit: 900, weeklyLimit: 6_000_000, grantTtlSec: 3_600 },
      allowedOps: { gate: ["read", "checkout"], station: [] },
      ...{ blockedStatuses: [1, 4], policyVersion: 4 },
      sources: {
        ...{ maxBalance: "device", singleTxLimit: "device", dailyLimit: "zone" },
        ...{ weeklyLimit: "tenant", blockedStatuses: "zone", clockDriftAllowanceSec: "default" },
        ...{ grantTtlSec: "tenant", allowedOps: "tenant" },
      },
    });
    const { json } = await device.call("GET", "/api/policy");
    expect(json).toMatchObject({ maxBalance: 7_000, dailyLimit: 900, policyVersion: 4 });
    const expiresAt = (await device.grant()).expiresAt;
    expect(expiresAt).toBe(venue.clock.nowSec() + 3_600);
    // What inherits again, and what is taken away, is the wider scope's.
    must(await change(ofZone.id, { version: 1, dailyLimit: null }), 200);
    expect((await effective()).dailyLimit).toBe(2_000_000);
    must(await change(tenant?.id, { version: 2, allowedOps: { gate: null } }), 200);
    must(await at.send("DELETE", `/fleet/policies/${ofZone.id}`), 204);
    expect(await effective()).toMatchObject({
      ...{ blockedStatuses: [1, 2, 3, 4], policyVersion: 7 },
      allowedOps: { gate: ["read", "checkin", "checkout"], station: [] },
    });
    const told = await published(venue, "fleet.policy.changed");
    expect(told.map(({ scope, policyVersion }) => [scope, policyVersion])).toEqual([
      ...[
        ["zone", 2],
        ["device", 3],
        ["tenant", 4],
        ["zone", 5],
        ["tenant", 6],
        ["zone", 7],
      ],
    ]);
    expect(told[2]).toMatchObject({
      fields: ["weeklyLimit", "grantTtlSec", "allowedOps.gate", "allowedOps.station"],
    });
    expect(dataOf(await at.get(`/fleet/policies?scopeId=${till?.id}`))).toHaveLength(1);
  });

  test("version is due, and raised by every PATCH that is taken; a stale one is refused", async () => {
    const { tenant, effective, change } = await hall();
    expect((await change(tenant?.id, { dailyLimit: 5 })).json.errors).toMatchObject([
      { field: "version", code: "REQUIRED" },
    ]);
    must(await change(tenant?.id, { version: 1, dailyLimit: 5 }), 200);
    const stale = await change(tenant?.id, { version: 1, dailyLimit: 6 });
    expect([stale.outcome, stale.json.currentVersion]).toEqual(["409 version-conflict", 2]);
    expect(must(await change(tenant?.id, { version: 2 }), 200)).toMatchObject({ version: 3 });
    // Nothing is another value: devices have nothing to read anew.
    expect((await effective()).policyVersion).toBe(2);
  });

  test("already-exists, unknown scopes, and those of another tenant", async () => {
    const { venue, at, create } = await hall();
    must(await create("zone", {}), 201);
    const again = await create("zone", { dailyLimit: 1 });
    expect([again.outcome, again.json.field]).toEqual(["409 already-exists", "scopeId"]);
    const other = await venue.addTenant();
    await other.device("gate", { zone: "Theirs" });
    const [device] = await venue.rows<{ uuid: string }>(
      "SELECT uuid FROM device WHERE tenant_id = ?1",
      other.tenantId,
    );
    const [policy] = await venue.rows<{ uuid: string }>(
      "SELECT uuid FROM policy WHERE tenant_id = ?1",
      other.tenantId,
    );
    for (const scopeId of [device?.uuid, nobody]) {
      for (const scope of ["zone", "device"]) {
        const heard = await at.post("/fleet/policies", { scope, scopeId });
        expect(heard.outcome).toBe("404 not-found");
      }
    }
    const clerk = await at.colleague("clerk@example.com", ["fleet.policies.read"]);
    const guard = await at.colleague("guard@example.com", ["fleet.keys.read"]);
    for (const id of [policy?.uuid, nobody, "x"]) {
      const path = `/fleet/policies/${id}`;
      for (const [method, body] of [["GET"], ["PATCH", { version: 1 }], ["DELETE"]] as const) {
        expect((await at.send(method, path, body)).outcome).toBe("404 not-found");
        const read = method === "GET" ? "404 not-found" : "403 forbidden";
        expect((await clerk.send(method, path, body)).outcome).toBe(read);
        expect((await guard.send(method, path, body)).outcome).toBe("403 forbidden");
      }
    }
    const draft = { scope: "zone", scopeId: nobody };
    expect((await clerk.post("/fleet/policies", draft)).outcome).toBe("403 forbidden");
    expect((await guard.get("/fleet/policies")).outcome).toBe("403 forbidden");
    expect(dataOf(await clerk.get("/fleet/policies"))).toHaveLength(2);
  });

  test("400 with field and code, and nothing stored", async () => {
    const { venue, tenant, create, change, effective } = await hall();
    const ofDevice = must(await create("device", { dailyLimit: 4_000_000 }), 201);
    const before = await venue.rows("SELECT * FROM policy");
    const patches: [object, string, string][] = [
      [{ maxBalance: 16_000_001 }, "maxBalance", "TOO_LARGE"],
      [{ maxBalance: -1 }, "maxBalance", "TOO_SMALL"],
      [{ singleTxLimit: 0 }, "singleTxLimit", "TOO_SMALL"],
      [{ dailyLimit: 4_294_967_296 }, "dailyLimit", "TOO_LARGE"],
      [{ weeklyLimit: "5" }, "weeklyLimit", "INVALID_TYPE"],
      [{ blockedStatuses: [0] }, "blockedStatuses[0]", "TOO_SMALL"],
      [{ blockedStatuses: [1, 1] }, "blockedStatuses[1]", "DUPLICATE"],
      [{ clockDriftAllowanceSec: 86_401 }, "clockDriftAllowanceSec", "TOO_LARGE"],
      [{ grantTtlSec: 3_599 }, "grantTtlSec", "TOO_SMALL"],
      [{ allowedOps: { gate: ["fly"] } }, "allowedOps.gate[0]", "NOT_ALLOWED"],
      [{ allowedOps: { scout: [] } }, "allowedOps.scout", "UNKNOWN_FIELD"],
      [{ hardCeiling: 1 }, "hardCeiling", "UNKNOWN_FIELD"],
      [{ weeklyLimit: 1_999_999 }, "weeklyLimit", "TOO_SMALL"],
      [{ dailyLimit: 5_000_001 }, "dailyLimit", "TOO_LARGE"],
      [{ singleTxLimit: 5_000_001 }, "singleTxLimit", "TOO_LARGE"],
      [{ maxBalance: 999_999 }, "maxBalance", "TOO_SMALL"],
      // It fits the tenant, and not the device, which inherits it.
      [{ weeklyLimit: 3_000_000 }, "weeklyLimit", "TOO_SMALL"],
    ];
    for (const [body, field, code] of patches) {
      const heard = await change(tenant?.id, { version: 1, ...body });
      expect([JSON.stringify(body), heard.outcome]).toEqual([
        ...[JSON.stringify(body), "400 validation-error"],
      ]);
      expect(heard.json.detail).toBe("The request body contains invalid fields.");
      expect(heard.json.errors).toMatchObject([{ field, code }]);
    }
    for (const field of ["grantTtlSec", "allowedOps"]) {
      const value = field === "grantTtlSec" ? 3_600 : {};
      const made = await create("zone", { [field]: value });
      expect(made.json.errors).toMatchObject([{ field, code: "NOT_ALLOWED" }]);
    }
    const ttl = await change(ofDevice.id, { version: 1, grantTtlSec: 3_600 });
    expect(ttl.json.errors).toMatchObject([{ field: "grantTtlSec", code: "NOT_ALLOWED" }]);
    expect(await venue.rows("SELECT * FROM policy")).toEqual(before);
    expect((await effective()).policyVersion).toBe(2);
  });

  test("in-use: a policy that a device's own limits lean on", async () => {
    const { at, create } = await hall();
    const ofZone = must(await create("zone", { weeklyLimit: 9_000_000 }), 201);
    const ofDevice = must(await create("device", { dailyLimit: 8_000_000 }), 201);
    const path = `/fleet/policies/${ofZone.id}`;
    expect((await at.send("DELETE", path)).outcome).toBe("409 in-use");
    must(await at.send("DELETE", `/fleet/policies/${ofDevice.id}`), 204);
    must(await at.send("DELETE", path), 204);
  });
});

describe("/fleet/key-versions", () => {
  test("made, made primary, retired when no card carries it; never a key in an answer", async () => {
    const { venue, at } = await desk();
    const station = await venue.working("station");
    const terminal = await venue.device("terminal");
    const first = await terminal.grant();
    const card = await venue.card(station);
    const heard = await at.post("/fleet/key-versions", { note: "yearly" });
    expect(must(heard, 201)).toEqual({
      ...{ keyVersion: 2, status: "created", primary: false, activeCards: 0, note: "yearly" },
      ...{ createdAt: "2025-05-08T10:26:40.000Z", activatedAt: null, retiredAt: null },
    });
    expect(heard.headers.get("location")).toBe("/api/v1/fleet/key-versions/2");
    const asked = async (version: number) =>
      outcome(await terminal.call("GET", `/api/session-grant?keyVersion=${version}`));
    expect(await asked(2)).toBe("422 invalid_key_version");
    expect(must(await at.post("/fleet/key-versions/2/activate", undefined), 200)).toMatchObject({
      ...{ status: "active", primary: true },
    });
    expect(must(await at.post("/fleet/key-versions/2/activate", {}), 200)).toMatchObject({
      primary: true,
    });
    const second = await terminal.grant();
    expect([second.keyVersion, second.sessionKey === first.sessionKey]).toEqual([2, false]);
    expect(await asked(1)).toBe("200");
    const retire = (version: number, body?: object) =>
      at.post(`/fleet/key-versions/${version}/retire`, body);
    expect((await retire(2)).outcome).toBe("409 wrong-state");
    expect((await retire(1)).outcome).toBe("409 in-use");
    const rekey = { keyVersion: 2, operatorId: 7, timestamp: venue.clock.nowSec() };
    await station.call("POST", `/api/cards/${card.cardId}/rekey`, rekey);
    const counts = dataOf(await at.get("/fleet/key-versions"));
    expect(counts.map(({ keyVersion, activeCards }) => [keyVersion, activeCards])).toEqual([
      ...[
        [2, 1],
        [1, 0],
      ],
    ]);
    const ended = must(await retire(1), 200);
    expect(ended).toMatchObject({ status: "retired", retiredAt: "2025-05-08T10:26:40.000Z" });
    expect(must(await retire(1, { force: true }), 200)).toEqual(ended);
    expect(await asked(1)).toBe("422 invalid_key_version");
    const back = await at.post("/fleet/key-versions/1/activate", {});
    expect([back.outcome, back.json.state]).toEqual(["409 wrong-state", "retired"]);
    const told = await venue.rows<{ type: string }>(
      "SELECT type FROM published_event WHERE type LIKE 'fleet.key.%' ORDER BY event_no",
    );
    expect(told.map(({ type }) => type)).toEqual([
      ...["fleet.key.created", "fleet.key.activated", "fleet.key.retired"],
    ]);
    const actor = { type: "user", id: expect.any(String) };
    expect((await published(venue, "fleet.key.%"))[0]).toEqual({ keyVersion: 2, actor });
    for (const { text } of [await at.get("/fleet/key-versions"), heard]) {
      expect(text).not.toContain(String(second.sessionKey));
      expect(text).not.toMatch(/secret|sealed/i);
    }
  });

  test("a version that ACTIVE cards carry goes by force alone; expired cards do not count", async () => {
    const { venue, at } = await desk();
    const station = await venue.working("station");
    await venue.card(station, { expiresAt: venue.clock.nowSec() + 100 });
    await venue.card(station);
    must(await at.post("/fleet/key-versions", {}), 201);
    must(await at.post("/fleet/key-versions/2/activate", {}), 200);
    const carried = async () =>
      dataOf(await at.get("/fleet/key-versions")).find(({ keyVersion }) => keyVersion === 1)
        ?.activeCards;
    expect(await carried()).toBe(2);
    venue.clock.advance(100);
    expect(await carried()).toBe(1);
    const retire = (force: boolean) => at.post("/fleet/key-versions/1/retire", { force });
    expect((await retire(false)).outcome).toBe("409 in-use");
    expect(must(await retire(true), 200)).toMatchObject({ status: "retired", activeCards: 1 });
  });

  test("255 at most; what is refused", async () => {
    const { venue, at } = await desk();
    const last = statement<[]>(
      "test.lastVersion",
      `INSERT INTO key_version (tenant_id, key_version, status, sealed_secret, created_at_ms)
       VALUES (1, 255, 'created', zeroblob(72), 1)`,
    );
    await venue.kartu.store.write((tx) => tx.run(last));
    expect((await at.post("/fleet/key-versions", {})).outcome).toBe("409 ids-exhausted");
    const { json } = await at.post("/fleet/key-versions", { note: "x".repeat(201) });
    expect(json.errors).toMatchObject([{ field: "note", code: "TOO_LONG" }]);
    const forced = await at.post("/fleet/key-versions/1/retire", { force: 1 });
    expect(forced.json.errors).toMatchObject([{ field: "force", code: "INVALID_TYPE" }]);
    const clerk = await at.colleague("clerk@example.com", ["fleet.keys.read"]);
    const guard = await at.colleague("guard@example.com", ["fleet.flags.read"]);
    for (const version of ["9", "0", "01", "x", "256", "1e1"]) {
      for (const step of ["activate", "retire"]) {
        const path = `/fleet/key-versions/${version}/${step}`;
        expect([path, (await at.post(path, {})).outcome]).toEqual([path, "404 not-found"]);
        expect((await clerk.post(path, {})).outcome).toBe("403 forbidden");
      }
    }
    expect((await clerk.post("/fleet/key-versions", {})).outcome).toBe("403 forbidden");
    expect((await guard.get("/fleet/key-versions")).outcome).toBe("403 forbidden");
    expect(dataOf(await clerk.get("/fleet/key-versions?limit=1"))).toMatchObject([
      { keyVersion: 255 },
    ]);
  });
});
