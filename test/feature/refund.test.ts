import { describe, expect, test } from "bun:test";
import { outcome, startSec, type Venue, venues } from "../harness.ts";
import { Desk, dataOf, type Heard, newKey } from "./desk.ts";

const open = venues();
const today = "2025-05-08";
const newId = "0000000000aa";

async function handedIn(amount = 50_000) {
  const venue = await open();
  const desk = new Desk(venue);
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, amount);
  const { cardId } = chain;
  return { venue, desk, station, terminal, chain, cardId };
}

const refund = (desk: Desk, cardId: string, body: object = {}): Promise<Heard> =>
  desk.post(`/fleet/cards/${cardId}/refund`, { reason: "handed in", ...body });

const iso = (sec: number): string => new Date(sec * 1000).toISOString();

async function memberOf(venue: Venue, cardId: string): Promise<string> {
  const [row] = await venue.rows<{ uuid: string }>(
    "SELECT m.uuid FROM member m JOIN card c ON c.member_no = m.member_no WHERE c.card_id = ?1",
    cardId,
  );
  return row?.uuid ?? "";
}

describe("a card is paid out", () => {
  test("all of it: blocked, booked, in the timeline, in settlement, audited and told", async () => {
    const { venue, desk, station, terminal, chain, cardId } = await handedIn();
    await terminal.hand(chain.debit(20_000));
    const answer = await refund(desk, cardId);
    expect(answer.outcome).toBe("201");
    const [wallets] = await venue.rows<{ card: string; cash: string }>(
      `SELECT (SELECT wallet_uuid FROM card) AS card,
         (SELECT uuid FROM wallet WHERE system_key = 'cash') AS cash`,
    );
    const { id } = answer.json as { id: string };
    expect(answer.headers.get("location")).toBe(`/api/v1/transactions/${id}`);
    expect(answer.json).toEqual({
      ...{ id, transactionId: id, type: "refund", status: "completed", amount: 30_000 },
      ...{ currency: "IDR", walletId: wallets?.card, counterWalletId: wallets?.cash },
      balanceAfter: { available: 0, pending: 0, frozen: 0 },
      ...{ description: null, metadata: null, reason: "handed in", referenceTransactionId: null },
      ...{ reversed: false, ttl: null, expiresAt: null, source: "platform" },
      createdBy: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...{ createdAt: iso(startSec), updatedAt: iso(startSec) },
      // The grants of both devices were open when it was blocked.
      unseenUntil: iso(startSec + 28_800),
    });
    expect(await venue.books()).toEqual({ cash: -20_000, "settlement 2": 20_000 });
    expect((await station.read(cardId)).json).toMatchObject({
      status: "BLOCKED_ADMIN",
      balance: 0,
    });
    const all = await venue.kartu.card.timeline(venue.tenantId, cardId, 10);
    const timeline = all.filter(({ kind }) => kind === "refund" || kind === "status");
    expect(timeline.map(({ kind, amount }) => [kind, amount])).toEqual([
      ["refund", 30_000],
      ["status", null],
    ]);
    expect(timeline[0]?.detail).toMatchObject({ transactionId: id, reason: "handed in", left: 0 });
    const rows = dataOf(await desk.get(`/fleet/settlement?from=${today}&to=${today}`));
    expect(rows.at(-1)).toMatchObject({
      ...{ date: today, terminalId: null, deviceId: null, name: null },
      ...{ refunds: 1, refundAmount: 30_000, debits: 0, belongsTo: null },
    });
    expect((await venue.actions("fleet.card.%")).slice(-2)).toEqual([
      "fleet.card.blocked",
      "fleet.card.refunded",
    ]);
    const told = await venue.rows<{ data: string }>(
      "SELECT data FROM published_event WHERE type = 'fleet.card.refunded'",
    );
    expect(told.map(({ data }) => JSON.parse(data))).toEqual([
      { cardId, amount: 30_000, transactionId: id },
    ]);
    // What it spent offline still comes in, and shows below zero.
    expect(await terminal.hand(chain.debit(1))).toEqual(["5 card_blocked", "5 overdrawn"]);
    expect((await venue.books())[`${cardId} available`]).toBe(-1);
  });

  test("no more than the chip showed; the rest waits for late debits", async () => {
    const { venue, desk, terminal, chain, cardId } = await handedIn();
    const late = chain.debit(20_000);
    const { json } = await refund(desk, cardId, { chipBalance: 30_000 });
    expect(json).toMatchObject({
      amount: 30_000,
      balanceAfter: { available: 20_000, pending: 0, frozen: 0 },
    });
    expect(await terminal.hand(late)).toEqual(["4 card_blocked"]);
    expect(await venue.books()).toEqual({ cash: -20_000, "settlement 2": 20_000 });
    expect((await refund(desk, cardId)).outcome).toBe("409 wallet-empty");
  });

  test("an amount of it, and more of it later", async () => {
    const { venue, desk, cardId } = await handedIn();
    expect((await refund(desk, cardId, { amount: 20_000 })).json.amount).toBe(20_000);
    expect((await refund(desk, cardId, { amount: 30_001 })).outcome).toBe("400 insufficient-funds");
    expect((await refund(desk, cardId, { amount: 30_000 })).json.amount).toBe(30_000);
    expect(await venue.books()).toEqual({});
    const { totals } = (await desk.get(`/fleet/settlement?from=${today}&to=${today}`)).json;
    expect(totals).toMatchObject({ refunds: 2, refundAmount: 50_000 });
    expect(await venue.actions("fleet.card.blocked")).toEqual(["fleet.card.blocked"]);
  });

  test("pending top-ups too; the credit that still comes for one moves nothing", async () => {
    const { venue, desk, station, chain, cardId } = await handedIn();
    await station.topup(cardId, 7_000);
    expect((await refund(desk, cardId)).json.amount).toBe(57_000);
    expect(await venue.books()).toEqual({});
    expect(await station.hand(chain.credit(7_000))).toEqual(["4 card_blocked"]);
    expect(await venue.books()).toEqual({});
    const rows = await venue.rows("SELECT status, settled_by AS by FROM topup ORDER BY topup_no");
    expect(rows.at(-1)).toEqual({ status: "completed", by: "refund" });
  });

  test("whatever it is blocked for, and what a reissue left on it", async () => {
    const { venue, desk, station, terminal, chain, cardId } = await handedIn();
    await terminal.report({ eventType: "tamper", cardId });
    expect(outcome(await station.reissue(cardId, newId, { chipBalance: 30_000 }))).toBe("201");
    expect((await refund(desk, cardId)).json.amount).toBe(20_000);
    expect((await station.read(cardId)).json).toMatchObject({ status: "BLOCKED_TAMPER" });
    expect((await station.read(newId)).json).toMatchObject({ status: "ACTIVE", balance: 30_000 });
    expect(chain.counter).toBe(3);
    expect(await venue.books()).toEqual({ cash: -30_000, [`${newId} available`]: 30_000 });
  });

  test("once under one key", async () => {
    const { venue, desk, cardId } = await handedIn();
    const key = newKey();
    const path = `/fleet/cards/${cardId}/refund`;
    const first = await desk.send("POST", path, { reason: "x", amount: 1 }, key);
    for (let again = 0; again < 3; again++) {
      const replay = await desk.send("POST", path, { amount: 1, reason: "x" }, key);
      expect([replay.status, replay.text]).toEqual([201, first.text]);
    }
    expect((await desk.send("POST", path, { reason: "x" }, key)).outcome).toBe(
      "409 idempotency-key-conflict",
    );
    expect((await venue.books())[`${cardId} available`]).toBe(49_999);
  });
});

