/** Cards as those who run the venue see and stop them, and the list that they keep by hand. */

import type { Books } from "./books.ts";
import { stateOf } from "./chain.ts";
import { type Asked, anyOrder, type Due, iso, ok, refuse, textOf } from "./due.ts";
import { listOf } from "./listing.ts";
import { unknown, wrongState } from "./operator.ts";
import {
  ADMIN,
  balanceOf,
  block,
  type Card,
  FRAUD,
  headOf,
  pendingOf,
  statusAt,
  statusNames,
} from "./thing.ts";

const cardOf = ({ books, ids }: Asked): Card | undefined => books.cards.get(ids[0] ?? "");

export function shownCard(books: Books, card: Card, nowSec: number) {
  const { cardId, keyVersion, needsValidation, replaces = null, replacedBy = null } = card;
  const status = statusAt(card, nowSec);
  const head = headOf(card);
  const pending = pendingOf(card);
  const isOpen = books.flags.filter((flag) => flag.cardId === cardId && flag.status === "open");
  return {
    ...{ cardId, keyVersion, needsValidation, replaces, replacedBy, statusCode: status },
    ...{ userId: card.member.userId, memberId: card.member.id, status: statusNames[status] },
    ...{ state: stateOf(card), balance: balanceOf(card), counter: head?.counter ?? 0 },
    pendingTopups: {
      count: pending.length,
      amount: pending.reduce((sum, { amount }) => sum + amount, 0),
    },
    expiresAt: card.expiresAt === undefined ? null : iso(card.expiresAt),
    createdAt: iso(card.createdAt),
    lastActivityAt: iso(head?.timestamp ?? card.createdAt),
    openFlags: isOpen.length,
    wallet: { balance: { ...card.account } },
  };
}

export function showCard(asked: Asked): Due {
  const card = cardOf(asked);
  return card ? ok(shownCard(asked.books, card, asked.nowSec)) : unknown;
}

export function blockByHand(asked: Asked): Due {
  const card = cardOf(asked);
  if (card === undefined) return unknown;
  if (card.replacedBy !== undefined) return wrongState;
  const as = asked.body.as === "BLOCKED_FRAUD" ? FRAUD : ADMIN;
  const changed = block(card, as, asked.nowSec);
  return ok({ ...shownCard(asked.books, card, asked.nowSec), changed });
}

export const unblock = (asked: Asked): Due =>
  cardOf(asked) ? refuse(409, "unblock-by-reissue") : unknown;

export function showList({ books, nowSec, query }: Asked): Due {
  if (query.has("cursor")) return { status: 200 };
  const list = listOf(books, nowSec);
  const rows = [...list].map(([cardId, status]) => {
    return { cardId, status, registered: !books.listing.byHand.has(cardId) };
  });
  const isWhole = Number(query.get("limit") ?? 20) >= list.size;
  return ok({ meta: { total: list.size }, ...(isWhole && { data: anyOrder(rows) }) });
}

export function listByHand({ books, body }: Asked): Due {
  const cardId = textOf(body.cardId);
  if (books.cards.has(cardId)) return refuse(409, "unblock-by-reissue", "already-exists");
  if (books.listing.byHand.has(cardId)) return refuse(409, "already-exists");
  books.listing.byHand.add(cardId);
  return ok({ cardId, status: "BLOCKED_ADMIN", registered: false }, 201);
}

export function unlist(asked: Asked): Due {
  const { books, ids, nowSec } = asked;
  const cardId = ids[0] ?? "";
  if (books.listing.byHand.delete(cardId)) return ok(undefined, 204);
  return listOf(books, nowSec).has(cardId) ? refuse(409, "unblock-by-reissue") : unknown;
}
