/** Cards as stations and readers meet them: registering, reading, blocking, moving to another key or card. */

import { activeCardOf, type Books, memberOf, unseenUntil } from "./books.ts";
import { stateOf } from "./chain.ts";
import { anyOrder, type Due, type Heard, numberOf, ok, refuse, textOf } from "./due.ts";
import {
  ACTIVE,
  ADMIN,
  balanceOf,
  block,
  blockedAt,
  type Card,
  headOf,
  type Member,
  pendingOf,
  statusAt,
  statusNames,
} from "./thing.ts";

const eventsDefault = 10;

/** The card of a path as the device may see it: a bound scout sees its member's alone. */
export function cardFor({ books, device, ids }: Heard): Card | undefined {
  const card = books.cards.get(ids[0] ?? "");
  const isForeign = device.memberId !== null && card?.member.id !== device.memberId;
  return isForeign ? undefined : card;
}

export const noCard = refuse(404, "card_not_found");
const noKey = refuse(422, "invalid_key_version");

const isKeyActive = (books: Books, keyVersion: unknown): boolean =>
  books.keys.get(numberOf(keyVersion))?.status === "active";

/** `expiresAt: 0` means never, as on the chip. */
const expiryOf = (value: unknown): number | undefined =>
  typeof value === "number" && value > 0 ? value : undefined;

interface Draft {
  readonly cardId: string;
  readonly member: Member;
  readonly createdAt: number;
  readonly keyVersion: number;
  readonly expiresAt: number | undefined;
  readonly opening?: number;
  readonly replaces?: string;
}

function addCard(books: Books, draft: Draft): Card {
  const { opening = 0, replaces, ...rest } = draft;
  const card: Card = {
    ...{ ...rest, opening, replaces, replacedBy: undefined, status: ACTIVE, blockedSec: 0 },
    ...{ needsValidation: false, events: [], topups: [] },
    account: { available: 0, pending: 0, frozen: 0 },
  };
  books.cards.set(card.cardId, card);
  return card;
}

/** `POST /api/cards`. */
export function register({ books, body, nowSec }: Heard): Due {
  const cardId = textOf(body.cardId);
  const userId = numberOf(body.userId);
  const member = memberOf(books, userId);
  if (books.cards.has(cardId)) return refuse(409, "card_already_registered");
  if (member && activeCardOf(books, member, nowSec)) return refuse(409, "user_has_active_card");
  if (member?.status !== "active") return refuse(422, "invalid_user");
  if (!isKeyActive(books, body.keyVersion)) return noKey;
  if (books.listing.byHand.has(cardId)) return refuse(422, "card_blocked");
  const createdAt = numberOf(body.createdAt);
  const [keyVersion, expiresAt] = [numberOf(body.keyVersion), expiryOf(body.expiresAt)];
  const card = addCard(books, { cardId, member, createdAt, keyVersion, expiresAt });
  const status = statusNames[statusAt(card, nowSec)];
  return ok({ cardId, userId, status, balance: 0, createdAt }, 201);
}

/** `GET /api/cards/:cardId`. */
export function read(heard: Heard): Due {
  const card = cardFor(heard);
  if (card === undefined) return noCard;
  const head = headOf(card);
  const pending = pendingOf(card);
  const { cardId, createdAt, needsValidation, replaces, replacedBy } = card;
  return ok({
    ...{ cardId, userId: card.member.userId, createdAt, needsValidation, replaces, replacedBy },
    status: statusNames[statusAt(card, heard.nowSec)],
    balance: balanceOf(card),
    counter: head?.counter ?? 0,
    lastActivity: head?.timestamp ?? createdAt,
    chipBalance: head?.balanceAfter ?? card.opening,
    state: stateOf(card),
    pendingTopups: {
      count: pending.length,
      amount: pending.reduce((sum, { amount }) => sum + amount, 0),
    },
    expiresAt: card.expiresAt ?? null,
  });
}

