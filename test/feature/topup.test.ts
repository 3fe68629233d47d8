import { describe, expect, test } from "bun:test";
import { type DeviceUnderTest, outcome, startSec, type Venue, venues } from "../harness.ts";

const open = venues();
const actor = { type: "user", id: "operator" } as const;

async function stationed() {
  const venue = await open();
  const station = await venue.working("station");
  const chain = await venue.card(station);
  await station.hand(chain.admin());
  return { venue, station, chain, cardId: chain.cardId };
}

/** The day's figures of a device's top-ups. */
const topupsOf = (venue: Venue, { terminalId }: DeviceUnderTest) =>
  venue.rows<{ topups: number; amount: number }>(
    `SELECT s.topups, s.topup_amount AS amount FROM settlement s JOIN device d ON d.device_no = s.device_no
     WHERE d.tenant_id = ?1 AND d.terminal_id = ?2 AND s.topups + s.topup_amount <> 0`,
    venue.tenantId,
    terminalId,
  );

describe("making", () => {
  test("the money is in the ledger at once, pending", async () => {
    const { venue, station, cardId } = await stationed();
    const { status, json } = await station.topup(cardId, 50_000, { counter: 2 });
    expect(status).toBe(200);
    const { topupId } = json;
    expect(json as object).toEqual({
      cardId,
      topupId,
      amount: 50_000,
      balance: 50_000,
      counter: 1,
      status: "PENDING",
    });
    expect(await venue.books()).toEqual({ cash: -50_000, [`${cardId} pending`]: 50_000 });
    expect(await topupsOf(venue, station)).toEqual([{ topups: 1, amount: 50_000 }]);
  });

  test("the card's credit settles it and counts it once", async () => {
    const { venue, station, chain, cardId } = await stationed();
    const first = (await station.topup(cardId, 50_000)).json;
    expect(await station.hand(chain.credit(50_000))).toEqual([]);
    expect(await venue.books()).toEqual({ cash: -50_000, [`${cardId} available`]: 50_000 });
    const again = await station.topup(cardId, 50_000, { timestamp: startSec });
    expect(again.json).toEqual({ ...first, status: "COMPLETED" });
    expect(await venue.books()).toEqual({ cash: -50_000, [`${cardId} available`]: 50_000 });
  });

  test("refuses in the order of the contract", async () => {
    const { venue, station, cardId } = await stationed();
    await venue.policy({ maxBalance: 1_000_000 });
    const { member } = venue.kartu;
    const nowMs = venue.clock.nowMs();
    expect(outcome(await station.topup("0000000000aa", 1))).toBe("404 card_not_found");
    await station.topup(cardId, 600_000);
    expect(outcome(await station.topup(cardId, 400_001))).toBe("422 balance_limit_exceeded");
    expect(outcome(await station.topup(cardId, 400_000))).toBe("200");
    await member.suspend(venue.tenantId, 1, actor, nowMs);
    expect(outcome(await station.topup(cardId, 9))).toBe("422 invalid_user");
    await station.block(cardId);
    expect(outcome(await station.topup(cardId, 9))).toBe("422 card_blocked");
    // The same call again comes before any other check.
    const again = await station.topup(cardId, 600_000);
    expect(again.json).toMatchObject({ status: "PENDING", balance: 600_000 });
    expect(await venue.books()).toEqual({ cash: -1_000_000, [`${cardId} pending`]: 1_000_000 });
  });

  test("the limit is the effective one of the station's zone", async () => {
    const venue = await open();
    const station = await venue.working("station", { zone: "vip" });
    const { cardId } = await venue.card(station);
    const target = { scope: "zone", zone: "vip" } as const;
    const change = { maxBalance: 9_000_000 };
    await venue.kartu.policy.set(venue.tenantId, target, change, actor, venue.clock.nowMs());
    expect(outcome(await station.topup(cardId, 9_000_000))).toBe("200");
  });

  test.each([
    ["nothing", { amount: 0 }],
    ["less than nothing", { amount: -1 }],
    ["half a unit", { amount: 1.5 }],
    ["an amount as text", { amount: "5" }],
    ["more than uint32", { amount: 4_294_967_296 }],
    ["counter 0", { counter: 0 }],
    ["no operator", { operatorId: null }],
    ["an unknown field", { note: "x" }],
  ])("%s is malformed", async (_, more) => {
    const { venue, station, cardId } = await stationed();
    expect(outcome(await station.topup(cardId, 5, more))).toBe("400 malformed_payload");
    expect(await venue.books()).toEqual({});
  });

  test("another device, amount or second is another top-up", async () => {
    const { venue, station, cardId } = await stationed();
    const second = await venue.working("station");
    const ids = new Set<string>();
    for (const call of [
      () => station.topup(cardId, 10),
      () => station.topup(cardId, 10),
      () => second.topup(cardId, 10),
      () => station.topup(cardId, 11),
      () => station.topup(cardId, 10, { timestamp: startSec + 1 }),
    ]) {
      ids.add((await call()).json.topupId);
    }
    expect(ids.size).toBe(4);
    expect(await venue.books()).toEqual({ cash: -41, [`${cardId} pending`]: 41 });
  });
});

