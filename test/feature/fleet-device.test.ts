/** Devices and zones as those who run a venue see and change them, over the server's own routes. */
import { describe, expect, test } from "bun:test";
import decodeQr from "jsqr";
import { statement } from "../../schema/query/statement.ts";
import { type Chain, type DeviceUnderTest, outcome, type Venue, venues } from "../harness.ts";
import { Desk, dataOf, type Heard, newKey } from "./desk.ts";

const open = venues();
const nobody = "01936d7a-0000-7000-8000-00000000dead";

async function desk(): Promise<{ venue: Venue; desk: Desk }> {
  const venue = await open();
  return { venue, desk: new Desk(venue) };
}

const draft = { deviceId: "till-7", role: "terminal", name: "Till 7" };
const text = (value: unknown): string => String(value);

/** Actions of the audit record about something, in order. */
const recorded = async (venue: Venue, id: unknown): Promise<string[]> =>
  (
    await venue.rows<{ action: string }>(
      "SELECT action FROM audit WHERE entity_id = ?1 ORDER BY seq",
      text(id),
    )
  ).map(({ action }) => action);

/** Data of the published events of a type, in order. */
const published = async (venue: Venue, type: string): Promise<Record<string, unknown>[]> =>
  (
    await venue.rows<{ data: string }>(
      "SELECT data FROM published_event WHERE type = ?1 ORDER BY event_no",
      type,
    )
  ).map(({ data }) => JSON.parse(data));

const must = (heard: Heard, status: number): Record<string, unknown> => {
  if (heard.status !== status) throw new Error(`${heard.status} ${heard.text}`);
  return heard.json;
};

/** The modules of a drawn code as the pixels of a photograph of it, eight to a module. */
function pictureOf(svg: string): { data: Uint8ClampedArray; size: number } {
  const modules = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]);
  const unit = svg.includes("M0,0h10") || modules > 200 ? 10 : 1;
  const count = modules / unit;
  const scale = 8;
  const size = count * scale;
  const data = new Uint8ClampedArray(size * size * 4).fill(255);
  const dark = /<path fill="black" d="([^"]*)"/.exec(svg)?.[1] ?? "";
  for (const [, x, y] of dark.matchAll(/M(\d+),(\d+)/g)) {
    const [left, top] = [(Number(x) / unit) * scale, (Number(y) / unit) * scale];
    for (let dy = 0; dy < scale; dy++) {
      for (let dx = 0; dx < scale; dx++) {
        const at = ((top + dy) * size + left + dx) * 4;
        data.fill(0, at, at + 3);
      }
    }
  }
  return { data, size };
}

