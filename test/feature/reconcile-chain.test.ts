import { describe, expect, test } from "bun:test";
import {
  type Chain,
  OFFLINE,
  SUSPECT,
  startSec,
  type Venue,
  venues,
  type WireEvent,
} from "../harness.ts";

const open = venues();
const week = 7 * 86_400;

async function venueWithCard(amount = 50_000) {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, amount);
  return { venue, station, terminal, chain, cardId: chain.cardId };
}

const holes = (venue: Venue) =>
  venue.rows<{ counter: number; flagged: number }>(
    "SELECT counter, flagged FROM event_hole ORDER BY card_no, counter",
  );

describe("with a known predecessor", () => {
  test.each([0, OFFLINE, SUSPECT, OFFLINE | SUSPECT])("flag bits %i fit", async (bits) => {
    const { terminal, chain } = await venueWithCard();
    expect(await terminal.hand(chain.debit(5, { bits }), chain.checkout({ bits }))).toEqual([]);
  });

  test.each([64, 128])("flag bits %i do not", async (bits) => {
    const { venue, terminal, chain } = await venueWithCard();
    expect(await terminal.hand(chain.debit(5, { bits }))).toEqual(["4 chain_mismatch"]);
    expect(await venue.queue()).toEqual(["4 chain_mismatch high"]);
  });

  test("balance_mismatch: the chip's balance is not what the event makes of the last", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    expect(await terminal.hand(chain.write("debit", 5, 49_996))).toEqual(["4 balance_mismatch"]);
    expect(await terminal.hand(chain.write("checkout", 0, 49_997))).toEqual(["5 balance_mismatch"]);
    expect(await terminal.hand(chain.checkin())).toEqual([]);
    expect(await venue.queue()).toContain("4 balance_mismatch medium");
  });

  test("invalid_transition: debit or checkout outside a session, checkin inside one", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const flags = await terminal.hand(
      chain.checkin(),
      chain.checkout(),
      chain.debit(5),
      chain.checkout(),
      chain.checkin(),
      chain.debit(5),
    );
    expect(flags).toEqual([4, 6, 7].map((counter) => `${counter} invalid_transition`));
    expect(await venue.queue()).toContain("4 invalid_transition medium");
  });

  test("invalid_transition: a debit later than a session may last", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const start = startSec + 180;
    venue.clock.set(start + 86_401);
    await terminal.grant();
    expect(await terminal.hand(chain.debit(5, { at: start + 86_400 }))).toEqual([]);
    const late = chain.debit(5, { at: start + 86_401 });
    expect(await terminal.hand(late)).toEqual(["5 invalid_transition"]);
    expect(await terminal.hand(chain.checkout({ at: start + 86_402 }))).toEqual([]);
  });

  test("states: what each event leads to is shown", async () => {
    const { station, terminal, chain, cardId } = await venueWithCard();
    const state = async () => (await station.read(cardId)).json.state;
    expect(await state()).toBe("CHECKED_IN");
    await terminal.hand(chain.checkout());
    expect(await state()).toBe("CHECKED_OUT");
    await station.hand(chain.admin());
    expect(await state()).toBe("IDLE");
    await terminal.hand(chain.checkin());
    await station.upload(chain.credit(5), chain.admin());
    expect(await state()).toBe("CHECKED_IN");
  });

  test("a forged checkin is seen at once: its hash names no predecessor", async () => {
    const { terminal, chain } = await venueWithCard();
    const forged = { ...chain.checkin({ skip: 5 }), hash: "00000000000f" };
    expect(await terminal.hand(forged)).toEqual(["9 chain_mismatch"]);
  });
});

describe("with a gap below", () => {
  test("a hash that fits the nearest lower event: the counters between were never written", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    expect(await terminal.hand(chain.debit(5, { skip: 1 }), chain.checkout({ skip: 3 }))).toEqual(
      [],
    );
    expect(await terminal.hand(chain.checkin({ skip: 2 }))).toEqual([]);
    expect(await holes(venue)).toEqual([]);
  });

  test("one that does not: a hole, and nothing to judge by", async () => {
    const { venue, station, terminal, chain, cardId } = await venueWithCard();
    chain.debit(5);
    expect(await terminal.hand(chain.write("debit", 5, 1))).toEqual([]);
    expect(await holes(venue)).toEqual([{ counter: 5, flagged: 0 }]);
    expect((await station.read(cardId)).json).toMatchObject({ chipBalance: 1, counter: 5 });
  });

  test("a checkin: only if balance and move go on as well", async () => {
    const gaps = async (between: (chain: Chain) => void): Promise<number[]> => {
      const { venue, terminal, chain } = await venueWithCard();
      await terminal.hand(chain.checkout());
      between(chain);
      expect(await terminal.hand(chain.checkin({ skip: 1 }))).toEqual([]);
      return (await holes(venue)).map(({ counter }) => counter);
    };
    expect(await gaps(() => undefined)).toEqual([]);
    expect(await gaps((chain) => chain.credit(5))).toEqual([7]);
    expect(await gaps((chain) => chain.checkin())).toEqual([]);
  });

  test("filling it judges what stands above, and so on upward", async () => {
    const { venue, station, terminal, chain, cardId } = await venueWithCard();
    const missing = chain.debit(1_000);
    const above = [chain.write("debit", 2_000, 9), { ...chain.debit(3), hash: "00000000000f" }];
    expect(await terminal.hand(...above)).toEqual([]);
    expect(await venue.queue()).toEqual([]);
    expect(await terminal.hand(missing)).toEqual([]);
    expect(await venue.queue()).toEqual(["5 balance_mismatch medium", "6 chain_mismatch high"]);
    expect(await holes(venue)).toEqual([]);
    expect((await station.read(cardId)).json).toMatchObject({ counter: 6, chipBalance: 6 });
  });
});

