/** The buckets of the device surface as they are set by default; the wait they ask for suffices, once. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Role } from "../../src/domain/identity.ts";
import { refusal } from "./http-fixture.ts";
import { Live } from "./live.ts";

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
