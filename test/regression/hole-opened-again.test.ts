/**
 * A hole in a card's log that was flagged, closed by a late event and opened again by another. It has its
 * flag: a second one is refused by the table, and with it went the holes of every other card, each minute.
 */
import { expect, test } from "bun:test";
import { venues } from "../harness.ts";

const open = venues();
const overAWeekSec = 8 * 86_400;

test("a hole that opens again has one flag, and those of other cards are flagged beside it", async () => {
  const venue = await open();
  const station = await venue.working("station");
  const till = await venue.working("terminal");
  const chain = await venue.card(station);
  const admin = chain.admin();
  await station.topup(chain.cardId, 100);
  const credit = chain.credit(100);
  const enter = chain.checkin();
  // Counter 4 is never seen.
  const later = chain.checkin({ skip: 1 });
  const other = await venue.card(station);
  await station.hand(admin, other.admin());
  await till.hand(later);
  venue.clock.advance(overAWeekSec);
  await venue.clock.minute();
  expect(await venue.flag("missing_events")).toMatchObject({ counter: 5 });

  // The check-in may follow the credit, so nothing is missing; it may not follow another check-in.
  await station.hand(credit);
  await till.hand(enter);
  other.checkin();
  await till.hand(other.checkout());
  venue.clock.advance(overAWeekSec);
  await venue.clock.minute();
  const flags = (await venue.flags()).filter(({ reason }) => reason === "missing_events");
  expect(flags.map(({ cardId, counter }) => [cardId, counter])).toEqual([
    [chain.cardId, 5],
    [other.cardId, 3],
  ]);
});
