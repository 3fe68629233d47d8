/** Looks of those who run the venue at all of it: lists, the overview, what limits a device has. */

import { shownCard } from "./desk.ts";
import { isPolicyVersion } from "./device.ts";
import { type Asked, anyOrder, type Due, either, ok, type Part } from "./due.ts";
import { shownKey, unknown } from "./operator.ts";
import { balanceOf, daySec, pendingOf, statusAt, statusNames } from "./thing.ts";

/** Rows of a list that holds them all; of a longer one, how many there are. */
function rows({ query }: Asked, parts: readonly Part[], total: number): Due {
  const isWhole = Number(query.get("limit") ?? 20) >= total && !query.has("cursor");
  return ok({
    meta: { total },
    ...(isWhole && { data: anyOrder(parts), meta: { total, hasMore: false } }),
  });
}

export function listCards(asked: Asked): Due {
  const { books, nowSec, query } = asked;
  if ([...query.keys()].some((name) => name !== "limit")) return { status: 200 };
  const cards = [...books.cards.values()].map((card) => shownCard(books, card, nowSec));
  return rows(asked, cards, cards.length);
}

export function listKeys(asked: Asked): Due {
  const keys = [...asked.books.keys.keys()].map((keyVersion) => shownKey(asked, keyVersion));
  return rows(asked, keys, keys.length);
}

const sumOf = (amounts: readonly number[]): Part => ({
  count: amounts.length,
  amount: amounts.reduce((sum, each) => sum + each, 0),
});

export function overview({ books, nowSec }: Asked): Due {
  const cards = [...books.cards.values()];
  const devices = (status: string): number =>
    books.devices.filter((device) => device.status === status).length;
  const pending = cards.flatMap(pendingOf);
  /** Made before a second; of those that are just a day old it is not said. */
  const stale = (sec: number): Part =>
    sumOf(pending.filter(({ madeSec }) => madeSec < sec).map(({ amount }) => amount));
  const counted = statusNames.map((name, status) => [
    name,
    cards.filter((card) => statusAt(card, nowSec) === status).length,
  ]);
  return ok({
    devices: {
      ...{ active: devices("active"), suspended: devices("suspended") },
      retired: devices("retired"),
    },
    cards: Object.fromEntries(counted),
    openFlags: books.flags.filter(({ status }) => status === "open").length,
    pendingTopups: sumOf(pending.map(({ amount }) => amount)),
    staleTopups: either(stale(nowSec - daySec), stale(nowSec - daySec + 1)),
    overdrawn: sumOf(
      cards
        .map(balanceOf)
        .filter((sum) => sum < 0)
        .map(Math.abs),
    ),
  });
}

export function devicePolicy({ books, ids }: Asked): Due {
  const device = books.devices.find(({ id }) => id === ids[0]);
  if (device === undefined) return unknown;
  const { policies } = books;
  return ok({
    ...policies.of(device),
    grantTtlSec: policies.grantTtlSec(),
    allowedOps: {
      ...{ terminal: policies.ops("terminal"), gate: policies.ops("gate") },
      station: policies.ops("station"),
    },
    policyVersion: isPolicyVersion(books),
  });
}
