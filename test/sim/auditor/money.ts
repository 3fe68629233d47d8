/** Money that those who run the venue move or look at: refunds, top-ups taken back, the balance of it all. */

import { type Books, unseenUntil } from "./books.ts";
import { settlePending } from "./card.ts";
import {
  type Asked,
  anyOrder,
  type Due,
  iso,
  objectOf,
  ok,
  type Part,
  type Parts,
  refuse,
  textOf,
} from "./due.ts";
import { unknown } from "./operator.ts";
import { ACTIVE, ADMIN, block, blockedAt, type Card, pendingOf, statusAt } from "./thing.ts";
import { cancelOne } from "./topup.ts";

const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, each) => sum + each, 0);
/** Available once the pending top-ups are settled. */
const spendable = (card: Card): number =>
  card.account.available + sumOf(pendingOf(card).map(({ amount }) => amount));

function payOut(books: Books, card: Card, amount: number, reason: Part): Parts {
  settlePending(books, card);
  books.ledger.move([card, "available"], "cash", amount);
  const { currency } = books.start;
  const balanceAfter = { ...card.account };
  return { type: "refund", status: "completed", amount, currency, balanceAfter, reason };
}

const empty = refuse(409, "wallet-empty");

export function refundCard(asked: Asked): Due {
  const { books, body, nowSec } = asked;
  const card = books.cards.get(asked.ids[0] ?? "");
  if (card === undefined) return unknown;
  const { chipBalance, amount: asks } = body;
  const has = spendable(card);
  const payable = Math.min(has, typeof chipBalance === "number" ? chipBalance : has);
  if (payable <= 0) return empty;
  const amount = typeof asks === "number" ? asks : payable;
  if (amount > payable) return refuse(400, "insufficient-funds");
  block(card, ADMIN, nowSec);
  const paid = payOut(books, card, amount, textOf(body.reason));
  return ok({ ...paid, unseenUntil: iso(unseenUntil(books, blockedAt(card))) }, 201);
}

export function refundMember(asked: Asked): Due {
  const { books, body, ids, nowSec } = asked;
  const member = books.members.find(({ id }) => id === ids[0]);
  if (member === undefined) return unknown;
  const cards = [...books.cards.values()].filter((card) => card.member === member);
  const paying = cards.filter((card) => spendable(card) > 0);
  if (paying.length === 0) return empty;
  for (const card of cards) if (statusAt(card, nowSec) === ACTIVE) block(card, ADMIN, nowSec);
  const total = sumOf(paying.map(spendable));
  const data = anyOrder(
    paying.map((card) => payOut(books, card, spendable(card), textOf(body.reason))),
  );
  return ok({ data, total }, 201);
}

/** `GET /money/trial-balance`: a line for each account of the house, one for all cards. */
export function trialBalance({ books, answer }: Asked): Due {
  const [first] = (objectOf(answer.json).data as readonly unknown[] | undefined) ?? [];
  const { accounts = [] } = objectOf(first) as { accounts?: readonly unknown[] };
  const { cash, suspense, settlement } = books.ledger;
  const due = new Map<string, number>([
    ["cash", cash],
    ["suspense", suspense],
  ]);
  for (const [terminalId, sum] of settlement) due.set(`settlement:${terminalId}`, sum);
  const cards = [...books.cards.values()];
  const total = (bucket: keyof Card["account"]) => sumOf(cards.map((card) => card.account[bucket]));
  const all = { available: total("available"), pending: total("pending") };
  const lines = new Map<string, Part>(
    [...due].map(([key, sum]) => [key, { kind: "system", available: sum, pending: 0, frozen: 0 }]),
  );
  lines.set("card", { ...all, frozen: total("frozen"), wallets: cards.length });
  const keyOf = (account: unknown): string => {
    const { kind, systemKey } = objectOf(account);
    return textOf(systemKey ?? kind);
  };
  const parts = accounts.map((account) => lines.get(keyOf(account)) ?? zero);
  const named = new Set(accounts.map(keyOf));
  const isMissing = [...due].some(([key, sum]) => sum !== 0 && !named.has(key));
  const isWhole = !isMissing && (cards.length === 0 || named.has("card"));
  return ok({ data: [{ sum: 0, accounts: isWhole ? parts : "every account" }] });
}

/** An account that nothing has moved on. */
const zero: Part = { available: 0, pending: 0, frozen: 0 };

/**
 * `POST /transactions/:id/reversal`, of top-ups alone: one that is pending goes back to cash. What a second
 * one is called, and one of a top-up that a device cancelled, is not said.
 */
export function reverse({ books, ids }: Asked): Due {
  const all = [...books.cards.values()].flatMap(({ topups }) => topups);
  const topup = all.find(({ topupId }) => topupId === ids[0]);
  if (topup === undefined) return { status: 0 };
  if (topup.status !== "PENDING") return refuse(409, "not-reversible", "already-reversed");
  cancelOne(books, topup);
  const { amount, topupId: referenceTransactionId } = topup;
  const moved = { type: "reversal", status: "completed", amount, referenceTransactionId };
  const { account } = topup.card;
  return ok({ ...moved, currency: books.start.currency, balanceAfter: { ...account } }, 201);
}
