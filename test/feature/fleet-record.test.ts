/** Batches, events and reports as operators see them. */
import { describe, expect, test } from "bun:test";
import { type DeviceUnderTest, startSec, type Venue, venues, type WireEvent } from "../harness.ts";
import { Desk, dataOf, type Heard } from "./desk.ts";

const open = venues();
const iso = (sec: number): string => new Date(sec * 1000).toISOString();
const nobody = "01936d7a-0000-7000-8000-00000000dead";

interface Row {
  readonly id: string;
  readonly seq: number;
  readonly batchId: string;
  readonly cardId: string;
  readonly counter: number;
  readonly type: string;
  readonly outcome: string;
  readonly reasons: string[];
  readonly terminalId: number;
  readonly timestamp: string;
}
const rowsOf = (heard: Heard): Row[] => dataOf(heard) as unknown as Row[];
const totalOf = ({ json }: Heard): unknown => (json.meta as { total: number }).total;

async function pages(at: Desk, path: string, limit: number): Promise<Row[]> {
  const found: Row[] = [];
  for (let cursor = ""; ; ) {
    const mark = path.includes("?") ? "&" : "?";
    const answer = await at.get(`${path}${mark}limit=${limit}${cursor && `&cursor=${cursor}`}`);
    expect(answer.outcome).toBe("200");
    found.push(...rowsOf(answer));
    const meta = answer.json.meta as { cursor: string | null; hasMore: boolean };
    if (!meta.hasMore) return found;
    cursor = meta.cursor ?? "";
  }
}

const take = async (device: DeviceUnderTest, ...events: WireEvent[]): Promise<string> => {
  const { status, json } = await device.upload(...events);
  expect(status).toBe(200);
  return json.batchId;
};

/** Two cards, two tills, events of every outcome, a late one, empty batches. */
async function busy() {
  const venue = await open();
  const at = new Desk(venue);
  const station = await venue.working("station");
  const till = await venue.working("terminal");
  const other = await venue.working("terminal");
  const one = await venue.loaded(station, till, 50_000);
  const two = await venue.loaded(station, till, 50_000);
  const fork = one.fork();
  const now = venue.clock.nowSec();
  await take(till, one.debit(1_000, { at: now + 200 }), two.debit(2_000, { at: now + 210 }));
  await take(till);
  const early = one.debit(1_000, { at: now + 260 });
  const late = one.debit(1_000, { at: now + 300 });
  const above = one.debit(1_000, { at: now + 360 });
  await take(other, early, above, fork.debit(9_000, { at: now + 250 }));
  await take(till, { ...two.debit(1, { at: now + 300 }), cardId: "00000000dead" }, late);
  const batchId = await take(other, two.credit(7_000, { at: now + 400 }));
  return { venue, at, station, till, other, one, two, now, batchId };
}

