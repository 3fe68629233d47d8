/**
 * A debit far above the card's counter was approved as it stood; when the chain grew to that counter with
 * another event there, nobody was told that the card had two of them.
 */
import { expect, test } from "bun:test";
import { venues } from "../harness.ts";

const open = venues();

test("an event at the counter of a debit let stand beside the chain shows the fork", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, 50_000);
  const far = { ...chain.fork().debit(20), counter: 10_500 };
  await terminal.upload(far);
  await venue.approve((await venue.flag("counter_leap")).id);

  await terminal.hand(chain.debit(5, { skip: 9_000 }));
  const other = chain.debit(30, { skip: 10_500 - chain.counter - 1 });
  expect(other.counter).toBe(10_500);
  await terminal.hand(other);
  const flag = await venue.flag("counter_conflict");
  expect(flag).toMatchObject({ kind: "flag", severity: "high", counter: 10_500 });
  expect(flag.evidence).toMatchObject({ event: { amount: 30 }, conflict: { amount: 20 } });
  expect((await terminal.upload(far)).json).toMatchObject({ error: "duplicate_counter" });
});
