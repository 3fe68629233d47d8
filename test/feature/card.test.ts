import { describe, expect, test } from "bun:test";
import { Chain, operator, outcome, startSec, type Venue, venues } from "../harness.ts";

const open = venues();

const body = (venue: Venue, more: Record<string, unknown>) => ({
  name: "Siti",
  createdAt: venue.clock.nowSec(),
  keyVersion: 1,
  ...more,
});

async function listByHand(venue: Venue, cardId: string): Promise<void> {
  const { store, blocklist } = venue.kartu;
  await store.write((tx) =>
    blocklist.list(tx, venue.tenantId, cardId, "stolen", { actor: operator }, startSec * 1000),
  );
}

describe("registering", () => {
  test("answers the card and opens its wallet", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const userId = await venue.member();
    const cardId = "a1b2c3d4e5f6";
    const sent = body(venue, { cardId, userId, name: "Siti Nurhaliza Rahayu", createdAt: 12 });
    const { status, json } = await station.call("POST", "/api/cards", sent);
    expect(status).toBe(201);
    expect(json).toEqual({ cardId, userId, status: "ACTIVE", balance: 0, createdAt: 12 });
    const { cards } = await venue.balances();
    expect(cards).toEqual({ [cardId]: { available: 0, pending: 0, frozen: 0 } });
    expect(await venue.actions("fleet.card.%")).toEqual(["fleet.card.registered"]);
  });

  test("refuses in the order of the contract", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const { member } = venue.kartu;
    const actor = { type: "user", id: "o" } as const;
    const nowMs = venue.clock.nowMs();
    const holder = await venue.member();
    const chain = await venue.card(station, { userId: holder });
    const listed = "0000000000ff";
    await listByHand(venue, listed);
    await member.suspend(venue.tenantId, holder, actor, nowMs);
    const suspended = await venue.member();
    await member.suspend(venue.tenantId, suspended, actor, nowMs);
    const closed = await venue.member();
    await member.close(venue.tenantId, closed, actor, nowMs);
    const free = await venue.member();

    const tries: [string, Record<string, unknown>][] = [
      ["409 card_already_registered", { cardId: chain.cardId, userId: holder, keyVersion: 9 }],
      ["409 user_has_active_card", { cardId: listed, userId: holder, keyVersion: 9 }],
      ["422 invalid_user", { cardId: listed, userId: suspended, keyVersion: 9 }],
      ["422 invalid_user", { cardId: listed, userId: closed, keyVersion: 9 }],
      ["422 invalid_user", { cardId: listed, userId: 4_000_000_000, keyVersion: 9 }],
      ["422 invalid_user", { cardId: listed, userId: 0, keyVersion: 9 }],
      ["422 invalid_key_version", { cardId: listed, userId: free, keyVersion: 9 }],
      ["422 card_blocked", { cardId: listed, userId: free }],
      ["201", { cardId: "0000000000fe", userId: free }],
    ];
    for (const [due, more] of tries) {
      expect(outcome(await station.call("POST", "/api/cards", body(venue, more)))).toBe(due);
    }
  });

  test("takes only key versions that are active now", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const { key } = venue.kartu;
    const actor = { type: "user", id: "o" } as const;
    const nowMs = venue.clock.nowMs();
    const { keyVersion } = await key.create(venue.tenantId, null, actor, nowMs);
    const attempt = async (cardId: string, version: number) => {
      const userId = await venue.member();
      const sent = body(venue, { cardId, userId, keyVersion: version });
      return outcome(await station.call("POST", "/api/cards", sent));
    };
    expect(await attempt("000000000001", keyVersion)).toBe("422 invalid_key_version");
    await key.activate(venue.tenantId, keyVersion, actor, nowMs);
    expect(await attempt("000000000001", keyVersion)).toBe("201");
    expect(await attempt("000000000002", 1)).toBe("201");
    await key.retire(venue.tenantId, 1, true, actor, nowMs);
    expect(await attempt("000000000003", 1)).toBe("422 invalid_key_version");
  });

  test.each([
    ["an empty name", { name: "" }, "name"],
    ["a name of 32 bytes in 16 characters", { name: "é".repeat(16) }, "name"],
    ["an upper-case id", { cardId: "A1B2C3D4E5F6" }, "cardId"],
    ["a short id", { cardId: "a1b2c3" }, "cardId"],
    ["a user as text", { userId: "1" }, "userId"],
    ["a user over uint32", { userId: 4_294_967_296 }, "userId"],
    ["key version 0", { keyVersion: 0 }, "keyVersion"],
    ["key version 256", { keyVersion: 256 }, "keyVersion"],
    ["a broken second", { createdAt: 1.5 }, "createdAt"],
    ["an unknown field", { gender: 1 }, "body"],
  ])("%s is malformed", async (_, more, path) => {
    const venue = await open();
    const station = await venue.working("station");
    const sent = body(venue, { cardId: "a1b2c3d4e5f6", userId: 1, ...more });
    const answer = await station.call("POST", "/api/cards", sent);
    expect(outcome(answer)).toBe("400 malformed_payload");
    expect(answer.json.message).toContain(path);
  });

  test("a name of 31 bytes fits, and expiresAt 0 means never", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const name = `${"é".repeat(15)}a`;
    const { cardId } = await venue.card(station, { name, expiresAt: 0 });
    expect((await station.read(cardId)).json).toMatchObject({ status: "ACTIVE", expiresAt: null });
  });
});

