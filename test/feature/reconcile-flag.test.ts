import { describe, expect, test } from "bun:test";
import { startSec, venues } from "../harness.ts";

const open = venues();
const actor = { type: "user", id: "operator" } as const;
const allowance = 3_600;

async function venueWithCard(amount = 50_000) {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, amount);
  return { venue, station, terminal, chain, cardId: chain.cardId };
}

describe("limits", () => {
  test("single: above it, not at it; low, with the limit as evidence", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    await venue.policy({ singleTxLimit: 1_000 });
    expect(await terminal.hand(chain.debit(1_000))).toEqual([]);
    expect(await terminal.hand(chain.debit(1_001))).toEqual(["5 single_tx_limit_exceeded"]);
    expect(await venue.queue()).toEqual(["5 single_tx_limit_exceeded low"]);
    const { evidence } = await venue.flag("single_tx_limit_exceeded");
    expect(evidence).toMatchObject({ limit: 1_000, total: 1_001, event: { counter: 5 } });
  });

  test("are those of the uploading device at the moment of upload", async () => {
    const { venue, station, terminal, chain } = await venueWithCard();
    const kiosk = await venue.working("terminal", { deviceId: "kiosk" });
    const target = { scope: "device", deviceId: "kiosk" } as const;
    const { policy } = venue.kartu;
    await policy.set(venue.tenantId, target, { singleTxLimit: 10 }, actor, venue.clock.nowMs());
    const [a, b] = [chain.debit(20), chain.debit(20)];
    expect(await kiosk.hand(a)).toEqual(["4 single_tx_limit_exceeded"]);
    expect(await terminal.hand(b)).toEqual([]);
    expect(await station.hand(chain.credit(7))).toEqual(["6 unauthorised_credit"]);
  });

  test("balance: above maxBalance low, above the hard ceiling high", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    await venue.policy({ maxBalance: 49_000, singleTxLimit: 1_000 });
    const flags = await terminal.hand(
      chain.debit(1_000),
      chain.write("checkout", 0, 49_001),
      chain.write("checkin", 0, 16_000_001),
    );
    expect(flags).toEqual([
      "5 balance_limit_exceeded",
      "5 balance_mismatch",
      "6 balance_limit_exceeded",
      "6 balance_mismatch",
    ]);
    expect(await venue.queue()).toEqual([
      "5 balance_limit_exceeded low",
      "5 balance_mismatch medium",
      "6 balance_limit_exceeded high",
      "6 balance_mismatch medium",
    ]);
  });
});

describe("what was spent in a day and a week", () => {
  /** Friday 00:00 in Jakarta. */
  const friday = startSec + 23_600;
  const monday = friday + 3 * 86_400;

  async function limited() {
    const world = await venueWithCard();
    await world.venue.policy({ singleTxLimit: 1_000, dailyLimit: 1_000, weeklyLimit: 1_500 });
    world.venue.clock.set(monday + 3_600);
    const limits = (flags: readonly string[]) => flags.filter((flag) => flag.includes("ly_limit"));
    const pay = async (amount: number, at: number) => {
      return limits(await world.terminal.hand(world.chain.debit(amount, { at })));
    };
    return { ...world, pay, limits };
  }

  test("a local day ends at midnight of the tenant's zone, a week with Sunday", async () => {
    const { venue, pay } = await limited();
    expect(await pay(600, friday - 2)).toEqual([]);
    expect(await pay(401, friday - 1)).toEqual(["5 daily_limit_exceeded"]);
    expect(await pay(499, friday)).toEqual([]);
    expect(await pay(1, monday - 1)).toEqual(["7 weekly_limit_exceeded"]);
    expect(await pay(1_000, monday)).toEqual([]);
    expect(await pay(1, monday + 1)).toEqual(["9 daily_limit_exceeded"]);
    const daily = (await venue.flags()).find((flag) => flag.reason === "daily_limit_exceeded");
    expect(daily?.evidence).toMatchObject({ limit: 1_000, total: 1_001 });
  });

  test("each debit is held against what had come by then; a later arrival re-flags nothing", async () => {
    const { terminal, chain, limits } = await limited();
    const [first, second, third] = [
      chain.debit(500, { at: friday }),
      chain.debit(500, { at: friday + 1 }),
      chain.debit(500, { at: friday + 2 }),
    ];
    expect(limits(await terminal.hand(third))).toEqual([]);
    expect(limits(await terminal.hand(second))).toEqual([]);
    expect(limits(await terminal.hand(first))).toEqual(["4 daily_limit_exceeded"]);
  });

  test("an older week keeps its own sums while a newer one grows", async () => {
    const { pay } = await limited();
    expect(await pay(900, friday)).toEqual([]);
    expect(await pay(900, monday)).toEqual([]);
    expect(await pay(700, friday + 86_400)).toEqual(["6 weekly_limit_exceeded"]);
    expect(await pay(100, monday)).toEqual([]);
    expect(await pay(1, monday)).toEqual(["8 daily_limit_exceeded"]);
    expect(await pay(200, friday)).toEqual(["9 daily_limit_exceeded", "9 weekly_limit_exceeded"]);
  });

  test("refused debits don't count, credits neither", async () => {
    const { terminal, chain, pay, limits } = await limited();
    await terminal.upload({ ...chain.fork().debit(900, { at: friday }), counter: 99_999 });
    expect(limits(await terminal.hand(chain.credit(900, { at: friday })))).toEqual([]);
    expect(await pay(1_000, friday)).toEqual([]);
  });
});