describe("POST /fleet/devices", () => {
  test("every member, Location, a secret that is not kept; audit and event", async () => {
    const { venue, desk: at } = await desk();
    const zone = must(await at.post("/fleet/zones", { name: "Hall" }), 201);
    const heard = await at.post("/fleet/devices", { ...draft, zoneId: zone.id });
    const made = must(heard, 201);
    expect(made).toEqual({
      ...{ id: made.id, terminalId: 1, ...draft, zoneId: zone.id, status: "active" },
      ...{ commissioned: false, tokenIssuedAt: null, tokenExpiresAt: null, lastSeenAt: null },
      ...{ settlementWalletId: made.settlementWalletId, memberId: null },
      ...{ exposure: { amount: 0, since: null }, lastUploadAt: null },
      ...{ createdAt: "2025-05-08T10:26:40.000Z", updatedAt: "2025-05-08T10:26:40.000Z" },
      ...{ version: 1, secret: expect.stringMatching(/^ks_[A-Za-z0-9_-]{43}$/) },
      ...{ secretExpiresAt: "2025-05-15T10:26:40.000Z", qr: made.qr },
    });
    expect(heard.headers.get("location")).toBe(`/api/v1/fleet/devices/${made.id}`);
    expect(heard.headers.get("cache-control")).toBe("no-store");
    const { secret, secretExpiresAt, qr, ...rest } = made;
    expect(must(await at.get(`/fleet/devices/${made.id}`), 200)).toEqual({
      ...rest,
      secretExpiresAt,
    });
    const actor = { type: "user", id: expect.any(String) };
    expect(await published(venue, "fleet.device.registered")).toEqual([
      { deviceId: "till-7", terminalId: 1, role: "terminal", zoneId: text(zone.id), actor },
    ]);
    expect(await recorded(venue, made.id)).toEqual(["fleet.device.registered"]);
    const wallet = await venue.rows(
      "SELECT system_key AS k FROM wallet WHERE uuid = ?1",
      [text(made.settlementWalletId)][0] as string,
    );
    expect(wallet).toEqual([{ k: "settlement:1" }]);
    const kept = await venue.rows<{ detail: string }>("SELECT detail FROM audit_detail");
    expect(kept.some(({ detail }) => detail.includes(text(secret)))).toBe(false);
    expect(qr).toMatchObject({ payload: expect.any(String) });
  });

  test("the code is the payload to the letter, and a camera reads it", async () => {
    const { venue, desk: at } = await desk();
    const { secret, qr } = must(await at.post("/fleet/devices", draft), 201);
    const { payload, svg } = qr as { payload: string; svg: string };
    const url = `${venue.kartu.settings().publicUrl}/api`;
    expect(payload).toBe(
      `{"v":1,"url":"${url}","deviceId":"till-7","role":"terminal","secret":"${secret}"}`,
    );
    const { data, size } = pictureOf(svg);
    expect(decodeQr(data, size, size)?.data).toBe(payload);
  });

  test("the device comes up with it, and acts on every change with its next call", async () => {
    const { venue, desk: at } = await desk();
    const made = must(await at.post("/fleet/devices", draft), 201);
    const path = `/fleet/devices/${made.id}`;
    const { token } = await venue.commission("till-7", "terminal", text(made.secret));
    const ask = async (what: string) => outcome(await venue.call("GET", what, { token }));
    expect(await ask("/api/session-grant")).toBe("200");
    const up = must(await at.get(path), 200);
    expect(up).toMatchObject({ commissioned: true, secretExpiresAt: null });
    expect(up.lastSeenAt).toBe("2025-05-08T10:26:40.000Z");
    must(await at.post(`${path}/suspend`, { reason: "broken" }), 200);
    expect(await ask("/api/session-grant")).toBe("403 terminal_suspended");
    must(await at.post(`${path}/resume`, undefined), 200);
    expect(await ask("/api/session-grant")).toBe("200");
    const zone = must(await at.post("/fleet/zones", { name: "Hall" }), 201);
    const limits = { scope: "zone", scopeId: zone.id, singleTxLimit: 500 };
    must(await at.post("/fleet/policies", limits), 201);
    must(await at.send("PATCH", path, { zoneId: zone.id }), 200);
    const { json } = await venue.call("GET", "/api/policy", { token });
    expect(json).toMatchObject({ singleTxLimit: 500 });
    must(await at.post(`${path}/revoke-token`, undefined), 200);
    expect(await ask("/api/policy")).toBe("401 invalid_token");
  });

  test("a repeat under the same key is the same answer and one device", async () => {
    const { venue, desk: at } = await desk();
    const key = newKey();
    const first = await at.send("POST", "/fleet/devices", draft, key);
    const again = await at.send("POST", "/fleet/devices", draft, key);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(await venue.rows("SELECT count(*) AS n FROM device")).toEqual([{ n: 1 }]);
    const kept = await venue.rows<{ body: string | null }>("SELECT body FROM idempotency");
    expect(kept).toEqual([{ body: null }]);
  });

  test("already-exists on the whole server, ids-exhausted, zones and members of others", async () => {
    const { venue, desk: at } = await desk();
    const other = await venue.addTenant();
    await other.device("terminal", { deviceId: "theirs", zone: "Theirs" });
    await other.member();
    const taken = await at.post("/fleet/devices", { ...draft, deviceId: "theirs" });
    expect([taken.outcome, taken.json.field]).toEqual(["409 already-exists", "deviceId"]);
    const [zone] = await venue.rows<{ uuid: string }>("SELECT uuid FROM zone");
    const [member] = await venue.rows<{ uuid: string }>("SELECT uuid FROM member");
    const zoneId = zone?.uuid;
    expect((await at.post("/fleet/devices", { ...draft, zoneId })).outcome).toBe("404 not-found");
    const scout = { deviceId: "s", role: "scout", memberId: member?.uuid };
    expect((await at.post("/fleet/devices", scout)).outcome).toBe("404 not-found");
    must(await at.post("/fleet/devices", draft), 201);
    const jump = statement<[]>(
      "test.jump",
      "UPDATE device SET terminal_id = 65535 WHERE device_id = 'till-7'",
    );
    await venue.kartu.store.write((tx) => tx.run(jump));
    const last = await at.post("/fleet/devices", { ...draft, deviceId: "one-more" });
    expect(last.outcome).toBe("409 ids-exhausted");
  });

  test("a scout sees the cards of its member alone", async () => {
    const { venue, desk: at } = await desk();
    const station = await venue.working("station");
    const card = await venue.card(station);
    const other = await venue.card(station);
    const [holder] = dataOf(await at.get("/fleet/members?userId=1"));
    const body = { deviceId: "scout-1", role: "scout", memberId: holder?.id };
    const made = must(await at.post("/fleet/devices", body), 201);
    expect(made.memberId).toBe(holder?.id);
    const { token } = await venue.commission("scout-1", "scout", text(made.secret));
    const look = async ({ cardId }: Chain) =>
      outcome(await venue.call("GET", `/api/cards/${cardId}`, { token }));
    expect([await look(card), await look(other)]).toEqual(["200", "404 card_not_found"]);
  });

  const bad: [object, string, string][] = [
    [{ deviceId: "" }, "deviceId", "TOO_SHORT"],
    [{ deviceId: "a b" }, "deviceId", "INVALID_FORMAT"],
    [{ deviceId: "x".repeat(129) }, "deviceId", "TOO_LONG"],
    [{ role: "till" }, "role", "NOT_ALLOWED"],
    [{ name: "" }, "name", "TOO_SHORT"],
    [{ name: "x".repeat(101) }, "name", "TOO_LONG"],
    [{ name: "a\nb" }, "name", "INVALID_FORMAT"],
    [{ zoneId: "x" }, "zoneId", "INVALID_FORMAT"],
    [{ memberId: nobody }, "memberId", "NOT_ALLOWED"],
    [{ terminalId: 9 }, "terminalId", "UNKNOWN_FIELD"],
  ];
  test("400 with field and code, and nothing stored", async () => {
    const { venue, desk: at } = await desk();
    for (const [more, field, code] of bad) {
      const heard = await at.post("/fleet/devices", { ...draft, ...more });
      expect(heard.outcome).toBe("400 validation-error");
      expect(heard.json.errors).toMatchObject([{ field, code }]);
    }
    expect(await venue.rows("SELECT count(*) AS n FROM device")).toEqual([{ n: 0 }]);
  });
});

