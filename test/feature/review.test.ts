import { describe, expect, test } from "bun:test";
import type { OperatorRefused } from "../../src/domain/operator.ts";
import { Chain, outcome, startSec, venues, type WireEvent } from "../harness.ts";

const open = venues();

async function venueWithCard(amount = 50_000) {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, amount);
  return { venue, station, terminal, chain, cardId: chain.cardId };
}

/** The slug of a refusal, or what was done. */
const slug = (decided: Promise<{ status: string }>): Promise<string> =>
  decided.then(
    (flag) => flag.status,
    (error: OperatorRefused) => error.slug,
  );

describe("deciding any flag", () => {
  test("closes it, once; note, actor, timeline, audit and event say so", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    await terminal.hand(chain.write("debit", 5, 1), chain.debit(1, { bits: 64 }));
    const first = await venue.flag("balance_mismatch");
    const second = await venue.flag("chain_mismatch");
    const books = await venue.books();
    expect(await slug(venue.approve(first.id, "checked the receipt"))).toBe("approved");
    expect(await slug(venue.dismiss(second.id))).toBe("dismissed");
    for (const { id } of [first, second]) {
      expect(await slug(venue.approve(id))).toBe("wrong-state");
      expect(await slug(venue.dismiss(id))).toBe("wrong-state");
    }
    expect(await slug(venue.approve("01971d3e-7a00-7cc3-98c4-dc0c0c07398f"))).toBe("not-found");
    expect(await venue.books()).toEqual(books);

    const rows = await venue.rows(
      "SELECT decided_by AS by, note, decided_at_ms AS at FROM flag ORDER BY flag_no",
    );
    const at = startSec * 1_000;
    expect(rows).toEqual([
      { by: "operator", note: "checked the receipt", at },
      { by: "operator", note: "seen", at },
    ]);
    expect(await venue.actions("fleet.flag.decided")).toHaveLength(2);
    const told = await venue.rows<{ data: string }>(
      "SELECT data FROM published_event WHERE type = 'fleet.flag.decided'",
    );
    expect(JSON.parse(told[0]?.data ?? "{}")).toEqual({
      flagId: first.id,
      kind: "flag",
      reason: "balance_mismatch",
      severity: "medium",
      cardId: chain.cardId,
      terminalId: terminal.terminalId,
      decision: "approved",
      actor: { type: "user", id: "operator" },
    });
    const timeline = "SELECT 1 FROM card_change WHERE kind = 'decision'";
    expect(await venue.rows(timeline)).toHaveLength(2);
  });

  test("wants a note of 1 to 1000 characters", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    await terminal.hand(chain.write("debit", 5, 1));
    const { id } = await venue.flag("balance_mismatch");
    for (const note of ["", "x".repeat(1_001)]) {
      expect(await slug(venue.approve(id, note))).toBe("validation-error");
      expect(await slug(venue.dismiss(id, true, note))).toBe("validation-error");
    }
    expect(await slug(venue.approve(id, "x".repeat(1_000)))).toBe("approved");
  });
});