/** `GET /api/cards/:cardId/events`. The order of an event's flags is not said. */
export function readEvents(heard: Heard): Due {
  const card = cardFor(heard);
  const asked = heard.query.get("limit");
  if (card === undefined) return noCard;
  const events = card.events.toSorted((a, b) => b.counter - a.counter);
  const limit = asked === null ? eventsDefault : Number(asked);
  return ok({
    events: events
      .slice(0, limit)
      .map(({ counter, type, amount, balanceAfter, timestamp, flags }) => ({
        ...{ counter, type, amount, balanceAfter, timestamp },
        flags: anyOrder([...flags]),
      })),
  });
}

/** `POST /api/cards/:cardId/block`. */
export function blockCard(heard: Heard): Due {
  const card = cardFor(heard);
  if (card === undefined) return noCard;
  block(card, ADMIN, heard.nowSec);
  return ok({ cardId: card.cardId, status: statusNames[statusAt(card, heard.nowSec)] });
}

/** `POST /api/cards/:cardId/rekey`. The version that the card has is taken even when it is not active. */
export function rekey(heard: Heard): Due {
  const { books, nowSec } = heard;
  const card = cardFor(heard);
  if (card === undefined) return noCard;
  const keyVersion = numberOf(heard.body.keyVersion);
  const done = ok({ cardId: card.cardId, keyVersion });
  const isBlocked = statusAt(card, nowSec) !== ACTIVE;
  // Whether a repeat on a card that was blocked, or a version retired, since is a repeat is not said.
  if (card.keyVersion === keyVersion && heard.answer.status === 200) return done;
  if (!isKeyActive(books, keyVersion)) return noKey;
  if (isBlocked) return refuse(422, "card_blocked");
  card.keyVersion = keyVersion;
  return done;
}

/** Pending top-ups become spendable; their credits, if they still come, move nothing. */
export function settlePending(books: Books, card: Card): void {
  for (const topup of pendingOf(card)) {
    books.ledger.move([card, "pending"], [card, "available"], topup.amount);
    topup.status = "COMPLETED";
  }
}

/** First answers of reissues, by device and body. */
export type Reissues = Map<string, Due>;

/** `POST /api/cards/:cardId/reissue`. */
export function reissue(heard: Heard, made: Reissues): Due {
  const { books, body, nowSec, device } = heard;
  const old = cardFor(heard);
  if (old === undefined) return noCard;
  const repeat = JSON.stringify([device.deviceId, old.cardId, Object.entries(body).toSorted()]);
  const first = made.get(repeat);
  if (first) return first;
  const cardId = textOf(body.newCardId);
  const { member } = old;
  const active = activeCardOf(books, member, nowSec);
  if (books.cards.has(cardId)) return refuse(409, "card_already_registered");
  if (old.replacedBy !== undefined) return refuse(409, "card_replaced");
  if (active && active !== old) return refuse(409, "user_has_active_card");
  if (member.status !== "active") return refuse(422, "invalid_user");
  if (!isKeyActive(books, body.keyVersion)) return noKey;
  if (books.listing.byHand.has(cardId)) return refuse(422, "card_blocked");

  block(old, ADMIN, nowSec);
  settlePending(books, old);
  const { available } = old.account;
  const opening = Math.max(0, Math.min(available, (body.chipBalance as number) ?? available));
  const createdAt = numberOf(body.timestamp);
  const card = addCard(books, {
    ...{ cardId, member, createdAt, opening, replaces: old.cardId },
    ...{ keyVersion: numberOf(body.keyVersion), expiresAt: expiryOf(body.expiresAt) },
  });
  old.replacedBy = cardId;
  books.ledger.move([old, "available"], [card, "available"], opening);
  const due = ok(
    {
      ...{ cardId, replaces: old.cardId, userId: member.userId, balance: opening, createdAt },
      status: statusNames[statusAt(card, nowSec)],
      unseenUntil: unseenUntil(books, blockedAt(old)),
    },
    201,
  );
  made.set(repeat, due);
  return due;
}
