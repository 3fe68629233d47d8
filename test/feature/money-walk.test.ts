/**
 * The money, step by step: after each step every account of the venue is compared, the ledger is proved
 * against its entries, and what a device reads of each card agrees with the card's wallet.
 */
import { expect, test } from "bun:test";
import { Chain, outcome, startSec, venues } from "../harness.ts";

const open = venues();
const actor = { type: "user", id: "operator" } as const;
const successor = "0000000000aa";

/** A venue whose member holds a card with 50 000 on it, checked in. Amounts are named by account. */
async function walking() {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, 50_000);
  const { cardId } = chain;
  const names = new Map([
    [`settlement ${terminal.terminalId}`, "terminal"],
    [`${cardId} available`, "card"],
    [`${cardId} pending`, "card pending"],
    [`${successor} available`, "successor"],
    [`${successor} pending`, "successor pending"],
  ]);

  /** The books after a step, every account that is not zero. */
  async function after(step: string, due: Record<string, number>): Promise<void> {
    const books = Object.entries(await venue.books());
    const named = books.map(([account, sum]) => [names.get(account) ?? account, sum]);
    expect({ [step]: Object.fromEntries(named) }).toEqual({ [step]: due });
    expect(books.reduce((total, [, sum]) => total + sum, 0)).toBe(0);
    for (const [id, { available, pending }] of Object.entries((await venue.balances()).cards)) {
      expect((await station.read(id)).json.balance).toBe(available + pending);
    }
  }

  await after("loaded", { cash: -50_000, card: 50_000 });
  return { venue, station, terminal, chain, cardId, after };
}

test("a top-up, the card lost, its reissue, the credit late", async () => {
  const { venue, station, terminal, chain, cardId, after } = await walking();
  await terminal.hand(chain.debit(8_000));
  await after("paid", { cash: -50_000, card: 42_000, terminal: 8_000 });
  await station.topup(cardId, 20_000);
  await after("topped up", {
    cash: -70_000,
    card: 42_000,
    "card pending": 20_000,
    terminal: 8_000,
  });
  await station.block(cardId, "lost");
  await after("lost", { cash: -70_000, card: 42_000, "card pending": 20_000, terminal: 8_000 });
  const { json } = await station.reissue(cardId, successor);
  expect(json.balance).toBe(62_000);
  const reissued = { cash: -70_000, successor: 62_000, terminal: 8_000 };
  await after("reissued", reissued);
  // The write had happened after all, before the card was lost.
  expect(await station.hand(chain.credit(20_000))).toEqual(["5 card_blocked"]);
  await after("late credit", reissued);
  expect((await station.read(cardId)).json).toMatchObject({ balance: 0, chipBalance: 62_000 });
  const next = new Chain(successor, { balance: 62_000, timestamp: startSec });
  await station.hand(next.admin());
  await terminal.hand(next.checkin(), next.debit(2_000));
  await after("paid anew", { cash: -70_000, successor: 60_000, terminal: 10_000 });
  expect((await venue.flags("open")).map((flag) => flag.reason)).toEqual(["card_blocked"]);
});

test("a cancelled top-up whose write had happened", async () => {
  const { venue, station, terminal, chain, cardId, after } = await walking();
  const { topupId } = (await station.topup(cardId, 10_000)).json;
  await after("topped up", { cash: -60_000, card: 50_000, "card pending": 10_000 });
  await station.cancel(cardId, topupId);
  await after("cancelled", { cash: -50_000, card: 50_000 });
  expect(await station.hand(chain.credit(10_000))).toEqual(["4 unauthorised_credit"]);
  await after("the credit came", { cash: -60_000, suspense: 10_000, card: 50_000 });
  await terminal.hand(chain.debit(55_000));
  await after("paid with it", {
    cash: -60_000,
    suspense: 10_000,
    card: -5_000,
    terminal: 55_000,
  });
  await venue.approve((await venue.flag("unauthorised_credit")).id);
  await after("approved", { cash: -60_000, card: 5_000, terminal: 55_000 });
  expect((await station.cancel(cardId, topupId)).json).toMatchObject({ status: "CANCELED" });
  await after("cancelled again", { cash: -60_000, card: 5_000, terminal: 55_000 });
});