describe("events", () => {
  test("every member", async () => {
    const { at, other, two, now, batchId } = await busy();
    const [credit] = rowsOf(await at.get("/fleet/events?limit=1"));
    const batch = (await at.get(`/fleet/batches/${batchId}`)).json;
    expect(credit).toEqual({
      ...{ id: expect.stringMatching(/^[0-9a-f-]{14}7[0-9a-f-]{21}$/), seq: expect.any(Number) },
      ...{ batchId, terminalId: other.terminalId, cardId: two.cardId, counter: two.counter },
      ...{ type: "credit", amount: 7_000, balanceAfter: two.balance, timestamp: iso(now + 400) },
      ...{ hash: expect.stringMatching(/^[0-9a-f]{12}$/), outcome: "flagged" },
      reasons: ["op_not_allowed", "unauthorised_credit"],
      ...{ receivedAt: batch.receivedAt, auditSeq: batch.auditSeq },
    } as unknown as Row);
  });

  test("all that was handed in, newest first, in pages of any size; refused ones too", async () => {
    const { at } = await busy();
    const whole = rowsOf(await at.get("/fleet/events?limit=100"));
    expect(whole).toHaveLength(14);
    const seqs = whole.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => b - a));
    expect(new Set(seqs).size).toBe(14);
    const ids = whole.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted().toReversed());
    expect(new Set(ids).size).toBe(14);
    expect(
      whole.filter(({ outcome }) => outcome === "rejected").map(({ reasons }) => reasons),
    ).toEqual([["unknown_card"], ["counter_conflict"]]);
    for (const limit of [1, 2, 4]) expect(await pages(at, "/fleet/events", limit)).toEqual(whole);
  });

  test("filters, alone and together, in pages; totals are exact", async () => {
    const { at, till, other, one, two, now, batchId } = await busy();
    const whole = rowsOf(await at.get("/fleet/events?limit=100"));
    const { terminalId } = other;
    const sec = (row: Row): number => Date.parse(row.timestamp) / 1000;
    const cases: [query: string, isDue: (row: Row) => boolean][] = [
      [`cardId=${one.cardId}`, (r) => r.cardId === one.cardId],
      [`cardId=${two.cardId}`, (r) => r.cardId === two.cardId],
      ["cardId=00000000dead", (r) => r.cardId === "00000000dead"],
      ["cardId=0000000000ff", () => false],
      [`terminalId=${terminalId}`, (r) => r.terminalId === terminalId],
      ["terminalId=65535", () => false],
      [
        `terminalId=${till.terminalId}&cardId=${one.cardId}`,
        (r) => r.terminalId === till.terminalId && r.cardId === one.cardId,
      ],
      ...["debit", "credit", "checkin", "checkout", "admin"].map(
        (type) => [`type=${type}`, (r: Row) => r.type === type] as [string, (r: Row) => boolean],
      ),
      ...["accepted", "flagged", "rejected"].flatMap((outcome) =>
        ["", `&cardId=${one.cardId}`, `&terminalId=${terminalId}`].map(
          (more) =>
            [
              `outcome=${outcome}${more}`,
              (r: Row) =>
                r.outcome === outcome &&
                (!more.includes("cardId") || r.cardId === one.cardId) &&
                (!more.includes("terminalId") || r.terminalId === terminalId),
            ] as [string, (r: Row) => boolean],
        ),
      ),
      [`from=${iso(now + 250)}`, (r) => sec(r) >= now + 250],
      [`to=${iso(now + 250)}`, (r) => sec(r) < now + 250],
      [
        `from=${iso(now + 210)}&to=${iso(now + 300)}&cardId=${one.cardId}`,
        (r) => sec(r) >= now + 210 && sec(r) < now + 300 && r.cardId === one.cardId,
      ],
      [
        `from=${iso(now + 200)}&terminalId=${till.terminalId}&type=debit`,
        (r) => sec(r) >= now + 200 && r.terminalId === till.terminalId && r.type === "debit",
      ],
      [`from=${iso(now + 9_000_000)}`, () => false],
    ];
    for (const [query, isDue] of cases) {
      const due = whole.filter(isDue);
      const answer = await at.get(`/fleet/events?${query}&limit=100`);
      expect([query, rowsOf(answer)]).toEqual([query, due]);
      expect([query, totalOf(answer)]).toEqual([query, due.length]);
      expect([query, await pages(at, `/fleet/events?${query}`, 1)]).toEqual([query, due]);
    }
    const own = await at.get(`/fleet/batches/${batchId}/events`);
    expect(rowsOf(own)).toEqual(whole.filter((row) => row.batchId === batchId));
  });

  test("of a batch, with every filter of the log", async () => {
    const { at, one, other } = await busy();
    const batches = dataOf(await at.get("/fleet/batches?limit=100")) as unknown as {
      id: string;
      events: number;
      rejected: number;
    }[];
    const forked = batches.find(({ events, rejected }) => events === 3 && rejected === 1)?.id;
    const path = `/fleet/batches/${forked}/events`;
    const whole = rowsOf(await at.get(path));
    expect(whole.map(({ outcome }) => outcome)).toEqual(["rejected", "accepted", "accepted"]);
    expect(await pages(at, path, 1)).toEqual(whole);
    for (const [query, count] of [
      [`cardId=${one.cardId}`, 3],
      ["cardId=00000000dead", 0],
      [`terminalId=${other.terminalId}`, 3],
      ["terminalId=1", 0],
      ["outcome=rejected", 1],
      ["outcome=flagged", 0],
      ["outcome=accepted", 2],
      ["type=admin", 0],
    ] as const) {
      const answer = await at.get(`${path}?${query}`);
      expect([query, rowsOf(answer).length, totalOf(answer)]).toEqual([query, count, count]);
    }
  });

  test("what is learnt about an event later shows in its outcome", async () => {
    const venue = await open();
    const at = new Desk(venue);
    const station = await venue.working("station");
    const till = await venue.working("terminal");
    const chain = await venue.loaded(station, till, 50_000);
    const fork = chain.fork();
    await till.hand(chain.debit(1_000));
    expect((await at.get("/fleet/events?outcome=flagged")).json.data).toEqual([]);
    await take(till, fork.debit(2_000), chain.debit(1_000));
    const flagged = rowsOf(await at.get("/fleet/events?outcome=flagged"));
    expect(flagged.map(({ counter, reasons }) => [counter, reasons])).toEqual([
      [4, ["counter_conflict"]],
    ]);
  });

  test("an event whose clock was far ahead is found from its own time on", async () => {
    const venue = await open();
    const at = new Desk(venue);
    const station = await venue.working("station");
    const till = await venue.working("terminal");
    const chain = await venue.loaded(station, till, 50_000);
    const far = startSec + 30 * 86_400;
    await take(till, chain.debit(1_000, { at: far }));
    venue.clock.advance(40 * 86_400);
    await take(till);
    const found = rowsOf(await at.get(`/fleet/events?from=${iso(far)}`));
    expect(found.map(({ timestamp }) => timestamp)).toEqual([iso(far)]);
  });

  test("a refused event that was let in later is there twice, as it was and as it is", async () => {
    const { venue, at, two } = await busy();
    const station = await venue.working("station");
    await venue.card(station, { cardId: "00000000dead" });
    const flag = await venue.flag("unknown_card");
    await venue.approve(flag.id);
    const path = "/fleet/events?cardId=00000000dead";
    const both = rowsOf(await at.get(path));
    expect(both.map(({ outcome }) => outcome)).toEqual(["flagged", "rejected"]);
    expect(await pages(at, path, 1)).toEqual(both);
    expect(both.every(({ cardId }) => cardId !== two.cardId)).toBe(true);
  });

  test("400 names the parameter; 404", async () => {
    const at = new Desk(await open());
    const bad: [query: string, field: string, code: string][] = [
      ["cardId=A1", "cardId", "INVALID_FORMAT"],
      ["terminalId=0", "terminalId", "TOO_SMALL"],
      ["terminalId=65536", "terminalId", "TOO_LARGE"],
      ["type=refund", "type", "NOT_ALLOWED"],
      ["outcome=lost", "outcome", "NOT_ALLOWED"],
      ["from=2026-11-21T00:00:00", "from", "INVALID_FORMAT"],
      ["to=x", "to", "INVALID_FORMAT"],
      ["batchId=x", "batchId", "UNKNOWN_PARAMETER"],
    ];
    for (const path of ["/fleet/events", `/fleet/batches/${nobody}/events`]) {
      for (const [query, field, code] of bad) {
        const answer = await at.get(`${path}?${query}`);
        expect([query, answer.outcome]).toEqual([query, "400 validation-error"]);
        expect(answer.json.errors).toMatchObject([{ field, code }]);
      }
    }
    expect((await at.get(`/fleet/batches/${nobody}/events`)).outcome).toBe("404 not-found");
    expect((await at.get("/fleet/batches/x/events")).outcome).toBe("404 not-found");
  });
});

