/**
 * A quarantined debit that was approved beside the chain counted in its terminal's day, but the proof of
 * the file did not know of it and failed for good. An event refused and, later in the same batch,
 * accepted was counted as rejected without a row that says so. Closing a venue proves its file.
 */
import { expect, test } from "bun:test";
import { type Venue, venues } from "../harness.ts";

const open = venues();

const day = (venue: Venue) =>
  venue.rows<{ debits: number; amount: number; rejected: number; late: number }>(
    `SELECT sum(debits) AS debits, sum(debit_amount) AS amount, sum(rejected) AS rejected,
       sum(late_events) AS late FROM settlement`,
  );

test("a debit approved beside the chain is in the day's figures and in their proof", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, 50_000);
  await terminal.hand(chain.debit(10));
  await terminal.upload({ ...chain.debit(20), counter: 20_000 });
  await venue.approve((await venue.flag("counter_leap")).id);
  expect(await day(venue)).toEqual([{ debits: 2, amount: 30, rejected: 1, late: 0 }]);
  await venue.prove();
});

test("an event that is refused and accepted in one batch is no rejected one", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.loaded(station, terminal, 50_000);
  const far = { ...chain.debit(20), counter: chain.counter + 10_000 };
  const near = { ...chain.debit(10) };
  const { json } = await terminal.upload(far, near, far);
  expect(json).toMatchObject({ accepted: 2, rejected: 1 });
  expect(await day(venue)).toMatchObject([{ debits: 2, rejected: 0 }]);
  await venue.prove();
});