describe("an unauthorised credit", () => {
  async function parked() {
    const world = await venueWithCard();
    await world.station.hand(world.chain.credit(9_000));
    const { id } = await world.venue.flag("unauthorised_credit");
    const status = async () => (await world.station.read(world.cardId)).json.status;
    return { ...world, id, status };
  }

  test("approved: suspense to the card's wallet", async () => {
    const { venue, cardId, id, status } = await parked();
    await venue.approve(id);
    expect(await venue.books()).toEqual({ cash: -59_000, [`${cardId} available`]: 59_000 });
    expect(await status()).toBe("ACTIVE");
  });

  test("dismissed: suspense to cash, and an ACTIVE card becomes BLOCKED_FRAUD", async () => {
    const { venue, terminal, cardId, id, status } = await parked();
    await venue.dismiss(id);
    expect(await venue.books()).toEqual({ cash: -50_000, [`${cardId} available`]: 50_000 });
    expect(await status()).toBe("BLOCKED_FRAUD");
    const { json } = await terminal.call("GET", "/api/blocklist");
    expect(json.add).toEqual([{ cardId, status: "BLOCKED_FRAUD" }]);
  });

  test("dismissed with block: false leaves the card alone", async () => {
    const { venue, id, status } = await parked();
    await venue.dismiss(id, false);
    expect(await status()).toBe("ACTIVE");
  });

  test("dismissed: a card blocked for another cause keeps it", async () => {
    const { venue, station, cardId, id, status } = await parked();
    await station.block(cardId);
    await venue.dismiss(id);
    expect(await status()).toBe("BLOCKED_ADMIN");
  });

  test("approved after the card was replaced: to the wallet of the card that carried it", async () => {
    const { venue, station, cardId, id } = await parked();
    await station.reissue(cardId, "0000000000aa");
    await venue.approve(id);
    expect(await venue.books()).toEqual({
      cash: -59_000,
      "0000000000aa available": 50_000,
      [`${cardId} available`]: 9_000,
    });
  });

  test("decided once: no later top-up call finds it", async () => {
    const { venue, station, cardId, id } = await parked();
    await venue.dismiss(id, false);
    expect((await station.topup(cardId, 9_000)).json.status).toBe("PENDING");
    expect(await venue.books()).toMatchObject({ [`${cardId} pending`]: 9_000 });
  });

  test("other flags of the same event only close", async () => {
    const { venue, terminal, chain, cardId } = await venueWithCard();
    await terminal.hand(chain.credit(9_000));
    const books = await venue.books();
    await venue.approve((await venue.flag("op_not_allowed")).id);
    expect(await venue.books()).toEqual(books);
    expect(books).toMatchObject({ suspense: 9_000, [`${cardId} available`]: 50_000 });
  });
});