describe("/fleet/devices/{id}", () => {
  test("PATCH: null clears, each raises the version, a stale one is refused", async () => {
    const { venue, desk: at } = await desk();
    const zone = must(await at.post("/fleet/zones", { name: "Hall" }), 201);
    const made = must(await at.post("/fleet/devices", { ...draft, zoneId: zone.id }), 201);
    const path = `/fleet/devices/${made.id}`;
    const change = (body: object) => at.send("PATCH", path, body);
    expect(must(await change({ name: "South", version: 1 }), 200)).toMatchObject({
      ...{ name: "South", zoneId: zone.id, version: 2 },
    });
    const stale = await change({ name: "East", version: 1 });
    expect([stale.outcome, stale.json.currentVersion]).toEqual(["409 version-conflict", 2]);
    expect(must(await change({ name: null, zoneId: null }), 200)).toMatchObject({
      ...{ name: null, zoneId: null, version: 3 },
    });
    expect(must(await change({}), 200)).toMatchObject({ version: 4 });
    expect((await change({ zoneId: nobody })).outcome).toBe("404 not-found");
    expect(await recorded(venue, made.id)).toEqual([
      "fleet.device.registered",
      ...Array<string>(3).fill("fleet.device.updated"),
    ]);
    expect(await published(venue, "fleet.device.updated")).toHaveLength(3);
  });

  test("PATCH into a zone whose limits do not fit its own", async () => {
    const { desk: at } = await desk();
    const zone = must(await at.post("/fleet/zones", { name: "Hall" }), 201);
    const made = must(await at.post("/fleet/devices", draft), 201);
    const own = { scope: "device", scopeId: made.id, singleTxLimit: 900_000 };
    must(await at.post("/fleet/policies", own), 201);
    const low = { scope: "zone", scopeId: zone.id, maxBalance: 800_000, singleTxLimit: 1 };
    must(await at.post("/fleet/policies", low), 201);
    const heard = await at.send("PATCH", `/fleet/devices/${made.id}`, { zoneId: zone.id });
    expect(heard.json.errors).toMatchObject([{ field: "zoneId", code: "NOT_ALLOWED" }]);
  });

  test("suspend and resume: a repeat is unchanged; the reason is recorded", async () => {
    const { venue, desk: at } = await desk();
    const made = must(await at.post("/fleet/devices", draft), 201);
    const path = `/fleet/devices/${made.id}`;
    const once = must(await at.post(`${path}/suspend`, { reason: "lost" }), 200);
    expect(once).toMatchObject({ status: "suspended", version: 2 });
    expect(must(await at.post(`${path}/suspend`, { reason: "again" }), 200)).toEqual(once);
    const back = must(await at.post(`${path}/resume`, {}), 200);
    expect(back).toMatchObject({ status: "active", version: 3 });
    expect(must(await at.post(`${path}/resume`, undefined), 200)).toEqual(back);
    expect(await recorded(venue, made.id)).toEqual([
      ...["fleet.device.registered", "fleet.device.suspended", "fleet.device.resumed"],
    ]);
    const details = await venue.rows<{ detail: string }>("SELECT detail FROM audit_detail");
    expect(details.some(({ detail }) => detail.includes('"reason":"lost"'))).toBe(true);
  });

  test("secrets: the older one and the tokens die, unless they are kept", async () => {
    const { venue, desk: at } = await desk();
    const made = must(await at.post("/fleet/devices", draft), 201);
    const path = `/fleet/devices/${made.id}/secret`;
    const second = must(await at.post(path, {}), 201);
    expect(Object.keys(second)).toEqual(["secret", "secretExpiresAt", "qr"]);
    const commission = async (secret: unknown) => {
      const body = { deviceId: "till-7", secret, role: "terminal" };
      return outcome(await venue.call("POST", "/api/auth/token", { body }));
    };
    expect(await commission(made.secret)).toBe("401 invalid_credentials");
    const { token } = await venue.commission("till-7", "terminal", text(second.secret));
    const alive = async () => outcome(await venue.call("GET", "/api/policy", { token }));
    expect(await alive()).toBe("200");
    must(await at.post(path, { keepToken: true }), 201);
    expect(await alive()).toBe("200");
    must(await at.post(path, undefined), 201);
    expect(await alive()).toBe("401 invalid_token");
    expect((await published(venue, "fleet.device.secret_issued")).length).toBe(3);
  });

  test("DELETE retires for good: all but reading is wrong-state from then on", async () => {
    const { venue, desk: at } = await desk();
    const made = must(await at.post("/fleet/devices", draft), 201);
    const path = `/fleet/devices/${made.id}`;
    const { token } = await venue.commission("till-7", "terminal", text(made.secret));
    must(await at.send("DELETE", path), 204);
    expect(outcome(await venue.call("GET", "/api/policy", { token }))).toBe("401 invalid_token");
    expect(must(await at.get(path), 200)).toMatchObject({ status: "retired", commissioned: false });
    for (const [method, where, body] of [
      ["PATCH", path, { name: "x" }],
      ["DELETE", path],
      ["POST", `${path}/suspend`],
      ["POST", `${path}/resume`],
      ["POST", `${path}/secret`],
    ] as const) {
      const heard = await at.send(method, where, body);
      expect([where, heard.outcome, heard.json.state]).toEqual([
        ...[where, "409 wrong-state", "retired"],
      ]);
    }
    expect(await published(venue, "fleet.device.retired")).toHaveLength(1);
    const next = must(await at.post("/fleet/devices", { ...draft, deviceId: "till-8" }), 201);
    expect(next.terminalId).toBe(2);
  });

  test("another tenant's, unknown and malformed ids are 404; a permission missed is 403", async () => {
    const { venue, desk: at } = await desk();
    const other = await venue.addTenant();
    await other.device("terminal", { deviceId: "theirs", zone: "Theirs" });
    const [theirs] = await venue.rows<{ uuid: string }>("SELECT uuid FROM device");
    const [zone] = await venue.rows<{ uuid: string }>("SELECT uuid FROM zone");
    const clerk = await at.colleague("clerk@example.com", ["fleet.keys.read"]);
    const rows = [
      ["GET", "/fleet/devices/ID"],
      ["PATCH", "/fleet/devices/ID", {}],
      ["DELETE", "/fleet/devices/ID"],
      ["POST", "/fleet/devices/ID/suspend"],
      ["POST", "/fleet/devices/ID/resume"],
      ["POST", "/fleet/devices/ID/revoke-token"],
      ["POST", "/fleet/devices/ID/secret"],
      ["GET", "/fleet/devices/ID/policy"],
      ["PATCH", "/fleet/zones/ZONE", {}],
      ["DELETE", "/fleet/zones/ZONE"],
    ] as const;
    for (const [method, path, body] of rows) {
      for (const id of [theirs?.uuid, nobody, "x"]) {
        const zoneId = id === theirs?.uuid ? zone?.uuid : id;
        const where = path.replace("ID", text(id)).replace("ZONE", text(zoneId));
        expect([where, (await at.send(method, where, body)).outcome]).toEqual([
          ...[where, "404 not-found"],
        ]);
        expect((await clerk.send(method, where, body)).outcome).toBe("403 forbidden");
      }
    }
    for (const [method, path, body] of [
      ["GET", "/fleet/overview"],
      ["GET", "/fleet/devices"],
      ["POST", "/fleet/devices", draft],
      ["GET", "/fleet/zones"],
      ["POST", "/fleet/zones", { name: "x" }],
    ] as const) {
      expect((await clerk.send(method, path, body)).outcome).toBe("403 forbidden");
    }
    expect(dataOf(await at.get("/fleet/devices"))).toEqual([]);
    expect(dataOf(await at.get("/fleet/zones"))).toEqual([]);
  });
});

