import { describe, expect, test } from "bun:test";
import {
  Chain,
  type DeviceUnderTest,
  outcome,
  startSec,
  venues,
  type WireEvent,
} from "../harness.ts";

const open = venues();

async function venueWithCard(amount = 50_000) {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, amount);
  return { venue, station, terminal, chain, cardId: chain.cardId };
}

/** Rejections of a batch, each as `index reason`. */
async function rejections(device: DeviceUnderTest, ...events: WireEvent[]): Promise<string[]> {
  const { status, json } = await device.upload(...events);
  if (status !== 200) return [`${status}`];
  expect(json.rejected).toBe(json.rejections.length);
  return json.rejections.map(({ index, reason }) => `${index} ${reason}`);
}

describe("reasons", () => {
  test("unknown_card comes first, whatever else is wrong", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const event = { ...chain.debit(1_000), cardId: "0000000000ff", amount: 0, counter: 99_999 };
    expect(await rejections(terminal, event)).toEqual(["0 unknown_card"]);
    expect(await venue.queue()).toEqual(["99999 unknown_card medium"]);
  });

  test("invalid_amount: on what moves nothing, of nothing, and above u24", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const at = startSec;
    const bad = [
      chain.write("checkin", 1, 50_000, { at }),
      chain.write("checkout", 1, 50_000, { at }),
      chain.write("admin", 1, 50_000, { at }),
      chain.write("debit", 0, 50_000, { at }),
      chain.write("credit", 0, 50_000, { at }),
      chain.write("debit", 16_777_216, 50_000, { at }),
      chain.write("credit", 16_777_216, 50_000, { at }),
      chain.write("credit", 1, 16_000_001, { at }),
    ];
    expect(await rejections(terminal, ...bad)).toEqual(bad.map((_, i) => `${i} invalid_amount`));
    expect(await venue.queue()).toEqual(bad.map((e) => `${e.counter} invalid_amount low`));
    expect(await venue.books()).toEqual({ cash: -50_000, [`${chain.cardId} available`]: 50_000 });
  });

  test("amounts at their edges are taken", async () => {
    const { terminal, chain } = await venueWithCard();
    const edges = [
      chain.write("debit", 1, 49_999),
      chain.write("credit", 1, 16_000_000),
      chain.write("debit", 16_777_215, 0),
    ];
    expect(await rejections(terminal, ...edges)).toEqual([]);
  });

  test("counter_leap: more than 10 000 above the highest", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const near = chain.debit(1, { skip: 9_999 });
    const far = chain.debit(1, { skip: 10_000 });
    expect(near.counter).toBe(3 + 10_000);
    expect(await rejections(terminal, { ...near, counter: 10_004 })).toEqual(["0 counter_leap"]);
    expect(await venue.queue()).toEqual(["10004 counter_leap high"]);
    expect(await rejections(terminal, near)).toEqual([]);
    expect(await rejections(terminal, far)).toEqual(["0 counter_leap"]);
    // The highest rises within the batch.
    const next = chain.fork().debit(1, { skip: 0 });
    expect(await rejections(terminal, { ...far, counter: 20_003 }, next)).toEqual([]);
  });

  test("duplicate: recorded with the same content, also inside the batch; it is no flag", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const [first, second] = [chain.debit(1_000), chain.debit(2_000)];
    expect(await rejections(terminal, first, first)).toEqual(["1 duplicate"]);
    expect(await rejections(terminal, first, second, second, first)).toEqual([
      "0 duplicate",
      "2 duplicate",
      "3 duplicate",
    ]);
    expect(await venue.queue()).toEqual([]);
    const rows = await venue.rows("SELECT 1 FROM quarantine");
    expect(rows).toEqual([]);
  });

  test.each<[string, Partial<WireEvent>]>([
    ["type", { type: "checkout", amount: 0, balanceAfter: 50_000 }],
    ["amount", { amount: 999 }],
    ["balance", { balanceAfter: 48_999 }],
    ["time", { timestamp: startSec + 1 }],
    ["hash", { hash: "000000000000" }],
  ])("counter_conflict: another %s at the same counter", async (_, change) => {
    const { venue, terminal, chain, cardId } = await venueWithCard();
    const recorded = chain.debit(1_000);
    await terminal.hand(recorded);
    const forked = { ...recorded, ...change };
    expect(await rejections(terminal, forked)).toEqual(["0 counter_conflict"]);
    expect(await venue.queue()).toEqual(["4 counter_conflict high", "4 counter_conflict high"]);
    expect(await venue.alerts()).toEqual([
      { severity: "high", reason: "counter_conflict", cardId, terminalId: terminal.terminalId },
    ]);
    expect(await venue.books()).toEqual({
      cash: -50_000,
      "settlement 2": 1_000,
      [`${cardId} available`]: 49_000,
    });
  });

  test("invalid_amount goes before leap and conflict", async () => {
    const { terminal, chain } = await venueWithCard();
    const recorded = chain.debit(1_000);
    await terminal.hand(recorded);
    const bad = [
      { ...recorded, amount: 0 },
      { ...recorded, amount: 0, counter: 99_999 },
    ];
    expect(await rejections(terminal, ...bad)).toEqual(["0 invalid_amount", "1 invalid_amount"]);
  });
});

