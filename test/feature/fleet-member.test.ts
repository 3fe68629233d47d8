/** Members over the operators' routes: numbers, states, lists of many, and what is refused. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { statement } from "../../schema/query/statement.ts";
import { operator, type Venue, venues } from "../harness.ts";
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
      "SELECT data FROM published_event WHERE type = ?1 ORDER BY event_no",
      type,
    )
  ).map(({ data }) => JSON.parse(data));

describe("POST /fleet/members", () => {
  test("every member, the next number or a chosen one, Location; audit and event", async () => {
    const { venue, at } = await desk();
    const heard = await at.post("/fleet/members", { name: "Siti", email: " Siti@Example.com " });
    const made = must(heard, 201);
    expect(made).toEqual({
      ...{ id: made.id, userId: 1, name: "Siti", email: "siti@example.com", status: "active" },
      ...{ activeCardId: null, createdAt: "2025-05-08T10:26:40.000Z", version: 1 },
      updatedAt: "2025-05-08T10:26:40.000Z",
    });
    expect(heard.headers.get("location")).toBe(`/api/v1/fleet/members/${made.id}`);
    expect(must(await at.get(`/fleet/members/${made.id}`), 200)).toEqual(made);
    const forty = { name: "Budi", userId: 40 };
    expect(must(await at.post("/fleet/members", forty), 201)).toMatchObject({ email: null });
    expect(must(await at.post("/fleet/members", { name: "C" }), 201)).toMatchObject({ userId: 41 });
    expect(await published(venue, "fleet.member.created")).toEqual([
      { memberId: made.id, userId: 1, status: "active" },
      ...[40, 41].map((userId) => expect.objectContaining({ userId })),
    ]);
    const [closed] = dataOf(await at.get("/fleet/members?userId=40"));
    must(await at.send("DELETE", `/fleet/members/${closed?.id}`), 204);
    const again = await at.post("/fleet/members", forty);
    expect([again.outcome, again.json.field]).toEqual(["409 already-exists", "userId"]);
    must(await at.post("/fleet/members", { name: "Last", userId: 4_294_967_295 }), 201);
    const full = await at.post("/fleet/members", { name: "More" });
    expect(full.outcome).toBe("409 ids-exhausted");
  });

  test("400 with field and code, and nothing stored", async () => {
    const { venue, at } = await desk();
    const bad: [object, string, string][] = [
      [{ name: undefined }, "name", "REQUIRED"],
      [{ name: "" }, "name", "TOO_SHORT"],
      [{ name: "x".repeat(101) }, "name", "TOO_LONG"],
      [{ name: "a\tb" }, "name", "INVALID_FORMAT"],
      [{ userId: 0 }, "userId", "TOO_SMALL"],
      [{ userId: 4_294_967_296 }, "userId", "TOO_LARGE"],
      [{ userId: "1" }, "userId", "INVALID_TYPE"],
      [{ email: "nobody" }, "email", "INVALID_FORMAT"],
      [{ email: `${"x".repeat(250)}@x.yz` }, "email", "INVALID_FORMAT"],
      [{ status: "active" }, "status", "UNKNOWN_FIELD"],
    ];
    for (const [more, field, code] of bad) {
      const heard = await at.post("/fleet/members", { name: "A", ...more });
      expect(heard.outcome).toBe("400 validation-error");
      expect(heard.json.errors).toMatchObject([{ field, code }]);
    }
    expect(await venue.rows("SELECT count(*) AS n FROM member")).toEqual([{ n: 0 }]);
    // A hundred letters are a hundred, however many units they take.
    must(await at.post("/fleet/members", { name: "😀".repeat(100) }), 201);
  });
});

describe("/fleet/members/{id}", () => {
  test("PATCH: name, email, state; versions; what is told", async () => {
    const { venue, at } = await desk();
    const made = must(await at.post("/fleet/members", { name: "A", email: "a@x.yz" }), 201);
    const path = `/fleet/members/${made.id}`;
    const change = (body: object) => at.send("PATCH", path, body);
    expect(must(await change({ name: "B", email: "B@x.yz", version: 1 }), 200)).toMatchObject({
      ...{ name: "B", email: "b@x.yz", version: 2 },
    });
    expect(must(await change({ email: null, status: "suspended" }), 200)).toMatchObject({
      ...{ email: null, status: "suspended", version: 3 },
    });
    const stale = await change({ name: "C", version: 2 });
    expect([stale.outcome, stale.json.currentVersion]).toEqual(["409 version-conflict", 3]);
    expect((await change({ status: "closed" })).json.errors).toMatchObject([
      { field: "status", code: "NOT_ALLOWED" },
    ]);
    expect((await change({ userId: 7 })).json.errors).toMatchObject([{ code: "UNKNOWN_FIELD" }]);
    expect(await published(venue, "fleet.member.updated")).toEqual([
      { memberId: made.id, userId: 1, status: "active" },
      { memberId: made.id, userId: 1, status: "suspended" },
    ]);
  });

  test("a suspended one gets no card and no top-up; who holds an ACTIVE card can't be closed", async () => {
    const { venue, at } = await desk();
    const station = await venue.working("station");
    const { cardId } = await venue.card(station);
    const [made] = dataOf(await at.get("/fleet/members"));
    expect(made?.activeCardId).toBe(cardId);
    const path = `/fleet/members/${made?.id}`;
    must(await at.send("PATCH", path, { status: "suspended" }), 200);
    expect((await station.topup(cardId, 500)).status).toBe(422);
    expect((await at.send("DELETE", path)).outcome).toBe("409 in-use");
    await station.block(cardId);
    expect(must(await at.get(path), 200)).toMatchObject({ activeCardId: null });
    must(await at.send("DELETE", path), 204);
    expect(must(await at.get(path), 200)).toMatchObject({ status: "closed" });
    for (const [method, body] of [["DELETE"], ["PATCH", { status: "active" }]] as const) {
      const heard = await at.send(method, path, body);
      expect([heard.outcome, heard.json.state]).toEqual(["409 wrong-state", "closed"]);
    }
    expect(await published(venue, "fleet.member.closed")).toHaveLength(1);
  });

  test("a card that ended is no longer the active one", async () => {
    const { venue, at } = await desk();
    const station = await venue.working("station");
    const { cardId } = await venue.card(station, { expiresAt: venue.clock.nowSec() + 100 });
    const active = async () => dataOf(await at.get("/fleet/members"))[0]?.activeCardId;
    expect(await active()).toBe(cardId);
    venue.clock.advance(100);
    expect(await active()).toBeNull();
  });

  test("another tenant's, unknown and malformed ids are 404; a permission missed is 403", async () => {
    const { venue, at } = await desk();
    const other = await venue.addTenant();
    await other.member();
    const [theirs] = await venue.rows<{ uuid: string }>("SELECT uuid FROM member");
    const clerk = await at.colleague("clerk@example.com", ["fleet.devices.read"]);
    const reader = await at.colleague("reader@example.com", ["fleet.members.read"]);
    for (const id of [theirs?.uuid, nobody, "x"]) {
      for (const [method, body] of [["GET"], ["PATCH", {}], ["DELETE"]] as const) {
        const path = `/fleet/members/${id}`;
        expect((await at.send(method, path, body)).outcome).toBe("404 not-found");
        expect((await clerk.send(method, path, body)).outcome).toBe("403 forbidden");
        const read = method === "GET" ? "404 not-found" : "403 forbidden";
        expect((await reader.send(method, path, body)).outcome).toBe(read);
      }
    }
    expect((await clerk.get("/fleet/members")).outcome).toBe("403 forbidden");
    expect((await reader.post("/fleet/members", { name: "A" })).outcome).toBe("403 forbidden");
    expect(dataOf(await at.get("/fleet/members"))).toEqual([]);
  });
});

describe("GET /fleet/members", () => {
  const page = async (at: Desk, query: string) => {
    const { data, meta } = must(await at.get(`/fleet/members${query}`), 200) as {
      data: { userId: number }[];
      meta: { cursor: string | null; hasMore: boolean; total: number };
    };
    return { ids: data.map(({ userId }) => userId), ...meta };
  };

  test("newest first, by state, number, and parts of name or email", async () => {
    const { at } = await desk();
    for (const [name, email] of [
      ["Siti Rahayu"],
      ["Budi", "SITI@example.com"],
      ["Öz 50%"],
      ["[x] *?"],
    ]) {
      must(await at.post("/fleet/members", { name, ...(email && { email }) }), 201);
    }
    const [second] = dataOf(await at.get("/fleet/members?userId=2"));
    must(await at.send("PATCH", `/fleet/members/${second?.id}`, { status: "suspended" }), 200);
    const q = (part: string, more = "") => page(at, `?q=${encodeURIComponent(part)}${more}`);
    const cases = [
      [await page(at, ""), [4, 3, 2, 1]],
      [await page(at, "?status=suspended"), [2]],
      [await page(at, "?status=closed"), []],
      [await page(at, "?userId=3"), [3]],
      [await page(at, "?userId=3&status=suspended"), []],
      [await page(at, "?userId=2&status=suspended&q=SITI"), [2]],
      [await page(at, "?userId=2&q=zz"), []],
      [await q("siti"), [2, 1]],
      [await q("siti", "&status=active"), [1]],
      [await q("öZ"), [3]],
      [await q("0%"), [3]],
      [await q("[x"), [4]],
      [await q("*?"), [4]],
      [await q("zz"), []],
    ] as const;
    for (const [found, ids] of cases) {
      expect([found.ids, found.total]).toEqual([[...ids], ids.length]);
    }
    for (const [query, field, code] of [
      ["?q=s", "q", "TOO_SHORT"],
      ["?status=x", "status", "NOT_ALLOWED"],
      ["?userId=0", "userId", "TOO_SMALL"],
      ["?userId=x", "userId", "INVALID_TYPE"],
      ["?limit=101", "limit", "TOO_LARGE"],
      ["?name=x", "name", "UNKNOWN_PARAMETER"],
    ]) {
      const heard = await at.get(`/fleet/members${query}`);
      expect(heard.json.errors).toMatchObject([{ field, code }]);
    }
  });

  test("a search goes over many, a stretch at a time, page by page", async () => {
    const { venue, at } = await desk();
    const { member } = venue.kartu;
    const nowMs = venue.clock.nowMs();
    await member.addMany(1, { name: "Guest" }, 4_500, operator, nowMs);
    await member.add(1, { name: "Nora" }, operator, nowMs);
    await member.add(1, { name: "Other" }, operator, nowMs);
    expect(await page(at, "?q=nora")).toMatchObject({ ids: [4_501], total: 1, hasMore: false });
    expect(await page(at, "?q=est%201&limit=1")).toMatchObject({ ids: [1_999], total: 1_111 });
    const first = await page(at, "?q=est%2014&limit=60");
    const second = await page(at, `?q=est%2014&limit=60&cursor=${first.cursor}`);
    expect([first.total, second.total, second.hasMore]).toEqual([111, 111, false]);
    const all = [...first.ids, ...second.ids];
    expect(all).toEqual([...new Set(all)].sort((a, b) => b - a));
    expect(all).toHaveLength(111);
    expect((await page(at, "?limit=100")).total).toBe(4_502);
  });

  test("totals are counts that are kept: whatever happens they are what is there", async () => {
    const { venue, at } = await desk();
    const { member, store } = venue.kartu;
    const counted = statement<[], { status: string; members: number }>(
      "test.counted",
      "SELECT status, count(*) AS members FROM member GROUP BY status",
    );
    const step = fc.tuple(fc.constantFrom("add", "suspend", "resume", "close"), fc.nat(20));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        for (const [what, no] of steps) {
          const nowMs = venue.clock.nowMs();
          if (what === "add") await member.add(1, { name: "A" }, operator, nowMs);
          else {
            const change = { suspend: member.suspend, resume: member.resume, close: member.close };
            await change[what as "close"](1, no, operator, nowMs).catch(() => undefined);
          }
        }
        const rows = await store.read((q) => q.all(counted));
        let all = 0;
        for (const { status, members } of rows) {
          all += members;
          const filter = { status: status as "active" };
          expect(await member.count(1, filter)).toBe(members);
        }
        expect(await member.count(1, {})).toBe(all);
      }),
      { numRuns: 20 },
    );
    expect((await page(at, "")).total).toBe(await member.count(1, {}));
  });
});