describe("GET /fleet/devices", () => {
  test("newest first, in pages, by each filter and all of them", async () => {
    const { desk: at } = await desk();
    const zone = must(await at.post("/fleet/zones", { name: "Hall" }), 201);
    for (const [deviceId, role, more] of [
      ["gate-1", "gate", { zoneId: zone.id }],
      ["till-1", "terminal", { name: "NORTH till", zoneId: zone.id }],
      ["till-2", "terminal", {}],
      ["desk-1", "station", { name: "Öst" }],
    ] as const) {
      must(await at.post("/fleet/devices", { deviceId, role, ...more }), 201);
    }
    const [gate] = dataOf(await at.get("/fleet/devices?role=gate"));
    must(await at.post(`/fleet/devices/${gate?.id}/suspend`, {}), 200);
    const ids = async (query: string) => {
      const heard = await at.get(`/fleet/devices${query}`);
      const { total } = must(heard, 200).meta as { total: number };
      expect(total).toBe(dataOf(heard).length);
      return dataOf(heard).map(({ deviceId }) => deviceId);
    };
    expect(await ids("")).toEqual(["desk-1", "till-2", "till-1", "gate-1"]);
    expect(await ids("?role=terminal")).toEqual(["till-2", "till-1"]);
    expect(await ids("?status=suspended")).toEqual(["gate-1"]);
    expect(await ids(`?zoneId=${zone.id}`)).toEqual(["till-1", "gate-1"]);
    expect(await ids(`?zoneId=${nobody}`)).toEqual([]);
    expect(await ids("?q=TILL")).toEqual(["till-2", "till-1"]);
    expect(await ids(`?q=${encodeURIComponent("öS")}`)).toEqual(["desk-1"]);
    expect(await ids(`?q=north&role=terminal&status=active&zoneId=${zone.id}`)).toEqual(["till-1"]);
    const seen: unknown[] = [];
    for (let cursor = ""; ; ) {
      const { json } = await at.get(`/fleet/devices?limit=1${cursor}`);
      const { data, meta } = json as { data: [{ deviceId: string }]; meta: Record<string, string> };
      seen.push(data[0].deviceId);
      expect(meta.total).toBe(4 as never);
      if (!meta.hasMore) break;
      cursor = `&cursor=${meta.cursor}`;
    }
    expect(seen).toEqual(["desk-1", "till-2", "till-1", "gate-1"]);
    for (const [query, code] of [
      ["?status=lost", "NOT_ALLOWED"],
      ["?role=x", "NOT_ALLOWED"],
      ["?zoneId=x", "INVALID_FORMAT"],
      ["?q=x", "TOO_SHORT"],
      ["?deviceId=x", "UNKNOWN_PARAMETER"],
    ]) {
      const heard = await at.get(`/fleet/devices${query}`);
      expect(heard.json.errors).toMatchObject([{ code }]);
    }
  });
});