describe("a refusal leaves everything as it was", () => {
  test("more than there is, nothing there, no such card, bad input, no key, no permission", async () => {
    const { venue, desk, station, cardId } = await handedIn(1_000);
    const empty = (await venue.card(station)).cardId;
    const clerk = await desk.colleague("clerk@example.com", ["fleet.cards.read"]);
    const other = await venue.addTenant();
    const elsewhere = (await other.card(await other.working("station"))).cardId;
    const before = await venue.rows(
      "SELECT (SELECT count(*) FROM txn) AS t, sum(status) AS s FROM card",
    );
    const funds = await refund(desk, cardId, { amount: 1_001 });
    expect(funds.json).toMatchObject({
      status: 400,
      detail: "Available balance (1000 cents) is less than requested amount (1001 cents).",
    });
    const cases: [cardId: string, body: unknown, outcome: string][] = [
      [cardId, { reason: "x", amount: 900, chipBalance: 899 }, "400 insufficient-funds"],
      [cardId, { reason: "x", chipBalance: 0 }, "409 wallet-empty"],
      [empty, { reason: "x" }, "409 wallet-empty"],
      [empty, { reason: "x", amount: 1 }, "409 wallet-empty"],
      [elsewhere, { reason: "x" }, "404 not-found"],
      ["0000000000bb", { reason: "x" }, "404 not-found"],
      ["0000000000BB", { reason: "x" }, "404 not-found"],
      [cardId, { reason: "x", amount: 0 }, "400 invalid-amount"],
      [cardId, { reason: "x", amount: 1.5 }, "400 invalid-amount"],
      [cardId, { reason: "x", amount: "1" }, "400 invalid-amount"],
      [cardId, { reason: "x", amount: null }, "400 invalid-amount"],
    ];
    for (const [id, body, expected] of cases) {
      const found = await desk.post(`/fleet/cards/${id}/refund`, body);
      expect([id, body, found.outcome]).toEqual([id, body, expected]);
    }
    const bad: [body: object, field: string, code: string][] = [
      [{}, "reason", "REQUIRED"],
      [{ reason: "" }, "reason", "TOO_SHORT"],
      [{ reason: "x".repeat(257) }, "reason", "TOO_LONG"],
      [{ reason: 1 }, "reason", "INVALID_TYPE"],
      [{ reason: "x", chipBalance: -1 }, "chipBalance", "TOO_SMALL"],
      [{ reason: "x", chipBalance: 4_294_967_296 }, "chipBalance", "TOO_LARGE"],
      [{ reason: "x", cash: 1 }, "cash", "UNKNOWN_FIELD"],
    ];
    for (const [body, field, code] of bad) {
      const { outcome, json } = await desk.post(`/fleet/cards/${cardId}/refund`, body);
      const errors = (json.errors as { field: string; code: string }[]).map((e) => [
        e.field,
        e.code,
      ]);
      expect([outcome, ...errors]).toEqual(["400 validation-error", [field, code]]);
    }
    const path = `/fleet/cards/${cardId}/refund`;
    const body = { reason: "x" };
    expect((await desk.send("POST", path, body)).outcome).toBe("400 idempotency-key-required");
    expect((await desk.send("POST", path, body, { "idempotency-key": "1" })).outcome).toBe(
      "400 idempotency-key-invalid",
    );
    expect((await refund(clerk, cardId)).outcome).toBe("403 forbidden");
    expect(
      await venue.rows("SELECT (SELECT count(*) FROM txn) AS t, sum(status) AS s FROM card"),
    ).toEqual(before);
  });
});

