/**
 * Heads whose rows lag behind: whatever moment the server is killed at, and killed again while it
 * recovers, every card stands where its events left it, the file proves, and a process that only reads
 * says the same. With memory, rounds and turns so small that all of it happens within a few events.
 */
import { Database } from "bun:sqlite";
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseName, openKartu, schema } from "../../src/app.ts";
import { compose } from "../../src/compose.ts";
import { readConfig } from "../../src/config.ts";
import { OperatorRefused } from "../../src/domain/operator.ts";
import type { BookOptions } from "../../src/feature/card/service.ts";
import { openReader } from "../../src/store/reader.ts";
import { createLog } from "../../src/system/log.ts";
import { seededRandom } from "../../src/system/random.ts";
import { venueClock } from "../caller.ts";
import {
  type Chain,
  type DeviceUnderTest,
  openVenue,
  type Venue,
  venues,
  type WireEvent,
} from "../harness.ts";

const open = venues();
const made: string[] = [];
const copies: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const copy of copies.splice(0)) await copy.stop();
});
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

function dice(seed: number): (max: number) => number {
  const random = seededRandom(seed);
  return (max) => {
    const [a = 0, b = 0] = random.bytes(2);
    return (a * 256 + b) % max;
  };
}

/** The files as a kill leaves them: all that was committed, and nothing that was still in memory. */
function killed({ dataDir }: Pick<Venue, "dataDir">): string {
  const directory = mkdtempSync(join(tmpdir(), "kartu-killed-"));
  made.push(directory);
  for (const name of [databaseName, `${databaseName}-wal`]) {
    if (existsSync(join(dataDir, name))) copyFileSync(join(dataDir, name), join(directory, name));
  }
  return directory;
}

const lagging = `SELECT count(*) AS events, coalesce(sum(e.event_id > h.applied), 0) AS lacked FROM event e
  JOIN head h ON h.card_no = e.card_no`;

const read = readConfig({ KARTU_MASTER_KEY: new Uint8Array(32).fill(5).toBase64() });
if ("faults" in read) throw new Error("the defaults are wrong");
const { config } = read;

/** What a process beside the server, or without one, says of the file. */
async function readOnly(directory: string, cards: readonly Chain[]) {
  const store = openReader(join(directory, databaseName), schema);
  const random = seededRandom(1);
  const services = compose({
    ...{ store, random, masterKey: new Uint8Array(32), config },
    publicUrl: () => "",
  });
  const verdict = await store.scan((q) => services.verify.verify(q));
  const views = await store.read((q) =>
    Promise.all(cards.map(({ cardId }) => services.card.book.read(q, 1, cardId))),
  );
  await store.close();
  return { verdict, views };
}

/** Opened, and not served: no card is in memory before it is used. */
async function opened(dataDir: string, book: BookOptions) {
  const clock = venueClock();
  const log = createLog({ nowMs: clock.nowMs, level: "error" });
  const random = seededRandom(100);
  const kartu = await openKartu({ dataDir, config, clock, random, log, book });
  copies.push({ stop: () => kartu.close() });
  return { kartu, dataDir };
}

/** What the running server has in memory. */
const live = ({ kartu }: Pick<Venue, "kartu">, cards: readonly Chain[]) =>
  kartu.store.read((q) =>
    Promise.all(cards.map(({ cardId }) => kartu.card.book.read(q, 1, cardId))),
  );

interface World {
  readonly venue: Venue;
  readonly station: DeviceUnderTest;
  readonly terminal: DeviceUnderTest;
  readonly cards: readonly Chain[];
  /** Held back, to come late. */
  readonly late: WireEvent[];
  readonly roll: (max: number) => number;
}

async function world(seed: number, book: BookOptions): Promise<World> {
  const venue = await open({ book });
  const [station, terminal] = [await venue.working("station"), await venue.working("terminal")];
  const cards: Chain[] = [];
  for (let i = 0; i < 5; i += 1) cards.push(await venue.loaded(station, terminal, 500_000));
  return { venue, station, terminal, cards, late: [], roll: dice(seed) };
}