describe("quarantine", () => {
  const kept = async (venue: Awaited<ReturnType<typeof open>>) =>
    venue.rows<{ status: string; side: number }>(
      "SELECT status, side FROM quarantine ORDER BY quarantine_no",
    );
  const quarantined = async (venue: Awaited<ReturnType<typeof open>>) => {
    const [flag] = (await venue.flags("open")).filter((each) => each.kind === "quarantine");
    return flag?.id ?? "";
  };

  test.each<[string, (chain: Chain) => WireEvent[], number]>([
    [
      "counter_conflict",
      (chain) => {
        const clone = chain.fork();
        return [chain.debit(1_000), clone.debit(7_000)];
      },
      1_000,
    ],
    ["counter_leap", (chain) => [chain.debit(7_000, { skip: 10_000 })], 0],
  ])("a debit refused for %s is booked beside the chain", async (_, make, accepted) => {
    const { venue, station, terminal, chain, cardId } = await venueWithCard();
    const events = make(chain);
    await terminal.upload(...events);
    const before = (await station.read(cardId)).json;
    expect(await slug(venue.approve(await quarantined(venue)))).toBe("approved");
    expect(await venue.books()).toEqual({
      cash: -50_000,
      [`settlement ${terminal.terminalId}`]: accepted + 7_000,
      [`${cardId} available`]: 43_000 - accepted,
    });
    expect(await kept(venue)).toEqual([{ status: "approved", side: 1 }]);
    const balance = 43_000 - accepted;
    expect((await station.read(cardId)).json).toEqual({ ...before, balance });
    expect(outcome(await terminal.upload(events.at(-1) as WireEvent))).toBe(
      "409 duplicate_counter",
    );
    const days = await venue.rows(
      "SELECT debits, debit_amount AS amount FROM settlement WHERE debits > 0",
    );
    const debits = accepted === 0 ? 1 : 2;
    expect(days).toEqual([{ debits, amount: accepted + 7_000 }]);
    const txn = await venue.rows(
      "SELECT type, status, amount, source FROM txn WHERE quarantine_no = 1",
    );
    expect(txn).toEqual([
      { type: "card_debit", status: "completed", amount: 7_000, source: "device" },
    ]);
  });

  test("a debit of more than u24 is booked as it stands, one of nothing moves nothing", async () => {
    const { venue, terminal, chain, cardId } = await venueWithCard();
    const huge = { ...chain.fork().debit(1), amount: 16_777_216 };
    const nothing = { ...huge, amount: 0 };
    await terminal.upload(huge, nothing);
    for (const flag of await venue.flags("open")) await venue.approve(flag.id);
    expect(await kept(venue)).toEqual([
      { status: "approved", side: 1 },
      { status: "approved", side: 1 },
    ]);
    expect(await venue.books()).toEqual({
      cash: -50_000,
      [`settlement ${terminal.terminalId}`]: 16_777_216,
      [`${cardId} available`]: 50_000 - 16_777_216,
    });
  });

  test.each<[string, (chain: Chain) => WireEvent[]]>([
    [
      "a credit that conflicts",
      (chain) => {
        const clone = chain.fork();
        return [chain.debit(1_000), clone.credit(7_000)];
      },
    ],
    ["a checkin with an amount", (chain) => [{ ...chain.checkin(), amount: 5 }]],
    ["a debit of an unknown card", (chain) => [{ ...chain.debit(5), cardId: "0000000000ff" }]],
  ])("%s is refused again and stays open", async (_, make) => {
    const { venue, terminal, chain } = await venueWithCard();
    await terminal.upload(...make(chain));
    const [books, queue] = [await venue.books(), await venue.queue()];
    expect(await slug(venue.approve(await quarantined(venue)))).toBe("still-rejected");
    expect(await venue.books()).toEqual(books);
    expect(await venue.queue()).toEqual(queue);
    expect(await kept(venue)).toEqual([{ status: "open", side: 0 }]);
    expect(await venue.actions("fleet.flag.decided")).toEqual([]);
  });

  test("what the rules take now is recorded as its terminal's, flags and all", async () => {
    const { venue, station, terminal } = await venueWithCard();
    const cardId = "0000000000ff";
    const chip = new Chain(cardId, { timestamp: startSec });
    await terminal.upload(chip.admin());
    await venue.card(station, { cardId });
    expect(await slug(venue.approve(await quarantined(venue), "was in the drawer"))).toBe(
      "approved",
    );
    expect((await station.read(cardId)).json.counter).toBe(1);
    expect(await venue.flags()).toMatchObject([
      { kind: "quarantine", status: "approved", note: "was in the drawer" },
      { kind: "flag", reason: "op_not_allowed", status: "open" },
    ]);
    const batches = await venue.rows("SELECT device_no AS device FROM batch WHERE events = 1");
    expect(batches.at(-1)).toEqual({ device: 2 });
    expect(await kept(venue)).toEqual([{ status: "approved", side: 0 }]);
  });

  test("a leap that was reached meanwhile enters the chain", async () => {
    const { venue, station, terminal, chain, cardId } = await venueWithCard();
    const leap = chain.debit(7_000, { skip: 10_000 });
    await terminal.upload(leap);
    await terminal.hand({ ...leap, counter: 4_000, amount: 1, hash: "00000000000f" });
    await venue.approve(await quarantined(venue));
    expect((await station.read(cardId)).json.counter).toBe(leap.counter);
    expect(await kept(venue)).toEqual([{ status: "approved", side: 0 }]);
  });

  test("dismissed: nothing is booked, and the row is closed", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const clone = chain.fork();
    await terminal.upload(chain.debit(1_000), clone.debit(7_000));
    const books = await venue.books();
    expect(await slug(venue.dismiss(await quarantined(venue)))).toBe("dismissed");
    expect(await venue.books()).toEqual(books);
    expect(await kept(venue)).toEqual([{ status: "dismissed", side: 0 }]);
    expect(await venue.queue()).toEqual(["4 counter_conflict high"]);
  });

  test("of a suspended, retired device is decided all the same", async () => {
    const { venue, terminal, chain, cardId } = await venueWithCard();
    const clone = chain.fork();
    await terminal.upload(chain.debit(1_000), clone.debit(7_000));
    const actor = { type: "user", id: "operator" } as const;
    await venue.kartu.device.retire(venue.tenantId, terminal.deviceId, actor, venue.clock.nowMs());
    await venue.approve(await quarantined(venue));
    expect(await venue.books()).toEqual({
      cash: -50_000,
      "settlement 2": 8_000,
      [`${cardId} available`]: 42_000,
    });
  });
});

describe("a card under review", () => {
  test("is closed by either decision; the block stays", async () => {
    const { venue, station, terminal, cardId } = await venueWithCard();
    await terminal.report({ cardId, eventType: "replay" });
    expect(await slug(venue.dismiss((await venue.flag("under_review")).id))).toBe("dismissed");
    expect((await station.read(cardId)).json.status).toBe("BLOCKED_FRAUD");
  });
});