describe("batches", () => {
  test("every member, and the filters", async () => {
    const { venue, at, till, other, batchId } = await busy();
    const [{ digest = "", seq = 0 } = {}] = await venue.rows<{ digest: string; seq: number }>(
      `SELECT lower(hex(digest)) AS digest, audit_seq AS seq FROM batch WHERE uuid = '${batchId}'`,
    );
    expect((await at.get(`/fleet/batches/${batchId}`)).json).toEqual({
      ...{ id: batchId, terminalId: other.terminalId, deviceId: other.deviceId },
      ...{ receivedAt: iso(startSec), events: 1, accepted: 1, rejected: 0, flagged: 1 },
      ...{ debitAmount: 0, creditAmount: 7_000, digest, auditSeq: seq },
    });
    type Batch = { id: string; flagged: number; terminalId: number; events: number };
    const list = async (query: string) => {
      const answer = await at.get(`/fleet/batches?limit=100&${query}`);
      expect([query, totalOf(answer)]).toEqual([query, dataOf(answer).length]);
      return dataOf(answer) as unknown as Batch[];
    };
    const whole = await list("");
    expect(whole).toHaveLength(9);
    expect(whole.map(({ id }) => id)).toEqual(
      whole
        .map(({ id }) => id)
        .toSorted()
        .toReversed(),
    );
    const of = (isDue: (batch: Batch) => boolean) => whole.filter(isDue);
    expect(await list("flagged=true")).toEqual(of(({ flagged }) => flagged > 0));
    expect(await list("flagged=false")).toEqual(of(({ flagged }) => flagged === 0));
    const { terminalId } = till;
    expect(await list(`terminalId=${terminalId}`)).toEqual(of((b) => b.terminalId === terminalId));
    expect(await list(`terminalId=${terminalId}&flagged=true`)).toEqual(
      of((b) => b.terminalId === terminalId && b.flagged > 0),
    );
    expect(await list("terminalId=65535")).toEqual([]);
    venue.clock.advance(60);
    const next = await take(till);
    expect((await list(`from=${iso(startSec + 60)}`)).map(({ id }) => id)).toEqual([next]);
    expect(await list(`to=${iso(startSec + 60)}`)).toEqual(whole);
    expect(await list(`from=${iso(startSec + 61)}`)).toEqual([]);
    const found: unknown[] = [];
    for (let cursor = ""; found.length < 10; ) {
      const answer = await at.get(`/fleet/batches?limit=4${cursor && `&cursor=${cursor}`}`);
      found.push(...dataOf(answer));
      cursor = String((answer.json.meta as { cursor: string }).cursor);
    }
    expect(found.slice(1)).toEqual(whole);
  });

  test("404 and 400", async () => {
    const at = new Desk(await open());
    expect((await at.get(`/fleet/batches/${nobody}`)).outcome).toBe("404 not-found");
    const bad = await at.get("/fleet/batches?flagged=1&from=x&terminalId=0");
    expect(bad.json.errors).toMatchObject([
      { field: "terminalId" },
      { field: "flagged" },
      { field: "from" },
    ]);
  });
});

