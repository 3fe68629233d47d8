/**
 * What the row of a head that lags behind lacks: its card's events above `applied`, which all lie on
 * the chain and are found from the newest one by back pointers. Reads only.
 */
import { calendar } from "../../domain/calendar.ts";
import type { CardRecord } from "../../domain/cardrecord.ts";
import { type Booked, follow } from "../../domain/fold.ts";
import type { Reader } from "../../store/seam.ts";
import { readEvent } from "./history.ts";
import { readNewestAfter, readThrough, readTimeZone } from "./store.ts";

/**
 * The card with its head brought up to its event `newest` (0: no event is known to be missing).
 * @throws RangeError the events do not lead down to the row: the file is damaged
 */
export async function withRest(q: Reader, card: CardRecord, newest: number): Promise<CardRecord> {
  const { tenantId, head } = card;
  if (newest <= head.applied) return card;
  const rest: Booked[] = [];
  let id = newest;
  while (id > head.applied) {
    const event = await readEvent(q, card, id);
    if (event.prev >= id) throw new RangeError(`chain of event ${newest} does not fall`);
    rest.push(event);
    id = event.prev;
  }
  if (id !== head.top.id) throw new RangeError(`event ${newest} does not lead to its card's head`);
  const { dayOf } = calendar(await readTimeZone(q, tenantId));
  return { ...card, head: follow(head, rest.reverse(), dayOf) };
}

/** The card's newest event that its row may lack, 0 if there is none; reads all that came so late. */
export async function newestAfter(q: Reader, card: CardRecord): Promise<number> {
  const since = Math.max(card.head.applied, await readThrough(q));
  return await readNewestAfter(q, card, since);
}