test("a credit that came before its top-up's call", async () => {
  const { station, chain, cardId, after } = await walking();
  await station.hand(chain.credit(10_000));
  await after("the credit came", { cash: -60_000, suspense: 10_000, card: 50_000 });
  expect((await station.topup(cardId, 10_000)).json.status).toBe("COMPLETED");
  await after("topped up", { cash: -60_000, card: 60_000 });
  expect((await station.topup(cardId, 10_000)).json.status).toBe("COMPLETED");
  await after("topped up again", { cash: -60_000, card: 60_000 });
});

test("two equal pending top-ups of which the first failed", async () => {
  const { station, chain, cardId, after } = await walking();
  const failed = (await station.topup(cardId, 10_000, { counter: 4 })).json.topupId;
  await after("first", { cash: -60_000, card: 50_000, "card pending": 10_000 });
  const later = { timestamp: startSec + 60, counter: 4 };
  const written = (await station.topup(cardId, 10_000, later)).json.topupId;
  await after("second", { cash: -70_000, card: 50_000, "card pending": 20_000 });
  expect(await station.hand(chain.credit(10_000))).toEqual([]);
  await after("one credit", { cash: -70_000, card: 60_000, "card pending": 10_000 });
  const { json } = await station.cancel(cardId, failed);
  expect(json).toMatchObject({ topupId: failed, canceledTopupId: written, balance: 60_000 });
  await after("first cancelled", { cash: -60_000, card: 60_000 });
  expect((await station.cancel(cardId, failed)).json).toEqual(json);
  await after("cancelled again", { cash: -60_000, card: 60_000 });
  expect(await station.hand(chain.credit(10_000))).toEqual(["5 unauthorised_credit"]);
  await after("a second credit", { cash: -70_000, suspense: 10_000, card: 60_000 });
});

test("debits that came before their credit", async () => {
  const { station, terminal, chain, cardId, after } = await walking();
  await station.topup(cardId, 30_000);
  await after("topped up", { cash: -80_000, card: 50_000, "card pending": 30_000 });
  const credit = chain.credit(30_000);
  expect(await terminal.hand(chain.debit(70_000))).toEqual([]);
  await after("paid", { cash: -80_000, card: -20_000, "card pending": 30_000, terminal: 70_000 });
  expect(await terminal.hand(chain.debit(10_000))).toEqual([]);
  await after("paid all", {
    cash: -80_000,
    card: -30_000,
    "card pending": 30_000,
    terminal: 80_000,
  });
  expect(await station.hand(credit)).toEqual([]);
  await after("the credit came", { cash: -80_000, terminal: 80_000 });
});

test("a debit that came after the reissue", async () => {
  const { venue, station, terminal, chain, cardId, after } = await walking();
  const [seen, unseen] = [chain.debit(12_000), chain.fork()];
  await station.reissue(cardId, successor, { chipBalance: 38_000 });
  await after("reissued", { cash: -50_000, card: 12_000, successor: 38_000 });
  await terminal.hand(seen);
  await after("late debit", { cash: -50_000, successor: 38_000, terminal: 12_000 });
  // Somebody paid with the lost card after the station had guessed what was on it.
  const flags = await terminal.hand(unseen.debit(3_000));
  expect(flags).toEqual(["5 card_blocked", "5 overdrawn"]);
  await after("too late", { cash: -50_000, card: -3_000, successor: 38_000, terminal: 15_000 });
  expect((await venue.queue()).at(-1)).toBe("5 overdrawn medium");
});

test("a fork with both branches uploaded and approved", async () => {
  const { venue, station, terminal, chain, cardId, after } = await walking();
  const clone = chain.fork();
  await terminal.hand(chain.debit(10_000), chain.debit(5_000));
  await after("the card", { cash: -50_000, card: 35_000, terminal: 15_000 });
  const copies = [clone.debit(20_000), clone.debit(9_000)];
  expect((await station.upload(...copies)).json.rejections).toHaveLength(2);
  await after("its clone", { cash: -50_000, card: 35_000, terminal: 15_000 });
  const due = [
    { cash: -50_000, card: 15_000, terminal: 15_000, "settlement 1": 20_000 },
    { cash: -50_000, card: 6_000, terminal: 15_000, "settlement 1": 29_000 },
  ];
  const kept = (await venue.flags("open")).filter((flag) => flag.kind === "quarantine");
  for (const [i, { id }] of kept.entries()) {
    await venue.approve(id);
    await after(`branch ${i}`, due[i] ?? {});
  }
  for (const { id } of await venue.flags("open")) await venue.approve(id);
  await after("the recorded ones", due[1] ?? {});
  expect(outcome(await station.upload(...copies))).toBe("409 duplicate_counter");
  await after("uploaded again", due[1] ?? {});
  expect((await station.read(cardId)).json).toMatchObject({ counter: 5, chipBalance: 35_000 });
  await station.reissue(cardId, successor, { chipBalance: 35_000 });
  await after("reissued", {
    cash: -50_000,
    successor: 6_000,
    terminal: 15_000,
    "settlement 1": 29_000,
  });
});

