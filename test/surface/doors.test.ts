/**
 * Every door of the server as it is mounted, and who may open it. What is public, and which role may call
 * what, is written down here a second time, from the outside: a route that is missing below is a fault.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Role } from "../../src/domain/identity.ts";
import { roles } from "../../src/domain/identity.ts";
import { type DeviceUnderTest, operator, type TenantUnderTest } from "../harness.ts";
import { refusal } from "./http-fixture.ts";
import { type Knock, Live, type Sent } from "./live.ts";

const assets = "/api-docs/assets/";
/** Doors that open without a credential, and what a stranger gets there. */
const publicDoors: Readonly<Record<string, number>> = {
  "GET /": 200,
  "GET /.well-known/jwks.json": 200,
  // The secret in the body is the credential.
  "POST /api/auth/token": 400,
  "GET /api-docs": 200,
  "GET /api-docs/terminal": 200,
  "GET /api-docs/terminal/redoc": 200,
  "GET /api/v1/terminal/openapi.json": 200,
  [`GET ${assets}swagger-ui-bundle.js`]: 200,
  [`GET ${assets}swagger-ui.css`]: 200,
  [`GET ${assets}favicon.png`]: 200,
  [`GET ${assets}start-swagger.js`]: 200,
  [`GET ${assets}redoc.standalone.js`]: 200,
  [`GET ${assets}start-redoc.js`]: 200,
  [`GET ${assets}page.css`]: 200,
};

const field: readonly Role[] = ["station", "gate", "terminal"];
const station: readonly Role[] = ["station"];

interface Door {
  readonly roles: readonly Role[];
  /** It still opens for a suspended device. */
  readonly suspended: boolean;
  /** A grant must carry an op. */
  readonly op?: true;
}

const deviceDoors: Readonly<Record<string, Door>> = {
  "GET /api/session-grant": { roles: field, suspended: false },
  "GET /api/policy": { roles: field, suspended: true },
  "GET /api/blocklist": { roles: field, suspended: true },
  "GET /api/cards/:cardId": { roles, suspended: true },
  "GET /api/cards/:cardId/events": { roles, suspended: true },
  "POST /api/cards": { roles: station, suspended: false, op: true },
  "POST /api/cards/:cardId/topup": { roles: station, suspended: false, op: true },
  "POST /api/cards/:cardId/topup/:topupId/cancel": { roles: station, suspended: false, op: true },
  "POST /api/cards/:cardId/block": { roles: station, suspended: false, op: true },
  "POST /api/cards/:cardId/rekey": { roles: station, suspended: false, op: true },
  "POST /api/cards/:cardId/reissue": { roles: station, suspended: false, op: true },
  "POST /api/reconcile": { roles: field, suspended: true },
  "POST /api/terminal-report": { roles: field, suspended: true },
};

