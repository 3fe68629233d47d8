/**
 * Every door of the server as it is mounted, and who may open it. A route that is
 * mounted and not listed in door.ts is a fault. Who else is refused, and how: `matrix.test.ts`.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { roles } from "../../src/domain/identity.ts";
import { type DeviceUnderTest, operator, type TenantUnderTest } from "../harness.ts";
import { assets, belowBases, deviceDoors, nameOf, publicDoors } from "./door.ts";
import { knocks as operatorKnocks } from "./knock/table.ts";
import { type Knock, Live, type Sent } from "./live.ts";

let live: Live;
beforeAll(async () => {
  // Every door is tried, more often than anybody may.
  live = await Live.open({
    config: { KARTU_RATE_AUTH_PER_MIN: "0", KARTU_RATE_REFRESH_PER_MIN: "0" },
  });
});
afterAll(() => live.close());

/** A call that would succeed, of each door that asks for a token. */
async function knocks(): Promise<Map<string, Knock>> {
  const made = new Map<string, Knock>();
  for (const route of live.routes) {
    if (!("public" in route.access)) made.set(nameOf(route), await live.knock(route));
  }
  return made;
}

const answerOf = (knock: Knock, sent?: Sent): Promise<string> => live.outcome(knock, sent);
const unauthorized = "401 invalid_token";

describe("a stranger", () => {
  test("finds no door that is not listed here", () => {
    const doors = new Set(
      live.app.routes.filter(({ method }) => method !== "HEAD").map((route) => nameOf(route)),
    );
    const closed = Object.entries(operatorKnocks)
      .filter(([, { may }]) => may !== "public")
      .flatMap(([name, { root }]) => (root ? [name] : belowBases(name)));
    const listed = [...Object.keys(publicDoors), ...Object.keys(deviceDoors), ...closed];
    expect([...doors].filter((name) => !listed.includes(name))).toEqual([]);
    expect(listed.filter((name) => !doors.has(name))).toEqual([]);
  });

  test("gets 401 at each that is not public", async () => {
    for (const { method, path } of live.app.routes) {
      if (method === "HEAD") continue;
      const name = nameOf({ method, path });
      const { status, headers } = await live.send({ method, path });
      expect([name, status]).toEqual([name, publicDoors[name] ?? 401]);
      expect(headers.get("x-request-id")).toHaveLength(36);
    }
  });

  test("learns 401 only, whatever else is wrong with the call", async () => {
    for (const [name, knock] of await knocks()) {
      const wrong: Sent[] = [
        {},
        { path: `${knock.path}?canary=1` },
        { path: knock.path.replace(live.card.cardId, "nothing") },
        { path: knock.path.replace(live.card.cardId, "%00") },
        { headers: { "idempotency-key": "x" } },
      ];
      if (knock.method === "POST") {
        wrong.push({ body: "{" }, { body: "{}", headers: { "content-type": "text/plain" } });
      }
      for (const sent of wrong) {
        const answer = await answerOf(knock, { ...sent, token: null });
        expect([name, answer]).toEqual([name, unauthorized]);
      }
    }
  });

  test("with KARTU_DOCS=auth reads no document without a token, with off there is none", async () => {
    for (const [docs, status, withToken] of [
      ["auth", 401, 200],
      ["off", 404, 404],
    ] as const) {
      const shut = await Live.open({ config: { KARTU_DOCS: docs } });
      for (const name of Object.keys(publicDoors)) {
        const path = name.slice("GET ".length);
        const isOpen = path === "/" || path.startsWith(assets) || !/api-docs|openapi/.test(path);
        if (isOpen) continue;
        const { token } = shut.devices.scout;
        expect([path, (await shut.send({ method: "GET", path })).status]).toEqual([path, status]);
        const shown = publicDoors[name] === 200 ? withToken : 404;
        expect((await shut.send({ method: "GET", path, token })).status).toBe(shown);
      }
      await shut.close();
    }
  });
});

describe("a role", () => {
  test("opens the doors that are its own, and no other", async () => {
    for (const role of roles) {
      const device = live.devices[role];
      for (const [name, knock] of await knocks()) {
        const door = deviceDoors[name];
        // What a station does changes the one card of this venue: it is tried in its own place.
        if (role === "station" && door?.op) continue;
        const answer = await answerOf(Live.by(device, knock));
        const expected = door?.roles.includes(role) ? "2" : "403 insufficient_role";
        expect([role, name, answer.slice(0, expected.length)]).toEqual([role, name, expected]);
      }
    }
  });

  test("of a scout opens nothing but the reads of cards", () => {
    const open = Object.entries(deviceDoors).filter(([, door]) => door.roles.includes("scout"));
    expect(open.map(([name]) => name)).toEqual([
      "GET /api/cards/:cardId",
      "GET /api/cards/:cardId/events",
    ]);
  });
});