describe("a credit that came before its call", () => {
  test("is parked, and settled by the call at once", async () => {
    const { venue, station, chain, cardId } = await stationed();
    expect(await station.hand(chain.credit(5_000))).toEqual(["2 unauthorised_credit"]);
    expect(await venue.books()).toEqual({ cash: -5_000, suspense: 5_000 });
    const { json } = await station.topup(cardId, 5_000);
    expect(json).toMatchObject({ status: "COMPLETED", balance: 5_000, counter: 2 });
    expect(await venue.books()).toEqual({ cash: -5_000, [`${cardId} available`]: 5_000 });
    expect(await venue.flags()).toMatchObject([{ status: "approved", note: "matched" }]);
    expect(await venue.actions("fleet.flag.decided")).toHaveLength(1);
    expect((await station.topup(cardId, 5_000)).json).toEqual(json);
  });

  test("of another device, another amount, or decided already waits no more", async () => {
    const { venue, station, chain, cardId } = await stationed();
    const second = await venue.working("station");
    await second.hand(chain.credit(5_000));
    await station.hand(chain.credit(6_000));
    await venue.approve((await venue.flags("open"))[1]?.id ?? "");
    expect((await station.topup(cardId, 5_000)).json.status).toBe("PENDING");
    expect((await station.topup(cardId, 6_000)).json.status).toBe("PENDING");
    expect((await station.topup(cardId, 7_000)).json.status).toBe("PENDING");
    expect(await venue.books()).toEqual({
      cash: -29_000,
      suspense: 5_000,
      [`${cardId} available`]: 6_000,
      [`${cardId} pending`]: 18_000,
    });
  });
});

describe("which top-up a credit settles", () => {
  /** Top-ups at these seconds before now, then one credit of the same amount. */
  async function settled(
    topups: readonly { at: number; counter?: number }[],
    creditAt: number,
  ): Promise<string[]> {
    const { venue, station, chain, cardId } = await stationed();
    for (const { at, counter } of topups) {
      await station.topup(cardId, 100, { timestamp: at, ...(counter && { counter }) });
    }
    expect(await station.hand(chain.credit(100, { at: creditAt }))).toEqual([]);
    const rows = await venue.rows<{ at: number }>(
      "SELECT timestamp_sec AS at FROM topup WHERE status = 'completed'",
    );
    return rows.map(({ at }) => String(at));
  }
  const now = startSec;

  test("that with its counter", async () => {
    const topups = [{ at: now - 9 }, { at: now - 8, counter: 2 }, { at: now - 7, counter: 3 }];
    expect(await settled(topups, now)).toEqual([String(now - 8)]);
  });

  test("else the latest not after it and the allowance", async () => {
    const topups = [{ at: now - 90 }, { at: now + 3_600 }, { at: now + 3_601 }];
    expect(await settled(topups, now)).toEqual([String(now + 3_600)]);
  });

  test("else the oldest", async () => {
    const topups = [{ at: now + 3_602 }, { at: now + 3_601 }, { at: now + 3_603 }];
    expect(await settled(topups, now)).toEqual([String(now + 3_601)]);
  });
});

