import { describe, expect, test } from "bun:test";
import { Chain, operator, outcome, startSec, venues } from "../harness.ts";

const open = venues();
const actor = { type: "user", id: "operator" } as const;
const newId = "0000000000aa";

async function lost(amount = 50_000) {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, amount);
  return { venue, station, terminal, chain, cardId: chain.cardId };
}

describe("what moves", () => {
  test("all that is available, where the old chip was not read", async () => {
    const { venue, station, terminal, chain, cardId } = await lost();
    await terminal.hand(chain.debit(20_000));
    const { status, json } = await station.reissue(cardId, newId, { expiresAt: startSec + 9 });
    expect(status).toBe(201);
    expect(json).toEqual({
      cardId: newId,
      replaces: cardId,
      userId: 1,
      status: "ACTIVE",
      balance: 30_000,
      createdAt: startSec,
      unseenUntil: startSec + 28_800,
    });
    expect(await venue.books()).toEqual({
      cash: -50_000,
      "settlement 2": 20_000,
      [`${newId} available`]: 30_000,
    });
    expect((await station.read(cardId)).json).toMatchObject({
      status: "BLOCKED_ADMIN",
      balance: 0,
      replacedBy: newId,
    });
    expect((await station.read(newId)).json).toMatchObject({
      status: "ACTIVE",
      replaces: cardId,
      balance: 30_000,
      chipBalance: 30_000,
      counter: 0,
      expiresAt: startSec + 9,
      lastActivity: startSec,
    });
  });

  test("no more than the old chip showed; the rest meets late debits", async () => {
    const { venue, station, terminal, chain, cardId } = await lost();
    const late = chain.debit(20_000);
    await station.reissue(cardId, newId, { chipBalance: 30_000 });
    const moved = { cash: -50_000, [`${newId} available`]: 30_000 };
    expect(await venue.books()).toEqual({ ...moved, [`${cardId} available`]: 20_000 });
    expect(await terminal.hand(late)).toEqual(["4 card_blocked"]);
    expect(await venue.books()).toEqual({ ...moved, "settlement 2": 20_000 });
  });

  test("no more than the wallet has, whatever the chip showed", async () => {
    const { venue, station, cardId } = await lost();
    const { json } = await station.reissue(cardId, newId, { chipBalance: 4_000_000_000 });
    expect(json.balance).toBe(50_000);
    expect(await venue.books()).toEqual({ cash: -50_000, [`${newId} available`]: 50_000 });
  });

  test("nothing from a wallet below zero", async () => {
    const { venue, station, terminal, chain, cardId } = await lost();
    await terminal.hand(chain.write("debit", 60_000, 0));
    expect((await station.reissue(cardId, newId)).json.balance).toBe(0);
    expect(await venue.books()).toEqual({
      cash: -50_000,
      "settlement 2": 60_000,
      [`${cardId} available`]: -10_000,
    });
  });

  test("pending top-ups too; their late credit moves nothing, once", async () => {
    const { venue, station, chain, cardId } = await lost();
    const { topupId } = (await station.topup(cardId, 7_000)).json;
    expect((await station.reissue(cardId, newId)).json.balance).toBe(57_000);
    const after = { cash: -57_000, [`${newId} available`]: 57_000 };
    expect(await venue.books()).toEqual(after);
    expect(outcome(await station.cancel(cardId, topupId))).toBe("409 topup_settled");
    expect((await station.read(cardId)).json.pendingTopups).toEqual({ count: 0, amount: 0 });

    const [first, second] = [chain.credit(7_000), chain.credit(7_000)];
    expect(await station.hand(first)).toEqual(["4 card_blocked"]);
    expect(await venue.books()).toEqual(after);
    expect(await station.hand(second)).toEqual(["5 card_blocked", "5 unauthorised_credit"]);
    expect(await venue.books()).toEqual({ ...after, cash: -64_000, suspense: 7_000 });
  });

  test("the new chip begins with the opening balance", async () => {
    const { station, terminal, cardId } = await lost();
    const { json } = await station.reissue(cardId, newId);
    const chip = new Chain(newId, { balance: json.balance as number, timestamp: startSec });
    expect(await station.hand(chip.admin())).toEqual([]);
    expect(await terminal.hand(chip.checkin(), chip.debit(1_000))).toEqual([]);
    expect((await station.read(newId)).json).toMatchObject({
      balance: 49_000,
      chipBalance: 49_000,
    });
  });
});

