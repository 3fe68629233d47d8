/**
 * Long histories that arrive in any order, in batches of any size, from several terminals, with restarts
 * between: what the venue knows in the end is the same.
 */
import { expect, test } from "bun:test";
import { seededRandom } from "../../src/system/random.ts";
import { type Chain, openVenue, startSec, type Venue, venues, type WireEvent } from "../harness.ts";

const open = venues();

/** Whole numbers below `max` that repeat with the seed. */
function dice(seed: number): (max: number) => number {
  const random = seededRandom(seed);
  return (max) => {
    const [a = 0, b = 0] = random.bytes(2);
    return (a * 256 + b) % max;
  };
}

function shuffled<T>(items: readonly T[], roll: (max: number) => number): T[] {
  const left = [...items];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(roll(left.length), 1));
  return out;
}

/** A long life of a card: lawful for the most part, with skipped counters and a few breaks. */
function life(chain: Chain, events: number, roll: (max: number) => number): WireEvent[] {
  const out: WireEvent[] = [];
  let inside = true;
  for (let i = 0; i < events; i++) {
    const at = startSec + i;
    const skip = roll(8) === 0 ? 1 + roll(3) : 0;
    const turn = roll(12);
    if (turn === 0) {
      out.push(inside ? chain.checkout({ at, skip }) : chain.checkin({ at, skip }));
      inside = !inside;
    } else if (turn === 1) out.push(chain.write("debit", 3, chain.balance - 5, { at, skip }));
    else if (turn === 2) out.push({ ...chain.debit(2, { at, skip }), hash: "00000000000f" });
    else if (turn === 3) out.push(chain.admin({ at, skip }));
    else out.push(chain.debit(1 + roll(9), { at, skip }));
  }
  return out;
}

/** What must not depend on the order. */
async function knowledge(venue: Venue) {
  const heads = await venue.rows(
    `SELECT counter, type, amount, chip_balance, timestamp_sec, hash, flags, linked, start_sec, state,
       shown_state, shown_counter, available, pending, frozen, week, d0, d1, d2, d3, d4, d5, d6
     FROM head ORDER BY card_no`,
  );
  const events = await venue.rows(
    `SELECT e.counter, e.hash, e.booking, coalesce(a.flags, e.flags) AS flags,
       coalesce(a.linked, e.linked) AS linked, iif(a.event_id IS NULL, e.start_sec, a.start_sec) AS start,
       iif(a.event_id IS NULL, e.state, a.state) AS state
     FROM event e LEFT JOIN event_amend a ON a.event_id = e.event_id ORDER BY e.card_no, e.counter`,
  );
  const holes = await venue.rows("SELECT card_no, counter FROM event_hole ORDER BY 1, 2");
  const { cards, cash, suspense, settlement } = await venue.balances();
  const settled = Object.values(settlement).reduce((total, sum) => total + sum, 0);
  const queue = (await venue.queue()).sort();
  return { heads, events, holes, cards, cash, suspense, settled, queue };
}

async function world(seed: number) {
  const venue = await open();
  const station = await venue.working("station");
  const terminals = [await venue.working("terminal"), await venue.working("terminal")] as const;
  const cards = [
    await venue.loaded(station, terminals[0], 100_000),
    await venue.loaded(station, terminals[0], 100_000),
  ];
  const roll = dice(seed);
  const events = cards.flatMap((chain) => life(chain, 150, roll));
  return { venue, station, terminals, cards, events };
}

test.each([1, 2, 3, 4])(
  "shuffled batches, seed %i",
  async (seed) => {
    const straight = await world(seed);
    await straight.terminals[0].upload(...straight.events);
    const due = await knowledge(straight.venue);
    expect(due.events).toHaveLength(2 * 153);

    const other = await world(seed);
    const roll = dice(seed + 100);
    const left = shuffled(other.events, roll);
    while (left.length > 0) {
      const batch = left.splice(0, 1 + roll(40));
      const { json } = await other.terminals[roll(2) === 0 ? 0 : 1].upload(...batch);
      expect(json).toMatchObject({ accepted: batch.length, rejected: 0 });
    }
    expect(await knowledge(other.venue)).toEqual(due);
    // All of it again, from anywhere in the history, is known; a change of any of it contradicts.
    const again = await other.terminals[0].upload(...shuffled(other.events, roll));
    expect(again.status).toBe(409);
    for (let i = 0; i < 10; i++) {
      const event = other.events[roll(other.events.length)] as WireEvent;
      const { json } = await other.terminals[0].upload({
        ...event,
        timestamp: event.timestamp + 1,
      });
      expect(json.rejections).toMatchObject([
        { reason: "counter_conflict", counter: event.counter },
      ]);
    }
  },
  30_000,
);

test("the newest events are listed highest first, whatever the order they came in", async () => {
  const { terminals, station, cards, events } = await world(9);
  const roll = dice(5);
  await terminals[0].upload(...shuffled(events, roll));
  for (const { cardId } of cards) {
    const own = events.filter((event) => event.cardId === cardId).map(({ counter }) => counter);
    const path = `/api/cards/${cardId}/events?limit=100`;
    const { json } = await station.call<{ events: { counter: number }[] }>("GET", path);
    expect(json.events.map(({ counter }) => counter)).toEqual(
      own.sort((a, b) => b - a).slice(0, 100),
    );
  }
});

test("a batch that two terminals hand in at once is taken once", async () => {
  const { venue, terminals, events } = await world(3);
  const [first, second] = terminals;
  const calls = [first, second, first, second].map((device) =>
    device.upload(...events.slice(0, 90)),
  );
  const statuses = (await Promise.all(calls)).map(({ status }) => status).sort();
  expect(statuses).toEqual([200, 409, 409, 409]);
  expect(await venue.rows("SELECT count(*) AS n FROM event")).toEqual([{ n: 6 + 90 }]);
});

test("cards, top-ups and batches at once: the books stay sound", async () => {
  const { venue, station, terminals, cards, events } = await world(6);
  const batches = [0, 1, 2, 3, 4, 5].map((i) => events.slice(i * 50, (i + 1) * 50));
  const calls: Promise<{ status: number }>[] = [];
  for (const [i, batch] of batches.entries()) {
    calls.push((terminals[i % 2] ?? terminals[0]).upload(...batch));
    for (const { cardId } of cards) calls.push(station.topup(cardId, 100 + i));
    if (i === 3) calls.push(station.block(cards[0]?.cardId ?? ""));
  }
  const statuses = (await Promise.all(calls)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 422]));
  await venue.balances();
  expect(await venue.auditFaults()).toEqual([]);
});

test("a restart between any two batches changes nothing", async () => {
  const straight = await world(7);
  await straight.terminals[0].upload(...straight.events);
  const due = await knowledge(straight.venue);

  const { venue, terminals, events } = await world(7);
  const { dataDir } = venue;
  const [{ terminalId, token }] = terminals;
  const left = shuffled(events, dice(8));
  await terminals[0].upload(...left.splice(0, 70));
  await venue.stop();
  for (let restart = 0; left.length > 0; restart++) {
    const again = await openVenue({ dataDir, seed: 1_000 + restart });
    const body = { terminalId, events: left.splice(0, 80) };
    const { status } = await again.call("POST", "/api/reconcile", { token, body });
    expect(status).toBe(200);
    if (left.length === 0) expect(await knowledge(again)).toEqual(due);
    await again.close();
  }
}, 30_000);
