import { describe, expect, test } from "bun:test";
import { outcome, startSec, type Venue, venues } from "../harness.ts";

const open = venues();

const body = (venue: Venue, more: Record<string, unknown>) => ({
  name: "Siti",
  createdAt: venue.clock.nowSec(),
  keyVersion: 1,
  ...more,
});

describe("blocking", () => {
  test("an ACTIVE card becomes BLOCKED_ADMIN; a repeat is the same", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const { cardId } = await venue.card(station);
    const first = await station.block(cardId);
    expect([first.status, first.json]).toEqual([200, { cardId, status: "BLOCKED_ADMIN" }]);
    expect((await station.block(cardId)).json).toEqual(first.json);
    expect((await station.read(cardId)).json.status).toBe("BLOCKED_ADMIN");
    const details = await venue.rows<{ detail: string }>(
      "SELECT detail FROM card_change WHERE kind = 'status' ORDER BY change_no",
    );
    expect(details.map((row) => JSON.parse(row.detail))).toEqual([
      { operatorId: 7, status: "BLOCKED_ADMIN", reason: "lost" },
      { operatorId: 7, status: "BLOCKED_ADMIN", reason: "lost", changed: false },
    ]);
  });

  test("a card blocked for another cause keeps it", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const { cardId } = await venue.card(station);
    await station.report({ cardId, eventType: "tamper" });
    expect((await station.block(cardId)).json).toEqual({ cardId, status: "BLOCKED_TAMPER" });
  });

  test("an unknown card, and reasons of 0 and 257 characters", async () => {
    const venue = await open();
    const station = await venue.working("station");
    const { cardId } = await venue.card(station);
    expect(outcome(await station.block("0000000000aa"))).toBe("404 card_not_found");
    expect(outcome(await station.block(cardId, ""))).toBe("400 malformed_payload");
    expect(outcome(await station.block(cardId, "x".repeat(257)))).toBe("400 malformed_payload");
    expect(outcome(await station.block(cardId, "x".repeat(256)))).toBe("200");
  });
});

describe("rekeying", () => {
  async function rotating() {
    const venue = await open();
    const station = await venue.working("station");
    const { key } = venue.kartu;
    const actor = { type: "user", id: "o" } as const;
    await key.create(venue.tenantId, null, actor, venue.clock.nowMs());
    await key.activate(venue.tenantId, 2, actor, venue.clock.nowMs());
    const { cardId } = await venue.card(station);
    const rekey = (keyVersion: number, id = cardId) =>
      station.call("POST", `/api/cards/${id}/rekey`, { keyVersion, operatorId: 7, timestamp: 1 });
    const version = async () =>
      (await venue.rows<{ v: number }>("SELECT key_version AS v FROM card"))[0]?.v;
    return { venue, station, cardId, rekey, version };
  }

  test("moves the card, and nothing else; a repeat is the same", async () => {
    const { venue, station, cardId, rekey, version } = await rotating();
    const before = (await station.read(cardId)).json;
    for (let i = 0; i < 2; i++) {
      const { status, json } = await rekey(2);
      expect([status, json]).toEqual([200, { cardId, keyVersion: 2 }]);
    }
    expect(await version()).toBe(2);
    expect((await station.read(cardId)).json).toEqual(before);
    expect(await venue.actions("fleet.card.rekeyed")).toHaveLength(1);
  });

  test("refuses unknown cards, then versions that are not active, then blocked cards", async () => {
    const { station, cardId, rekey, version } = await rotating();
    expect(outcome(await rekey(9, "0000000000aa"))).toBe("404 card_not_found");
    await station.block(cardId);
    expect(outcome(await rekey(9))).toBe("422 invalid_key_version");
    expect(outcome(await rekey(2))).toBe("422 card_blocked");
    expect(outcome(await rekey(1))).toBe("200");
    expect(await version()).toBe(1);
  });
});

describe("expiry", () => {
  const expiresAt = startSec + 1_000;

  async function expiring() {
    const venue = await open();
    const station = await venue.working("station");
    const chain = await venue.card(station, { expiresAt });
    await station.hand(chain.admin());
    return { venue, station, chain, cardId: chain.cardId };
  }

  test("from expiresAt on, for every read and check", async () => {
    const { venue, station, chain, cardId } = await expiring();
    venue.clock.set(expiresAt - 1);
    expect((await station.read(cardId)).json).toMatchObject({ status: "ACTIVE", expiresAt });
    venue.clock.set(expiresAt);
    expect((await station.read(cardId)).json.status).toBe("BLOCKED_EXPIRED");
    expect(outcome(await station.topup(cardId, 1_000))).toBe("422 card_blocked");
    expect((await station.block(cardId)).json.status).toBe("BLOCKED_EXPIRED");
    const flags = await station.hand(
      chain.admin({ at: expiresAt }),
      chain.credit(5, { at: expiresAt + 1 }),
    );
    expect(flags).toEqual(["3 card_blocked", "3 card_expired", "3 unauthorised_credit"]);
  });

  test("the member may have a new card then", async () => {
    const { venue, station } = await expiring();
    const sent = body(venue, { cardId: "0000000000aa", userId: 1 });
    expect(outcome(await station.call("POST", "/api/cards", sent))).toBe(
      "409 user_has_active_card",
    );
    venue.clock.set(expiresAt);
    expect(outcome(await station.call("POST", "/api/cards", sent))).toBe("201");
  });

  test("is written down by the minute's job, and listed from the first look at the list", async () => {
    const { venue, station, cardId } = await expiring();
    const other = await venue.card(station, { expiresAt: expiresAt + 5 });
    venue.clock.set(expiresAt);
    await venue.clock.minute();
    const written = "SELECT card_id AS id FROM card WHERE status = 3 ORDER BY card_no";
    expect(await venue.rows<{ id: string }>(written)).toEqual([{ id: cardId }]);
    venue.clock.set(expiresAt + 5);
    const { json } = await station.call("GET", "/api/blocklist");
    expect(json.add).toEqual([
      { cardId, status: "BLOCKED_EXPIRED" },
      { cardId: other.cardId, status: "BLOCKED_EXPIRED" },
    ]);
  });
});
