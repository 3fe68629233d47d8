import { expect, test } from "bun:test";
import { Refused } from "../../src/domain/refused.ts";
import { startSec, venues } from "../harness.ts";

const open = venues();

async function lived() {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.card(station);
  const { cardId } = chain;
  venue.clock.advance(10);
  const { topupId } = (await station.topup(cardId, 5_000)).json;
  await station.hand(chain.admin({ at: startSec + 20 }));
  venue.clock.advance(20);
  await station.cancel(cardId, topupId);
  venue.clock.advance(10);
  await terminal.hand(chain.credit(7_000, { at: startSec + 40 }));
  await venue.approve((await venue.flag("unauthorised_credit")).id);
  venue.clock.advance(10);
  await terminal.report({ cardId, eventType: "tamper" });
  venue.clock.advance(10);
  await station.reissue(cardId, "0000000000aa");
  const timeline = (limit = 100, id = cardId) =>
    venue.kartu.card.timeline(venue.tenantId, id, limit);
  return { venue, station, terminal, cardId, timeline };
}

test("holds all that happened to the card, newest first", async () => {
  const { station, terminal, timeline } = await lived();
  const seen = (await timeline()).map(({ atMs, kind, terminalId, amount, counter }) => {
    return [atMs / 1_000 - startSec, kind, terminalId, amount, counter];
  });
  const [s, t] = [station.terminalId, terminal.terminalId];
  expect(seen).toEqual([
    [60, "reissue", s, 7_000, null],
    [50, "report", t, null, null],
    [50, "status", t, null, null],
    [40, "decision", t, 7_000, null],
    [40, "flag", t, 7_000, 2],
    [40, "flag", t, 7_000, 2],
    [40, "event", t, 7_000, 2],
    [30, "topup_cancelled", s, 5_000, null],
    [20, "event", s, 0, 1],
    [10, "topup", s, 5_000, null],
    [0, "registered", s, null, null],
  ]);
});

test("says who did it, and what stands behind it", async () => {
  const { station, terminal, timeline } = await lived();
  const entries = await timeline();
  const of = (kind: string) => entries.filter((entry) => entry.kind === kind);
  expect(of("event")[0]).toMatchObject({
    actor: terminal.deviceId,
    balanceAfter: 7_000,
    detail: { type: "credit", flags: ["op_not_allowed", "unauthorised_credit"] },
  });
  expect(
    of("flag")
      .map(({ detail }) => `${detail.reason} ${detail.status}`)
      .sort(),
  ).toEqual(["op_not_allowed open", "unauthorised_credit approved"]);
  expect(of("decision")[0]).toMatchObject({ actor: "operator", detail: { decision: "approved" } });
  expect(of("status")[0]?.detail).toEqual({ status: "BLOCKED_TAMPER", reason: "tamper" });
  expect(of("reissue")[0]).toMatchObject({
    actor: station.deviceId,
    detail: { newCardId: "0000000000aa", left: 0 },
  });
});

test("is cut to its newest entries, and is a card's own", async () => {
  const { timeline } = await lived();
  expect(await timeline(3)).toEqual((await timeline()).slice(0, 3));
  expect((await timeline(100, "0000000000aa")).map(({ kind }) => kind)).toEqual(["registered"]);
  const missing = timeline(1, "0000000000ff").catch((error: unknown) => error);
  expect(await missing).toBeInstanceOf(Refused);
});
