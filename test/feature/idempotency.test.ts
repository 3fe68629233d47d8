import { describe, expect, test } from "bun:test";
import { outcome, startSec, venues } from "../harness.ts";

const open = venues();
const key = "01971d3e-7a00-7cc3-98c4-dc0c0c07398f";
const keyed = (value = key) => ({ "idempotency-key": value });

async function venueWithCard() {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, 50_000);
  return { venue, station, terminal, chain, cardId: chain.cardId };
}

describe("the same key and body", () => {
  test("a top-up is made once and its first answer replayed, though it is settled by now", async () => {
    const { venue, station, chain, cardId } = await venueWithCard();
    const path = `/api/cards/${cardId}/topup`;
    const body = { amount: 5_000, operatorId: 7, timestamp: startSec };
    const first = await station.call("POST", path, body, keyed());
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    await station.hand(chain.credit(5_000));
    const again = await station.call("POST", path, body, keyed());
    expect([again.status, again.json]).toEqual([200, first.json]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    // Without the key the same call shows the present status.
    expect((await station.call("POST", path, body)).json.status).toBe("COMPLETED");
    expect(await venue.books()).toMatchObject({ cash: -55_000 });
  });

  test("a batch, a registration, a reissue and a report", async () => {
    const { venue, station, terminal, chain, cardId } = await venueWithCard();
    const events = [chain.debit(1_000)];
    const { terminalId } = terminal;
    const report = { terminalId, cardId, details: "", counter: 1, timestamp: startSec };
    const userId = await venue.member();
    const registration = { cardId: "0000000000aa", userId, name: "x", createdAt: 1, keyVersion: 1 };
    const reissue = { newCardId: "0000000000ab", keyVersion: 1, operatorId: 7, timestamp: 1 };
    const calls = [
      () => terminal.call("POST", "/api/reconcile", { terminalId, events }, keyed()),
      () => station.call("POST", "/api/cards", registration, keyed()),
      () => station.call("POST", `/api/cards/${cardId}/reissue`, reissue, keyed()),
      () =>
        terminal.call("POST", "/api/terminal-report", { ...report, eventType: "tamper" }, keyed()),
    ];
    for (const call of calls) {
      const first = await call();
      expect(first.status).toBeLessThan(300);
      const again = await call();
      expect([again.status, again.json]).toEqual([first.status, first.json]);
      expect(again.headers.get("idempotent-replayed")).toBe("true");
    }
  });

  test("replays before the resource and the rules are looked at", async () => {
    const { station, cardId } = await venueWithCard();
    const path = `/api/cards/${cardId}/block`;
    const body = { reason: "lost", operatorId: 7, timestamp: 1 };
    const first = await station.call("POST", path, body, keyed());
    await station.reissue(cardId, "0000000000aa");
    expect((await station.call("POST", path, body, keyed())).json).toEqual(first.json);
  });

  test("ends after 24 hours", async () => {
    const { venue, terminal, chain } = await venueWithCard();
    const body = { terminalId: terminal.terminalId, events: [chain.debit(1_000)] };
    const call = () => terminal.call("POST", "/api/reconcile", body, keyed());
    await call();
    venue.clock.advance(86_399);
    expect((await call()).status).toBe(200);
    venue.clock.advance(1);
    expect(outcome(await call())).toBe("409 duplicate_counter");
    await venue.clock.minute();
    expect(outcome(await call())).toBe("409 duplicate_counter");
  });
});

describe("another", () => {
  test("body under the key is a conflict", async () => {
    const { venue, station, cardId } = await venueWithCard();
    const path = `/api/cards/${cardId}/topup`;
    const body = { amount: 5_000, operatorId: 7, timestamp: startSec };
    await station.call("POST", path, body, keyed());
    const other = await station.call("POST", path, { ...body, amount: 6_000 }, keyed());
    expect(outcome(other)).toBe("409 idempotency_key_conflict");
    // The order of members does not count.
    const turned = { timestamp: startSec, operatorId: 7, amount: 5_000 };
    expect(outcome(await station.call("POST", path, turned, keyed()))).toBe("200");
    expect(await venue.books()).toMatchObject({ [`${cardId} pending`]: 5_000 });
  });

  test("device or path is another scope", async () => {
    const { venue, station, cardId } = await venueWithCard();
    const second = await venue.working("station");
    const body = { amount: 5_000, operatorId: 7, timestamp: startSec };
    const ids: unknown[] = [];
    for (const device of [station, second]) {
      const { json } = await device.call("POST", `/api/cards/${cardId}/topup`, body, keyed());
      ids.push(json.topupId);
    }
    expect(ids[0]).not.toBe(ids[1]);
    for (const topupId of ids) {
      const device = topupId === ids[0] ? station : second;
      const path = `/api/cards/${cardId}/topup/${topupId}/cancel`;
      expect((await device.call("POST", path, undefined, keyed())).json).toMatchObject({ topupId });
    }
    expect(await venue.books()).not.toHaveProperty(`${cardId} pending`);
  });
});

test("refusals are not kept: the call may pass later", async () => {
  const { venue, station, cardId } = await venueWithCard();
  const path = `/api/cards/${cardId}/topup`;
  const body = { amount: 5_000_000, operatorId: 7, timestamp: startSec };
  const first = await station.call("POST", path, body, keyed());
  expect(outcome(first)).toBe("422 balance_limit_exceeded");
  await venue.policy({ maxBalance: 9_000_000 });
  expect(outcome(await station.call("POST", path, body, keyed()))).toBe("200");
});

test.each(["", "1", "01971d3e-7a00-1cc3-98c4-dc0c0c07398f", `${key}0`])(
  "the key %p is malformed",
  async (value) => {
    const { station, cardId } = await venueWithCard();
    const body = { reason: "lost", operatorId: 7, timestamp: 1 };
    const answer = await station.call("POST", `/api/cards/${cardId}/block`, body, keyed(value));
    expect(outcome(answer)).toBe("400 malformed_payload");
  },
);

test("two at once: one runs, the other is told so, and the money moves once", async () => {
  const { venue, station, cardId } = await venueWithCard();
  const path = `/api/cards/${cardId}/topup`;
  const body = { amount: 5_000, operatorId: 7, timestamp: startSec };
  const calls = [1, 2, 3].map(() => station.call("POST", path, body, keyed()));
  const outcomes = (await Promise.all(calls)).map(outcome);
  expect(outcomes).toContain("200");
  expect(outcomes.filter((o) => o !== "200" && o !== "409 idempotency_in_flight")).toEqual([]);
  expect(await venue.books()).toMatchObject({ [`${cardId} pending`]: 5_000 });
});