describe("a card that may not be used", () => {
  test("blocked: high from the block less the allowance on, else low", async () => {
    const { venue, station, terminal, chain, cardId } = await venueWithCard();
    await station.block(cardId);
    const flags = await terminal.hand(
      chain.debit(1, { at: startSec - allowance }),
      chain.debit(1, { at: startSec - allowance - 1 }),
    );
    expect(flags).toEqual(["4 card_blocked", "5 card_blocked", "5 late_submission"]);
    expect(await venue.queue()).toEqual([
      "4 card_blocked high",
      "5 card_blocked low",
      "5 late_submission low",
    ]);
  });

  test("blocked: not for an admin event whose op is granted", async () => {
    const { station, terminal, chain, cardId } = await venueWithCard();
    await station.block(cardId);
    expect(await station.hand(chain.admin())).toEqual([]);
    expect(await terminal.hand(chain.admin())).toEqual(["5 card_blocked", "5 op_not_allowed"]);
    expect(await station.hand(chain.checkout())).toEqual(["6 card_blocked"]);
  });

  test("expired: after expiresAt, not at it", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const chain = await venue.card(station, { expiresAt: startSec + 100 });
    const flags = await station.hand(
      chain.admin({ at: startSec + 100 }),
      chain.admin({ at: startSec + 101 }),
    );
    expect(flags).toEqual(["2 card_expired"]);
    expect(await venue.queue()).toEqual(["2 card_expired medium"]);
  });
});

describe("time and grants", () => {
  test("clock_drift: later than now and the allowance", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const [edge, drift] = [startSec + allowance, startSec + allowance + 1];
    const flags = await terminal.hand(chain.debit(1, { at: edge }), chain.debit(1, { at: drift }));
    expect(flags).toEqual(["5 clock_drift"]);
    expect(await venue.queue()).toEqual(["5 clock_drift low"]);
    await venue.policy({ clockDriftAllowanceSec: 0 });
    expect(await terminal.hand(chain.debit(1, { at: startSec }))).toEqual([]);
    expect(await terminal.hand(chain.debit(1, { at: startSec + 1 }))).toEqual(["7 clock_drift"]);
  });

  test("late_submission: outside every grant, widened by the allowance", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const ends = startSec + 28_800;
    venue.clock.set(ends + 50_000);
    const of = async (at: number) => await terminal.hand(chain.debit(1, { at }));
    expect(await of(startSec - allowance)).toEqual([]);
    expect(await of(startSec - allowance - 1)).toEqual(["5 late_submission"]);
    expect(await of(ends + allowance)).toEqual([]);
    expect(await of(ends + allowance + 1)).toEqual(["7 late_submission"]);
    await terminal.grant();
    expect(await of(ends + 50_000)).toEqual([]);
    expect(await of(ends + 40_000)).toEqual(["9 late_submission"]);
  });

  test("the queue of a day, uploaded the day after under a new grant, is not late", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const queue = [
      chain.debit(1, { at: startSec + 600 }),
      chain.debit(2, { at: startSec + 9_000 }),
    ];
    venue.clock.advance(86_400);
    expect(await terminal.hand(...queue)).toEqual([]);
  });

  test("op_not_allowed: covered by grants of which none carries it", async () => {
    const { venue, station, chain } = await venueWithCard();
    const gate = await venue.working("gate");
    expect(await gate.hand(chain.debit(1))).toEqual(["4 op_not_allowed"]);
    expect(await gate.hand(chain.credit(1))).toEqual(["5 op_not_allowed", "5 unauthorised_credit"]);
    expect(await gate.hand(chain.admin())).toEqual(["6 op_not_allowed"]);
    expect(await gate.hand(chain.checkout(), chain.checkin())).toEqual([]);
    expect(await station.hand(chain.checkout())).toEqual([]);
    expect(await station.hand(chain.checkin())).toEqual(["10 op_not_allowed"]);
    expect((await venue.queue())[0]).toBe("4 op_not_allowed medium");
  });

  test("without a covering grant the role's present ops count", async () => {
    const { venue, chain } = await venueWithCard();
    const [gate, other] = [await venue.device("gate"), await venue.device("terminal")];
    expect(await gate.hand(chain.debit(1))).toEqual(["4 late_submission", "4 op_not_allowed"]);
    expect(await other.hand(chain.debit(1))).toEqual(["5 late_submission"]);
    await venue.policy({ "allowedOps.terminal": 0b1100 });
    expect(await other.hand(chain.debit(1))).toEqual(["6 late_submission", "6 op_not_allowed"]);
  });

  test("admin is allowed by reissue or by block", async () => {
    const { venue, station, chain } = await venueWithCard();
    for (const ops of [0b0100000, 0b1000000]) {
      await venue.policy({ "allowedOps.station": ops });
      const fresh = await venue.working("station");
      expect(await fresh.hand(chain.admin())).toEqual([]);
    }
    // A grant from before the change covers what it carried.
    expect(await station.hand(chain.credit(1))).toEqual(["6 unauthorised_credit"]);
  });
});

