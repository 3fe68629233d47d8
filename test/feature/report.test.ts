import { describe, expect, test } from "bun:test";
import { type DeviceUnderTest, outcome, startSec, type Venue, venues } from "../harness.ts";

const open = venues();
const actor = { type: "user", id: "operator" } as const;
const day = 86_400;

async function venueWithCard() {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, 50_000);
  const { cardId } = chain;
  const status = async () => (await station.read(cardId)).json.status;
  return { venue, station, terminal, chain, cardId, status };
}

const reportsOf = (venue: Venue) =>
  venue.rows<{ type: string; action: string }>(
    "SELECT event_type AS type, action FROM report ORDER BY report_no",
  );

const sent = async (device: DeviceUnderTest, report: Record<string, unknown>): Promise<string> =>
  outcome(await device.report(report));

describe("what a report does", () => {
  test.each([
    ["tamper", "BLOCKED_TAMPER"],
    ["replay", "BLOCKED_FRAUD"],
  ])("%s: an ACTIVE card becomes %s, and an operator hears of it", async (eventType, due) => {
    const { venue, terminal, cardId, status } = await venueWithCard();
    expect(await sent(terminal, { cardId, eventType, counter: 3, details: "x" })).toBe("204");
    expect(await status()).toBe(due);
    const { terminalId } = terminal;
    expect(await venue.alerts()).toEqual([
      { severity: "high", reason: eventType, cardId, terminalId },
    ]);
    const { json } = await terminal.call("GET", "/api/blocklist");
    expect(json.add).toEqual([{ cardId, status: due }]);
    expect(await venue.actions("fleet.%")).toContain("fleet.report.received");
  });

  test.each(["invalid_transition", "session_expired", "terminal_error"])(
    "%s is recorded, no more",
    async (eventType) => {
      const { venue, terminal, cardId, status } = await venueWithCard();
      expect(await sent(terminal, { cardId, eventType })).toBe("204");
      expect(await status()).toBe("ACTIVE");
      expect(await venue.alerts()).toEqual([]);
      expect(await venue.queue()).toEqual([]);
      expect(await reportsOf(venue)).toEqual([{ type: eventType, action: "none" }]);
    },
  );

  test("the first block stays, whatever is reported later", async () => {
    const { venue, terminal, cardId, status } = await venueWithCard();
    await terminal.report({ cardId, eventType: "tamper" });
    await terminal.report({ cardId, eventType: "replay" });
    expect(await status()).toBe("BLOCKED_TAMPER");
    expect((await venue.alerts()).map((alert) => alert.reason)).toEqual(["tamper", "replay"]);
  });

  test("who reported is in the timeline", async () => {
    const { venue, terminal, cardId } = await venueWithCard();
    await terminal.report({ cardId, eventType: "tamper" });
    const changes = await venue.rows(
      "SELECT kind, terminal_id AS terminalId, actor FROM card_change WHERE kind IN ('report', 'status')",
    );
    const { terminalId, deviceId } = terminal;
    expect(changes).toEqual([
      { kind: "status", terminalId, actor: deviceId },
      { kind: "report", terminalId, actor: deviceId },
    ]);
  });

  test("an unknown card, or none: recorded and, of fraud, told", async () => {
    const { venue, terminal } = await venueWithCard();
    const cardId = "0000000000ff";
    expect(await sent(terminal, { cardId, eventType: "tamper" })).toBe("204");
    expect(await sent(terminal, { eventType: "replay" })).toBe("204");
    expect(await sent(terminal, { eventType: "write_failure" })).toBe("204");
    expect(await reportsOf(venue)).toHaveLength(3);
    expect((await venue.alerts()).map((alert) => alert.reason)).toEqual(["tamper", "replay"]);
    expect(await venue.queue()).toEqual([]);
  });
});

describe("a replay", () => {
  test("puts the card under review with the counters of the week before", async () => {
    const { venue, terminal, chain, cardId } = await venueWithCard();
    venue.clock.advance(7 * day + 120);
    await terminal.grant();
    await terminal.upload(chain.debit(1, { at: venue.clock.nowSec() }));
    await terminal.report({ cardId, eventType: "replay" });
    const flag = await venue.flag("under_review");
    expect(flag).toMatchObject({ kind: "flag", severity: "high", cardId, counter: null });
    // The chip's first event is a second too old.
    expect(flag.evidence).toEqual({ fromCounter: 2, toCounter: 4, since: startSec + 120 });
  });

  test("while that flag is open a repeat adds none; once it is decided the next does", async () => {
    const { venue, terminal, cardId } = await venueWithCard();
    const reviews = async () => (await venue.flags()).filter((f) => f.reason === "under_review");
    await terminal.report({ cardId, eventType: "replay", counter: 1 });
    await terminal.report({ cardId, eventType: "replay", counter: 2 });
    expect(await reviews()).toHaveLength(1);
    expect(await venue.alerts()).toHaveLength(2);
    await venue.approve((await venue.flag("under_review")).id);
    await terminal.report({ cardId, eventType: "replay", counter: 3 });
    expect(await reviews()).toHaveLength(2);
  });

  test("of a card without events has no range", async () => {
    const { venue, station, terminal } = await venueWithCard();
    const { cardId } = await venue.card(station);
    await terminal.report({ cardId, eventType: "replay" });
    const { evidence } = await venue.flag("under_review");
    expect(evidence).toMatchObject({ fromCounter: null, toCounter: null });
  });
});

