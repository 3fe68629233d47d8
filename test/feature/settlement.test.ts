import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openReader } from "../../src/store/reader.ts";
import { type Chain, startSec, type Venue, venues } from "../harness.ts";
import { hledgerBalances } from "../hledger.ts";
import { Desk, dataOf, type Heard } from "./desk.ts";

const open = venues();
const daySec = 86_400;
/** The start is Thursday, 8 May 2025, 17:26:40 in Jakarta: midnight is so many seconds ahead. */
const midnight = startSec + 23_600;
const first = "2025-05-08";
const second = "2025-05-09";
const third = "2025-05-10";

async function day(amount = 500_000) {
  const venue = await open();
  const desk = new Desk(venue);
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, amount);
  return { venue, desk, station, terminal, chain };
}

const settlement = (desk: Desk, from: string, to: string, more = ""): Promise<Heard> =>
  desk.get(`/fleet/settlement?from=${from}&to=${to}${more}`);

const close = (desk: Desk, from: string, to: string, more: object = {}): Promise<Heard> =>
  desk.post("/fleet/settlement/runs", { from, to, ...more });

/** Where the second day is over as well. */
const atThird = (venue: Venue): void => venue.clock.set(midnight + daySec + 60);

const zero = {
  ...{ checkins: 0, checkouts: 0, debits: 0, debitAmount: 0, credits: 0, creditAmount: 0 },
  ...{ topups: 0, topupAmount: 0, rejected: 0, flagged: 0, lateEvents: 0 },
  ...{ refunds: 0, refundAmount: 0 },
};

/** What the books say, in the journal's accounts. */
async function accounts(venue: Venue): Promise<Record<string, number>> {
  const { cash, suspense, settlement: tills, cards } = await venue.balances();
  const held = Object.values(cards).reduce(
    (sum, { available, pending, frozen }) => sum + available + pending + frozen,
    0,
  );
  const all = Object.entries(tills).map(([id, sum]) => [`settlement:${id}`, sum] as const);
  const made = { cash, suspense, cards: held, ...Object.fromEntries(all) };
  return Object.fromEntries(Object.entries(made).filter(([, sum]) => sum !== 0));
}

async function faults(venue: Venue): Promise<string[]> {
  await venue.kartu.store.settle();
  const file = openReader(join(venue.dataDir, "kartu.db"));
  const { faults: found } = await file.scan((q) => venue.kartu.verify.verify(q));
  await file.close();
  return found.map(({ check, key }) => `${check}: ${key}`);
}