describe("evidence", () => {
  test("a fork shows both branches, in both flags", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const clone = chain.fork();
    const [mine, theirs] = [chain.debit(1_000), clone.debit(7_000)];
    await terminal.hand(mine);
    await terminal.upload(theirs);
    const shown = ({ cardId, ...event }: WireEvent) => event;
    const flags = await venue.flags("open");
    const byKind = new Map(flags.map((flag) => [flag.kind, flag]));
    expect(byKind.get("flag")?.evidence).toEqual({ event: shown(mine), conflict: shown(theirs) });
    expect(byKind.get("quarantine")?.evidence).toEqual({
      event: shown(theirs),
      recorded: shown(mine),
    });
    expect(byKind.get("quarantine")).toMatchObject({ counter: 4, amount: 7_000 });
  });

  test("both branches in one batch", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const clone = chain.fork();
    const answer = await terminal.upload(chain.debit(1_000), clone.debit(7_000));
    expect(answer.json).toMatchObject({ accepted: 1, rejected: 1, flags: [] });
    const kinds = (await venue.flags("open")).map(({ kind, reason }) => `${kind} ${reason}`);
    expect(kinds.sort()).toEqual(["flag counter_conflict", "quarantine counter_conflict"]);
  });

  test("a clone that goes on: every event of it is kept, the recorded one is flagged once", async () => {
    const { venue, terminal, chain, cardId } = await venueWithCard();
    const second = await venue.working("terminal");
    const clone = chain.fork();
    await terminal.hand(chain.debit(1_000), chain.debit(2_000), chain.debit(3_000));
    const copies = [clone.debit(9_000), clone.debit(8_000), clone.debit(7_000), clone.debit(6_000)];
    const { json } = await second.upload(...copies);
    expect(json.rejections.map((r) => `${r.counter} ${r.reason}`)).toEqual([
      "4 counter_conflict",
      "5 counter_conflict",
      "6 counter_conflict",
    ]);
    // The clone's next counter is free: value was spent, so it is taken, and does not follow.
    expect(json.flags).toEqual([
      { counter: 7, cardId, reason: "balance_mismatch" },
      { counter: 7, cardId, reason: "chain_mismatch" },
    ]);
    expect(await venue.alerts()).toHaveLength(3);
    const third = { ...copies[0], amount: 9_001 } as WireEvent;
    await second.upload(third);
    const flags = (await venue.flags("open")).filter((f) => f.reason === "counter_conflict");
    expect(flags.filter((f) => f.kind === "flag").map((f) => f.counter)).toEqual([4, 5, 6]);
    expect(flags.filter((f) => f.kind === "quarantine").map((f) => f.counter)).toEqual([
      4, 5, 6, 4,
    ]);
  });
});