/** Events on top of several cards' heads, now and then with one held back, or a week later. */
function batch({ cards, late, roll }: World): WireEvent[] {
  const events: WireEvent[] = [];
  for (let left = 1 + roll(6); left > 0; left -= 1) {
    const chain = cards[roll(cards.length)] as Chain;
    const turn = roll(14);
    if (turn === 0) events.push(chain.checkout(), chain.checkin());
    else if (turn === 1)
      events.push(chain.debit(5, { at: chain.checkin().timestamp + 8 * 86_400 }));
    else if (turn === 2) late.push(chain.debit(3));
    else if (turn === 3) events.push({ ...chain.debit(2), hash: "00000000000f" });
    else events.push(chain.debit(1 + roll(9)));
  }
  return events;
}

/** One thing that waits for review, let stand or dismissed. */
async function decide({ venue, roll }: World): Promise<void> {
  const open = await venue.kartu.review.list(1, "open", 100);
  const flag = open[roll(Math.max(1, open.length))];
  if (flag === undefined) return;
  const decision = { note: "seen", actor: { type: "user", id: "operator" }, block: false } as const;
  const verdict = roll(2) === 0 ? "approve" : "dismiss";
  await venue.kartu.review[verdict](1, flag.uuid, decision, venue.clock.nowMs()).catch(
    (error: unknown) => {
      if (!(error instanceof OperatorRefused)) throw error;
    },
  );
}

async function step(now: World): Promise<void> {
  const { venue, station, terminal, cards, late, roll } = now;
  const chain = cards[roll(cards.length)] as Chain;
  const turn = roll(16);
  if (turn === 0) await station.topup(chain.cardId, 100 + roll(900));
  else if (turn === 1) {
    const amount = 10 + roll(90);
    await station.topup(chain.cardId, amount, { timestamp: venue.clock.nowSec() + roll(50) });
    await station.upload(chain.credit(amount));
  } else if (turn === 2) await terminal.upload(...late.splice(0, 3));
  else if (turn === 3) {
    const event = chain.debit(4);
    await terminal.upload(event, { ...event, amount: 5 });
  } else if (turn === 4) await station.upload(chain.credit(77));
  else if (turn === 5) await decide(now);
  else if (turn === 6) {
    // Holes that stay open for a week are flagged, wherever on the card they are.
    venue.clock.advance(8 * 86_400);
    await venue.clock.minute();
  } else await terminal.upload(...batch(now));
}

const sizes: readonly [string, BookOptions][] = [
  ["a round every few events", { roundEventsMin: 7, stretchMin: 1, eagerHeads: 1 }],
  ["two cards in memory", { residentMax: 2, roundEventsMin: 5, stretchMin: 1, eagerHeads: 2 }],
  ["no round in sight", {}],
  ["a long round", { roundEventsMin: 60, stretchMin: 2, eagerHeads: 3 }],
];

