import { describe, expect, test } from "bun:test";
import { type Chain, outcome, startSec, type Venue, venues, type WireEvent } from "../harness.ts";

const open = venues();

async function venueWithCard(amount = 50_000) {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, amount);
  return { venue, station, terminal, chain, cardId: chain.cardId };
}

const batchesOf = (venue: Venue) =>
  venue.rows<Record<string, number>>(
    "SELECT events, accepted, rejected, flagged, debit_amount AS debits, credit_amount AS credits FROM batch",
  );

describe("a batch", () => {
  test("is answered event by event, and kept with its totals and its proof", async () => {
    const { venue, terminal, chain, cardId } = await venueWithCard(3_000_000);
    const before = (await batchesOf(venue)).length;
    const paid = chain.debit(2_000_000);
    const unknown = { ...paid, cardId: "0000000000ff" };
    const { status, json, headers } = await terminal.upload(unknown, paid, chain.checkout());
    expect(status).toBe(200);
    expect(headers.get("x-request-id")).not.toBeNull();
    expect(json).toEqual({
      accepted: 2,
      rejected: 1,
      flags: [{ counter: 4, cardId, reason: "single_tx_limit_exceeded" }],
      rejections: [{ index: 0, counter: 4, cardId: "0000000000ff", reason: "unknown_card" }],
      batchId: json.batchId,
    });
    expect((await batchesOf(venue)).slice(before)).toEqual([
      { events: 3, accepted: 2, rejected: 1, flagged: 1, debits: 2_000_000, credits: 0 },
    ]);
    const proofs = await venue.rows<{ action: string }>(
      "SELECT a.action FROM batch b JOIN audit a ON a.seq = b.audit_seq AND a.tenant_id = b.tenant_id WHERE b.uuid = ?1",
      json.batchId,
    );
    expect(proofs).toEqual([{ action: "fleet.batch.reconciled" }]);
    expect(await venue.auditFaults()).toEqual([]);
  });

  test("of nothing is zeros", async () => {
    const { terminal } = await venueWithCard();
    for (let i = 0; i < 2; i++) {
      const { status, json } = await terminal.upload();
      expect(status).toBe(200);
      expect(json).toMatchObject({ accepted: 0, rejected: 0, flags: [], rejections: [] });
    }
  });

  test("of 1000 events is taken, of 1001 refused", async () => {
    const { venue, station } = await venueWithCard();
    const chain = await venue.card(station);
    const events = Array.from({ length: 1_001 }, () => chain.admin({ at: startSec }));
    expect(outcome(await station.upload(...events))).toBe("413 batch_too_large");
    expect(await station.hand(...events.slice(0, 1_000))).toEqual([]);
    expect((await station.read(chain.cardId)).json.counter).toBe(1_000);
  });

  test("names its own terminal", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const body = { terminalId: 1, events: [chain.debit(1_000)] };
    expect(outcome(await terminal.call("POST", "/api/reconcile", body))).toBe(
      "403 terminal_mismatch",
    );
    expect(await venue.books()).not.toHaveProperty("settlement 2");
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["an upper-case id", { cardId: "CA0100000001" }, "cardId"],
    ["a counter of 0", { counter: 0 }, "counter"],
    ["a counter over 2^53 − 1", { counter: 9_007_199_254_740_992 }, "counter"],
    ["a broken counter", { counter: 4.5 }, "counter"],
    ["an unknown type", { type: "refund" }, "type"],
    ["an amount below zero", { amount: -1 }, "amount"],
    ["an amount over uint32", { amount: 4_294_967_296 }, "amount"],
    ["a balance below zero", { balanceAfter: -1 }, "balanceAfter"],
    ["a time as text", { timestamp: "1746690000" }, "timestamp"],
    ["a short hash", { hash: "0f1e" }, "hash"],
    ["an upper-case hash", { hash: "0F1E2D3C4B5A" }, "hash"],
    ["a missing hash", { hash: undefined }, "hash"],
  ])("with %s anywhere is 400, and nothing of it is kept", async (_, change, path) => {
    const { venue, terminal, chain } = await venueWithCard();
    const before = await batchesOf(venue);
    const good = chain.debit(1_000);
    const bad = { ...chain.debit(2_000), ...change } as WireEvent;
    const answer = await terminal.upload(good, bad);
    expect(outcome(answer)).toBe("400 malformed_payload");
    expect((answer.json as unknown as { message: string }).message).toContain(`events[1].${path}`);
    expect(await batchesOf(venue)).toEqual(before);
  });
});