describe("money", () => {
  test("overdrawn: every debit after which the wallet is below zero, pending counted", async () => {
    const { venue, station, terminal, chain, cardId } = await venueWithCard(1_000);
    await station.topup(cardId, 500);
    const flags = await terminal.hand(
      chain.write("debit", 1_500, 0),
      chain.write("debit", 1, 0),
      chain.write("debit", 1, 0),
    );
    expect(flags.filter((flag) => flag.endsWith("overdrawn"))).toEqual([
      "5 overdrawn",
      "6 overdrawn",
    ]);
    expect(await venue.books()).toEqual({
      cash: -1_500,
      "settlement 2": 1_502,
      [`${cardId} available`]: -502,
      [`${cardId} pending`]: 500,
    });
  });

  test("unauthorised_credit: its money waits in suspense, nothing is on the wallet", async () => {
    const { venue, station, chain, cardId } = await venueWithCard();
    expect(await station.hand(chain.credit(9_000))).toEqual(["4 unauthorised_credit"]);
    expect(await venue.queue()).toEqual(["4 unauthorised_credit high"]);
    expect(await venue.books()).toEqual({
      cash: -59_000,
      suspense: 9_000,
      [`${cardId} available`]: 50_000,
    });
    expect((await station.read(cardId)).json).toMatchObject({
      balance: 50_000,
      chipBalance: 59_000,
    });
  });
});

test("terminal_suspended: high after the suspension less the allowance, else low", async () => {
  const { venue, terminal, chain } = await venueWithCard();
  const { device } = venue.kartu;
  await device.suspend(venue.tenantId, terminal.deviceId, actor, venue.clock.nowMs());
  const flags = await terminal.hand(
    chain.debit(1, { at: startSec - allowance + 1 }),
    chain.debit(1, { at: startSec - allowance }),
  );
  expect(flags).toEqual(["4 terminal_suspended", "5 terminal_suspended"]);
  expect(await venue.queue()).toEqual(["4 terminal_suspended high", "5 terminal_suspended low"]);
  expect((await venue.balances()).settlement[terminal.terminalId]).toBe(2);
});

test("flags follow the events, then the order of the table", async () => {
  const { venue, station, chain, cardId } = await venueWithCard();
  const gate = await venue.device("gate");
  await venue.policy({ singleTxLimit: 10, dailyLimit: 10, weeklyLimit: 10 });
  await station.block(cardId);
  await venue.kartu.device.suspend(venue.tenantId, gate.deviceId, actor, venue.clock.nowMs());
  const late = startSec + 9_000;
  const flags = await gate.hand(chain.checkout(), {
    ...chain.write("debit", 60_000, 5_000_001, { at: late }),
    hash: "000000000000",
  });
  expect(flags).toEqual([
    ...["card_blocked", "late_submission", "terminal_suspended"].map((reason) => `4 ${reason}`),
    ...[
      "single_tx_limit_exceeded",
      "daily_limit_exceeded",
      "weekly_limit_exceeded",
      "balance_limit_exceeded",
      "card_blocked",
      "clock_drift",
      "late_submission",
      "op_not_allowed",
      "balance_mismatch",
      "chain_mismatch",
      "invalid_transition",
      "overdrawn",
      "terminal_suspended",
    ].map((reason) => `5 ${reason}`),
  ]);
});