describe("reading", () => {
  test("a fresh card", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const { cardId } = await venue.card(station, { createdAt: 1_700_000_000 });
    expect((await station.read(cardId)).json).toEqual({
      cardId,
      userId: 1,
      status: "ACTIVE",
      balance: 0,
      counter: 0,
      createdAt: 1_700_000_000,
      lastActivity: 1_700_000_000,
      chipBalance: 0,
      state: "IDLE",
      pendingTopups: { count: 0, amount: 0 },
      needsValidation: false,
      expiresAt: null,
    });
  });

  test("balance is the wallet's, chipBalance the chip's", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const terminal = await venue.working("terminal");
    const chain = await venue.loaded(station, terminal, 50_000);
    await terminal.hand(chain.debit(20_000));
    await station.topup(chain.cardId, 5_000);
    expect((await terminal.read(chain.cardId)).json).toMatchObject({
      balance: 35_000,
      chipBalance: 30_000,
      counter: 4,
      lastActivity: startSec + 240,
      state: "CHECKED_IN",
      pendingTopups: { count: 1, amount: 5_000 },
    });
  });

  test.each(["0000000000aa", "A1B2C3D4E5F6", "xyz", "a1b2c3d4e5f6a"])("%s is 404", async (id) => {
    const venue = await open();
    const gate = await venue.device("gate");
    expect(outcome(await gate.read(id))).toBe("404 card_not_found");
    expect(outcome(await gate.call("GET", `/api/cards/${id}/events`))).toBe("404 card_not_found");
  });
});

describe("events of a card", () => {
  test("highest counter first, with the flags known now", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const terminal = await venue.working("terminal");
    const chain = await venue.loaded(station, terminal, 50_000);
    const [third, fourth] = [chain.debit(1_000), chain.debit(2_000)];
    await terminal.upload(fourth, { ...third, hash: "000000000000" });
    const { json } = await terminal.call("GET", `/api/cards/${chain.cardId}/events?limit=3`);
    const of = ({ counter, type, amount, balanceAfter, timestamp }: typeof third) => {
      return { counter, type, amount, balanceAfter, timestamp };
    };
    const checkin = { counter: 3, type: "checkin", amount: 0, balanceAfter: 50_000 };
    expect(json).toEqual({
      events: [
        // Its predecessor came after it and was not the one that its hash names.
        { ...of(fourth), flags: ["chain_mismatch"] },
        { ...of(third), flags: ["chain_mismatch"] },
        { ...checkin, timestamp: startSec + 180, flags: [] },
      ],
    });
  });

  test("limit: 10 unless said, 1 to 100", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const chain = await venue.card(station);
    const admins = Array.from({ length: 120 }, () => chain.admin());
    await station.hand(...admins);
    const counters = async (query: string): Promise<number[] | string> => {
      const path = `/api/cards/${chain.cardId}/events${query}`;
      const answer = await station.call<{ events: { counter: number }[] }>("GET", path);
      return answer.status === 200 ? answer.json.events.map((e) => e.counter) : outcome(answer);
    };
    expect(await counters("")).toEqual([120, 119, 118, 117, 116, 115, 114, 113, 112, 111]);
    expect(await counters("?limit=1")).toEqual([120]);
    expect((await counters("?limit=100")) as number[]).toHaveLength(100);
    for (const bad of ["0", "101", "1.5", "x", ""]) {
      expect(await counters(`?limit=${bad}`)).toBe("400 malformed_payload");
    }
    expect(await counters("?cursor=1")).toBe("400 malformed_payload");
  });
});

test("the same id may be registered in two tenants", async () => {
  const venue = await open();
  const other = await venue.addTenant();
  const [here, there] = [await venue.working("station"), await other.working("station")];
  const cardId = "a1b2c3d4e5f6";
  await venue.card(here, { cardId });
  await other.card(there, { cardId });
  await here.block(cardId);
  expect((await there.read(cardId)).json.status).toBe("ACTIVE");
  expect(await there.hand(new Chain(cardId, { timestamp: startSec }).admin())).toEqual([]);
  expect((await here.read(cardId)).json.counter).toBe(0);
});
