/**
 * The one place where cards and heads are read for change and written. Keeps the cards in use in
 * memory, bounded; what is kept is always what the writer's connection would read, because a change is
 * written in the same transaction and forgotten when that rolls back.
 */
import { headsCachedMax } from "../../../schema/bound.ts";
import type { CardRecord, Head } from "../../domain/cardrecord.ts";
import type { Writer } from "../../store/seam.ts";
import { insertCard, type NewCard, readCard, readCardByNo, writeCard, writeHead } from "./store.ts";

export function cardBook(cachedMax = headsCachedMax) {
  const cards = new Map<string, CardRecord>();
  const keyOf = (card: Pick<CardRecord, "tenantId" | "cardId">): string =>
    `${card.tenantId} ${card.cardId}`;

  function keep(tx: Writer, card: CardRecord): void {
    const key = keyOf(card);
    cards.delete(key);
    cards.set(key, card);
    tx.onRollback(() => cards.delete(key));
    if (cards.size <= cachedMax) return;
    const eldest = cards.keys().next();
    if (!eldest.done) cards.delete(eldest.value);
  }

  /** The card as this transaction sees it. */
  async function find(
    tx: Writer,
    tenantId: number,
    cardId: string,
  ): Promise<CardRecord | undefined> {
    const known = cards.get(`${tenantId} ${cardId}`);
    if (known !== undefined) return known;
    const card = await readCard(tx, tenantId, cardId);
    if (card !== undefined) keep(tx, card);
    return card;
  }

  async function findByNo(
    tx: Writer,
    tenantId: number,
    cardNo: number,
  ): Promise<CardRecord | undefined> {
    const card = await readCardByNo(tx, tenantId, cardNo);
    return card === undefined ? undefined : (cards.get(keyOf(card)) ?? card);
  }

  async function add(tx: Writer, card: NewCard): Promise<CardRecord> {
    const made = await insertCard(tx, card);
    keep(tx, made);
    return made;
  }

  /** Puts `after` in the place of `before`; writes only the rows that differ. */
  async function put(tx: Writer, before: CardRecord, after: CardRecord): Promise<CardRecord> {
    if (after.head !== before.head) await writeHead(tx, after);
    if (identityChanged(before, after)) await writeCard(tx, after);
    keep(tx, after);
    return after;
  }

  const putHead = (tx: Writer, card: CardRecord, head: Head): Promise<CardRecord> =>
    put(tx, card, { ...card, head });

  return { find, findByNo, add, put, putHead };
}

const identityChanged = (a: CardRecord, b: CardRecord): boolean =>
  a.status !== b.status ||
  a.keyVersion !== b.keyVersion ||
  a.blockedAtSec !== b.blockedAtSec ||
  a.replacedByNo !== b.replacedByNo ||
  a.needsValidation !== b.needsValidation;
