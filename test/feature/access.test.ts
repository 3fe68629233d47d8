import { describe, expect, test } from "bun:test";
import type { Role } from "../../src/domain/identity.ts";
import { type DeviceUnderTest, outcome, type Venue, venues } from "../harness.ts";

const open = venues();
const actor = { type: "user", id: "operator" } as const;
const cardId = "0000000000aa";

/** Every call of the surface with a token, each as one that gets as far as the resource. */
function calls(device: DeviceUnderTest): Record<string, () => Promise<string>> {
  const timestamp = 1_746_700_000;
  const operatorId = 7;
  const topupId = "01971d3e-7a00-7cc3-98c4-dc0c0c07398f";
  const register = { cardId, userId: 9, name: "x", createdAt: 1, keyVersion: 1 };
  const rekey = { keyVersion: 1, operatorId, timestamp };
  return {
    grant: async () => outcome(await device.call("GET", "/api/session-grant")),
    policy: async () => outcome(await device.call("GET", "/api/policy")),
    blocklist: async () => outcome(await device.call("GET", "/api/blocklist")),
    read: async () => outcome(await device.read(cardId)),
    events: async () => outcome(await device.call("GET", `/api/cards/${cardId}/events`)),
    reconcile: async () => outcome(await device.upload()),
    report: async () => outcome(await device.report({ eventType: "terminal_error" })),
    register: async () => outcome(await device.call("POST", "/api/cards", register)),
    topup: async () => outcome(await device.topup(cardId, 1)),
    cancel: async () => outcome(await device.cancel(cardId, topupId)),
    block: async () => outcome(await device.block(cardId)),
    rekey: async () => outcome(await device.call("POST", `/api/cards/${cardId}/rekey`, rekey)),
    reissue: async () => outcome(await device.reissue(cardId, "0000000000ab")),
  };
}

async function outcomes(device: DeviceUnderTest): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, call] of Object.entries(calls(device))) found[name] = await call();
  return found;
}

const management = ["register", "topup", "cancel", "block", "rekey", "reissue"];
const each = (names: readonly string[], due: string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, due]));

const open200 = {
  ...each(["grant", "policy", "blocklist", "reconcile"], "200"),
  ...each(["read", "events"], "404 card_not_found"),
  report: "204",
};

test.each<[Role, Record<string, string>]>([
  ["terminal", { ...open200, ...each(management, "403 insufficient_role") }],
  ["gate", { ...open200, ...each(management, "403 insufficient_role") }],
  [
    "scout",
    {
      ...each(["grant", "policy", "blocklist", "reconcile", "report"], "403 insufficient_role"),
      ...each(["read", "events"], "404 card_not_found"),
      ...each(management, "403 insufficient_role"),
    },
  ],
  [
    "station",
    { ...open200, ...each(management, "404 card_not_found"), register: "422 invalid_user" },
  ],
])("what a %s may call", async (role, due) => {
  const venue = await open();
  expect(await outcomes(await venue.device(role))).toEqual(due);
});

test("management needs an unexpired grant with the op", async () => {
  const venue = await open();
  const station = await venue.device("station");
  const other = await venue.working("station");
  const attempts = async (): Promise<Record<string, string>> => {
    const { grant, ...rest } = calls(station);
    const found: Record<string, string> = {};
    for (const name of management) found[name] = (await rest[name]?.()) ?? "";
    return found;
  };
  const none = each(management, "403 op_not_granted");
  expect(await attempts()).toEqual(none);
  expect(outcome(await other.block(cardId))).toBe("404 card_not_found");

  await venue.policy({ "allowedOps.station": 0b0100001 });
  await station.grant();
  expect(await attempts()).toEqual({
    ...each(["rekey", "reissue"], "404 card_not_found"),
    ...each(["topup", "cancel", "block"], "403 op_not_granted"),
    register: "422 invalid_user",
  });
  // An older grant that is open still counts, and a grant ends at its second.
  venue.clock.advance(28_800 - 1);
  expect(await station.block(cardId)).toMatchObject({ status: 403 });
  expect(outcome(await other.block(cardId))).toBe("404 card_not_found");
  venue.clock.advance(1);
  expect(outcome(await other.block(cardId))).toBe("403 op_not_granted");
  expect(await attempts()).toEqual(none);
});

test("who calls is judged before what was sent, what was sent before what it is about", async () => {
  const venue = await open();
  const station = await venue.device("station");
  const terminal = await venue.working("terminal");
  const path = `/api/cards/${cardId}/topup`;
  const malformed = { amount: 0 };
  const lawful = { amount: 1, operatorId: 7, timestamp: 1 };
  const text = { "content-type": "text/plain" };
  const sent = async (device: DeviceUnderTest, body: unknown, headers = {}) =>
    outcome(await device.call("POST", path, body, headers));
  const { device } = venue.kartu;
  const { tenantId, clock } = venue;

  expect(outcome(await venue.call("POST", path, { body: "{", headers: text }))).toBe(
    "401 invalid_token",
  );
  expect(await sent(terminal, "{", text)).toBe("403 insufficient_role");
  await device.suspend(tenantId, station.deviceId, actor, clock.nowMs());
  expect(await sent(station, "{", text)).toBe("403 terminal_suspended");
  await device.resume(tenantId, station.deviceId, actor, clock.nowMs());
  expect(await sent(station, "{", text)).toBe("403 op_not_granted");
  await station.grant();
  expect(await sent(station, "{", text)).toBe("415 unsupported_media_type");
  expect(await sent(station, "{")).toBe("400 malformed_payload");
  expect(await sent(station, malformed)).toBe("400 malformed_payload");
  expect(await sent(station, lawful)).toBe("404 card_not_found");
});

