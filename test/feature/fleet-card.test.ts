/** Cards as operators see them: every member, every filter, the pages, the timeline, blocking. */
import { describe, expect, test } from "bun:test";
import { startSec, type Venue, venues } from "../harness.ts";
import { Desk, dataOf } from "./desk.ts";

const open = venues();
const iso = (sec: number): string => new Date(sec * 1000).toISOString();
const ids = (rows: Record<string, unknown>[]): unknown[] => rows.map((row) => row.cardId);

async function lived(book?: { residentMax: number }) {
  const venue = await open(book === undefined ? {} : { book });
  const at = new Desk(venue);
  const station = await venue.working("station");
  const till = await venue.working("terminal");
  const chain = await venue.loaded(station, till, 50_000);
  return { venue, at, station, till, chain, cardId: chain.cardId };
}

/** Every page of a list, each of so many rows. */
async function pages(at: Desk, path: string, limit: number): Promise<Record<string, unknown>[][]> {
  const found: Record<string, unknown>[][] = [];
  for (let cursor = ""; ; ) {
    const mark = path.includes("?") ? "&" : "?";
    const answer = await at.get(`${path}${mark}limit=${limit}${cursor && `&cursor=${cursor}`}`);
    expect(answer.outcome).toBe("200");
    found.push(dataOf(answer));
    const meta = answer.json.meta as { cursor: string | null; hasMore: boolean };
    if (!meta.hasMore) return found;
    cursor = meta.cursor ?? "";
  }
}

test("every member of a card", async () => {
  const { venue, at, station, till, chain, cardId } = await lived();
  await till.hand(chain.debit(20_000));
  await station.topup(cardId, 3_000);
  const [row] = await venue.rows<{ wallet: string; member: string; user: number }>(
    `SELECT c.wallet_uuid AS wallet, m.uuid AS member, c.user_id AS user FROM card c
     JOIN member m ON m.member_no = c.member_no`,
  );
  const whole = {
    ...{ cardId, userId: row?.user, memberId: row?.member, name: "Siti Rahayu" },
    ...{ status: "ACTIVE", statusCode: 0, state: "CHECKED_IN", keyVersion: 1, balance: 33_000 },
    ...{ pendingTopups: { count: 1, amount: 3_000 }, counter: 4, needsValidation: false },
    ...{ expiresAt: null, createdAt: iso(startSec), lastActivityAt: expect.any(String) },
    ...{ blockedAt: null, blockReason: null, blockedBy: null, replaces: null, replacedBy: null },
    openFlags: 0,
    wallet: { id: row?.wallet, balance: { available: 30_000, pending: 3_000, frozen: 0 } },
  };
  expect((await at.get(`/fleet/cards/${cardId}`)).json).toEqual(whole);
  const listed = await at.get("/fleet/cards");
  expect(listed.json).toEqual({ data: [whole], meta: { cursor: null, hasMore: false, total: 1 } });
});

test("an expiry that has come is told of by the card and found by the list", async () => {
  const { venue, at, station } = await lived();
  const { cardId } = await venue.card(station, { expiresAt: venue.clock.nowSec() + 60 });
  venue.clock.advance(61);
  const expired = { status: "BLOCKED_EXPIRED", statusCode: 3, blockReason: "expired" };
  expect((await at.get(`/fleet/cards/${cardId}`)).json).toMatchObject({
    ...{ ...expired, blockedBy: "server", expiresAt: iso(startSec + 60) },
  });
  const listed = await at.get("/fleet/cards?status=BLOCKED_EXPIRED");
  expect(listed.json).toMatchObject({ data: [{ cardId, ...expired }], meta: { total: 1 } });
});

