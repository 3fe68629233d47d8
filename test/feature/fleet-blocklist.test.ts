/** The blocklist by API: what is on it, ids listed by hand, and what devices make of it. */
import { expect, test } from "bun:test";
import { startSec, venues } from "../harness.ts";
import { Desk, dataOf, newKey } from "./desk.ts";

const open = venues();
const iso = (sec: number): string => new Date(sec * 1000).toISOString();
const stolen = "00000000dead";

async function world() {
  const venue = await open();
  const at = new Desk(venue);
  const station = await venue.working("station");
  const till = await venue.working("terminal");
  const listed = async () => (await till.call("GET", "/api/blocklist")).json;
  return { venue, at, station, till, listed };
}

test("an id listed by hand: 201, Location, devices see it; audit and event", async () => {
  const { venue, at, listed } = await world();
  const body = { cardId: stolen, reason: "stolen elsewhere" };
  const answer = await at.post("/fleet/blocklist", body);
  const row = {
    ...{ cardId: stolen, status: "BLOCKED_ADMIN", statusCode: 4, registered: false },
    ...{ blockedAt: iso(startSec), reason: "stolen elsewhere" },
  };
  expect([answer.outcome, answer.json]).toEqual(["201", row]);
  expect(answer.headers.get("location")).toBe(`/api/v1/fleet/blocklist/${stolen}`);
  expect((await at.get("/fleet/blocklist")).json).toEqual({
    data: [row],
    meta: { cursor: null, hasMore: false, total: 1, version: 1 },
  });
  expect(await listed()).toMatchObject({ version: 1, add: [{ cardId: stolen }] });
  expect(await venue.actions("fleet.card.%listed")).toEqual(["fleet.card.listed"]);
  const again = await at.post("/fleet/blocklist", body);
  expect([again.outcome, again.json.field]).toEqual(["409 already-exists", "cardId"]);
});

test("taken off: devices see it; audit and event; 404 after", async () => {
  const { venue, at, till } = await world();
  await at.post("/fleet/blocklist", { cardId: stolen, reason: "x" });
  expect((await at.send("DELETE", `/fleet/blocklist/${stolen}`)).outcome).toBe("204");
  const { json } = await till.call("GET", "/api/blocklist?since=1");
  expect(json).toMatchObject({ version: 2, add: [], remove: [stolen] });
  expect((await at.get("/fleet/blocklist")).json).toMatchObject({
    data: [],
    meta: { total: 0, version: 2 },
  });
  expect((await at.send("DELETE", `/fleet/blocklist/${stolen}`)).outcome).toBe("404 not-found");
  const told = await venue.rows<{ type: string; data: string }>(
    "SELECT type, data FROM published_event WHERE type LIKE 'fleet.card.%listed' ORDER BY event_no",
  );
  const actor = { type: "user", id: expect.any(String) };
  expect(told.map(({ type, data }) => [type, JSON.parse(data)])).toEqual([
    ["fleet.card.listed", { cardId: stolen, actor }],
    ["fleet.card.unlisted", { cardId: stolen, actor }],
  ]);
  expect((await at.post("/fleet/blocklist", { cardId: stolen, reason: "x" })).outcome).toBe("201");
});

test("registered cards: listed by being blocked, and back only by reissue", async () => {
  const { venue, at, station } = await world();
  const { cardId } = await venue.card(station);
  const add = await at.post("/fleet/blocklist", { cardId, reason: "x" });
  expect([add.outcome, add.json.field]).toEqual(["409 already-exists", "cardId"]);
  const free = await at.send("DELETE", `/fleet/blocklist/${cardId}`);
  expect(free.outcome).toBe("404 not-found");
  await station.block(cardId, "lost");
  expect((await at.send("DELETE", `/fleet/blocklist/${cardId}`)).outcome).toBe(
    "409 unblock-by-reissue",
  );
  expect((await at.get("/fleet/blocklist")).json.data).toMatchObject([
    { cardId, registered: true, status: "BLOCKED_ADMIN", reason: "lost" },
  ]);
});

test("an expiry that has come is on it at once", async () => {
  const { venue, at, station } = await world();
  const { cardId } = await venue.card(station, { expiresAt: venue.clock.nowSec() + 60 });
  venue.clock.advance(60);
  expect((await at.get("/fleet/blocklist")).json.data).toMatchObject([
    { cardId, status: "BLOCKED_EXPIRED", statusCode: 3 },
  ]);
});