describe("a suspended device", () => {
  test("hands in and reads, and does nothing else", async () => {
    for (const role of roles) {
      const device = await live.venue.device(role);
      if (role !== "scout") await device.grant();
      const { kartu, tenantId, clock } = live.venue;
      await kartu.device.suspend(tenantId, device.deviceId, operator, clock.nowMs());
      for (const [name, knock] of await knocks()) {
        const door = deviceDoors[name];
        const answer = await answerOf(Live.by(device, knock));
        let expected = "403 insufficient_role";
        if (door?.roles.includes(role)) expected = door.suspended ? "2" : "403 terminal_suspended";
        expect([role, name, answer.slice(0, expected.length)]).toEqual([role, name, expected]);
      }
      const { secret } = await kartu.device.newSecret(
        tenantId,
        device.deviceId,
        true,
        operator,
        clock.nowMs(),
      );
      const body = { deviceId: device.deviceId, secret, role };
      const commission = { method: "POST", path: "/api/auth/token", body };
      expect(await answerOf(commission)).toBe("403 device_suspended");
      await kartu.device.resume(tenantId, device.deviceId, operator, clock.nowMs());
      expect(await answerOf(commission)).toBe("200");
    }
  });
});

describe("a token", () => {
  const policy = { method: "GET", path: "/api/policy" };
  const open = (token: string): Promise<string> => answerOf(policy, { token });
  let device: DeviceUnderTest;
  const now = (): number => live.venue.clock.nowMs();
  const secretOf = async (keep: boolean): Promise<string> => {
    const { kartu, tenantId } = live.venue;
    return (await kartu.device.newSecret(tenantId, device.deviceId, keep, operator, now())).secret;
  };

  beforeAll(async () => {
    device = await live.venue.device("gate");
  });

  test("ends with its life, to the second", async () => {
    const { clock } = live.venue;
    const start = clock.nowSec();
    expect(await open(device.token)).toBe("200");
    clock.advance(31_536_000 - 1);
    expect(await open(device.token)).toBe("200");
    clock.advance(1);
    expect(await open(device.token)).toBe(unauthorized);
    clock.set(start);
  });

  test("ends where the next begins", async () => {
    const secret = await secretOf(true);
    expect(await open(device.token)).toBe("200");
    const first = await live.venue.commission(device.deviceId, "gate", secret);
    expect(await open(device.token)).toBe(unauthorized);
    const second = await live.venue.commission(device.deviceId, "gate", secret);
    expect(await open(first.token)).toBe(unauthorized);
    expect(await open(second.token)).toBe("200");
    const body = { deviceId: device.deviceId, secret, role: "gate" };
    const again = { method: "POST", path: "/api/auth/token", body };
    expect(await answerOf(again)).toBe("401 invalid_credentials");
    expect(await open(second.token)).toBe("200");
    device.token = second.token;
  });

  test("is dead from the moment it is revoked, and of a device that is retired", async () => {
    const { kartu, tenantId } = live.venue;
    expect(await open(device.token)).toBe("200");
    await kartu.device.revoke(tenantId, device.deviceId, operator, now());
    expect(await open(device.token)).toBe(unauthorized);
    const { token } = await live.venue.commission(device.deviceId, "gate", await secretOf(false));
    expect(await open(token)).toBe("200");
    await kartu.device.retire(tenantId, device.deviceId, operator, now());
    expect(await open(token)).toBe(unauthorized);
  });
});

describe("another tenant", () => {
  let other: TenantUnderTest;
  beforeAll(async () => {
    other = await live.venue.addTenant();
  });

  test("reads its own card under an id that both have", async () => {
    await other.card(await other.working("station"), { cardId: live.card.cardId });
    const scout = await other.device("scout");
    const read = await scout.read(live.card.cardId);
    expect([read.status, read.json.balance]).toEqual([200, 0]);
    const ours = await live.devices.scout.read(live.card.cardId);
    expect(ours.json.balance).toBe(live.card.balance + 5_000);
  });

  test("has another session key under the same version", async () => {
    const theirs = await (await other.device("gate")).grant();
    const ours = await live.devices.gate.grant();
    expect(theirs.keyVersion).toBe(ours.keyVersion);
    expect(theirs.sessionKey).not.toBe(ours.sessionKey);
  });
});

describe("a scout of one member", () => {
  test("sees that member's cards, others are not there", async () => {
    const { venue, devices } = live;
    const userId = await venue.member();
    const bound = await venue.device("scout", { userId });
    const { cardId } = await venue.card(devices.station, { userId });
    for (const path of [`/api/cards/${cardId}`, `/api/cards/${cardId}/events`]) {
      expect(await answerOf({ method: "GET", path, token: bound.token })).toBe("200");
    }
    for (const path of [
      `/api/cards/${live.card.cardId}`,
      `/api/cards/${live.card.cardId}/events`,
    ]) {
      expect(await answerOf({ method: "GET", path, token: bound.token })).toBe(
        "404 card_not_found",
      );
      expect(await answerOf({ method: "GET", path, token: devices.scout.token })).toBe("200");
    }
  });
});