describe("cancelling", () => {
  test("pending goes back to cash; a repeat is the same", async () => {
    const { venue, station, cardId } = await stationed();
    await station.topup(cardId, 7_000);
    const { topupId } = (await station.topup(cardId, 5_000)).json;
    const first = await station.cancel(cardId, topupId);
    expect([first.status, first.json]).toEqual([
      200,
      { cardId, topupId, amount: 5_000, balance: 7_000, status: "CANCELED" },
    ]);
    await station.topup(cardId, 1_000);
    expect((await station.cancel(cardId, topupId)).json).toEqual(first.json);
    expect(await venue.books()).toEqual({ cash: -8_000, [`${cardId} pending`]: 8_000 });
    expect(await topupsOf(venue, station)).toEqual([{ topups: 2, amount: 8_000 }]);
    const again = await station.topup(cardId, 5_000);
    expect(again.json).toMatchObject({ topupId, status: "CANCELED" });
  });

  test("refuses in the order of the contract", async () => {
    const { venue, station, chain, cardId } = await stationed();
    const second = await venue.working("station");
    const other = await venue.card(station);
    const { topupId } = (await station.topup(cardId, 5_000)).json;
    const of = async (device: DeviceUnderTest, card: string, id: string) =>
      outcome(await device.cancel(card, id));
    expect(await of(second, "0000000000aa", topupId)).toBe("404 card_not_found");
    expect(await of(second, other.cardId, topupId)).toBe("404 topup_not_found");
    expect(await of(second, cardId, "nonsense")).toBe("404 topup_not_found");
    expect(await of(second, cardId, topupId)).toBe("403 terminal_mismatch");
    await station.hand(chain.credit(5_000));
    expect(await of(second, cardId, topupId)).toBe("403 terminal_mismatch");
    expect(await of(station, cardId, topupId)).toBe("409 topup_settled");
    expect(await venue.books()).toEqual({ cash: -5_000, [`${cardId} available`]: 5_000 });
  });

  test("takes no body or an empty object", async () => {
    const { station, cardId } = await stationed();
    const { topupId } = (await station.topup(cardId, 5_000)).json;
    const path = `/api/cards/${cardId}/topup/${topupId}/cancel`;
    expect(outcome(await station.call("POST", path, { x: 1 }))).toBe("400 malformed_payload");
    expect(outcome(await station.call("POST", path, []))).toBe("400 malformed_payload");
    expect(outcome(await station.call("POST", path, {}))).toBe("200");
  });

  test("a settled one: an equal pending one goes in its place, once", async () => {
    const { venue, station, chain, cardId } = await stationed();
    const topup = async (amount: number, timestamp: number) =>
      (await station.topup(cardId, amount, { timestamp, counter: 2 })).json.topupId;
    const failed = await topup(5_000, startSec);
    const written = await topup(5_000, startSec + 1);
    const unequal = await topup(4_000, startSec + 2);
    // Both expected counter 2: the credit finds the older.
    await station.hand(chain.credit(5_000));
    const first = await station.cancel(cardId, failed);
    expect(first.json).toEqual({
      cardId,
      topupId: failed,
      amount: 5_000,
      balance: 9_000,
      status: "CANCELED",
      canceledTopupId: written,
    });
    const third = await topup(5_000, startSec + 3);
    expect((await station.cancel(cardId, failed)).json).toEqual(first.json);
    expect(await venue.books()).toEqual({
      cash: -14_000,
      [`${cardId} available`]: 5_000,
      [`${cardId} pending`]: 9_000,
    });
    expect((await station.cancel(cardId, written)).json).toMatchObject({ topupId: written });
    expect(outcome(await station.cancel(cardId, third))).toBe("200");
    expect(outcome(await station.cancel(cardId, unequal))).toBe("200");
    expect(await venue.books()).toEqual({ cash: -5_000, [`${cardId} available`]: 5_000 });
  });

  test("in another's place: its own device's first, and it goes off the maker's figures", async () => {
    const { venue, station, chain, cardId } = await stationed();
    const second = await venue.working("station");
    const failed = (await station.topup(cardId, 5_000, { counter: 2 })).json.topupId;
    const foreign = (await second.topup(cardId, 5_000)).json.topupId;
    await station.hand(chain.credit(5_000));
    const { json } = await station.cancel(cardId, failed);
    expect(json.canceledTopupId).toBe(foreign);
    expect(await topupsOf(venue, station)).toEqual([{ topups: 1, amount: 5_000 }]);
    expect(await topupsOf(venue, second)).toEqual([]);
    expect(outcome(await second.cancel(cardId, foreign))).toBe("200");
  });

  test("of a card that was blocked meanwhile", async () => {
    const { venue, station, cardId } = await stationed();
    const { topupId } = (await station.topup(cardId, 5_000)).json;
    await station.block(cardId);
    expect((await station.cancel(cardId, topupId)).json).toMatchObject({ balance: 0 });
    expect(await venue.books()).toEqual({});
  });
});