describe("write failures", () => {
  test("two within seven days for one card are told, from whichever terminals", async () => {
    const { venue, station, terminal, cardId } = await venueWithCard();
    const fail = async (device: DeviceUnderTest) => {
      await device.report({ cardId, eventType: "write_failure" });
      return (await venue.alerts()).length;
    };
    expect(await fail(terminal)).toBe(0);
    expect((await station.read(cardId)).json.needsValidation).toBe(true);
    venue.clock.advance(7 * day - 1);
    expect(await fail(station)).toBe(1);
    venue.clock.advance(1);
    expect(await fail(terminal)).toBe(2);
    venue.clock.advance(7 * day);
    expect(await fail(terminal)).toBe(2);
    expect((await station.read(cardId)).json.status).toBe("ACTIVE");
  });
});

describe("a device's reports", () => {
  test("block 20 cards in 24 hours; beyond that they are told and block nothing", async () => {
    const { venue, station, terminal } = await venueWithCard();
    const second = await venue.working("terminal");
    const report = async (device: DeviceUnderTest, eventType: string) => {
      const { cardId } = await venue.card(station);
      await device.report({ cardId, eventType });
      return (await station.read(cardId)).json.status;
    };
    for (let i = 0; i < 19; i++) expect(await report(terminal, "tamper")).toBe("BLOCKED_TAMPER");
    expect(await report(terminal, "replay")).toBe("BLOCKED_FRAUD");
    expect(await report(terminal, "tamper")).toBe("ACTIVE");
    expect(await report(terminal, "replay")).toBe("ACTIVE");
    expect(await venue.alerts()).toHaveLength(22);
    expect((await reportsOf(venue)).slice(-2).map((r) => r.action)).toEqual([
      "recorded",
      "recorded",
    ]);
    expect(await report(second, "tamper")).toBe("BLOCKED_TAMPER");
    venue.clock.advance(day);
    await station.grant();
    expect(await report(terminal, "tamper")).toBe("BLOCKED_TAMPER");
  });

  test("block nothing while it is suspended", async () => {
    const { venue, terminal, cardId, status } = await venueWithCard();
    const { device } = venue.kartu;
    await device.suspend(venue.tenantId, terminal.deviceId, actor, venue.clock.nowMs());
    expect(await sent(terminal, { cardId, eventType: "tamper" })).toBe("204");
    expect(await status()).toBe("ACTIVE");
    expect(await venue.alerts()).toMatchObject([{ severity: "high", reason: "tamper", cardId }]);
    await device.resume(venue.tenantId, terminal.deviceId, actor, venue.clock.nowMs());
    await terminal.report({ cardId, eventType: "tamper", counter: 1 });
    expect(await status()).toBe("BLOCKED_TAMPER");
  });

  test("that say the same are one", async () => {
    const { venue, terminal, cardId } = await venueWithCard();
    const second = await venue.working("terminal");
    const report = { cardId, eventType: "tamper", counter: 3, timestamp: startSec };
    for (let i = 0; i < 3; i++) expect(await sent(terminal, report)).toBe("204");
    await terminal.report({ ...report, details: "again" });
    expect(await reportsOf(venue)).toHaveLength(1);
    expect(await venue.alerts()).toHaveLength(1);
    for (const change of [
      { cardId: null },
      { eventType: "replay" },
      { counter: 4 },
      { counter: null },
      { counter: 0 },
      { timestamp: startSec + 1 },
    ]) {
      await terminal.report({ ...report, ...change });
    }
    await second.report(report);
    expect(await reportsOf(venue)).toHaveLength(8);
  });
});

describe("refusals", () => {
  test("another's terminalId", async () => {
    const { terminal } = await venueWithCard();
    const report = { eventType: "tamper", terminalId: 1 };
    expect(await sent(terminal, report)).toBe("403 terminal_mismatch");
  });

  test.each([
    ["an unknown type", { eventType: "theft" }],
    ["257 characters", { eventType: "tamper", details: "x".repeat(257) }],
    ["a malformed id", { eventType: "tamper", cardId: "A1B2C3D4E5F6" }],
    ["a counter below zero", { eventType: "tamper", counter: -1 }],
    ["an unknown field", { eventType: "tamper", severity: "high" }],
    ["no details", { eventType: "tamper", details: undefined }],
    ["no card", { eventType: "tamper", cardId: undefined }],
  ])("%s is malformed", async (_, report) => {
    const { terminal } = await venueWithCard();
    expect(await sent(terminal, report)).toBe("400 malformed_payload");
  });

  test("256 characters and every type are well-formed", async () => {
    const { terminal } = await venueWithCard();
    const details = "x".repeat(256);
    expect(await sent(terminal, { eventType: "terminal_error", details })).toBe("204");
  });
});