test.each(sizes)(
  "killed at any moment, and again: %s",
  async (_, book) => {
    const now = await world(11, book);
    const { cards, roll } = now;
    let lackedMost = 0;
    for (let round = 0; round < 14; round += 1) {
      for (let steps = 1 + roll(6); steps > 0; steps -= 1) await step(now);
      const due = await live(now.venue, cards);

      const first = killed(now.venue);
      const seen = await readOnly(first, cards);
      expect(seen.verdict).toEqual({ count: 0, faults: [] });
      expect(seen.views).toEqual(due);

      const [, other] = sizes[roll(sizes.length)] as (typeof sizes)[number];
      const again = await opened(first, other);
      expect(await live(again, cards)).toEqual(due);

      // Killed while some of what was behind is written: the file is no worse.
      await again.kartu.store.write((tx) => again.kartu.card.book.behind.sweep(tx, true));
      const second = killed(again);
      expect(await readOnly(second, cards)).toEqual({ verdict: seen.verdict, views: due });
      const last = await openVenue({ dataDir: second, seed: 200 + round });
      copies.push(last);
      expect(await live(last, cards)).toEqual(due);
      const [before] = await last.kartu.store.read((q) =>
        q.all<[], { lacked: number }>({ name: "test.lag", sql: lagging }),
      );
      lackedMost = Math.max(lackedMost, before?.lacked ?? 0);
      expect(await last.rows<{ lacked: number }>(lagging)).toMatchObject([{ lacked: 0 }]);
      expect(await readOnly(second, cards)).toEqual({ verdict: seen.verdict, views: due });
      await Promise.all(copies.splice(0).map((copy) => copy.stop()));
    }
    if (book.roundEventsMin === undefined) expect(lackedMost).toBeGreaterThan(0);
  },
  60_000,
);

test("a server that goes on from a killed one's file knows what the other would have", async () => {
  const now = await world(5, { roundEventsMin: 9, stretchMin: 1 });
  for (let i = 0; i < 20; i += 1) await step(now);
  const other = await openVenue({ dataDir: killed(now.venue), seed: 9, book: { residentMax: 3 } });
  copies.push(other);
  const { terminal, cards } = now;
  for (let i = 0; i < 12; i += 1) {
    const events = batch(now);
    const body = { terminalId: terminal.terminalId, events };
    const { json: there } = await other.call<{ batchId: string }>("POST", "/api/reconcile", {
      token: terminal.token,
      body,
    });
    const { json: here } = await terminal.upload(...events);
    expect({ ...there, batchId: "" }).toEqual({ ...here, batchId: "" });
  }
  expect(await live(other, cards)).toEqual(await live(now.venue, cards));
});

test("what rolls back is taken back, in memory and in what is behind", async () => {
  const now = await world(3, { roundEventsMin: 4, stretchMin: 1, eagerHeads: 2 });
  const { venue, cards, roll } = now;
  const { store, card } = venue.kartu;
  for (let i = 0; i < 40; i += 1) {
    await step(now);
    const before = await live(venue, cards);
    const refused = store.write(async (tx) => {
      for (const { cardId } of cards.slice(roll(3))) {
        const found = await card.book.find(tx, 1, cardId);
        if (found === undefined) throw new Error("no card");
        const top = { ...found.head.top, counter: found.head.top.counter + 1 };
        const head = { ...found.head, top, applied: found.head.applied + 50 };
        const after = { ...found, head };
        if (roll(2) === 0) await card.book.putHead(tx, found, head);
        else await card.book.putAll(tx, [{ before: found, after, appended: true }]);
      }
      await card.book.behind.sweep(tx, roll(2) === 0);
      throw new Error("refused");
    });
    await expect(refused).rejects.toThrow("refused");
    expect(await live(venue, cards)).toEqual(before);
    const { verdict } = await readOnly(killed(venue), cards);
    expect(verdict).toEqual({ count: 0, faults: [] });
  }
}, 60_000);

