import { expect, test } from "bun:test";
import { venues } from "../harness.ts";

const open = venues();

test("smoke", async () => {
  const v = await open();
  const station = await v.working("station");
  const terminal = await v.working("terminal");
  const chain = await v.loaded(station, terminal, 50_000);
  expect(await terminal.hand(chain.debit(20_000))).toEqual([]);
  expect(await v.books()).toEqual({
    cash: -50_000,
    "settlement 2": 20_000,
    [`${chain.cardId} available`]: 30_000,
  });
  expect(await v.auditFaults()).toEqual([]);
  console.log((await station.read(chain.cardId)).json, await v.actions());
});
