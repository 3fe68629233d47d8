/**
 * A card whose chain of arrival begins above a gap, with late events below it: the nearest late event
 * was passed over and the registration taken for the predecessor, so a broken chain went unseen.
 */
import { expect, test } from "bun:test";
import { venues } from "../harness.ts";

const open = venues();

test("a late event is judged against the late one right below it", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const chain = await venue.card(station);
  const events = [chain.admin(), chain.checkin(), chain.admin(), chain.checkout(), chain.checkin()];
  const [, second, third, , fifth] = events;
  if (second === undefined || third === undefined || fifth === undefined) throw new Error("events");

  await terminal.hand(fifth);
  await terminal.hand(second);
  const flags = await terminal.hand({ ...third, hash: "000000000000" });
  expect(flags).toContain("3 chain_mismatch");
});