describe("what is learnt of an event that a lagging row shows is written into the row", () => {
  test("a hole below it that nobody filled", async () => {
    const now = await world(21, {});
    const { venue, station, terminal, cards } = now;
    const chain = cards[0] as Chain;
    chain.debit(3);
    await terminal.hand(chain.debit(4));
    await station.topup(chain.cardId, 100);
    await terminal.hand(chain.debit(5));
    venue.clock.advance(8 * 86_400);
    await venue.clock.minute();
    expect((await readOnly(killed(venue), cards)).verdict).toEqual({ count: 0, faults: [] });
    expect((await venue.flags()).map(({ reason }) => reason)).toContain("missing_events");
  });

  test("a late event that says nothing of those above it", async () => {
    const now = await world(23, {});
    const { venue, terminal, cards } = now;
    const chain = cards[0] as Chain;
    const late = chain.debit(3);
    chain.debit(3);
    await terminal.hand(chain.debit(4));
    await terminal.hand(late);
    const file = killed(venue);
    const { verdict, views } = await readOnly(file, cards);
    expect(verdict).toEqual({ count: 0, faults: [] });
    expect(views).toEqual(await live(venue, cards));
  });

  test("a conflict, on a card that has rejected events already", async () => {
    const now = await world(22, {});
    const { venue, station, terminal, cards } = now;
    const chain = cards[0] as Chain;
    const first = chain.debit(3);
    await terminal.hand(first);
    await terminal.upload({ ...first, amount: 4 });
    const second = chain.debit(3);
    await terminal.hand(second);
    await station.topup(chain.cardId, 100);
    await terminal.upload({ ...second, amount: 4 });
    expect((await readOnly(killed(venue), cards)).verdict).toEqual({ count: 0, faults: [] });
  });
});

test("a round ends only when all that lagged at its beginning is written", async () => {
  const now = await world(31, { eagerHeads: 2, roundEventsMin: 1_000_000 });
  const { venue, terminal, cards } = now;
  const { store, card } = venue.kartu;
  const sweep = () => store.write((tx) => card.book.behind.sweep(tx, true));
  const hand = (...at: number[]) =>
    terminal.hand(...at.map((index) => (cards[index] as Chain).debit(1)));
  const expectSound = async () => {
    const { verdict, views } = await readOnly(killed(venue), cards);
    expect(verdict).toEqual({ count: 0, faults: [] });
    expect(views).toEqual(await live(venue, cards));
  };
  /** Leaves the first three cards behind at the beginning of a new round. */
  const begin = async () => {
    await hand(0, 1, 2, 3, 4);
    await sweep();
    await sweep();
    await hand(0, 1, 2);
    await sweep();
  };
  await begin();
  const refused = store.write(async (tx) => {
    await card.book.behind.sweep(tx, true);
    throw new Error("refused");
  });
  await expect(refused).rejects.toThrow("refused");
  await hand(4);
  await sweep();
  await expectSound();
  await sweep();
  await begin();
  await sweep();
  // Passed by in this round when its next event comes.
  await hand(0);
  await sweep();
  await expectSound();
  await store.settle();
  await expectSound();
});

test("what is being changed is not seen before it is committed", async () => {
  const { venue, cards } = await world(41, {});
  const { store, card } = venue.kartu;
  const before = await live(venue, cards);
  let seen: typeof before | undefined;
  const refused = store.write(async (tx) => {
    const found = await card.book.find(tx, 1, (cards[0] as Chain).cardId);
    if (found === undefined) throw new Error("no card");
    await card.book.putHead(tx, found, { ...found.head, available: 1 });
    void live(venue, cards).then((views) => {
      seen = views;
    });
    for (let i = 0; i < 200; i += 1) await tx.get({ name: "test.one", sql: "SELECT 1 AS one" });
    throw new Error(seen === undefined ? "nobody looked" : "refused");
  });
  await expect(refused).rejects.toThrow("refused");
  expect(seen).toEqual(before);
});

test("a damaged round or row is found", async () => {
  const now = await world(8, {});
  for (let i = 0; i < 10; i += 1) await step(now);
  await now.terminal.hand((now.cards[0] as Chain).debit(3));
  const file = killed(now.venue);
  const db = new Database(join(file, databaseName));
  db.run(
    "INSERT INTO head_round VALUES (1, 1000000) ON CONFLICT (round) DO UPDATE SET through = 1000000",
  );
  db.close(true);
  const { verdict } = await readOnly(file, now.cards);
  expect(verdict.faults.map(({ check, table }) => `${check} ${table}`)).toContain("head head");
  expect(verdict.faults.map(({ check, table }) => `${check} ${table}`)).toContain("balance head");
});