describe("/fleet/zones", () => {
  test("made, counted, renamed, and taken away once nothing is in it", async () => {
    const { venue, desk: at } = await desk();
    const heard = await at.post("/fleet/zones", { name: "Hall" });
    const zone = must(heard, 201);
    expect(zone).toEqual({
      ...{ id: zone.id, name: "Hall", devices: 0, createdAt: zone.createdAt, version: 1 },
    });
    expect(heard.headers.get("location")).toBe(`/api/v1/fleet/zones/${zone.id}`);
    const twice = await at.post("/fleet/zones", { name: "Hall" });
    expect([twice.outcome, twice.json.field]).toEqual(["409 already-exists", "name"]);
    must(await at.post("/fleet/zones", { name: "Yard" }), 201);
    const path = `/fleet/zones/${zone.id}`;
    const change = (body: object) => at.send("PATCH", path, body);
    expect((await change({ name: "Yard" })).outcome).toBe("409 already-exists");
    expect(must(await change({ name: "Big hall", version: 1 }), 200)).toMatchObject({
      ...{ name: "Big hall", version: 2 },
    });
    expect((await change({ version: 1 })).outcome).toBe("409 version-conflict");
    expect((await change({ name: "" })).json.errors).toMatchObject([
      { field: "name", code: "TOO_SHORT" },
    ]);
    const made = must(await at.post("/fleet/devices", { ...draft, zoneId: zone.id }), 201);
    const names = dataOf(await at.get("/fleet/zones")).map(({ name, devices }) => [name, devices]);
    expect(names).toEqual([
      ["Yard", 0],
      ["Big hall", 1],
    ]);
    expect((await at.send("DELETE", path)).outcome).toBe("409 in-use");
    must(await at.send("DELETE", `/fleet/devices/${made.id}`), 204);
    const own = must(
      await at.post("/fleet/policies", { scope: "zone", scopeId: zone.id, dailyLimit: 5 }),
      201,
    );
    expect((await at.send("DELETE", path)).outcome).toBe("409 in-use");
    must(await at.send("DELETE", `/fleet/policies/${own.id}`), 204);
    must(await at.send("DELETE", path), 204);
    expect((await at.send("DELETE", path)).outcome).toBe("404 not-found");
    expect(must(await at.get(`/fleet/devices/${made.id}`), 200)).toMatchObject({ zoneId: null });
    const changes = await published(venue, "fleet.zone.changed");
    expect(changes.filter(({ zoneId }) => zoneId === zone.id).map(({ change }) => change)).toEqual([
      ...["created", "renamed", "deleted"],
    ]);
    const told = (await recorded(venue, zone.id)).filter((action) => /zone/.test(action));
    expect(told).toEqual(Array<string>(3).fill("fleet.zone.changed"));
  });
});

