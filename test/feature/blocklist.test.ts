import { describe, expect, test } from "bun:test";
import {
  type DeviceUnderTest,
  operator,
  outcome,
  startSec,
  type Venue,
  venues,
} from "../harness.ts";

const open = venues();
const pageMax = 10_000;

interface Delta {
  readonly version: number;
  readonly full: boolean;
  readonly add: readonly { cardId: string; status: string }[];
  readonly remove: readonly string[];
  readonly nextSince?: number;
}

const get = (device: DeviceUnderTest, query = "", headers: Record<string, string> = {}) =>
  device.call<Delta>("GET", `/api/blocklist${query}`, undefined, headers);

/** What a terminal that obeys the pages ends up with. */
async function follow(device: DeviceUnderTest, list: Map<string, string>, since?: number) {
  let pages = 0;
  let at = since;
  for (;;) {
    const { json } = await get(device, at === undefined ? "" : `?since=${at}`);
    pages += 1;
    if (json.full) list.clear();
    for (const { cardId, status } of json.add) list.set(cardId, status);
    for (const cardId of json.remove) list.delete(cardId);
    if (json.nextSince === undefined) return { pages, version: json.version };
    at = json.nextSince;
  }
}

async function listed() {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.device("terminal");
  const [a, b] = [(await venue.card(station)).cardId, (await venue.card(station)).cardId];
  return { venue, station, terminal, a, b };
}

const byHand = (venue: Venue, ids: readonly string[]) =>
  venue.kartu.store.write(async (tx) => {
    for (const id of ids) {
      await venue.kartu.blocklist.list(
        tx,
        venue.tenantId,
        id,
        "stolen",
        { actor: operator },
        startSec * 1000,
      );
    }
  });

const idOf = (i: number): string => `bb${i.toString(16).padStart(10, "0")}`;

describe("the whole list", () => {
  test("is empty at first", async () => {
    const { terminal } = await listed();
    expect((await get(terminal)).json).toEqual({ version: 0, full: true, add: [], remove: [] });
  });

  test("holds blocked cards and ids listed by hand, in the order in which they came", async () => {
    const { venue, station, terminal, a, b } = await listed();
    await station.block(b);
    await byHand(venue, ["0000000000ff"]);
    await station.report({ cardId: a, eventType: "tamper" });
    expect((await get(terminal)).json).toEqual({
      version: 3,
      full: true,
      add: [
        { cardId: b, status: "BLOCKED_ADMIN" },
        { cardId: "0000000000ff", status: "BLOCKED_ADMIN" },
        { cardId: a, status: "BLOCKED_TAMPER" },
      ],
      remove: [],
    });
  });

  test.each(["?since=99", "?since=9007199254740991"])("comes for %s, unknown", async (query) => {
    const { station, terminal, a } = await listed();
    await station.block(a);
    expect((await get(terminal, query)).json).toMatchObject({ full: true, version: 1 });
  });

  test.each(["?since=-1", "?since=x", "?since=1.5", "?since=", "?limit=5", "?since=1&since=2"])(
    "%s is malformed",
    async (query) => {
      const { terminal } = await listed();
      expect(outcome(await get(terminal, query))).toBe("400 malformed_payload");
    },
  );
});

describe("a delta", () => {
  test("holds what changed since, each card once", async () => {
    const { venue, station, terminal, a, b } = await listed();
    await station.block(a);
    await station.block(b);
    const { json } = await get(terminal, "?since=1");
    const add = [{ cardId: b, status: "BLOCKED_ADMIN" }];
    expect(json).toEqual({ version: 2, full: false, add, remove: [] });
    expect((await get(terminal, "?since=2")).json).toMatchObject({
      full: false,
      add: [],
      remove: [],
    });
    await venue.policy({ blockedStatuses: 0b00110 });
    expect((await get(terminal, "?since=2")).json).toMatchObject({ add: [], remove: [a, b] });
  });

  test("a repeated block is no news", async () => {
    const { station, terminal, a } = await listed();
    await station.block(a);
    await station.block(a);
    await station.report({ cardId: a, eventType: "tamper" });
    expect((await get(terminal)).json).toMatchObject({ version: 1 });
  });

  test("a reissued card stays listed, its successor is not", async () => {
    const { station, terminal, a } = await listed();
    await station.reissue(a, "0000000000aa");
    expect((await get(terminal)).json.add).toEqual([{ cardId: a, status: "BLOCKED_ADMIN" }]);
  });
});

