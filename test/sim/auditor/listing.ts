/**
 * The blocklist, as a client would keep it: a version stands for one list and never falls, a page that is
 * full is the whole list, and a delta from a version that was seen leads to it.
 */

import type { Books } from "./books.ts";
import { type Due, type Fit, type Heard, isObject, ok } from "./due.ts";
import { statusAt, statusNames } from "./thing.ts";

type List = ReadonlyMap<string, string>;

/** The list as it must be now: status names by card id. */
export function listOf(books: Books, nowSec: number): Map<string, string> {
  const { blockedStatuses } = books.policies.own();
  const list = new Map<string, string>();
  for (const card of books.cards.values()) {
    const status = statusAt(card, nowSec);
    if (blockedStatuses.includes(status)) list.set(card.cardId, statusNames[status] ?? "");
  }
  for (const cardId of books.listing.byHand) list.set(cardId, "BLOCKED_ADMIN");
  return list;
}

const isEqual = (a: List, b: List): boolean =>
  a.size === b.size && [...a].every(([cardId, status]) => b.get(cardId) === status);

interface Page {
  readonly version: number;
  readonly full: boolean;
  readonly add: readonly { cardId: string; status: string }[];
  readonly remove: readonly string[];
}

const isPage = (met: unknown): met is Page =>
  isObject(met) &&
  Number.isInteger(met.version) &&
  typeof met.full === "boolean" &&
  Array.isArray(met.add) &&
  Array.isArray(met.remove);

function applied(base: List, page: Page): List {
  const list = new Map(base);
  for (const { cardId, status } of page.add) list.set(cardId, status);
  for (const cardId of page.remove) list.delete(cardId);
  return list;
}

/** Whether a version and a list belong together, as far as was seen. Remembers them. */
function isVersionOf({ seen }: Books["listing"], version: number, list: List): boolean {
  const newest = Math.max(...seen.keys(), -1);
  const before = seen.get(version);
  // A list that changed there and back has a new version, so an equal list may have two.
  if (before ? !isEqual(before, list) : version < newest) return false;
  seen.set(version, list);
  return true;
}

/** `GET /api/blocklist`. */
export function blocklist({ books, nowSec, query }: Heard): Due {
  const now = listOf(books, nowSec);
  const asked = query.get("since");
  const base = asked === null ? undefined : books.listing.seen.get(Number(asked));
  const list: Fit = (met) => {
    if (!isPage(met)) return false;
    if (asked === null && !met.full) return false;
    if (met.full && met.remove.length > 0) return false;
    const from = met.full ? new Map<string, string>() : base;
    if (from === undefined || !isEqual(applied(from, met), now)) return false;
    return isVersionOf(books.listing, met.version, now);
  };
  const due = Object.fromEntries(now);
  return ok(Object.assign(list, { toJSON: () => due }));
}