describe("a member is paid out", () => {
  test("all that their cards hold, one transaction each; the card in use is blocked", async () => {
    const { venue, desk, station, cardId } = await handedIn();
    await station.reissue(cardId, newId, { chipBalance: 30_000 });
    const id = await memberOf(venue, cardId);
    const answer = await desk.post(`/fleet/members/${id}/refund`, { reason: "leaves" });
    expect(answer.outcome).toBe("201");
    expect(answer.json).toMatchObject({ total: 50_000, unseenUntil: iso(startSec + 28_800) });
    expect(dataOf(answer).map(({ type, amount, reason }) => [type, amount, reason])).toEqual([
      ["refund", 20_000, "leaves"],
      ["refund", 30_000, "leaves"],
    ]);
    expect(await venue.books()).toEqual({});
    expect((await station.read(newId)).json).toMatchObject({ status: "BLOCKED_ADMIN" });
    expect((await desk.post(`/fleet/members/${id}/refund`, { reason: "x" })).outcome).toBe(
      "409 wallet-empty",
    );
  });

  test("unless there is nothing, or no such member here, or no permission", async () => {
    const { venue, desk, station, cardId } = await handedIn();
    const id = await memberOf(venue, (await venue.card(station)).cardId);
    const other = await venue.addTenant();
    await other.card(await other.working("station"));
    const [theirs] = await other.rows<{ uuid: string }>(
      "SELECT uuid FROM member WHERE tenant_id = ?1",
      other.tenantId,
    );
    const clerk = await desk.colleague("clerk@example.com", ["fleet.members.read"]);
    const ask = async (who: Desk, member: string, body: object = { reason: "x" }) =>
      (await who.post(`/fleet/members/${member}/refund`, body)).outcome;
    expect(await ask(desk, id)).toBe("409 wallet-empty");
    expect(await ask(desk, theirs?.uuid ?? "")).toBe("404 not-found");
    expect(await ask(desk, "7")).toBe("404 not-found");
    expect(await ask(desk, id, {})).toBe("400 validation-error");
    expect(await ask(desk, id, { reason: "x", amount: 1 })).toBe("400 validation-error");
    expect(await ask(clerk, await memberOf(venue, cardId))).toBe("403 forbidden");
    expect(await venue.actions("fleet.card.blocked")).toEqual([]);
  });
});
