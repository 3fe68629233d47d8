/**
 * A terminal and a station by themselves, against a venue in memory: what they read, what they refuse
 * before a card is touched, and what becomes of broken writes.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Chip } from "../../src/sim/chip.ts";
import { type Muster, muster } from "../../src/sim/muster.ts";
import type { Station } from "../../src/sim/station.ts";
import type { Terminal } from "../../src/sim/terminal.ts";
import { Venue } from "./venue.ts";

const cardId = "a1b2c3d4e5f6";
const member = { userId: 7, name: "Ayu", gender: 1 };
const none = { loseRequest: 0, loseReply: 0, resend: 0, recut: 0, split: 0 };
let venue: Venue;
let run: Muster;
let one: Terminal;
let two: Terminal;
let station: Station;
let chip: Chip;
let now: number;

afterEach(() => venue.stop());

beforeEach(async () => {
  venue = new Venue(["terminal", "terminal", "gate", "station"]);
  const clock = { now: () => Math.floor(Date.now() / 1_000) };
  run = muster(
    {
      ...{ url: venue.url, devices: venue.devices, cards: 1, users: [7, 7], events: 1, seed: 1 },
      ...{ clock, trouble: none },
    },
    10,
  );
  const { crew } = run.fleet;
  [one, two] = crew.terminals as [Terminal, Terminal];
  [station] = crew.stations as [Station];
  for (const radio of [...crew.terminals, ...crew.gates, station]) {
    await radio.renew();
    if ("clockErrorSec" in radio) radio.clockErrorSec = 0;
  }
  now = clock.now();
  chip = new Chip();
  await station.register(chip, cardId, member, now);
  await station.topUp(chip, 1_000, now);
});

const checkin = { type: "checkin", amount: 0 } as const;
const pay = (amount: number) => ({ type: "debit", amount }) as const;
const last = (terminal: Terminal) => terminal.queue.at(-1)?.wire;
const cardOf = (terminal: Terminal) => {
  const reading = terminal.look(chip, now);
  if (!("card" in reading)) throw new Error(reading.kind);
  return reading.card;
};
const clean = () => expect(run.findings.list).toEqual([]);

test("a day: in, pay, out; every event reaches the backend once", async () => {
  for (const wish of [checkin, pay(300), { type: "checkout", amount: 0 } as const]) {
    expect(one.tap(chip, wish, now).done).toBe(true);
  }
  await Promise.all([one.sync(), station.sync()]);
  expect([...(venue.cards.get(cardId)?.events.keys() ?? [])].sort()).toEqual([1, 2, 3, 4, 5]);
  expect(venue.cards.get(cardId)?.balance).toBe(700);
  expect(one.queue).toEqual([]);
  clean();
});

describe("refused before the card is touched", () => {
  const cases: [string, () => Parameters<Terminal["tap"]>[1]][] = [
    ["balance", () => pay(1_001)],
    ["single_limit", () => pay(1_000_001)],
    ["state", () => checkin],
    ["op", () => ({ type: "credit", amount: 1 })],
  ];
  test.each(cases)("%s", async (why, wish) => {
    if (why === "single_limit") await station.topUp(chip, 2_000_000, now);
    one.tap(chip, checkin, now);
    const before = chip.read();
    expect(one.tap(chip, wish(), now)).toEqual({ done: false, why });
    expect(chip.holds(before)).toBe(true);
  });

  test("the day's total as this terminal knows it, and no further", async () => {
    await station.topUp(chip, 4_000_000, now);
    one.tap(chip, checkin, now);
    expect(one.tap(chip, pay(1_000_000), now).done).toBe(true);
    expect(one.tap(chip, pay(1_000_000), now).done).toBe(true);
    expect(one.tap(chip, pay(1), now)).toEqual({ done: false, why: "daily_limit" });
    expect(two.tap(chip, pay(1), now).done).toBe(true);
  });

  test("blocked, expired grant, no grant, a card from the future", () => {
    one.tap(chip, checkin, now + 100);
    expect(two.tap(chip, pay(1), now - 3_600)).toEqual({ done: false, why: "future" });
    expect(one.tap(chip, pay(1), now + 28_900)).toEqual({ done: false, why: "no_key" });
    one.blocked.add(cardId);
    expect(one.tap(chip, pay(1), now)).toEqual({ done: false, why: "blocked" });
    one.restart();
    expect(one.tap(chip, pay(1), now)).toEqual({ done: false, why: "no_key" });
    expect([...one.wanted]).toEqual([1]);
  });
});

test.each([
  ["blank", () => new Chip()],
  ["foreign", () => new Chip(new Uint8Array(484).fill(1))],
])("a %s chip is neither tamper nor written to", (why, make) => {
  expect(one.tap(make(), checkin, now)).toEqual({ done: false, why });
  expect(one.reports).toEqual([]);
});

test("an older image where the newer was seen is a replay, elsewhere it passes", () => {
  one.tap(chip, checkin, now);
  const snapshot = chip.read();
  one.tap(chip, pay(1), now);
  chip.rollback(snapshot);
  expect(one.tap(chip, pay(1), now)).toEqual({ done: false, why: "replay" });
  expect(one.reports).toMatchObject([{ eventType: "replay", cardId, counter: 3 }]);
  expect(two.tap(chip, pay(1), now).done).toBe(true);
});

test("bits flipped in both buffers are tamper, reported", async () => {
  one.tap(chip, checkin, now);
  for (const byte of [100, 300]) chip.flip(byte * 8);
  expect(one.tap(chip, pay(1), now)).toEqual({ done: false, why: "tamper" });
  await one.sync();
  expect(venue.reports).toMatchObject([{ eventType: "tamper", cardId, counter: null }]);
});

describe("a write torn after any page", () => {
  const pages = Array.from({ length: 69 }, (_, i) => i);
  const start = () => one.tap(chip, checkin, now);

  test("retried in the same tap: counter + 2", () => {
    for (const pagesMax of pages) {
      start();
      const { counter } = cardOf(one).plain;
      const balance = cardOf(one).plain.balance;
      const hold = { pagesMax, retryPagesMax: 69 };
      expect(one.tap(chip, { ...pay(1), hold }, now).done).toBe(true);
      expect(last(one)).toMatchObject({ counter: counter + 2, balanceAfter: balance - 1 });
      expect(two.look(chip, now).kind).toBe("ok");
    }
  });

  test("mended by who was interrupted: paid once or not at all, never twice", () => {
    start();
    for (const pagesMax of pages) {
      const { balance } = cardOf(one).plain;
      const queued = one.queue.length;
      const hold = { pagesMax };
      expect(one.tap(chip, { ...pay(5), hold }, now)).toEqual({ done: false, why: "write_failed" });
      const result = one.tap(chip, pay(5), now);
      expect(result.done).toBe(true);
      const paid = one.queue.slice(queued).length;
      expect([1, 2]).toContain(paid);
      expect(cardOf(one).plain.balance).toBe(balance - 5 * paid);
      expect(last(one)?.balanceAfter).toBe(balance - 5 * paid);
    }
  });

  test("another terminal does not mend it; a station asks first", async () => {
    for (const pagesMax of [55, 61, 66]) {
      start();
      await Promise.all([one.sync(), station.sync()]);
      const hold = { pagesMax };
      one.tap(chip, { ...pay(5), hold }, now);
      const before = chip.read();
      expect(two.tap(chip, pay(1), now)).toEqual({ done: false, why: "torn" });
      expect(chip.holds(before)).toBe(true);
      expect(two.reports.at(-1)?.eventType).toBe("write_failure");
      expect(await station.repair(chip, now)).toBe(true);
      expect(two.look(chip, now).kind).toBe("ok");
      two.tap(chip, { type: "checkout", amount: 0 }, now);
    }
    clean();
  });

  test("a station does not mend what the backend knows to be older", async () => {
    start();
    const snapshot = new Chip(chip.read());
    one.tap(chip, pay(1), now);
    one.tap(chip, pay(1), now);
    await Promise.all([one.sync(), station.sync()]);
    chip.rollback(snapshot.read());
    chip.flip(425 * 8);
    expect(await station.repair(chip, now)).toBe(false);
    expect(station.reports).toMatchObject([{ eventType: "write_failure" }]);
  });

  test("a top-up is given back, unless it landed", async () => {
    for (const pagesMax of pages) {
      const before = cardOf(station).plain.balance;
      await station.topUp(chip, 7, now + pagesMax, { pagesMax });
      const after = cardOf(station).plain.balance;
      expect([before, before + 7]).toContain(after);
      await station.sync();
      expect(venue.cards.get(cardId)?.balance).toBe(after);
      expect(venue.cards.get(cardId)?.pending.size).toBe(0);
    }
    clean();
  });
});

test("a rotation: the card moves at the station, old and new keys side by side", async () => {
  one.tap(chip, checkin, now);
  venue.primary = 2;
  await station.renew(true);
  expect(await station.rekey(chip, now)).toBe(true);
  expect(one.tap(chip, pay(1), now)).toEqual({ done: false, why: "no_key" });
  await one.renew();
  expect(one.tap(chip, pay(1), now).done).toBe(true);
  expect(cardOf(one)).toMatchObject({ keyVersion: 2, inactive: "opens" });
  expect(await station.rekey(chip, now)).toBe(false);
  clean();
});
