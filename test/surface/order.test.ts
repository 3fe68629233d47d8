/** The order of refusal on real calls: each fault hides the ones behind it. */
import { expect, test } from "bun:test";
import { operator } from "../harness.ts";
import { type Knock, Live, type Sent } from "./live.ts";

test("each fault of a call hides the ones behind it", async () => {
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
  const call = (knock: Partial<Knock>, sent: Sent = {}): Promise<string> => {
    const all = { "x-forwarded-for": address, ...sent.headers };
    return one.outcome(
      { method: "POST", path, token: worker.token, ...knock },
      { ...sent, headers: all },
    );
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