describe("the list", () => {
  async function many(venue: Venue) {
    const at = new Desk(venue);
    const station = await venue.working("station");
    const till = await venue.working("terminal");
    const made: string[] = [];
    for (let i = 0; i < 7; i++) {
      const name = i % 2 === 0 ? `Ana *${i}` : `Bo ${i}`;
      made.push((await venue.card(station, { name })).cardId);
    }
    const [a = "", b = "", c = "", d = ""] = made;
    await station.block(a);
    await at.post(`/fleet/cards/${b}/block`, { reason: "x", as: "BLOCKED_FRAUD" });
    await till.report({ eventType: "replay", cardId: c });
    await till.report({ eventType: "write_failure", cardId: d });
    return { at, made: made.toReversed(), a, b, c, d };
  }

  test("pages newest first, none twice, none left out, whatever the page", async () => {
    const { at, made } = await many(await open());
    for (const limit of [1, 2, 3, 7, 100]) {
      const found = await pages(at, "/fleet/cards", limit);
      expect(ids(found.flat())).toEqual(made);
    }
  });

  test("filters, alone and together; totals are exact", async () => {
    const venue = await open();
    const { at, made, a, b, c, d } = await many(venue);
    const wide = await venue.card(await venue.working("station"), { name: "Bär" });
    const late = wide.cardId;
    made.unshift(late);
    const not = (...left: string[]) => made.filter((id) => !left.includes(id));
    const [holder] = await venue.rows<{ user: number; member: string }>(
      `SELECT c.user_id AS user, m.uuid AS member FROM card c JOIN member m ON m.member_no = c.member_no
       WHERE c.card_id = '${d}'`,
    );
    const cases: [query: string, found: string[]][] = [
      ["status=ACTIVE", not(a, b, c)],
      ["status=BLOCKED_ADMIN", [a]],
      ["status=BLOCKED_FRAUD", [c, b]],
      ["status=BLOCKED_TAMPER", []],
      ["keyVersion=1", made],
      ["keyVersion=2", []],
      ["keyVersion=1&status=BLOCKED_FRAUD", [c, b]],
      ["needsValidation=true", [d]],
      ["needsValidation=false&status=ACTIVE", not(a, b, c, d)],
      ["flagged=true", [c]],
      ["flagged=true&status=ACTIVE", []],
      ["flagged=false", not(c)],
      ["flagged=false&status=BLOCKED_FRAUD", [b]],
      [`userId=${holder?.user}`, [d]],
      [`memberId=${holder?.member}`, [d]],
      [`memberId=${holder?.member}&userId=${holder?.user}`, [d]],
      [`memberId=${holder?.member}&userId=999`, []],
      [`userId=${holder?.user}&flagged=true`, []],
      [`userId=${holder?.user}&q=bo`, [d]],
      [`userId=${holder?.user}&q=ana`, []],
      ["userId=4000000000", []],
      ["q=ANA", made.filter((_, i) => i % 2 === 1)],
      ["q=%2A2", [made[5] ?? ""]],
      [
        "q=bo&status=ACTIVE",
        not(a, b, c, late).filter((id) => (made.length - 1 - made.indexOf(id)) % 2 === 1),
      ],
      [`q=${b.slice(3).toUpperCase()}`, [b]],
      ["q=nobody", []],
      ["q=ÄR", [late]],
      ["q=b%C3%A4", [late]],
    ];
    for (const [query, found] of cases) {
      const answer = await at.get(`/fleet/cards?${query}`);
      expect([query, ids(dataOf(answer))]).toEqual([query, found]);
      expect([query, answer.json.meta]).toMatchObject([query, { total: found.length }]);
      expect(ids((await pages(at, `/fleet/cards?${query}`, 1)).flat())).toEqual(found);
    }
  });

  test("cards that are not kept in memory are shown as they are", async () => {
    const { at, till, chain, cardId } = await lived({ residentMax: 0 });
    await till.hand(chain.debit(1_000));
    expect((await at.get("/fleet/cards")).json.data).toMatchObject([
      { cardId, balance: 49_000, counter: 4 },
    ]);
  });

  test("a new card shows up on no later page", async () => {
    const venue = await open();
    const { at, made } = await many(venue);
    const first = await at.get("/fleet/cards?limit=4");
    const station = await venue.working("station");
    await venue.card(station);
    const { cursor } = first.json.meta as { cursor: string };
    const second = await at.get(`/fleet/cards?limit=4&cursor=${cursor}`);
    expect([...ids(dataOf(first)), ...ids(dataOf(second))]).toEqual(made);
    expect((await at.get(`/fleet/cards?status=ACTIVE&cursor=${cursor}`)).outcome).toBe(
      "400 invalid-cursor",
    );
  });

  const bad: [query: string, field: string, code: string][] = [
    ["status=GONE", "status", "NOT_ALLOWED"],
    ["userId=0", "userId", "TOO_SMALL"],
    ["userId=x", "userId", "INVALID_TYPE"],
    ["memberId=x", "memberId", "INVALID_FORMAT"],
    ["keyVersion=256", "keyVersion", "TOO_LARGE"],
    ["needsValidation=yes", "needsValidation", "INVALID_TYPE"],
    ["flagged=1", "flagged", "INVALID_TYPE"],
    ["q=a", "q", "TOO_SHORT"],
    ["limit=101", "limit", "TOO_LARGE"],
    ["sort=name", "sort", "UNKNOWN_PARAMETER"],
  ];
  test("400 names the parameter", async () => {
    const at = new Desk(await open());
    for (const [query, field, code] of bad) {
      const answer = await at.get(`/fleet/cards?${query}`);
      expect([query, answer.outcome]).toEqual([query, "400 validation-error"]);
      expect(answer.json.errors).toMatchObject([{ field, code }]);
    }
  });
});