describe("a resend", () => {
  test("of everything is 409 with what it was, from whomever", async () => {
    const { venue, station, terminal, chain } = await venueWithCard();
    const queue = [chain.debit(1_000), chain.debit(2_000)];
    await terminal.hand(...queue);
    const books = await venue.books();
    for (const device of [terminal, station, terminal]) {
      const { status, json } = await device.upload(...queue);
      expect(status).toBe(409);
      expect(json as object).toMatchObject({
        error: "duplicate_counter",
        accepted: 0,
        rejected: 2,
      });
    }
    expect(await venue.books()).toEqual(books);
    await venue.kartu.audit.flushTallies(venue.clock.nowMs(), true);
    expect(await venue.actions("fleet.batch.duplicate")).toHaveLength(2);
  });

  test("in parts, and together with news, is a 200", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const [a, b, c] = [chain.debit(1_000), chain.debit(2_000), chain.debit(3_000)];
    await terminal.hand(a, b);
    expect(outcome(await terminal.upload(b))).toBe("409 duplicate_counter");
    expect((await terminal.upload(a, b, c)).json).toMatchObject({ accepted: 1, rejected: 2 });
    expect(await venue.books()).toMatchObject({ "settlement 2": 6_000 });
  });

  test("of what was refused, or partly refused, is judged again", async () => {
    const { terminal, chain } = await venueWithCard();
    const unknown = { ...chain.debit(1_000), cardId: "0000000000ff" };
    const paid = chain.debit(1_000);
    for (const rejected of [1, 2, 2]) {
      expect((await terminal.upload(unknown, paid)).json).toMatchObject({ rejected });
    }
    expect((await terminal.upload(unknown)).status).toBe(200);
  });

  test("inside one batch is only all of it if nothing else is there", async () => {
    const { terminal, chain } = await venueWithCard();
    const paid = chain.debit(1_000);
    expect((await terminal.upload(paid, paid)).json).toMatchObject({ accepted: 1, rejected: 1 });
    expect(outcome(await terminal.upload(paid, paid))).toBe("409 duplicate_counter");
  });
});

describe("two terminals with one card", () => {
  /** A day of one card at two terminals, uploaded in the order given. Answers what the venue knows then. */
  async function day(order: readonly ("first" | "second" | "both")[]) {
    const { venue, station, terminal, chain, cardId } = await venueWithCard();
    const second = await venue.working("terminal");
    const run = (of: Chain): WireEvent[] => [of.debit(1_000), of.debit(2_000)];
    const morning = [...run(chain), chain.checkout()];
    const evening = [chain.checkin(), ...run(chain)];
    for (const turn of order) {
      if (turn !== "second") await terminal.upload(...morning);
      if (turn !== "first") await second.upload(...evening);
    }
    const card = (await station.read(cardId)).json;
    const { json } = await station.call("GET", `/api/cards/${cardId}/events?limit=100`);
    return { card, events: json, books: await venue.books(), queue: await venue.queue() };
  }

  test("uploading in either order end the same", async () => {
    const straight = await day(["first", "second"]);
    expect(straight.card).toMatchObject({ counter: 9, balance: 44_000, state: "CHECKED_IN" });
    expect(straight.queue).toEqual([]);
    expect(await day(["second", "first"])).toEqual(straight);
    expect(await day(["both"])).toEqual(straight);
    expect(await day(["second", "both", "first"])).toEqual(straight);
  });
});

test("an event belongs to the terminal that hands it in first", async () => {
  const { venue, terminal, chain } = await venueWithCard();
  const second = await venue.working("terminal");
  const paid = chain.debit(1_000);
  await second.hand(paid);
  await terminal.upload(paid);
  expect((await venue.balances()).settlement).toEqual({ 1: 0, 2: 0, 3: 1_000 });
});

test("needsValidation lasts until the next accepted event", async () => {
  const { station, terminal, chain, cardId } = await venueWithCard();
  await terminal.report({ cardId, eventType: "write_failure" });
  const needs = async () => (await station.read(cardId)).json.needsValidation;
  expect(await needs()).toBe(true);
  await terminal.upload({ ...chain.fork().debit(5), amount: 0 });
  expect(await needs()).toBe(true);
  await terminal.hand(chain.debit(5));
  expect(await needs()).toBe(false);
});

test("a terminal's day is kept for settlement", async () => {
  const { venue, terminal, chain } = await venueWithCard(3_000_000);
  const yesterday = startSec - 86_400;
  await terminal.upload(
    chain.debit(1_000, { at: startSec }),
    chain.debit(2_000_000, { at: startSec }),
    chain.write("checkout", 5, 0, { at: startSec }),
    chain.checkin({ at: yesterday }),
  );
  const rows = await venue.rows(
    `SELECT day, checkins, debits, debit_amount AS amount, rejected, flagged, late_events AS late
     FROM settlement WHERE device_no = 2 ORDER BY day`,
  );
  const today = 20_216;
  expect(rows).toMatchObject([
    { day: today - 1, checkins: 1, debits: 0, rejected: 0, flagged: 1, late: 1 },
    { day: today, checkins: 1, debits: 2, amount: 2_001_000, rejected: 1, flagged: 1, late: 0 },
  ]);
});