describe("quarantine", () => {
  test("the same refused content again adds no row, from whomever and in one batch", async () => {
    const { venue, station, terminal, chain } = await venueWithCard();
    const bad = { ...chain.debit(1_000), amount: 0 };
    expect(await rejections(terminal, bad, bad)).toEqual(["0 invalid_amount", "1 invalid_amount"]);
    expect(await rejections(station, bad)).toEqual(["0 invalid_amount"]);
    expect(await venue.queue()).toHaveLength(1);
  });

  test("a card that is registered later: its events are judged anew and close their rows", async () => {
    const { venue, station, terminal } = await venueWithCard();
    const cardId = "0000000000aa";
    const chip = new Chain(cardId, { timestamp: startSec });
    const events = [chip.admin(), chip.checkin()];
    expect(await rejections(terminal, ...events)).toEqual(["0 unknown_card", "1 unknown_card"]);
    await venue.card(station, { cardId });
    const { json } = await station.upload(...events);
    expect(json).toMatchObject({ accepted: 2, rejected: 0 });
    expect(await venue.flags()).toMatchObject([
      { reason: "unknown_card", status: "approved", note: "accepted" },
      { reason: "unknown_card", status: "approved", note: "accepted" },
      { reason: "op_not_allowed", status: "open" },
    ]);
    expect(outcome(await station.upload(...events))).toBe("409 duplicate_counter");
  });

  test("a dismissed row: rejected again it adds nothing, accepted it is closed as approved", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const leap = chain.debit(1, { skip: 10_000 });
    await terminal.upload(leap);
    await venue.dismiss((await venue.flag("counter_leap")).id);
    expect(await rejections(terminal, leap)).toEqual(["0 counter_leap"]);
    expect(await venue.queue()).toEqual([]);
    const step = { ...leap, counter: 5_000, hash: "000000000001" };
    expect(await rejections(terminal, step, leap)).toEqual([]);
    const rows = await venue.rows<{ status: string }>("SELECT status FROM quarantine");
    expect(rows).toEqual([{ status: "approved" }]);
    const [flag] = await venue.flags("dismissed");
    expect(flag?.reason).toBe("counter_leap");
  });

  test("10 000 undecided rows of a device, then 503 until some are decided", async () => {
    const { venue, station, terminal, chain } = await venueWithCard();
    const event = { ...chain.debit(1_000), cardId: "0000000000ff" };
    for (let batch = 0; batch < 10; batch++) {
      const events = Array.from({ length: 1_000 }, (_, i) => {
        return { ...event, counter: 1 + batch * 1_000 + i };
      });
      if (batch < 9) await terminal.upload(...events);
      else await terminal.upload(...events.slice(1));
    }
    const [one, two] = [
      { ...event, amount: 2 },
      { ...event, amount: 3 },
    ];
    const full = await terminal.upload(one, two);
    expect(outcome(full)).toBe("503 unavailable");
    expect(Number(full.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(await rejections(terminal, one)).toEqual(["0 unknown_card"]);
    expect(outcome(await terminal.upload(two))).toBe("503 unavailable");
    // What adds no row is answered still, and other devices are not held up.
    expect(await rejections(terminal, one)).toEqual(["0 unknown_card"]);
    expect(await terminal.hand(chain.debit(500))).toEqual([]);
    expect(await rejections(station, two)).toEqual(["0 unknown_card"]);
    const [flag] = await venue.flags("open");
    await venue.dismiss(flag?.id ?? "");
    expect(await rejections(terminal, { ...event, amount: 4 })).toEqual(["0 unknown_card"]);
    expect(outcome(await terminal.upload({ ...event, amount: 5 }))).toBe("503 unavailable");
  });
});