describe("the timeline", () => {
  async function history() {
    const world = await lived();
    const { venue, at, station, till, chain, cardId } = world;
    const day = venue.clock.nowSec();
    await till.hand(chain.debit(5_000, { at: day + 300 }), chain.debit(1_000, { at: day + 360 }));
    venue.clock.advance(600);
    await station.topup(cardId, 2_000);
    await till.report({ eventType: "write_failure", cardId, counter: 6 });
    await till.hand(chain.credit(9_000, { at: day + 700 }));
    await at.post(`/fleet/flags/${(await venue.flag("unauthorised_credit")).id}/approve`, {
      note: "seen",
    });
    await at.post(`/fleet/cards/${cardId}/block`, { reason: "lost" });
    return world;
  }

  test("whole, newest first, in pages of any size; ids are unique", async () => {
    const { at, cardId } = await history();
    const path = `/fleet/cards/${cardId}/timeline`;
    const whole = dataOf(await at.get(`${path}?limit=100`));
    const times = whole.map(({ at: when }) => Date.parse(String(when)));
    expect(times).toEqual(times.toSorted((x, y) => y - x));
    expect(new Set(whole.map(({ id }) => id)).size).toBe(whole.length);
    expect((await at.get(path)).json.meta).toMatchObject({ total: whole.length });
    for (const limit of [1, 2, 5]) expect((await pages(at, path, limit)).flat()).toEqual(whole);
  });

  test("by kind and by time", async () => {
    const { at, cardId } = await history();
    const path = `/fleet/cards/${cardId}/timeline`;
    const whole = dataOf(await at.get(`${path}?limit=100`));
    const kinds = [...new Set(whole.map(({ kind }) => kind))].sort();
    expect(kinds).toEqual(
      ["decision", "event", "flag", "registered", "report", "status", "topup"].sort(),
    );
    for (const kind of [...kinds, "rekey"]) {
      const answer = await at.get(`${path}?kind=${kind}&limit=100`);
      const due = whole.filter((entry) => entry.kind === kind);
      expect(dataOf(answer)).toEqual(due);
      expect(answer.json.meta).toMatchObject({ total: due.length });
    }
    const when = String(whole[4]?.at);
    const ms = Date.parse(when);
    for (const [query, isDue] of [
      [`from=${when}`, (at: number) => at >= ms],
      [`to=${when}`, (at: number) => at < ms],
      [`from=${when}&to=${new Date(ms + 1).toISOString()}`, (at: number) => at === ms],
    ] as const) {
      const answer = await at.get(`${path}?${query}&limit=100`);
      const due = whole.filter((entry) => isDue(Date.parse(String(entry.at))));
      expect(dataOf(answer)).toEqual(due);
      expect(answer.json.meta).toMatchObject({ total: due.length });
    }
  });

  test("events that came late, or whose clock was wrong, stand by their own time", async () => {
    const { venue, at, till, chain, cardId } = await lived();
    const now = venue.clock.nowSec();
    const early = chain.debit(1_000, { at: now + 400 });
    const middle = chain.debit(1_000, { at: now + 350 });
    const last = chain.debit(1_000, { at: now + 500 });
    await till.upload(early, last);
    await till.upload(middle);
    const events = dataOf(await at.get(`/fleet/cards/${cardId}/timeline?kind=event&limit=100`));
    expect(events.map(({ at: when }) => Date.parse(String(when)) / 1000 - now).slice(0, 3)).toEqual(
      [500, 400, 350],
    );
    const paged = await pages(at, `/fleet/cards/${cardId}/timeline?kind=event`, 1);
    expect(paged.flat()).toEqual(events);
    expect((await at.get(`/fleet/cards/${cardId}/timeline`)).json.meta).toMatchObject({
      total: 2 + 6 + (await venue.flags()).length,
    });
  });

  test("404 and 400", async () => {
    const at = new Desk(await open());
    expect((await at.get("/fleet/cards/a1b2c3d4e5f6/timeline")).outcome).toBe("404 not-found");
    expect((await at.get("/fleet/cards/A1/timeline")).outcome).toBe("404 not-found");
    const bad = await at.get("/fleet/cards/a1b2c3d4e5f6/timeline?kind=x&from=2026-11-21T00:00:00");
    expect(bad.json.errors).toMatchObject([{ field: "kind" }, { field: "from" }]);
  });
});

