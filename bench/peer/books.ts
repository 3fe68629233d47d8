/**
 * A peer's store against the cards as they know themselves, where the store is asked in SQL: every event
 * is there once, every head is its card's last event, and all money sums to zero.
 */
import type { Cards } from "../domain/card.ts";

export type Ask = (query: string) => readonly Readonly<Record<string, unknown>>[];

const one = (ask: Ask, expression: string, table: string): number =>
  Number(ask(`SELECT ${expression} AS n FROM ${table}`)[0]?.n ?? 0);

const money = "sum(available + pending + frozen)";

export const countGrants = (ask: Ask): number => one(ask, "count(*)", "session_grant");

/** @throws when something is missing, too much, or not what the card knows */
export function checkAsked(ask: Ask, cards: Cards): void {
  const expect = (what: string, expected: unknown, got: unknown): void => {
    if (expected !== got) throw new Error(`${what}: expected ${expected}, got ${got}`);
  };
  expect("events", cards.made + cards.count, one(ask, "count(*)", "event"));
  const debited = one(ask, "sum(CASE type WHEN 0 THEN amount ELSE 0 END)", "event");
  expect("debits", cards.debitedMinor, debited);
  expect("sum of the ledger", 0, one(ask, money, "wallet") + one(ask, money, "head"));
  const heads = ask(
    `SELECT c.card_id, h.counter, h.chip_balance, h.available + h.pending AS worth
     FROM head h JOIN card c ON c.card_no = h.card_no WHERE c.status = 0`,
  );
  const byId = new Map(heads.map((head) => [head.card_id, head]));
  for (let index = 0; index < cards.count; index++) {
    const { cardId, counter, chipBalance, balance } = cards.facts(index);
    const head = byId.get(cardId);
    expect(`counter of ${cardId}`, counter, head?.counter);
    expect(`chip of ${cardId}`, chipBalance, head?.chip_balance);
    expect(`balance of ${cardId}`, balance, head?.worth);
  }
}
