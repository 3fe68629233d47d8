/**
 * A key rotation in the middle of a live fleet, worked by its operator over the operators' surface: every
 * tap goes on, on cards of either version, and the old version goes when no card needs it, not before.
 */
import { expect, test } from "bun:test";
import { simulate } from "../../src/sim/simulate.ts";
import type { DeviceSpec, SimClock } from "../../src/sim/world.ts";
import { Desk, dataOf } from "../feature/desk.ts";
import { DeviceUnderTest, outcome, venues } from "../harness.ts";

const open = venues();
const cards = 40;
/** Long before cards are moved, so that every terminal has renewed meanwhile. */
const activateAfterTicks = 2;

test("no terminal fails to read a card, and the old version retires only when allowed", async () => {
  const venue = await open();
  const at = new Desk(venue);
  const ok = async (method: string, path: string, body?: unknown) => {
    const heard = await at.send(method, path, body);
    if (heard.status >= 400) throw new Error(`${path}: ${heard.text}`);
    return heard.json;
  };
  // Nobody's grant ends while there is no network: what is refused then is another matter.
  const [policy] = dataOf(await at.get("/fleet/policies"));
  await ok("PATCH", `/fleet/policies/${policy?.id}`, { version: 1, grantTtlSec: 86_400 });
  const devices: DeviceSpec[] = [];
  const roles = ["station", "gate", ...Array<"terminal">(6).fill("terminal")] as const;
  for (const [no, role] of roles.entries()) {
    const made = await ok("POST", "/fleet/devices", { deviceId: `d-${no}`, role });
    const { terminalId, secret } = made as { terminalId: number; secret: string };
    const { token } = await venue.commission(`d-${no}`, role, secret);
    devices.push({ deviceId: `d-${no}`, role, terminalId, token });
  }
  for (let no = 1; no <= cards; no++) await ok("POST", "/fleet/members", { name: `Guest ${no}` });
  const retire = async (body = {}) =>
    (await at.send("POST", "/fleet/key-versions/1/retire", body)).outcome;

  const retired: string[] = [];
  let ticks = 0;
  const clock: SimClock = {
    now: () => venue.clock.nowSec(),
    advance: async (sec) => {
      venue.clock.advance(sec);
      if (++ticks !== activateAfterTicks) return;
      retired.push(await retire());
      await ok("POST", "/fleet/key-versions", { note: "in the middle of it all" });
      await ok("POST", "/fleet/key-versions/2/activate");
      retired.push(await retire());
    },
  };
  const result = await simulate({
    ...{ url: venue.serving.url, devices, cards, users: [1, cards], events: 2_500, seed: 5 },
    ...{ clock, isHonest: true },
    // From now on stations move cards to the new version.
    rotate: async () => void retired.push(await retire({ force: false })),
  });
  expect(retired).toEqual(["409 wrong-state", "409 in-use", "409 in-use"]);
  expect(result.mismatches).toEqual([]);
  expect(result.cardsCompared).toBe(cards);
  expect(result.refusals.no_key ?? 0).toBe(0);
  const grants = result.calls.find(({ kind }) => kind === "grant")?.statuses ?? {};
  expect(Object.keys(grants).filter((status) => status !== "200" && status !== "0")).toEqual([]);
  const moved = result.calls.find(({ kind }) => kind === "rekey")?.count ?? 0;
  expect(moved).toBeGreaterThan(0);

  // Some cards have not come by a station yet: until the last one has, the old version stays.
  const waiting = await venue.rows<{ card_id: string }>(
    "SELECT card_id FROM card WHERE key_version = 1 AND status = 0",
  );
  expect(waiting.length).toBeGreaterThan(0);
  const versions = dataOf(await at.get("/fleet/key-versions"));
  expect(versions).toMatchObject([
    { keyVersion: 2, primary: true, activeCards: cards - waiting.length },
    { keyVersion: 1, status: "active", activeCards: waiting.length },
  ]);
  const [{ deviceId, terminalId, token = "" } = { deviceId: "", terminalId: 0 }] = devices;
  const station = new DeviceUnderTest(
    ...([venue.call, venue.clock, deviceId, "station", terminalId, token] as const),
  );
  await station.grant();
  for (const [no, { card_id: cardId }] of waiting.entries()) {
    expect(await retire()).toBe("409 in-use");
    const body = { keyVersion: 2, operatorId: no, timestamp: venue.clock.nowSec() };
    expect(outcome(await station.call("POST", `/api/cards/${cardId}/rekey`, body))).toBe("200");
  }
  expect(await retire()).toBe("200");
  const asked = (version: number) =>
    station.call("GET", `/api/session-grant?keyVersion=${version}`).then(outcome);
  expect([await asked(1), await asked(2)]).toEqual(["422 invalid_key_version", "200"]);
}, 30_000);
