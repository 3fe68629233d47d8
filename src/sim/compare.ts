/**
 * The last word: every card, its events and the blocklist as the server tells them when all is done,
 * against the model.
 */
import type { Muster } from "./muster.ts";
import { pooled } from "./pool.ts";
import type { Radio } from "./radio.ts";

const atOnce = 32;
const eventsMax = 100;
/** Of the cards to which nothing unusual happened, the events of one in so many are read. */
const sampleEvery = 10;

/** Returns how many cards were compared. */
export async function compare(
  { world, fleet, findings }: Muster,
  say: (done: number, total: number) => void,
): Promise<number> {
  const { model, desk, clock, locks } = world;
  const { terminals, stations } = fleet.crew;
  const readers: Radio[] = [...terminals, ...stations];
  const ids = [...model.cards.keys()];
  await pooled(ids, atOnce, async (cardId, i) => {
    const radio = readers[i % readers.length] as Radio;
    const path = `/api/cards/${cardId}`;
    desk.read(cardId, await radio.call({ kind: "card", method: "GET", path }), clock.now());
    if (i % sampleEvery === 0 || locks.isHeld(cardId)) {
      const events = `${path}/events?limit=${eventsMax}`;
      const answer = await radio.call({ kind: "events", method: "GET", path: events });
      desk.events(cardId, eventsMax, answer);
    }
    if (i % 100 === 0) say(i, ids.length);
  });
  const now = clock.now();
  const blocked = [...model.cards.values()].filter((card) => card.status(now) !== "ACTIVE");
  const due = blocked.map(({ cardId }) => cardId).sort();
  const listedBy = (radio: Radio) =>
    [...radio.blocked].filter((cardId) => model.cards.has(cardId)).sort();
  for (const station of stations.slice(0, 2)) {
    await station.fetchBlocklist();
    findings.same("blocklist, kept by deltas", due, listedBy(station));
  }
  for (const station of stations.slice(0, 1)) {
    station.restart();
    await station.renew(true);
    findings.same("blocklist, fetched whole", due, listedBy(station));
  }
  return ids.length;
}