test("a forged credit that was approved, then a reissue", async () => {
  const { venue, station, terminal, chain, cardId, after } = await walking();
  await terminal.hand(chain.credit(900_000));
  await after("forged", { cash: -950_000, suspense: 900_000, card: 50_000 });
  await venue.approve((await venue.flag("unauthorised_credit")).id);
  await after("approved", { cash: -950_000, card: 950_000 });
  await station.block(cardId, "looks wrong");
  await station.reissue(cardId, successor);
  await after("reissued", { cash: -950_000, successor: 950_000 });
});

test("a forged credit that was dismissed, and spent all the same", async () => {
  const { venue, station, terminal, chain, cardId, after } = await walking();
  await terminal.hand(chain.credit(900_000), chain.debit(60_000));
  await after("forged", { cash: -950_000, suspense: 900_000, card: -10_000, terminal: 60_000 });
  await venue.dismiss((await venue.flag("unauthorised_credit")).id);
  await after("dismissed", { cash: -50_000, card: -10_000, terminal: 60_000 });
  expect((await station.read(cardId)).json.status).toBe("BLOCKED_FRAUD");
  expect((await station.reissue(cardId, successor)).json.balance).toBe(0);
  await after("reissued", { cash: -50_000, card: -10_000, terminal: 60_000 });
});

test("a stolen device: suspended, then revoked, with an invented batch", async () => {
  const { venue, station, terminal, chain, cardId, after } = await walking();
  const { device } = venue.kartu;
  const { tenantId, clock } = venue;
  const thief = await venue.working("terminal");
  const true1 = chain.debit(10_000);
  const invented = chain.fork();
  await device.suspend(tenantId, thief.deviceId, actor, clock.nowMs());
  await after("suspended", { cash: -50_000, card: 50_000 });
  const flags = await thief.hand(invented.debit(15_000));
  expect(flags).toEqual(["5 terminal_suspended"]);
  await after("invented", { cash: -50_000, card: 35_000, "settlement 3": 15_000 });
  await thief.hand(invented.credit(700_000));
  await after("and a credit", {
    cash: -750_000,
    suspense: 700_000,
    card: 35_000,
    "settlement 3": 15_000,
  });
  await thief.report({ cardId, eventType: "tamper" });
  expect((await station.read(cardId)).json.status).toBe("ACTIVE");
  await device.revoke(tenantId, thief.deviceId, actor, clock.nowMs());
  expect(outcome(await thief.upload(invented.debit(1_000)))).toBe("401 invalid_token");
  await after("revoked", {
    cash: -750_000,
    suspense: 700_000,
    card: 35_000,
    "settlement 3": 15_000,
  });
  expect(await terminal.hand(true1)).toEqual([]);
  await after("the true queue", {
    cash: -750_000,
    suspense: 700_000,
    card: 25_000,
    terminal: 10_000,
    "settlement 3": 15_000,
  });
  await venue.dismiss((await venue.flag("unauthorised_credit")).id, false);
  await after("dismissed", {
    cash: -50_000,
    card: 25_000,
    terminal: 10_000,
    "settlement 3": 15_000,
  });
});

test("a top-up repeated after it was settled", async () => {
  const { station, chain, cardId, after } = await walking();
  const first = (await station.topup(cardId, 10_000)).json;
  await after("topped up", { cash: -60_000, card: 50_000, "card pending": 10_000 });
  await station.hand(chain.credit(10_000));
  await after("settled", { cash: -60_000, card: 60_000 });
  expect((await station.topup(cardId, 10_000)).json).toEqual({ ...first, status: "COMPLETED" });
  await after("repeated", { cash: -60_000, card: 60_000 });
  await station.block(cardId);
  expect((await station.topup(cardId, 10_000)).json).toEqual({ ...first, status: "COMPLETED" });
  await station.reissue(cardId, successor);
  await after("reissued", { cash: -60_000, successor: 60_000 });
  expect((await station.topup(cardId, 10_000)).json).toEqual({ ...first, status: "COMPLETED" });
  await after("repeated again", { cash: -60_000, successor: 60_000 });
});
