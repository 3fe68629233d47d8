/**
 * What a filled gap or a fork tells of an event that was recorded before is flagged as that event's: it
 * named the terminal and the batch of whoever filled the gap, in which the event is not.
 */
import { expect, test } from "bun:test";
import { type TenantUnderTest, venues } from "../harness.ts";

const open = venues();

/** Of the open flags: reason, terminal, and whether the batch they name holds their event. */
const flagsOf = (venue: TenantUnderTest) =>
  venue.rows(
    `SELECT f.reason, d.terminal_id AS terminalId, f.batch_no = e.batch_no AS isItsBatch
     FROM flag f JOIN device d ON d.device_no = f.device_no JOIN event e ON e.event_id = f.event_id
     WHERE f.tenant_id = ?1 ORDER BY f.flag_no`,
    venue.tenantId,
  );

test("a flag names who handed its event in, whoever made it show", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const [first, second] = [await venue.working("terminal"), await venue.working("terminal")];
  const card = await venue.loaded(station, first, 10_000);
  const fork = card.fork();
  const unseen = card.debit(100);
  // The chip says less than it should, which shows once the payment below is there.
  const seen = card.write("debit", 200, card.balance - 300);
  await first.hand(seen);
  await second.hand(unseen);
  await second.upload(fork.debit(70));
  const { terminalId } = first;
  const own = { isItsBatch: 1 };
  expect(await flagsOf(venue)).toEqual([
    { reason: "balance_mismatch", terminalId, ...own },
    { reason: "counter_conflict", terminalId: second.terminalId, ...own },
  ]);
});
