/** Money that a station puts on a card, and takes back when the card was not written. */

import type { Books } from "./books.ts";
import { cardFor, noCard } from "./card.ts";
import { type Due, type Heard, isUuid, numberOf, ok, type Parts, refuse, textOf } from "./due.ts";
import { openFlagsOf } from "./flag.ts";
import {
  ACTIVE,
  balanceOf,
  type Card,
  headOf,
  pendingOf,
  type Recorded,
  statusAt,
  type Topup,
} from "./thing.ts";

/**
 * An undecided credit of the same card, amount and device. Which of several is not said, and all the same in
 * money: here that with the counter, else the first not before the top-up, else the last.
 */
function parkedFor(card: Card, topup: Topup): Recorded | undefined {
  const parked = card.events
    .filter(
      (event) =>
        event.parked === "waiting" &&
        event.amount === topup.amount &&
        event.device === topup.device,
    )
    .toSorted((one, other) => one.timestamp - other.timestamp);
  return (
    parked.find(({ counter }) => counter === topup.counter) ??
    parked.find(({ timestamp }) => timestamp >= topup.timestamp) ??
    parked.at(-1)
  );
}

function match(books: Books, topup: Topup, credit: Recorded): void {
  const { card, amount } = topup;
  books.ledger.move("suspense", "cash", amount);
  books.ledger.move([card, "pending"], [card, "available"], amount);
  topup.status = "COMPLETED";
  topup.event = credit;
  credit.parked = "matched";
  credit.topup = topup;
  const isIts = (reason: string): boolean => reason === "unauthorised_credit";
  for (const flag of openFlagsOf(books, ({ event, reason }) => event === credit && isIts(reason))) {
    flag.status = "approved";
  }
}

const answerOf = ({ card, topupId, amount, balance, highest, status }: Topup): Due =>
  ok({ cardId: card.cardId, topupId, amount, balance, counter: highest, status });

/** `POST /api/cards/:cardId/topup`. */
export function topUp(heard: Heard): Due {
  const { books, body, device, nowSec, answer } = heard;
  const card = cardFor(heard);
  if (card === undefined) return noCard;
  const [amount, timestamp] = [numberOf(body.amount), numberOf(body.timestamp)];
  const first = card.topups.find(
    (each) => each.device === device && each.amount === amount && each.timestamp === timestamp,
  );
  if (first) return answerOf(first);
  if (statusAt(card, nowSec) !== ACTIVE) return refuse(422, "card_blocked");
  if (card.member.status !== "active") return refuse(422, "invalid_user");
  if (balanceOf(card) + amount > books.policies.of(device).maxBalance) {
    return refuse(422, "balance_limit_exceeded");
  }
  const { topupId } = (answer.json ?? {}) as { topupId?: unknown };
  const topup: Topup = {
    ...{ card, device, amount, timestamp, madeSec: nowSec, status: "PENDING" },
    counter: typeof body.counter === "number" ? body.counter : undefined,
    ...{ topupId: textOf(topupId), balance: balanceOf(card) + amount },
    highest: headOf(card)?.counter ?? 0,
  };
  card.topups.push(topup);
  books.ledger.move("cash", [card, "pending"], amount);
  const credit = parkedFor(card, topup);
  if (credit) match(books, topup, credit);
  const due = answerOf(topup);
  return isUuid(topupId) ? due : ok({ ...(due.body as object), topupId: isUuid });
}

/** Whoever asks for it from now on, however often, is told of this moment. */
export function cancelOne(books: Books, topup: Topup): Topup["canceled"] {
  const { card, topupId, amount } = topup;
  books.ledger.move([card, "pending"], "cash", amount);
  topup.status = "CANCELED";
  const { cardId } = card;
  topup.canceled = { cardId, topupId, amount, status: "CANCELED", balance: balanceOf(card) };
  return topup.canceled;
}

/** `POST /api/cards/:cardId/topup/:topupId/cancel`. */
export function cancel(heard: Heard): Due {
  const { books, device, ids, answer } = heard;
  const card = cardFor(heard);
  if (card === undefined) return noCard;
  const topup = card.topups.find(({ topupId }) => topupId === ids[1]);
  if (topup === undefined) return refuse(404, "topup_not_found");
  if (topup.device !== device) return refuse(403, "terminal_mismatch");
  const { topupId, amount } = topup;
  if (topup.canceled) return ok(topup.canceled as Parts);
  if (topup.status === "PENDING") {
    return ok({ ...(cancelOne(books, topup) as Parts), canceledTopupId: undefined });
  }
  const head = { cardId: card.cardId, topupId, amount, status: "CANCELED" };
  const equal = pendingOf(card).filter((each) => each.amount === amount);
  if (equal.length === 0) return refuse(409, "topup_settled");
  const named = (answer.json as { canceledTopupId?: unknown } | undefined)?.canceledTopupId;
  const instead = equal.find((each) => each.topupId === named);
  if (instead) cancelOne(books, instead);
  const body = { ...head, balance: balanceOf(card), canceledTopupId: textOf(instead?.topupId) };
  topup.canceled = body;
  return ok(body);
}