describe("exposure", () => {
  /** A venue with a card that has paid at a terminal, and the terminal's path. */
  async function working() {
    const { venue, desk: at } = await desk();
    const station = await venue.working("station");
    const terminal = await venue.device("terminal");
    const [row] = dataOf(await at.get("/fleet/devices?role=terminal"));
    const look = async () => {
      const { exposure, lastUploadAt } = must(await at.get(`/fleet/devices/${row?.id}`), 200);
      const { amount, since } = exposure as { amount: number; since: string | null };
      return { amount, since, lastUploadAt };
    };
    return { venue, at, station, terminal, id: row?.id, look };
  }
  const iso = (venue: Venue): string => new Date(venue.clock.nowMs()).toISOString();
  const pay = (terminal: DeviceUnderTest, ...cards: Chain[]) =>
    terminal.hand(...cards.map((card) => card.debit(1_000)));

  test("none without a grant that lets it take payments", async () => {
    const { venue, station, look } = await working();
    await station.grant();
    venue.clock.advance(100);
    expect(await look()).toEqual({ amount: 0, since: null, lastUploadAt: null });
  });

  test("a day's limit for each begun day of grants, times the cards it knows", async () => {
    const { venue, at, station, terminal, id, look } = await working();
    const start = iso(venue);
    await terminal.grant();
    expect(await look()).toEqual({ amount: 2_000_000, since: start, lastUploadAt: null });
    const cards = [
      await venue.loaded(station, terminal, 50_000),
      await venue.loaded(station, terminal, 50_000),
    ] as const;
    venue.clock.advance(60);
    await pay(terminal, ...cards);
    const uploaded = iso(venue);
    // The grant is still open: what it takes from now on is unseen.
    expect(await look()).toEqual({
      ...{ amount: 4_000_000, since: uploaded, lastUploadAt: uploaded },
    });
    // Eight hours each: three of them are a day, a fourth begins a second one.
    for (let i = 0; i < 3; i++) {
      venue.clock.advance(28_800);
      await terminal.grant();
    }
    expect((await look()).amount).toBe(4_000_000);
    venue.clock.advance(28_800);
    expect((await look()).amount).toBe(8_000_000);
    must(await at.post(`/fleet/policies`, { scope: "device", scopeId: id, dailyLimit: 10 }), 201);
    expect((await look()).amount).toBe(40);
    await venue.kartu.store.write((tx) =>
      venue.kartu.card.block(
        ...[tx, venue.tenantId, cards[0].cardId, 4 as const, "lost"],
        { actor: { type: "system", id: "test" }, terminalId: null },
        venue.clock.nowMs(),
      ),
    );
    expect((await look()).amount).toBe(20);
    // All is in, and no grant is open any more.
    venue.clock.advance(60);
    await pay(terminal, cards[1]);
    expect(await look()).toEqual({ amount: 0, since: iso(venue), lastUploadAt: iso(venue) });
  });

  test("cards that it has not seen for a week are not counted; one is at least", async () => {
    const { venue, station, terminal, look } = await working();
    await terminal.grant();
    const cards = [
      await venue.loaded(station, terminal, 5_000),
      await venue.loaded(station, terminal, 5_000),
      await venue.loaded(station, terminal, 5_000),
    ];
    expect((await look()).amount).toBe(6_000_000);
    venue.clock.advance(7 * 86_400 - 10);
    await terminal.grant();
    await terminal.hand((cards[0] as Chain).debit(10));
    expect((await look()).amount).toBe(6_000_000);
    venue.clock.advance(20);
    expect((await look()).amount).toBe(2_000_000);
    venue.clock.advance(8 * 86_400);
    await terminal.grant();
    expect((await look()).amount).toBe(2_000_000 * 1);
  });

  test("answers of changes carry it as it is after them", async () => {
    const { venue, at, terminal, id } = await working();
    await terminal.grant();
    venue.clock.advance(60);
    const zone = must(await at.post("/fleet/zones", { name: "Hall" }), 201);
    must(await at.post("/fleet/policies", { scope: "zone", scopeId: zone.id, dailyLimit: 7 }), 201);
    const moved = must(await at.send("PATCH", `/fleet/devices/${id}`, { zoneId: zone.id }), 200);
    expect(moved.exposure).toMatchObject({ amount: 7 });
    const ended = must(await at.post(`/fleet/devices/${id}/revoke-token`, undefined), 200);
    expect(ended.exposure).toMatchObject({ amount: 7 });
  });
});
