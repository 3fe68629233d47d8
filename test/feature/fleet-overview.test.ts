/** The venue at a glance: every figure against what the tables say, and against what was done. */
import { expect, test } from "bun:test";
import { venues } from "../harness.ts";
import { Desk } from "./desk.ts";

const open = venues();

test("a new venue is empty", async () => {
  const at = new Desk(await open());
  const none = { count: 0, amount: 0 };
  expect((await at.get("/fleet/overview")).json).toEqual({
    devices: { active: 0, suspended: 0, retired: 0, silent24h: 0 },
    cards: {
      ...{ ACTIVE: 0, BLOCKED_TAMPER: 0, BLOCKED_FRAUD: 0, BLOCKED_EXPIRED: 0, BLOCKED_ADMIN: 0 },
    },
    ...{ openFlags: 0, pendingTopups: none, exposure: { amount: 0 } },
    today: { debits: 0, debitAmount: 0, topups: 0, topupAmount: 0 },
    ...{ staleTopups: none, overdrawn: none },
  });
});

test("devices by state; a silent one is active and unseen for a day", async () => {
  const venue = await open();
  const at = new Desk(venue);
  const { device } = venue.kartu;
  const actor = { type: "system", id: "test" } as const;
  const devices = async () => (await at.get("/fleet/overview")).json.devices;
  const till = await venue.working("terminal");
  const gate = await venue.device("gate");
  const desk = await venue.device("station");
  await device.suspend(1, gate.deviceId, actor, venue.clock.nowMs());
  await device.retire(1, desk.deviceId, actor, venue.clock.nowMs());
  await device.register(1, { deviceId: "boxed", role: "gate" }, actor, venue.clock.nowMs());
  expect(await devices()).toEqual({ active: 2, suspended: 1, retired: 1, silent24h: 0 });
  venue.clock.advance(86_400);
  expect(await devices()).toMatchObject({ silent24h: 2 });
  await till.call("GET", "/api/policy");
  expect(await devices()).toMatchObject({ active: 2, silent24h: 1 });
  await venue.clock.minute();
  expect(await devices()).toMatchObject({ active: 2, silent24h: 1 });
});

test("cards by what they are now, money of today, what waits, what lacks, what may be out there", async () => {
  const venue = await open();
  const at = new Desk(venue);
  const overview = async () => (await at.get("/fleet/overview")).json;
  const station = await venue.working("station");
  const till = await venue.working("terminal");
  const second = await venue.working("terminal");
  const paid = await venue.loaded(station, till, 50_000);
  const lost = await venue.loaded(station, till, 20_000);
  await venue.card(station, { expiresAt: venue.clock.nowSec() + 3_600 });
  await station.block(lost.cardId);
  await station.report({ eventType: "tamper", cardId: lost.cardId });
  await station.topup(paid.cardId, 7_000);
  await till.hand(paid.debit(30_000));
  // More than was booked: its own top-up is not on the chip yet.
  expect(await till.hand(paid.debit(20_000), paid.credit(40_000), paid.debit(35_000))).toContain(
    "7 overdrawn",
  );
  const now = await overview();
  expect(now).toMatchObject({
    cards: { ACTIVE: 2, BLOCKED_ADMIN: 1, BLOCKED_EXPIRED: 0 },
    pendingTopups: { count: 1, amount: 7_000 },
    today: { debits: 3, debitAmount: 85_000, topups: 3, topupAmount: 77_000 },
    staleTopups: { count: 0, amount: 0 },
    overdrawn: { count: 1, amount: 28_000 },
  });
  const [queued] = await venue.rows<{ n: number }>(
    "SELECT count(*) AS n FROM flag WHERE status = 'open'",
  );
  expect(now.openFlags).toBe(queued?.n as number);
  // One card of its own, ACTIVE, at the first till; the second one has seen none.
  expect(now.exposure).toEqual({ amount: 2 * 2_000_000 });
  expect((await second.upload()).status).toBe(200);
  venue.clock.advance(3_600);
  expect((await overview()).cards).toMatchObject({ ACTIVE: 1, BLOCKED_EXPIRED: 1 });
  venue.clock.advance(86_400);
  expect(await overview()).toMatchObject({
    today: { debits: 0, debitAmount: 0, topups: 0, topupAmount: 0 },
    staleTopups: { count: 1, amount: 7_000 },
    // The same once the rows of the cards are written.
    overdrawn: { count: 1, amount: 28_000 },
  });
  await venue.kartu.store.settle();
  expect(await overview()).toMatchObject({ overdrawn: { count: 1, amount: 28_000 } });
  expect((await at.get("/fleet/overview?day=1")).json.errors).toMatchObject([
    { field: "day", code: "UNKNOWN_PARAMETER" },
  ]);
});

test("another tenant's venue is its own", async () => {
  const venue = await open();
  const other = await venue.addTenant();
  const station = await other.working("station");
  const till = await other.working("terminal");
  await other.loaded(station, till, 50_000);
  const at = new Desk(venue);
  expect((await at.get("/fleet/overview")).json).toMatchObject({
    devices: { active: 0 },
    cards: { ACTIVE: 0 },
    today: { topups: 0 },
    exposure: { amount: 0 },
  });
});