const nameOf = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`;

let live: Live;
beforeAll(async () => {
  live = await Live.open();
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

const answerOf = async (knock: Knock, sent?: Sent): Promise<string> => {
  const response = await live.send(knock, sent);
  if (response.ok) {
    await response.body?.cancel();
    return String(response.status);
  }
  const { status, error } = await refusal(response);
  return `${status} ${error}`;
};

const unauthorized = "401 invalid_token";

describe("a stranger", () => {
  test("finds no door that is not listed here", () => {
    const doors = new Set(
      live.app.routes.filter(({ method }) => method !== "HEAD").map((route) => nameOf(route)),
    );
    const listed = [...Object.keys(publicDoors), ...Object.keys(deviceDoors)];
    expect([...doors].sort()).toEqual(listed.sort());
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

  test("opens nothing with what only looks like a token", async () => {
    const { token } = live.devices.station;
    const policy = { method: "GET", path: "/api/policy" };
    const headers = [
      ...["Bearer", "Bearer ", "Bearer null", "Basic a2FydHU6a2FydHU=", token, `Token ${token}`],
      ...[`Bearer ${token}x`, `Bearer ${token.slice(0, -1)}`, `Bearer x${token}`],
      ...[`Bearer ${token.toUpperCase()}`, `Bearer ${token.replace("kt_", "ks_")}`],
      ...[`Bearer kt_${"A".repeat(43)}`, `Bearer ${token}, Bearer ${token}`, `Bearer "${token}"`],
      `Bearer ${Bun.SHA256.hash(token, "hex")}`,
      `Bearer ${"A".repeat(8_000)}`,
    ];
    for (const authorization of headers) {
      const answer = await answerOf(policy, { headers: { authorization } });
      expect([authorization, answer]).toEqual([authorization, unauthorized]);
    }
    for (const query of ["access_token", "token", "authorization"]) {
      const path = `/api/policy?${query}=${token}`;
      expect(await answerOf({ method: "GET", path })).toBe(unauthorized);
    }
    const cookie = `token=${token}; Authorization=Bearer ${token}`;
    expect(await answerOf(policy, { headers: { cookie } })).toBe(unauthorized);
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      const authorization = `${scheme} ${token}`;
      expect(await answerOf(policy, { headers: { authorization } })).toBe("200");
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
        expect((await shut.send({ method: "GET", path, token })).status).toBe(withToken);
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

  test("without a grant that carries the op is not enough", async () => {
    const idle = await live.venue.device("station");
    const before = live.venue.clock.nowSec();
    for (const [name, knock] of await knocks()) {
      if (!deviceDoors[name]?.op) continue;
      const answer = await answerOf(knock, { token: idle.token });
      expect([name, answer]).toEqual([name, "403 op_not_granted"]);
    }
    await idle.grant();
    live.venue.clock.advance(28_800);
    for (const [name, knock] of await knocks()) {
      if (!deviceDoors[name]?.op) continue;
      const answer = await answerOf(knock, { token: idle.token });
      expect([name, answer]).toEqual([name, "403 op_not_granted"]);
    }
    live.venue.clock.set(before);
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

  test("that is dead is a stranger's at every door", async () => {
    for (const [name, knock] of await knocks()) {
      const answer = await answerOf(knock, { token: device.token });
      expect([name, answer]).toEqual([name, unauthorized]);
    }
  });
});

describe("another tenant", () => {
  let other: TenantUnderTest;
  beforeAll(async () => {
    other = await live.venue.addTenant();
  });

  test("has no such card, no such top-up, and may register the same id", async () => {
    const stranger = await other.working("station");
    const before = await live.counts();
    for (const [name, knock] of await knocks()) {
      if (!name.includes(":cardId")) continue;
      const answer = await answerOf(knock, { token: stranger.token });
      expect([name, answer]).toEqual([name, "404 card_not_found"]);
    }
    const { card, topupId } = live;
    const mine = await other.card(stranger, { cardId: card.cardId });
    expect(await answerOf({ ...(await cancelKnock()), token: stranger.token })).toBe(
      "404 topup_not_found",
    );
    expect(mine.cardId).toBe(card.cardId);
    expect(topupId).toHaveLength(36);
    expect((await live.counts()).topup).toBe(before.topup ?? 0);
  });

  const cancelKnock = (): Promise<Knock> => live.knock(live.route("cancelTopup"));

  test("reads its own card under an id that both have", async () => {
    const scout = await other.device("scout");
    const read = await scout.read(live.card.cardId);
    expect([read.status, read.json.balance]).toEqual([200, 0]);
    const ours = await live.devices.scout.read(live.card.cardId);
    expect(ours.json.balance).toBe(live.card.balance + 5_000);
  });

  test("hands in events of a card that it doesn't have: unknown to it, untouched here", async () => {
    const terminal = await other.working("terminal");
    const card = await live.venue.card(live.devices.station);
    const { status, json } = await terminal.upload(card.fork().admin());
    expect([status, json.accepted, json.rejections[0]?.reason]).toEqual([200, 0, "unknown_card"]);
    expect((await live.devices.scout.read(card.cardId)).json.counter).toBe(0);
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

describe("methods and paths", () => {
  const pattern = (path: string): string => path.replaceAll(/:\w+/g, "a1b2c3d4e5f6");
  const every = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "PROPFIND"];

  /** Methods of each path of the device surface. */
  const offered = (): Map<string, string[]> => {
    const paths = new Map<string, string[]>();
    for (const name of [...Object.keys(deviceDoors), "POST /api/auth/token"]) {
      const [method = "", path = ""] = name.split(" ");
      paths.set(path, [...(paths.get(path) ?? []), method]);
    }
    return paths;
  };

  test("a method that a path does not offer is 405 with those it does, before any token", async () => {
    for (const [path, methods] of offered()) {
      const allow = [...methods, "OPTIONS"].sort();
      for (const method of every) {
        if (methods.includes(method)) continue;
        const response = await live.send({ method, path: pattern(path) });
        expect([method, path, response.status]).toEqual([method, path, 405]);
        expect((response.headers.get("allow") ?? "").split(", ").sort()).toEqual(allow);
        if (method !== "HEAD") expect((await refusal(response)).error).toBe("method_not_allowed");
      }
      const options = await live.send({ method: "OPTIONS", path: pattern(path) });
      expect([path, options.status, await options.text()]).toEqual([path, 204, ""]);
      expect((options.headers.get("allow") ?? "").split(", ").sort()).toEqual(allow);
      expect(options.headers.get("x-request-id")).toHaveLength(36);
    }
  });

  test("outside the device surface HEAD is GET without a body", async () => {
    for (const name of Object.keys(publicDoors)) {
      const [method = "", path = ""] = name.split(" ");
      if (method !== "GET") continue;
      const response = await live.send({ method: "HEAD", path });
      expect([path, response.status, await response.text()]).toEqual([path, 200, ""]);
      const options = await live.send({ method: "OPTIONS", path });
      expect([path, options.status]).toEqual([path, 204]);
      expect(options.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
      const put = await live.send({ method: "PUT", path });
      expect([path, put.status]).toEqual([path, 405]);
      expect(put.headers.get("content-type")).toBe("application/problem+json");
    }
  });

  test("a path that is nearly one is none, for everyone and by any method", async () => {
    const { token: known } = live.devices.station;
    for (const path of offered().keys()) {
      const exact = pattern(path);
      const near = [`${exact}/`, `${exact}/x`, `${exact}.json`, `${exact}%2f`, `${exact};x=1`];
      for (const start of ["/API/", "/api/v2/", "/api/v1/", "/api/x/", "/x/api/", "/%61pi/"]) {
        near.push(exact.replace("/api/", start));
      }
      for (const wrong of near) {
        // A card id of another shape is a card that is not there; the route is the same.
        if (/\/api\/cards\/[^/]+$/.test(wrong)) continue;
        for (const method of ["GET", "POST", "PUT", "OPTIONS"]) {
          const response = await live.send({ method, path: wrong, token: known });
          expect([method, wrong, response.status]).toEqual([method, wrong, 404]);
        }
      }
    }
    for (const path of ["/api", "/api/", "/api/nothing", "/api/cards//events", "/api/.env"]) {
      expect((await refusal(await live.send({ method: "GET", path }))).error).toBe("not_found");
    }
    for (const path of ["/v1", "/nothing", "/api/v1", "/api/v1/nothing", "/.git/config"]) {
      const response = await live.send({ method: "GET", path });
      expect([path, response.status]).toEqual([path, 404]);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
    }
  });

  test("slashes and hosts don't move where a path begins", async () => {
    const { token: known } = live.devices.station;
    const get = async (path: string, host: string): Promise<string> => {
      const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${known}`;
      const answer = await live.raw(`${head}\r\nConnection: close\r\n\r\n`);
      const type = /^content-type: (\S+)/im.exec(answer)?.[1];
      return `${answer.slice(9, 12)} ${type}`;
    };
    const card = `/api/cards/${live.card.cardId}`;
    for (const host of [
      "kartu.test",
      "pos",
      "a",
      "[::1]:8080",
      "10.0.0.1",
      "",
      "a/b",
      "a?b",
      "%",
    ]) {
      for (const [path, answer] of [
        ["/api/policy", "200 application/json"],
        [card, "200 application/json"],
        ["/api/policy?x=http://a/b", "400 application/json"],
        ["/api/nothing", "404 application/json"],
        ["/nothing", "404 application/problem+json"],
        [`/x${card}`, "404 application/problem+json"],
        [`/xyz${card}`, "404 application/problem+json"],
        [`/long-before-it${card}`, "404 application/problem+json"],
        [`/${card}`, "404 application/problem+json"],
        [card.replace("/cards", "//cards"), "404 application/json"],
        [card.replace("/cards/", "/cards//"), "404 application/json"],
      ] as const) {
        expect([host, path, await get(path, host)]).toEqual([host, path, answer]);
      }
    }
  });

  test("the call that moves the clock is there in development alone", async () => {
    for (const [env, isThere] of [
      ["production", false],
      ["staging", false],
      ["development", true],
    ] as const) {
      const one = await Live.open({ config: { KARTU_ENV: env } });
      const knock = { method: "POST", path: "/api/v1/gateway/clock", body: { advanceSec: 60 } };
      const response = await one.send(knock);
      expect([env, response.status]).toEqual([env, isThere ? 200 : 404]);
      if (isThere) {
        const proxied = await one.send(knock, { headers: { "x-forwarded-for": "10.0.0.1" } });
        expect(proxied.status).toBe(403);
      }
      await one.close();
    }
  });
});