describe("reports", () => {
  async function reported() {
    const venue = await open();
    const at = new Desk(venue);
    const station = await venue.working("station");
    const till = await venue.working("terminal");
    const { cardId } = await venue.card(station);
    await till.report({ eventType: "tamper", cardId, details: "x", counter: 4 });
    await till.report({ eventType: "terminal_error" });
    await station.report({ eventType: "write_failure", cardId: "00000000dead" });
    await station.report({ eventType: "terminal_error", timestamp: startSec - 500 });
    return { venue, at, station, till, cardId };
  }

  test("every member, and the filters", async () => {
    const { venue, at, station, till, cardId } = await reported();
    const list = async (query: string) => {
      const answer = await at.get(`/fleet/reports?limit=100&${query}`);
      expect([query, totalOf(answer)]).toEqual([query, dataOf(answer).length]);
      return dataOf(answer) as unknown as { id: string; eventType: string; terminalId: number }[];
    };
    const whole = await list("");
    expect(whole.map(({ eventType }) => eventType)).toEqual([
      ...["terminal_error", "write_failure", "terminal_error", "tamper"],
    ]);
    const tamper = whole[3];
    expect<unknown>(tamper).toEqual({
      ...{ id: tamper?.id, terminalId: till.terminalId, cardId, eventType: "tamper" },
      ...{ details: "x", counter: 4, timestamp: iso(startSec), receivedAt: iso(startSec) },
      action: "blocked",
    });
    expect<unknown>((await at.get(`/fleet/reports/${tamper?.id}`)).json).toEqual(tamper);
    const cases: [query: string, due: number[]][] = [
      ["eventType=terminal_error", [0, 2]],
      [`cardId=${cardId}`, [3]],
      ["cardId=00000000dead", [1]],
      [`terminalId=${station.terminalId}`, [0, 1]],
      [`terminalId=${station.terminalId}&eventType=terminal_error`, [0]],
      [`terminalId=${till.terminalId}&cardId=${cardId}`, [3]],
      [`cardId=${cardId}&eventType=replay`, []],
      [`from=${iso(startSec)}`, [1, 2, 3]],
      [`to=${iso(startSec)}`, [0]],
    ];
    for (const [query, due] of cases) {
      expect<unknown>([query, await list(query)]).toEqual([query, due.map((i) => whole[i])]);
    }
    const first = await at.get("/fleet/reports?limit=3");
    const { cursor } = first.json.meta as { cursor: string };
    await till.report({ eventType: "session_expired" });
    expect(dataOf(await at.get(`/fleet/reports?limit=3&cursor=${cursor}`))).toEqual([
      whole[3] as unknown as Record<string, unknown>,
    ]);
    const line = dataOf(await at.get(`/fleet/cards/${cardId}/timeline?kind=report`));
    expect(line).toMatchObject([{ detail: { reportId: tamper?.id, action: "blocked" } }]);
    expect(await venue.actions("fleet.report.received")).toHaveLength(5);
  });

  test("404 and 400", async () => {
    const { at } = await reported();
    expect((await at.get(`/fleet/reports/${nobody}`)).outcome).toBe("404 not-found");
    const bad = await at.get("/fleet/reports?eventType=x&cardId=x&to=x");
    expect(bad.json.errors).toMatchObject([
      { field: "eventType" },
      { field: "cardId" },
      { field: "to" },
    ]);
  });
});

