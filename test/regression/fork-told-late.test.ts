/**
 * Two branches at one counter that were both kept apart as leaps, handed in again once the leap is none: the
 * first is taken, so the second is a fork. No alert was raised for it, because its row was there already.
 */
import { expect, test } from "bun:test";
import { venues } from "../harness.ts";

const open = venues();

test("a fork is alerted of when it is first seen to be one", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const till = await venue.working("terminal");
  const card = await venue.loaded(station, till, 10_000);
  const { counter } = card;
  const bridge = card.fork();
  const branches = [card.fork(), card].map((each, at) => each.debit(5 + at, { skip: 10_002 }));
  const { json } = await till.upload(...branches);
  expect(json.rejections.map(({ reason }) => reason)).toEqual(["counter_leap", "counter_leap"]);
  expect(await venue.alerts()).toEqual([]);

  await till.hand(bridge.debit(1, { skip: 5 }));
  expect(bridge.counter).toBeGreaterThan(counter);
  const again = await till.upload(...branches);
  expect(again.json).toMatchObject({ accepted: 1, rejected: 1 });
  expect(again.json.rejections[0]?.reason).toBe("counter_conflict");
  const due = { severity: "high", reason: "counter_conflict", cardId: card.cardId };
  expect(await venue.alerts()).toEqual([{ ...due, terminalId: till.terminalId }]);

  // Handed in once more it says nothing new.
  await till.upload(...branches, bridge.debit(1));
  expect(await venue.alerts()).toHaveLength(1);
});