describe("rows", () => {
  test("are by day of the event where the tenant is, and by terminal; totals are of all", async () => {
    const { venue, desk, station, terminal, chain } = await day();
    venue.clock.set(midnight - 1);
    await terminal.hand(chain.debit(1_000, { at: midnight - 1 }));
    venue.clock.set(midnight + 10);
    const over = [chain.debit(20, { at: midnight }), chain.debit(3, { at: midnight + 1 })];
    await terminal.hand(...over);
    const found = await settlement(desk, first, second);
    const till = { deviceId: terminal.deviceId, terminalId: terminal.terminalId, name: null };
    const rest = { ...zero, currency: "IDR", belongsTo: null };
    expect(found.json).toEqual({
      data: [
        {
          ...{ ...rest, date: first, terminalId: station.terminalId, deviceId: station.deviceId },
          ...{ name: null, topups: 1, topupAmount: 500_000, credits: 1, creditAmount: 500_000 },
        },
        { ...rest, date: first, ...till, checkins: 1, debits: 1, debitAmount: 1_000 },
        { ...rest, date: second, ...till, debits: 2, debitAmount: 23 },
      ],
      meta: { cursor: null, hasMore: false, total: 3 },
      totals: {
        ...{ ...zero, checkins: 1, debits: 3, debitAmount: 1_023, credits: 1 },
        ...{ creditAmount: 500_000, topups: 1, topupAmount: 500_000 },
      },
    });
    const own = await settlement(desk, first, second, `&terminalId=${terminal.terminalId}`);
    expect(dataOf(own).map(({ date, debitAmount }) => [date, debitAmount])).toEqual([
      [first, 1_000],
      [second, 23],
    ]);
    expect((own.json.totals as typeof zero).topups).toBe(0);
    const none = await settlement(desk, first, second, "&terminalId=99");
    expect([dataOf(none), none.json.totals]).toEqual([[], zero]);
    expect(dataOf(await settlement(desk, third, third))).toEqual([]);
  });

  test("come page by page, in their order, the totals with each page", async () => {
    const { desk, terminal, chain, venue } = await day();
    await terminal.hand(chain.debit(7));
    const other = await venue.working("terminal");
    await other.hand(chain.debit(8));
    const seen: unknown[] = [];
    let path = `/fleet/settlement?from=${first}&to=${first}&limit=2`;
    for (let cursor: unknown = ""; cursor !== null; ) {
      const page = await desk.get(cursor === "" ? path : `${path}&cursor=${cursor}`);
      seen.push(...dataOf(page).map(({ terminalId }) => terminalId));
      expect((page.json.totals as typeof zero).debitAmount).toBe(15);
      cursor = (page.json.meta as { cursor: string | null }).cursor;
    }
    expect(seen).toEqual([1, 2, 3]);
    path = `/fleet/settlement?from=${first}&to=${second}&limit=2`;
    const { json } = await desk.get(`/fleet/settlement?from=${first}&to=${first}&limit=2`);
    const { cursor } = json.meta as { cursor: string };
    expect((await desk.get(`${path}&cursor=${cursor}`)).outcome).toBe("400 invalid-cursor");
  });

  test("a cancelled top-up leaves no row of nothing", async () => {
    const venue = await open();
    const desk = new Desk(venue);
    const station = await venue.working("station");
    const chain = await venue.card(station);
    const { json } = await station.topup(chain.cardId, 500);
    await station.cancel(chain.cardId, json.topupId);
    const found = await settlement(desk, first, first);
    expect([found.json.data, found.json.totals]).toEqual([[], zero]);
    expect((found.json.meta as { total: number }).total).toBe(0);
  });

  test("as CSV: every column, the whole range, nothing that a spreadsheet would run", async () => {
    const venue = await open();
    const desk = new Desk(venue);
    const draft = { deviceId: "till-1", role: "terminal", name: '=HYPERLINK("x"),y' } as const;
    const actor = { type: "user", id: "operator" } as const;
    const { device } = venue.kartu;
    const made = await device.register(venue.tenantId, draft, actor, venue.clock.nowMs());
    const station = await venue.working("station");
    const gate = await venue.working("gate");
    await venue.loaded(station, gate, 1_000);
    await venue.kartu.store.write((tx) =>
      venue.kartu.settlement.addTopup(
        tx,
        { tenantId: venue.tenantId, deviceNo: 1, zoneNo: null },
        startSec,
        -1,
        -5,
      ),
    );
    const found = await settlement(desk, first, first, "&format=csv&limit=1");
    expect(found.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(found.headers.get("content-disposition")).toBe(
      `attachment; filename="settlement-${first}-${first}.csv"`,
    );
    expect(made.device.terminalId).toBe(1);
    expect(found.text.split("\r\n")).toEqual([
      "date,terminalId,deviceId,name,currency,checkins,checkouts,debits,debitAmount,credits," +
        "creditAmount,topups,topupAmount,rejected,flagged,lateEvents,refunds,refundAmount,belongsTo",
      `${first},1,till-1,"'=HYPERLINK(""x""),y",IDR,0,0,0,0,0,0,-1,-5,0,0,0,0,0,`,
      `${first},2,${station.deviceId},,IDR,0,0,0,0,1,1000,1,1000,0,0,0,0,0,`,
      `${first},3,${gate.deviceId},,IDR,1,0,0,0,0,0,0,0,0,0,0,0,0,`,
      "",
    ]);
    // Undone, so that the proof at the end finds what events say.
    await venue.kartu.store.write((tx) =>
      venue.kartu.settlement.addTopup(
        tx,
        { tenantId: venue.tenantId, deviceNo: 1, zoneNo: null },
        startSec,
        1,
        5,
      ),
    );
    expect(await venue.actions("fleet.settlement.%")).toEqual(["fleet.settlement.exported"]);
  });
});

describe("a run", () => {
  test("freezes its rows under a number and a hash, and is read back byte for byte for ever", async () => {
    const { venue, desk, terminal, chain } = await day();
    await terminal.hand(chain.debit(1_000));
    venue.clock.set(midnight);
    const closed = await close(desk, first, first);
    expect(closed.outcome).toBe("201");
    const { id } = closed.json as { id: string };
    expect(closed.headers.get("location")).toBe(`/api/v1/fleet/settlement/runs/${id}`);
    const read = async () => {
      const texts: Record<string, string> = {};
      for (const format of ["json", "csv", "journal"]) {
        const answer = await desk.get(`/fleet/settlement/runs/${id}?format=${format}`);
        expect(answer.status).toBe(200);
        texts[format] = answer.text;
      }
      return texts;
    };
    const before = await read();
    const live = await settlement(desk, first, first);
    expect(closed.json).toEqual({
      ...{ id, number: 1, from: first, to: first, terminalId: null, rows: 2 },
      ...{ totals: live.json.totals, sha256: Bun.SHA256.hash(before.csv ?? "", "hex") },
      closedAt: new Date(venue.clock.nowMs()).toISOString(),
      closedBy: expect.any(String),
    });
    expect(JSON.parse(before.json ?? "")).toEqual({ ...closed.json, data: live.json.data });
    expect((await desk.get(`/fleet/settlement/runs/${id}`)).text).toBe(before.json ?? "");

    // Nothing that comes later changes it: events, a new name, a restart.
    await terminal.hand(chain.debit(5, { at: midnight - 1 }));
    await venue.rows("SELECT 1");
    await venue.kartu.store.write(async (tx) => {
      const sql = "UPDATE device SET name = 'renamed' WHERE tenant_id = ?1";
      await tx.run({ name: "test rename", sql }, venue.tenantId);
    });
    expect(await read()).toEqual(before);
    const rest = await venue.rows("SELECT name FROM device WHERE name = 'renamed'");
    expect(rest.length).toBeGreaterThan(0);
    await venue.prove();
    const list = await desk.get("/fleet/settlement/runs");
    expect(list.json).toEqual({
      data: [closed.json],
      meta: { cursor: null, hasMore: false, total: 1 },
    });
    expect((await settlement(desk, first, first)).json.totals).toMatchObject({
      ...{ debits: 2, debitAmount: 1_005, lateEvents: 1 },
    });
    expect(await venue.actions("fleet.settlement.closed")).toEqual(["fleet.settlement.closed"]);
    const told = await venue.rows<{ data: string }>(
      "SELECT data FROM published_event WHERE type = 'fleet.settlement.closed'",
    );
    const { sha256 } = closed.json;
    expect(told.map(({ data }) => JSON.parse(data))).toEqual([
      { runId: id, number: 1, from: first, to: first, sha256 },
    ]);
  });

  test("what comes late for closed days is in the next one, with the day that it belongs to", async () => {
    const { venue, desk, terminal, chain } = await day();
    await terminal.hand(chain.debit(1_000));
    venue.clock.set(midnight + 60);
    await close(desk, first, first);
    await terminal.hand(chain.debit(70, { at: midnight - 1 }), chain.debit(6, { at: midnight }));
    const other = await venue.working("terminal");
    await other.hand(chain.debit(5, { at: midnight - 1 }));
    atThird(venue);
    const next = await close(desk, second, second);
    expect(next.json).toMatchObject({ number: 2, rows: 3 });
    const { id } = next.json as { id: string };
    const rows = dataOf(await desk.get(`/fleet/settlement/runs/${id}`));
    const short = rows.map((row) => [
      ...[row.date, row.terminalId, row.debits, row.debitAmount, row.lateEvents, row.belongsTo],
    ]);
    expect(short).toEqual([
      [second, 2, 1, 6, 0, null],
      [second, 2, 1, 70, 1, first],
      [second, 3, 1, 5, 1, first],
    ]);
    expect((next.json.totals as typeof zero).debitAmount).toBe(81);
    // Each in one run alone: a third finds nothing more, and all runs together are all there is.
    venue.clock.set(midnight + 2 * daySec);
    expect((await close(desk, third, third)).json).toMatchObject({ number: 3, rows: 0 });
    const all = await settlement(desk, first, third);
    expect((all.json.totals as typeof zero).debitAmount).toBe(1_081);
  });

  test("of one terminal, beside those of others; the house is in runs of all alone", async () => {
    const { venue, desk, terminal, chain } = await day();
    await terminal.hand(chain.debit(1_000));
    venue.clock.set(midnight);
    const till = { terminalId: terminal.terminalId };
    const own = await close(desk, first, first, till);
    expect(own.json).toMatchObject({ ...till, rows: 1 });
    expect((own.json.totals as typeof zero).debitAmount).toBe(1_000);
    expect((await close(desk, first, first)).outcome).toBe("409 already-exists");
    expect((await close(desk, first, first, till)).outcome).toBe("409 already-exists");
    const station = await close(desk, first, first, { terminalId: 1 });
    expect(station.json).toMatchObject({ number: 2, rows: 1, terminalId: 1 });
    await terminal.hand(chain.debit(5, { at: midnight - 1 }));
    venue.clock.set(midnight + daySec);
    // The next run of the station is not the terminal's.
    expect((await close(desk, second, second, { terminalId: 1 })).json.rows).toBe(0);
    const late = await close(desk, second, second, till);
    expect(late.json).toMatchObject({ number: 4, rows: 1 });
  });

  test("is refused over days of another one, over days that are not over, and of a stranger", async () => {
    const { venue, desk, terminal, chain } = await day();
    await terminal.hand(chain.debit(1));
    expect((await close(desk, first, first)).json).toMatchObject({ status: 409, state: "open" });
    venue.clock.set(midnight + 9 * daySec);
    expect((await close(desk, "2025-05-04", "2025-05-10")).outcome).toBe("201");
    const cases: [from: string, to: string, outcome: string][] = [
      ["2025-05-10", "2025-05-12", "409 already-exists"],
      ["2025-05-01", "2025-05-04", "409 already-exists"],
      ["2025-05-05", "2025-05-05", "409 already-exists"],
      ["2025-03-01", "2025-05-30", "409 already-exists"],
      ["2025-05-11", "2025-05-18", "409 wrong-state"],
      ["2025-05-11", "2025-05-17", "201"],
      ["2025-05-01", "2025-05-03", "201"],
      ["2025-01-29", "2025-04-30", "201"],
    ];
    for (const [from, to, outcome] of cases) {
      expect([from, to, (await close(desk, from, to)).outcome]).toEqual([from, to, outcome]);
    }
    const before = await venue.rows("SELECT count(*) AS n FROM settlement_run");
    const bad: [body: object, field: string, code: string][] = [
      [{ from: first }, "to", "REQUIRED"],
      [{ from: "2025-02-30", to: first }, "from", "INVALID_FORMAT"],
      [{ from: second, to: first }, "to", "TOO_SMALL"],
      [{ from: "2025-01-01", to: "2025-04-03" }, "to", "TOO_LARGE"],
      [{ from: first, to: first, terminalId: 99 }, "terminalId", "NOT_ALLOWED"],
      [{ from: first, to: first, terminalId: 0 }, "terminalId", "TOO_SMALL"],
      [{ from: first, to: first, terminalId: "1" }, "terminalId", "INVALID_TYPE"],
      [{ from: first, to: first, number: 9 }, "number", "UNKNOWN_FIELD"],
    ];
    for (const [body, field, code] of bad) {
      const { outcome, json } = await desk.post("/fleet/settlement/runs", body);
      const errors = (json.errors as { field: string; code: string }[]).map((e) => [
        e.field,
        e.code,
      ]);
      expect([outcome, ...errors]).toEqual(["400 validation-error", [field, code]]);
    }
    for (const query of ["", "?from=x&to=y", `?from=${second}&to=${first}`]) {
      expect((await desk.get(`/fleet/settlement${query}`)).outcome).toBe("400 validation-error");
    }
    expect((await settlement(desk, first, first, "&format=xml")).outcome).toBe(
      "400 validation-error",
    );
    expect((await settlement(desk, "2025-01-01", "2025-04-03")).outcome).toBe(
      "400 validation-error",
    );
    expect((await settlement(desk, "2025-01-01", "2025-04-02")).outcome).toBe("200");
    expect(await venue.rows("SELECT count(*) AS n FROM settlement_run")).toEqual(before);
  });

  test("of another tenant is not there, and each permission is due", async () => {
    const { venue, desk } = await day();
    const other = await venue.addTenant();
    venue.clock.set(midnight);
    const nowMs = venue.clock.nowMs();
    const range = { from: 20_000, to: 20_000, terminalId: null };
    const by = { actor: { type: "user", id: "x" } } as const;
    const run = await venue.kartu.settlement.close(other.tenantId, range, by, nowMs);
    expect((await desk.get(`/fleet/settlement/runs/${run.uuid}`)).outcome).toBe("404 not-found");
    expect((await desk.get("/fleet/settlement/runs/x")).outcome).toBe("404 not-found");
    expect(dataOf(await desk.get("/fleet/settlement/runs"))).toEqual([]);
    const reader = await desk.colleague("reader@example.com", ["fleet.settlement.read"]);
    const closer = await desk.colleague("closer@example.com", ["fleet.settlement.close"]);
    expect((await close(reader, first, first)).outcome).toBe("403 forbidden");
    for (const path of [
      `/fleet/settlement?from=${first}&to=${first}`,
      "/fleet/settlement/runs",
      `/fleet/settlement/runs/${run.uuid}`,
    ]) {
      expect((await closer.get(path)).outcome).toBe("403 forbidden");
    }
    expect((await close(closer, first, first)).outcome).toBe("201");
    expect((await reader.get("/fleet/settlement/runs")).outcome).toBe("200");
  });

  test("is closed once under one key", async () => {
    const { venue, desk } = await day();
    venue.clock.set(midnight);
    const headers = { "idempotency-key": "0195d1f0-7d5c-4b3a-8a55-1f0e2d3c4b5a" };
    const body = { from: first, to: first };
    const made = await desk.send("POST", "/fleet/settlement/runs", body, headers);
    const again = await desk.send("POST", "/fleet/settlement/runs", body, headers);
    expect([made.status, again.status, again.text]).toEqual([201, 201, made.text]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
  });

  test("is closed once by whoever comes first, and its events go on meanwhile", async () => {
    const { venue, desk, terminal, chain } = await day();
    venue.clock.set(midnight);
    await desk.token();
    const asked = Array.from({ length: 8 }, () => close(desk, first, first));
    const late = terminal.hand(chain.debit(9, { at: midnight - 1 }));
    const outcomes = (await Promise.all(asked)).map(({ outcome }) => outcome).sort();
    expect(outcomes).toEqual(["201", ...Array<string>(7).fill("409 already-exists")]);
    await late;
    expect((await desk.get("/fleet/settlement/runs")).json.meta).toMatchObject({ total: 1 });
  });

  test("that a stop cut short is closed all the same, and finished by the same call or the next", async () => {
    const { venue, desk, terminal, chain } = await day();
    await terminal.hand(chain.debit(9));
    venue.clock.set(midnight + daySec + 60);
    const by = { actor: { type: "user", id: "x" } } as const;
    const { settlement: service } = venue.kartu;
    const cut = async (date: number) => {
      const range = { from: date, to: date, terminalId: null };
      const stop = async (): Promise<never> => {
        throw new Error("cut short");
      };
      const cutShort = service.close(venue.tenantId, range, by, venue.clock.nowMs(), stop);
      expect((await cutShort.catch((error: Error) => error)) as Error).toMatchObject({
        message: "cut short",
      });
    };
    await cut(20_216);
    expect(dataOf(await desk.get("/fleet/settlement/runs"))).toEqual([]);
    await terminal.hand(chain.debit(5, { at: midnight - 1 }));
    expect((await close(desk, "2025-05-07", first)).outcome).toBe("409 already-exists");
    const made = await close(desk, first, first);
    expect(made.json).toMatchObject({ number: 1, rows: 2 });
    expect((made.json.totals as typeof zero).debitAmount).toBe(9);
    await cut(20_215);
    expect((await close(desk, second, second)).json).toMatchObject({ number: 3, rows: 0 });
    const runs = dataOf(await desk.get("/fleet/settlement/runs"));
    expect(runs.map(({ number, rows }) => [number, rows])).toEqual([
      [3, 0],
      [2, 1],
      [1, 2],
    ]);
  });

  test("is never changed: the tables refuse it, and a proof finds what got past them", async () => {
    const { venue, desk, terminal, chain } = await day();
    await terminal.hand(chain.debit(1_000));
    venue.clock.set(midnight);
    await close(desk, first, first);
    expect(await faults(venue)).toEqual([]);
    await venue.stop();
    const db = new Database(join(venue.dataDir, "kartu.db"), { strict: true });
    const refused = (sql: string): string => {
      try {
        db.run(sql);
        return "taken";
      } catch (error) {
        return (error as Error).message;
      }
    };
    const closed = "settlement: a closed row is never changed";
    expect(refused("UPDATE settlement SET debits = 2")).toBe(closed);
    expect(refused("UPDATE settlement SET layer = 1")).toBe(closed);
    expect(refused("DELETE FROM settlement")).toBe("settlement is never deleted");
    expect(refused("INSERT INTO settlement SELECT * FROM settlement")).toMatch(/day is closed/);
    expect(refused("UPDATE settlement_run SET number = 7")).toMatch(/append-only/);
    expect(refused("UPDATE settlement_run SET rows = 7")).toMatch(/append-only/);
    expect(refused("DELETE FROM settlement_export")).toMatch(/append-only/);
    expect(
      refused(`INSERT INTO settlement_run (uuid, tenant_id, number, from_day, to_day, closed_at_ms, closed_by)
        SELECT 'x' || substr(uuid, 2), tenant_id, 2, to_day, to_day + 3, 1, 'x' FROM settlement_run`),
    ).toBe("settlement_run: a day of a terminal is in one run alone");
    db.run("DROP TRIGGER settlement_closed_no_update");
    db.run("DROP TRIGGER settlement_export_no_update");
    db.run("UPDATE settlement SET debits = 2 WHERE device_no = 2");
    db.run("UPDATE settlement_export SET sha256 = zeroblob(32) WHERE format = 'journal'");
    db.close();
    const file = openReader(join(venue.dataDir, "kartu.db"));
    const { faults: found } = await file.scan((q) => venue.kartu.verify.verify(q));
    await file.close();
    expect(found.map(({ check, key }) => `${check}: ${key}`)).toEqual([
      `settlement: tenant 1, ${first}, device 2, debits`,
      "settlement export: tenant 1, run 1, journal",
      "settlement run: tenant 1, run 1, rows",
    ]);
  });
});

describe("the journal", () => {
  /** Everything that moves money: top-ups, a cancelled one, parked credits decided each way, refunds. */
  async function eventful() {
    const { venue, desk, station, terminal, chain } = await day();
    const cancelled = await station.topup(chain.cardId, 300);
    await station.cancel(chain.cardId, cancelled.json.topupId);
    await terminal.hand(chain.debit(12_000), chain.debit(500));
    const credits = async (of: Chain, amount: number) => station.hand(of.credit(amount));
    await credits(chain, 4_000);
    await venue.approve((await venue.flag("unauthorised_credit")).id);
    await credits(chain, 5_000);
    await venue.dismiss((await venue.flag("unauthorised_credit")).id, false);
    await credits(chain, 6_000);
    await station.topup(chain.cardId, 6_000);
    await credits(chain, 7_000);
    const refund = await desk.post(`/fleet/cards/${chain.cardId}/refund`, {
      ...{ reason: "handed in", amount: 9_999 },
    });
    expect(refund.outcome).toBe("201");
    return { venue, desk, station, terminal, chain };
  }

  test("is taken by hledger, and its balances are those of the books", async () => {
    const { venue, desk, terminal, chain } = await eventful();
    const { text, headers } = await settlement(desk, first, first, "&format=journal");
    expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
    const books = await accounts(venue);
    expect(books).toEqual({
      ...{ cash: -507_001, suspense: 7_000, cards: 487_501, "settlement:2": 12_500 },
    });
    const balances = hledgerBalances(text);
    if (balances !== null) expect(balances).toEqual(books);

    venue.clock.set(midnight + 60);
    const one = await close(desk, first, first);
    await terminal.hand(chain.debit(40, { at: midnight - 1 }), chain.debit(2, { at: midnight }));
    await venue.approve((await venue.flag("unauthorised_credit")).id);
    atThird(venue);
    const two = await close(desk, second, second);
    const runs = [one, two].map(({ json }) => String(json.id));
    const journals: string[] = [];
    for (const id of runs) {
      journals.push((await desk.get(`/fleet/settlement/runs/${id}?format=journal`)).text);
    }
    expect(journals[1]).toContain(`    ; belongsTo: ${first}\n`);
    const whole = await settlement(desk, first, second, "&format=journal");
    for (const journal of [whole.text, `${journals[0]}\n${journals[1]}`]) {
      const found = hledgerBalances(journal);
      if (found !== null) expect(found).toEqual(await accounts(venue));
    }
  }, 30_000);

  test("nothing that somebody is called breaks it", async () => {
    const venue = await open();
    const desk = new Desk(venue);
    const name = '; ! * (x) | "y"  2025-01-01 = \u2028 a:b, Döner';
    const draft = { deviceId: "till:1", role: "terminal", name } as const;
    const actor = { type: "user", id: "operator" } as const;
    const { device } = venue.kartu;
    const made = await device.register(venue.tenantId, draft, actor, venue.clock.nowMs());
    await venue.kartu.tenant.tenantBySlug();
    const till = await venue.commission(draft.deviceId, "terminal", made.secret);
    const chain = await venue.loaded(
      await venue.working("station"),
      await venue.working("gate"),
      1_000,
    );
    const { status } = await venue.call("POST", "/api/reconcile", {
      token: till.token,
      body: { terminalId: till.terminalId, events: [chain.debit(10)] },
    });
    expect(status).toBe(200);
    const { text } = await settlement(desk, first, first, "&format=journal");
    expect(text).toContain(
      `${first} terminal 1 | debits, till:1, ! * (x) "y" 2025-01-01 = a:b, Döner\n`,
    );
    const found = hledgerBalances(text);
    if (found !== null) expect(found).toEqual({ cards: 990, cash: -1_000, "settlement:1": 10 });
  });

  test("of nothing is one too", async () => {
    const venue = await open();
    const { text } = await settlement(new Desk(venue), first, first, "&format=journal");
    const found = hledgerBalances(text);
    if (found !== null) expect(found).toEqual({});
  });
});