test("in pages, the last listed first", async () => {
  const { at } = await world();
  const ids = Array.from({ length: 7 }, (_, i) => `00000000000${i}`);
  for (const cardId of ids) await at.post("/fleet/blocklist", { cardId, reason: "x" });
  const found: unknown[] = [];
  for (let cursor = ""; ; ) {
    const page = await at.get(`/fleet/blocklist?limit=3${cursor && `&cursor=${cursor}`}`);
    found.push(...dataOf(page).map(({ cardId }) => cardId));
    const meta = page.json.meta as { cursor: string; hasMore: boolean; total: number };
    expect(meta.total).toBe(7);
    if (!meta.hasMore) break;
    cursor = meta.cursor;
  }
  expect(found).toEqual(ids.toReversed());
});

test("a repeat under its key is one entry", async () => {
  const { venue, at } = await world();
  const headers = newKey();
  const body = { cardId: stolen, reason: "x" };
  const first = await at.send("POST", "/fleet/blocklist", body, headers);
  const again = await at.send("POST", "/fleet/blocklist", body, headers);
  expect([again.outcome, again.text]).toEqual(["201", first.text]);
  expect(again.headers.get("location")).toBe(first.headers.get("location"));
  expect(await venue.actions("fleet.card.listed")).toHaveLength(1);
});

test("400 names the field, and nothing is listed", async () => {
  const { at } = await world();
  const bad: [body: object, field: string, code: string][] = [
    [{ reason: "x" }, "cardId", "REQUIRED"],
    [{ cardId: "A1B2C3D4E5F6", reason: "x" }, "cardId", "INVALID_FORMAT"],
    [{ cardId: stolen }, "reason", "REQUIRED"],
    [{ cardId: stolen, reason: "" }, "reason", "TOO_SHORT"],
    [{ cardId: stolen, reason: "x".repeat(257) }, "reason", "TOO_LONG"],
    [{ cardId: stolen, reason: "x", status: 1 }, "status", "UNKNOWN_FIELD"],
  ];
  for (const [body, field, code] of bad) {
    const answer = await at.post("/fleet/blocklist", body);
    expect(answer.outcome).toBe("400 validation-error");
    expect(answer.json.errors).toMatchObject([{ field, code }]);
  }
  expect((await at.send("DELETE", "/fleet/blocklist/x")).outcome).toBe("404 not-found");
  const listed = await at.get("/fleet/blocklist?status=1");
  expect(listed.json.errors).toMatchObject([{ field: "status", code: "UNKNOWN_PARAMETER" }]);
  expect((await at.get("/fleet/blocklist")).json).toMatchObject({ data: [], meta: { version: 0 } });
});

test("another tenant's list is its own; each permission is needed", async () => {
  const { venue, at } = await world();
  const other = await venue.addTenant();
  const actor = { type: "system", id: "test" } as const;
  const { store, blocklist } = venue.kartu;
  const nowMs = venue.clock.nowMs();
  await store.write((tx) => blocklist.list(tx, other.tenantId, stolen, "x", { actor }, nowMs));
  expect((await at.get("/fleet/blocklist")).json).toMatchObject({ data: [], meta: { version: 0 } });
  expect((await at.send("DELETE", `/fleet/blocklist/${stolen}`)).outcome).toBe("404 not-found");
  const reader = await at.colleague("reader@example.com", ["fleet.cards.read"]);
  const blocker = await at.colleague("blocker@example.com", ["fleet.cards.block"]);
  const body = { cardId: stolen, reason: "x" };
  expect((await blocker.get("/fleet/blocklist")).outcome).toBe("403 forbidden");
  expect((await reader.get("/fleet/blocklist")).outcome).toBe("200");
  expect((await reader.post("/fleet/blocklist", body)).outcome).toBe("403 forbidden");
  expect((await blocker.post("/fleet/blocklist", body)).outcome).toBe("201");
  const path = `/fleet/blocklist/${stolen}`;
  expect((await reader.send("DELETE", path)).outcome).toBe("403 forbidden");
  expect((await blocker.send("DELETE", path)).outcome).toBe("204");
});