describe("blocking", () => {
  test("an ACTIVE card; audit, event, timeline and blocklist say who and why", async () => {
    const { venue, at, cardId } = await lived();
    const answer = await at.post(`/fleet/cards/${cardId}/block`, { reason: "reported lost" });
    const [{ uuid: by = "" } = {}] = await venue.rows<{ uuid: string }>(
      "SELECT uuid FROM user_account WHERE email = 'owner@example.com'",
    );
    const blocked = { status: "BLOCKED_ADMIN", blockReason: "reported lost", blockedBy: by };
    expect(answer.json).toMatchObject({ cardId, ...blocked, statusCode: 4, changed: true });
    const [record] = await venue.rows<{ actor: string; pii: string }>(
      `SELECT d.actor_id AS actor, d.pii FROM audit a JOIN audit_detail d ON d.seq = a.seq
       AND d.tenant_id = a.tenant_id WHERE a.action = 'fleet.card.blocked'`,
    );
    expect(record?.actor).toBe(by);
    expect(JSON.parse(record?.pii ?? "{}")).toHaveProperty("ip");
    const [told] = await venue.rows<{ data: string }>(
      "SELECT data FROM published_event WHERE type = 'fleet.card.blocked'",
    );
    expect(JSON.parse(told?.data ?? "{}")).toEqual({
      ...{ cardId, status: "BLOCKED_ADMIN", reason: "reported lost", terminalId: null },
      actor: { type: "user", id: by },
    });
    expect((await at.get("/fleet/blocklist")).json.data).toMatchObject([
      { cardId, registered: true },
    ]);
  });

  test("a blocked card keeps its status, the request is recorded", async () => {
    const { venue, at, till, cardId } = await lived();
    await till.report({ eventType: "tamper", cardId });
    const answer = await at.post(`/fleet/cards/${cardId}/block`, {
      reason: "x",
      as: "BLOCKED_FRAUD",
    });
    expect(answer.json).toMatchObject({ status: "BLOCKED_TAMPER", changed: false });
    expect(await venue.actions("fleet.card.blocked")).toHaveLength(2);
  });

  test("wrong-state: a replaced card", async () => {
    const { at, station, cardId } = await lived();
    await station.reissue(cardId, "0000000000aa");
    const answer = await at.post(`/fleet/cards/${cardId}/block`, { reason: "x" });
    expect(answer.outcome).toBe("409 wrong-state");
    expect(answer.json.state).toBe("BLOCKED_ADMIN");
  });

  test("unblocking never succeeds", async () => {
    const { at, cardId } = await lived();
    for (const _ of [1, 2]) {
      expect((await at.post(`/fleet/cards/${cardId}/unblock`, undefined)).outcome).toBe(
        "409 unblock-by-reissue",
      );
      await at.post(`/fleet/cards/${cardId}/block`, { reason: "x" });
    }
    expect((await at.post("/fleet/cards/00000000dead/unblock", {})).outcome).toBe("404 not-found");
  });

  test("a repeat under its key is one block", async () => {
    const { venue, at, cardId } = await lived();
    const headers = { "idempotency-key": crypto.randomUUID() };
    const send = () => at.send("POST", `/fleet/cards/${cardId}/block`, { reason: "x" }, headers);
    const first = await send();
    const again = await send();
    expect([again.text, again.headers.get("idempotent-replayed")]).toEqual([first.text, "true"]);
    expect(await venue.actions("fleet.card.blocked")).toHaveLength(1);
  });

  const bad: [body: object, field: string, code: string][] = [
    [{}, "reason", "REQUIRED"],
    [{ reason: "" }, "reason", "TOO_SHORT"],
    [{ reason: "x".repeat(257) }, "reason", "TOO_LONG"],
    [{ reason: "x", as: "BLOCKED_TAMPER" }, "as", "NOT_ALLOWED"],
    [{ reason: "x", until: 1 }, "until", "UNKNOWN_FIELD"],
  ];
  test("400 names the field, and nothing is stored", async () => {
    const { venue, at, cardId } = await lived();
    for (const [body, field, code] of bad) {
      const answer = await at.post(`/fleet/cards/${cardId}/block`, body);
      expect(answer.outcome).toBe("400 validation-error");
      expect(answer.json.errors).toMatchObject([{ field, code }]);
    }
    expect(await venue.actions("fleet.card.blocked")).toEqual([]);
  });
});