describe("the order of refusal", () => {
  test("on a real call: each fault hides the ones behind it", async () => {
    const one = await Live.open({
      config: {
        KARTU_RATE_DEVICE_PER_MIN: "30",
        KARTU_RATE_IP_PER_MIN: "90",
        KARTU_TRUST_PROXY: "1",
      },
    });
    const { kartu, tenantId, clock } = one.venue;
    const gate = one.devices.gate;
    const worker = await one.venue.device("station");
    const { cardId } = one.card;
    const path = `/api/cards/${cardId}/topup`;
    const right = { amount: 1, operatorId: 7, timestamp: clock.nowSec() };
    const key = "01971d3e-7a00-7cc3-98c4-dc0c0c07398f";
    let address = "10.0.0.1";
    const call = async (knock: Partial<Knock>, sent: Sent = {}): Promise<string> => {
      const all = { "x-forwarded-for": address, ...sent.headers };
      const response = await one.send(
        { method: "POST", path, token: worker.token, ...knock },
        { ...sent, headers: all },
      );
      if (response.ok) return String(response.status);
      const { status, error } = await refusal(response);
      return `${status} ${error}`;
    };
    const drain = async (send: () => Promise<string>): Promise<void> => {
      for (let i = 0; i < 200; i++) if ((await send()).startsWith("429")) return;
      throw new Error("the bucket has no end");
    };
    const big = `{${" ".repeat(1_048_576)}}`;
    const typed = { "content-type": "text/plain", "idempotency-key": "x" };
    const suspend = () => kartu.device.suspend(tenantId, worker.deviceId, operator, clock.nowMs());

    expect(await call({ path: `${path}/`, method: "PUT" }, { body: big })).toBe("404 not_found");
    expect(await call({ method: "PUT" }, { body: big })).toBe("405 method_not_allowed");
    await drain(() => call({ method: "GET", path: "/api/policy", token: "" }));
    expect(await call({ token: "x" }, { body: big })).toBe("413 payload_too_large");
    expect(await call({ token: "x" }, { body: "{", headers: typed })).toBe("429 rate_limited");
    address = "10.0.0.2";
    expect(await call({ token: "x" }, { body: "{", headers: typed })).toBe("401 invalid_token");
    await drain(() => call({ method: "GET", path: "/api/policy", token: gate.token }));
    expect(await call({ token: gate.token }, { body: "{" })).toBe("429 rate_limited");
    clock.advance(60);
    address = "10.0.0.3";
    expect(await call({ token: gate.token }, { body: "{", headers: typed })).toBe(
      "403 insufficient_role",
    );
    await suspend();
    expect(await call({}, { body: "{", headers: typed })).toBe("403 terminal_suspended");
    await kartu.device.resume(tenantId, worker.deviceId, operator, clock.nowMs());
    expect(await call({}, { body: "{", headers: typed })).toBe("403 op_not_granted");
    await worker.grant();
    const gone = path.replace(cardId, "000000000000");
    expect(await call({ path: gone }, { body: "{", headers: typed })).toBe(
      "415 unsupported_media_type",
    );
    expect(await call({ path: gone }, { body: "{" })).toBe("400 malformed_payload");
    const body = JSON.stringify(right);
    const used = { "idempotency-key": key };
    expect(await call({ path: gone }, { body, headers: { "idempotency-key": "x" } })).toBe(
      "400 malformed_payload",
    );
    expect(await call({}, { body, headers: used })).toBe("200");
    const more = JSON.stringify({ ...right, amount: 15_999_999 });
    expect(await call({}, { body: more, headers: used })).toBe("409 idempotency_key_conflict");
    expect(await call({ path: gone }, { body: more })).toBe("404 card_not_found");
    expect(await call({}, { body: more })).toBe("422 balance_limit_exceeded");
    expect(await call({}, { body })).toBe("200");

    const batch = { path: "/api/reconcile" };
    const events = new Array(1001).fill(one.card.fork().admin());
    const stranger = gate.terminalId;
    const send = (value: unknown, headers = {}) =>
      call(batch, { body: JSON.stringify(value), headers });
    expect(await send({ terminalId: stranger, events: [...events, {}] })).toBe(
      "400 malformed_payload",
    );
    expect(await send({ terminalId: stranger, events })).toBe("413 batch_too_large");
    expect(await send({ terminalId: stranger, events: [] }, used)).toBe("403 terminal_mismatch");
    await one.close();
  });
});

