/** What time alone brings: holes that stay open, top-ups whose credit does not come. */

import type { Books } from "./books.ts";
import { flagEvent } from "./flag.ts";
import { daySec, pendingOf, weekSec } from "./thing.ts";

export function comeRound(books: Books, nowSec: number): void {
  for (const card of books.cards.values()) {
    for (const event of card.events) {
      const { holeSinceSec } = event;
      if (holeSinceSec === undefined || nowSec < holeSinceSec + weekSec) continue;
      flagEvent(books, event, "missing_events", nowSec);
    }
    for (const topup of pendingOf(card)) {
      // Whether it is older than a day when it is just a day old is not said.
      const { cardId } = card;
      if (nowSec === topup.madeSec + daySec) books.alertsOpen.add(`stale_topup ${cardId}`);
      if (nowSec > topup.madeSec + daySec) books.alerts.add(`stale_topup ${cardId}`);
    }
  }
}