test("a suspended device may read and hand in; its queue is flagged", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const { device } = venue.kartu;
  await device.suspend(venue.tenantId, station.deviceId, actor, venue.clock.nowMs());
  expect(await outcomes(station)).toEqual({
    ...open200,
    ...each(management, "403 terminal_suspended"),
    grant: "403 terminal_suspended",
  });
  await device.resume(venue.tenantId, station.deviceId, actor, venue.clock.nowMs());
  expect(outcome(await station.block(cardId))).toBe("404 card_not_found");
});

test("a revoked device is 401; commissioned again it keeps its number and hands in", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, 50_000);
  const queue = [chain.debit(1_000), chain.debit(2_000)];
  const { device } = venue.kartu;
  const { tenantId, clock } = venue;
  await device.revoke(tenantId, terminal.deviceId, actor, clock.nowMs());
  expect(new Set(Object.values(await outcomes(terminal)))).toEqual(new Set(["401 invalid_token"]));

  const { deviceId, terminalId } = terminal;
  const { secret } = await device.newSecret(tenantId, deviceId, false, actor, clock.nowMs());
  const again = await venue.commission(deviceId, "terminal", secret);
  expect(again.terminalId).toBe(terminalId);
  terminal.token = again.token;
  expect(await terminal.hand(...queue)).toEqual([]);
});

test("a scout that is bound to a member sees that member's cards alone", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const [own, foreign] = [await venue.card(station), await venue.card(station)];
  const bound = await venue.device("scout", { userId: 1 });
  const kiosk = await venue.device("scout");
  for (const path of ["", "/events"]) {
    const read = async (scout: DeviceUnderTest, id: string) =>
      outcome(await scout.call("GET", `/api/cards/${id}${path}`));
    expect(await read(bound, own.cardId)).toBe("200");
    expect(await read(bound, foreign.cardId)).toBe("404 card_not_found");
    expect(await read(kiosk, foreign.cardId)).toBe("200");
    expect(await read(kiosk, cardId)).toBe("404 card_not_found");
  }
  await station.reissue(own.cardId, cardId);
  expect(outcome(await bound.read(cardId))).toBe("200");
});

describe("two tenants", () => {
  async function two() {
    const venue: Venue = await open();
    const other = await venue.addTenant();
    const ours = {
      station: await venue.working("station"),
      terminal: await venue.working("terminal"),
    };
    const theirs = {
      station: await other.working("station"),
      terminal: await other.working("terminal"),
    };
    const chain = await venue.loaded(ours.station, ours.terminal, 50_000);
    return { venue, other, ours, theirs, chain };
  }

  test("cards of one are not there for the other", async () => {
    const { venue, other, theirs, chain } = await two();
    const { station } = theirs;
    const before = await venue.books();
    const { json } = await station.topup(chain.cardId, 1_000);
    expect(json).toMatchObject({ error: "card_not_found" });
    expect(outcome(await station.read(chain.cardId))).toBe("404 card_not_found");
    expect(outcome(await station.block(chain.cardId))).toBe("404 card_not_found");
    expect(outcome(await station.reissue(chain.cardId, cardId))).toBe("404 card_not_found");
    const answer = await theirs.terminal.upload(chain.debit(1_000));
    expect(answer.json.rejections).toMatchObject([{ reason: "unknown_card" }]);
    expect((await station.report({ cardId: chain.cardId, eventType: "tamper" })).status).toBe(204);
    expect(await venue.books()).toEqual(before);
    expect(await venue.queue()).toEqual([]);
    expect(await venue.alerts()).toEqual([]);
    expect(await other.queue()).toEqual(["4 unknown_card medium"]);
    expect(await other.books()).toEqual({});
  });

  test("a top-up of one can't be cancelled by the other", async () => {
    const { ours, theirs, chain } = await two();
    const { json } = await ours.station.topup(chain.cardId, 1_000);
    const answer = await theirs.station.cancel(chain.cardId, json.topupId);
    expect(outcome(answer)).toBe("404 card_not_found");
  });

  test("keys and blocklists are each one's own", async () => {
    const { ours, theirs, chain } = await two();
    await ours.station.block(chain.cardId);
    const list = async (device: DeviceUnderTest) =>
      (await device.call("GET", "/api/blocklist")).json;
    expect(await list(ours.terminal)).toMatchObject({
      version: 1,
      add: [{ cardId: chain.cardId }],
    });
    expect(await list(theirs.terminal)).toEqual({ version: 0, full: true, add: [], remove: [] });
    const keys = [await ours.terminal.grant(), await theirs.terminal.grant()].map(
      (g) => g.sessionKey,
    );
    expect(keys[0]).not.toBe(keys[1]);
  });

  test("numbers of terminals and members begin anew, and flags can't be decided across", async () => {
    const { venue, other, theirs, chain } = await two();
    expect([theirs.station.terminalId, theirs.terminal.terminalId]).toEqual([1, 2]);
    await theirs.terminal.upload(chain.debit(1_000));
    const { id } = await other.flag("unknown_card");
    expect(await venue.approve(id).catch((error: { slug: string }) => error.slug)).toBe(
      "not-found",
    );
    expect(await venue.dismiss(id).catch((error: { slug: string }) => error.slug)).toBe(
      "not-found",
    );
  });
});