describe("buckets, each obeyed once", () => {
  const limits = {
    KARTU_RATE_GRANT_PER_MIN: "10",
    KARTU_RATE_DEVICE_PER_MIN: "600",
    KARTU_RATE_REPORT_PER_MIN: "60",
    KARTU_RATE_DEVICE_TOKEN_PER_MIN: "5",
    KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN: "30",
  };
  let one: Live;
  beforeAll(async () => {
    one = await Live.open({ config: limits });
  });
  afterAll(() => one.close());

  /** Calls until refused; then waits as long as told, calls once, and is refused again at once. */
  async function drained(send: () => Promise<Response>, countMax: number): Promise<number> {
    let taken = 0;
    let response = await send();
    for (; response.status !== 429; response = await send()) {
      await response.body?.cancel();
      taken += 1;
      expect(taken).toBeLessThanOrEqual(countMax);
    }
    const waitSec = Number(response.headers.get("retry-after"));
    expect((await refusal(response)).error).toBe("rate_limited");
    one.venue.clock.advance(waitSec);
    expect((await send()).status).not.toBe(429);
    return taken;
  }

  const reading = (role: Role, path: string) => (): Promise<Response> =>
    one.send({ method: "GET", path, token: one.devices[role].token });

  test("grants: 10, apart from reads", async () => {
    expect(await drained(reading("gate", "/api/session-grant"), 10)).toBe(10);
    expect((await reading("gate", "/api/policy")()).status).toBe(200);
  });

  test("reads and reconcile share 600; another device has its own", async () => {
    one.venue.clock.advance(60);
    const { token, terminalId } = one.devices.terminal;
    const body = { terminalId, events: [] };
    for (let i = 0; i < 300; i++) {
      await one.send({ method: "POST", path: "/api/reconcile", token, body });
    }
    expect(await drained(reading("terminal", `/api/cards/${one.card.cardId}`), 600)).toBe(300);
    expect((await reading("station", "/api/policy")()).status).toBe(200);
  });

  test("reports: 60", async () => {
    const knock = await one.knock(one.route("reportFromTerminal"));
    expect(await drained(() => one.send(knock), 60)).toBe(60);
  });

  test("commissioning: 5 of one device, 30 from one address, the right secret or not", async () => {
    one.venue.clock.advance(60);
    const post = (deviceId: string) => (): Promise<Response> =>
      one.send({
        method: "POST",
        path: "/api/auth/token",
        body: { deviceId, secret: "wrong", role: "gate" },
      });
    expect(await drained(post("nobody"), 5)).toBe(5);
    one.venue.clock.advance(60);
    let device = 0;
    expect(await drained(() => post(`nobody-${device++}`)(), 30)).toBe(30);
  });

  test("all calls of an address; what a client claims to be is not believed", async () => {
    const small = await Live.open({ config: { KARTU_RATE_IP_PER_MIN: "20" } });
    const { token } = small.devices.gate;
    let call = 0;
    const send = (): Promise<Response> =>
      small.send(
        { method: "GET", path: "/api/policy", token },
        { headers: { "x-forwarded-for": `10.0.0.${call++}` } },
      );
    for (let i = 0; i < 20; i++) expect((await send()).status).toBe(200);
    const response = await send();
    expect(response.status).toBe(429);
    small.venue.clock.advance(Number(response.headers.get("retry-after")));
    expect((await send()).status).toBe(200);
    await small.close();
  });
});