describe("the tenant's blockedStatuses", () => {
  test("put the list right when they change, both ways", async () => {
    const { venue, station, terminal, a, b } = await listed();
    await station.block(a);
    await station.report({ cardId: b, eventType: "tamper" });
    await byHand(venue, ["0000000000ff"]);
    const list = new Map<string, string>();
    let { version } = await follow(terminal, list);
    const after = async (mask: number) => {
      await venue.policy({ blockedStatuses: mask });
      ({ version } = await follow(terminal, list, version));
      const whole = new Map<string, string>();
      await follow(terminal, whole);
      expect(whole).toEqual(list);
      return [...list.keys()].sort();
    };
    expect(await after(0b00010)).toEqual(["0000000000ff", b]);
    expect(await after(0b10000)).toEqual(["0000000000ff", a]);
    expect(await after(0)).toEqual(["0000000000ff"]);
    expect(await after(0b11110)).toEqual(["0000000000ff", a, b]);
  });

  test("hold for what is blocked from then on", async () => {
    const { venue, station, terminal, a, b } = await listed();
    await venue.policy({ blockedStatuses: 0b00010 });
    await station.block(a);
    await station.report({ cardId: b, eventType: "tamper" });
    expect((await get(terminal)).json.add).toEqual([{ cardId: b, status: "BLOCKED_TAMPER" }]);
  });

  test("of a zone change nothing: the list is the venue's", async () => {
    const { venue, station, a } = await listed();
    const kiosk = await venue.device("terminal", { zone: "vip" });
    const actor = { type: "user", id: "operator" } as const;
    const target = { scope: "zone", zone: "vip" } as const;
    const change = { blockedStatuses: 0b00010 };
    await venue.kartu.policy.set(venue.tenantId, target, change, actor, venue.clock.nowMs());
    await station.block(a);
    expect((await get(kiosk)).json.add).toHaveLength(1);
  });
});

describe("pages", () => {
  test("of 10 000 entries; those that follow are deltas, and changes between are not lost", async () => {
    const { venue, station, terminal, a } = await listed();
    await byHand(
      venue,
      Array.from({ length: 2 * pageMax }, (_, i) => idOf(i)),
    );
    const first = (await get(terminal)).json;
    expect(first).toMatchObject({ version: 20_000, full: true, nextSince: pageMax });
    expect(first.add).toHaveLength(pageMax);
    await station.block(a);
    const second = (await get(terminal, `?since=${first.nextSince}`)).json;
    expect(second).toMatchObject({ full: false, nextSince: 2 * pageMax });
    const third = (await get(terminal, `?since=${second.nextSince}`)).json;
    expect(third).toEqual({
      version: 20_001,
      full: false,
      add: [{ cardId: a, status: "BLOCKED_ADMIN" }],
      remove: [],
    });
    const list = new Map<string, string>();
    expect(await follow(terminal, list)).toEqual({ pages: 3, version: 20_001 });
    expect(list.size).toBe(20_001);
  });

  test("exactly one full page has no next", async () => {
    const { venue, terminal } = await listed();
    await byHand(
      venue,
      Array.from({ length: pageMax }, (_, i) => idOf(i)),
    );
    const { json } = await get(terminal);
    expect(json.add).toHaveLength(pageMax);
    expect(json).not.toHaveProperty("nextSince");
  });

  test("more cards than a page are put right when the statuses change", async () => {
    const { venue, terminal } = await listed();
    await venue.kartu.store.write(async (tx) => {
      for (let i = 0; i < pageMax + 5; i++) {
        const card = { tenantId: venue.tenantId, cardId: idOf(i) };
        await venue.kartu.blocklist.note(tx, card, 4, "lost", startSec);
      }
    });
    await venue.policy({ blockedStatuses: 0b00010 });
    expect((await get(terminal)).json.add).toEqual([]);
    await venue.policy({ blockedStatuses: 0b10010 });
    const list = new Map<string, string>();
    expect((await follow(terminal, list)).pages).toBe(2);
    expect(list.size).toBe(pageMax + 5);
  });
});

describe("ETag", () => {
  test("unchanged is 304 without a body, changed is not", async () => {
    const { station, terminal, a } = await listed();
    const first = await get(terminal);
    const tag = first.headers.get("etag") ?? "";
    expect(tag).toMatch(/^"[^"]+"$/);
    const same = await get(terminal, "", { "if-none-match": tag });
    expect([same.status, same.json, same.headers.get("etag")]).toEqual([
      304,
      undefined as never,
      tag,
    ]);
    await station.block(a);
    const changed = await get(terminal, "", { "if-none-match": tag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(tag);
  });

  test("differs by since", async () => {
    const { station, terminal, a } = await listed();
    await station.block(a);
    const tag = (await get(terminal)).headers.get("etag") ?? "";
    expect((await get(terminal, "?since=0", { "if-none-match": tag })).status).toBe(200);
  });

  test("a card that has expired is news", async () => {
    const { venue, station, terminal } = await listed();
    await venue.card(station, { expiresAt: startSec + 10 });
    const tag = (await get(terminal)).headers.get("etag") ?? "";
    venue.clock.advance(10);
    expect((await get(terminal, "", { "if-none-match": tag })).status).toBe(200);
  });
});