async function fill(venue: Venue) {
  const other = await venue.addTenant();
  const station = await other.working("station");
  const till = await other.working("terminal");
  const chain = await other.loaded(station, till, 5_000);
  const { json } = await till.upload(chain.debit(100));
  await till.report({ eventType: "tamper", cardId: chain.cardId });
  return { other, batchId: json.batchId, cardId: chain.cardId };
}

test("another tenant's are not there; each permission is needed", async () => {
  const venue = await open();
  const at = new Desk(venue);
  const { batchId, cardId } = await fill(venue);
  const [{ report = "" } = {}] = await venue.rows<{ report: string }>(
    "SELECT uuid AS report FROM report",
  );
  for (const path of [
    `/fleet/batches/${batchId}`,
    `/fleet/batches/${batchId}/events`,
    `/fleet/reports/${report}`,
  ]) {
    expect((await at.get(path)).outcome).toBe("404 not-found");
  }
  for (const path of [
    "/fleet/batches",
    "/fleet/events",
    `/fleet/events?cardId=${cardId}`,
    "/fleet/events?terminalId=1",
    "/fleet/events?outcome=accepted",
    "/fleet/reports",
    `/fleet/reports?cardId=${cardId}`,
    "/fleet/reports?terminalId=2",
  ]) {
    expect((await at.get(path)).json).toMatchObject({ data: [], meta: { total: 0 } });
  }
  const batches = await at.colleague("batches@example.com", ["fleet.batches.read"]);
  const reports = await at.colleague("reports@example.com", ["fleet.reports.read"]);
  for (const path of ["batches", `batches/${nobody}`, `batches/${nobody}/events`, "events"]) {
    expect((await reports.get(`/fleet/${path}`)).outcome).toBe("403 forbidden");
    expect((await batches.get(`/fleet/${path}`)).outcome).not.toBe("403 forbidden");
  }
  for (const path of ["reports", `reports/${nobody}`]) {
    expect((await batches.get(`/fleet/${path}`)).outcome).toBe("403 forbidden");
    expect((await reports.get(`/fleet/${path}`)).outcome).not.toBe("403 forbidden");
  }
});