/** Every order of a list. */
function orders<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((first, i) =>
    orders(items.filter((_, at) => at !== i)).map((rest) => [first, ...rest]),
  );
}

describe("the order of arrival", () => {
  const facts = async (venue: Venue) => {
    const flags = (await venue.queue()).sort();
    const heads = await venue.rows(
      `SELECT counter, chip_balance, timestamp_sec, hash, flags, linked, start_sec, state, shown_state,
         shown_counter, available, pending, week, d3 FROM head ORDER BY card_no`,
    );
    const events = await venue.rows(
      `SELECT e.counter, coalesce(a.flags, e.flags) AS flags, coalesce(a.linked, e.linked) AS linked,
         iif(a.event_id IS NULL, e.start_sec, a.start_sec) AS start,
         iif(a.event_id IS NULL, e.state, a.state) AS state
       FROM event e LEFT JOIN event_amend a ON a.event_id = e.event_id WHERE e.counter > 3 ORDER BY e.counter`,
    );
    return { flags, heads, events, holes: await holes(venue), books: await venue.books() };
  };

  /** Hands in the events one by one, each in a batch of its own. */
  async function arriving(make: (chain: Chain) => WireEvent[], order: readonly number[]) {
    const { venue, terminal, chain } = await venueWithCard();
    const events = make(chain);
    for (const at of order) await terminal.hand(events[at] as WireEvent);
    return await facts(venue);
  }

  test.each<[string, (chain: Chain) => WireEvent[]]>([
    [
      "a lawful walk with skipped counters",
      (chain) => [chain.debit(5), chain.checkout({ skip: 2 }), chain.checkin(), chain.debit(7)],
    ],
    [
      "a walk with a break in balance, chain and state",
      (chain) => [
        chain.write("debit", 5, 7),
        { ...chain.checkout(), hash: "00000000000f" },
        chain.debit(3),
        chain.checkin({ skip: 1 }),
      ],
    ],
  ])(
    "of %s changes nothing",
    async (_, make) => {
      const indexes = [0, 1, 2, 3];
      const straight = await arriving(make, indexes);
      for (const order of orders(indexes).slice(1)) {
        expect(await arriving(make, order)).toEqual(straight);
      }
    },
    30_000,
  );
});

describe("missing events", () => {
  async function holed() {
    const world = await venueWithCard();
    const { terminal, chain } = world;
    const missing = chain.debit(1_000);
    await terminal.hand(chain.debit(2_000));
    return { ...world, missing };
  }

  test("one flag, a week after the hole came", async () => {
    const { venue, terminal, cardId } = await holed();
    venue.clock.advance(week - 1);
    await venue.clock.minute();
    expect(await venue.queue()).toEqual([]);
    venue.clock.advance(1);
    await venue.clock.minute();
    await venue.clock.minute();
    expect(await venue.queue()).toEqual(["5 missing_events medium"]);
    const { json } = await terminal.call("GET", `/api/cards/${cardId}/events?limit=1`);
    expect(json.events).toMatchObject([{ counter: 5, flags: ["missing_events"] }]);
    const raised = await venue.rows<{ data: string }>(
      "SELECT data FROM published_event WHERE type = 'fleet.flag.raised'",
    );
    expect(JSON.parse(raised[0]?.data ?? "{}")).toMatchObject({
      reason: "missing_events",
      terminalId: terminal.terminalId,
      cardId,
    });
  });

  test("none if it is filled in time", async () => {
    const { venue, terminal, missing } = await holed();
    venue.clock.advance(week - 1);
    await terminal.hand(missing);
    venue.clock.advance(1);
    await venue.clock.minute();
    expect((await venue.queue()).filter((flag) => flag.includes("missing"))).toEqual([]);
  });

  test("filled too late: closed, and flagged no second time", async () => {
    const { venue, terminal, missing } = await holed();
    venue.clock.advance(week);
    await venue.clock.minute();
    await terminal.hand(missing);
    venue.clock.advance(week);
    await venue.clock.minute();
    expect((await venue.flags()).filter((f) => f.reason === "missing_events")).toHaveLength(1);
    expect(await holes(venue)).toEqual([]);
  });

  test("many at once are all flagged", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const chain = await venue.card(station);
    const events = Array.from({ length: 600 }, () => {
      chain.admin();
      return chain.admin({ at: startSec });
    });
    await station.hand(...events);
    venue.clock.advance(week);
    await venue.clock.minute();
    expect(await venue.flags()).toHaveLength(600);
  });
});