describe("statuses", () => {
  test.each([
    ["BLOCKED_TAMPER", "tamper"],
    ["BLOCKED_FRAUD", "replay"],
  ])("%s stays as it was", async (status, eventType) => {
    const { station, cardId } = await lost();
    await station.report({ cardId, eventType });
    expect(outcome(await station.reissue(cardId, newId))).toBe("201");
    expect((await station.read(cardId)).json).toMatchObject({ status, replacedBy: newId });
  });

  test("unseenUntil: the latest grant that was open when the old card was blocked", async () => {
    const { venue, station, terminal, cardId } = await lost();
    venue.clock.advance(3_600);
    await terminal.grant();
    venue.clock.advance(60);
    await station.block(cardId);
    venue.clock.advance(60);
    await station.grant();
    const { json } = await station.reissue(cardId, newId);
    expect(json.unseenUntil).toBe(startSec + 3_600 + 28_800);
  });

  test("a chain of reissues", async () => {
    const { venue, station, cardId } = await lost();
    await station.reissue(cardId, newId);
    await station.reissue(newId, "0000000000ab");
    expect((await station.read(newId)).json).toMatchObject({
      status: "BLOCKED_ADMIN",
      replaces: cardId,
      replacedBy: "0000000000ab",
    });
    expect(await venue.books()).toEqual({ cash: -50_000, "0000000000ab available": 50_000 });
  });
});

describe("refusals", () => {
  test("in the order of the contract, and nothing is done", async () => {
    const { venue, station, cardId } = await lost();
    const { member } = venue.kartu;
    const of = async (id: string, to: string, more = {}) =>
      outcome(await station.reissue(id, to, more));
    expect(await of("0000000000ff", newId)).toBe("404 card_not_found");

    await station.block(cardId);
    const second = await venue.card(station, { userId: 1 });
    await member.suspend(venue.tenantId, 1, actor, venue.clock.nowMs());
    const bad = { keyVersion: 9 };
    expect(await of(cardId, cardId, bad)).toBe("409 card_already_registered");
    expect(await of(cardId, second.cardId, bad)).toBe("409 card_already_registered");
    expect(await of(cardId, newId, bad)).toBe("409 user_has_active_card");
    await station.block(second.cardId);
    expect(await of(cardId, newId, bad)).toBe("422 invalid_user");
    await member.resume(venue.tenantId, 1, actor, venue.clock.nowMs());
    expect(await of(cardId, newId, bad)).toBe("422 invalid_key_version");
    expect(await venue.books()).toEqual({ cash: -50_000, [`${cardId} available`]: 50_000 });
    expect(await of(cardId, newId)).toBe("201");
    expect(await of(cardId, "0000000000ab", bad)).toBe("409 card_replaced");
  });

  test("an id that is listed by hand", async () => {
    const { venue, station, cardId } = await lost();
    const { store, blocklist } = venue.kartu;
    await store.write((tx) =>
      blocklist.list(tx, venue.tenantId, newId, "stolen", { actor: operator }, startSec * 1000),
    );
    expect(outcome(await station.reissue(cardId, newId))).toBe("422 card_blocked");
    expect((await station.read(cardId)).json.status).toBe("ACTIVE");
  });

  test.each([
    ["a chip below zero", { chipBalance: -1 }],
    ["an empty reason", { reason: "" }],
    ["257 characters of reason", { reason: "x".repeat(257) }],
    ["an upper-case id", { newCardId: "0000000000AA" }],
    ["a null", { expiresAt: null }],
  ])("%s is malformed", async (_, more) => {
    const { station, cardId } = await lost();
    expect(outcome(await station.reissue(cardId, newId, more))).toBe("400 malformed_payload");
  });
});

describe("the same body again", () => {
  test("from the same device: the same 201, also much later", async () => {
    const { venue, station, cardId } = await lost();
    const more = { timestamp: startSec, reason: "lost" };
    const first = await station.reissue(cardId, newId, more);
    venue.clock.advance(3_600);
    await station.reissue(newId, "0000000000ab");
    const again = await station.reissue(cardId, newId, more);
    expect([again.status, again.json]).toEqual([201, first.json]);
    expect(await venue.books()).toEqual({ cash: -50_000, "0000000000ab available": 50_000 });
  });

  test("from another device, or another body: a conflict", async () => {
    const { venue, station, cardId } = await lost();
    const second = await venue.working("station");
    await station.reissue(cardId, newId);
    expect(outcome(await second.reissue(cardId, newId))).toBe("409 card_already_registered");
    const other = await station.reissue(cardId, newId, { chipBalance: 1 });
    expect(outcome(other)).toBe("409 card_already_registered");
  });
});