test("another tenant's cards are not there; each permission is needed", async () => {
  const { venue, at, cardId } = await lived();
  const other = await venue.addTenant();
  const theirs = await other.card(await other.working("station"));
  expect((await at.get(`/fleet/cards/${theirs.cardId}`)).outcome).toBe("404 not-found");
  expect((await at.get(`/fleet/cards/${theirs.cardId}/timeline`)).outcome).toBe("404 not-found");
  const block = await at.post(`/fleet/cards/${theirs.cardId}/block`, { reason: "x" });
  expect(block.outcome).toBe("404 not-found");
  expect(ids(dataOf(await at.get("/fleet/cards")))).toEqual([cardId]);
  const [{ member = "" } = {}] = await venue.rows<{ member: string }>(
    `SELECT m.uuid AS member FROM member m WHERE m.tenant_id = ${other.tenantId}`,
  );
  expect((await at.get(`/fleet/cards?memberId=${member}`)).json.data).toEqual([]);

  const reader = await at.colleague("reader@example.com", ["fleet.cards.read"]);
  const blocker = await at.colleague("blocker@example.com", ["fleet.cards.block"]);
  for (const path of ["", `/${cardId}`, `/${cardId}/timeline`]) {
    expect((await reader.get(`/fleet/cards${path}`)).outcome).toBe("200");
    expect((await blocker.get(`/fleet/cards${path}`)).outcome).toBe("403 forbidden");
  }
  for (const verb of ["block", "unblock"]) {
    const body = verb === "block" ? { reason: "x" } : {};
    const path = `/fleet/cards/${cardId}/${verb}`;
    expect((await reader.post(path, body)).outcome).toBe("403 forbidden");
    expect((await blocker.post(path, body)).outcome).not.toBe("403 forbidden");
  }
});
