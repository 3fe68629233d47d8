/**
 * The one place where cards and heads are read for change and written. Keeps the cards in use in
 * memory, bounded; what is kept is always what the writer's connection would read, because a change is
 * written in the same transaction and forgotten when that rolls back.
 */
import { headsCachedMax } from "../../../schema/bound.ts";
import type { CardRecord, Head } from "../../domain/cardrecord.ts";
import type { Writer } from "../../store/seam.ts";
import {
  insertCard,
  type NewCard,
  readCard,
  readCardByNo,
  writeCard,
  writeHead,
  writeHeads,
} from "./store.ts";

export function cardBook(cachedMax = headsCachedMax) {
  /** By tenant and card id; the first ones kept are the first to go. */
  const cards = new Map<number, Map<string, CardRecord>>();
  let count = 0;
  /** What each write has put in, to be forgotten if it rolls back. */
  const touched = new WeakMap<Writer, CardRecord[]>();

  const known = (tenantId: number, cardId: string): CardRecord | undefined =>
    cards.get(tenantId)?.get(cardId);

  function forget({ tenantId, cardId }: CardRecord): void {
    if (cards.get(tenantId)?.delete(cardId) === true) count--;
  }

  function forgetEldest(): void {
    for (const ofTenant of cards.values()) {
      const [eldest] = ofTenant.values();
      if (eldest === undefined) continue;
      forget(eldest);
      return;
    }
  }

  function keep(tx: Writer, card: CardRecord): void {
    const { tenantId, cardId } = card;
    let ofTenant = cards.get(tenantId);
    if (ofTenant === undefined) {
      ofTenant = new Map();
      cards.set(tenantId, ofTenant);
    }
    if (!ofTenant.has(cardId)) count++;
    ofTenant.set(cardId, card);
    const own = touched.get(tx);
    if (own === undefined) {
      const list = [card];
      touched.set(tx, list);
      tx.onRollback(() => list.forEach(forget));
    } else own.push(card);
    if (count > cachedMax) forgetEldest();
  }

  /** The card as this transaction sees it. */
  async function find(
    tx: Writer,
    tenantId: number,
    cardId: string,
  ): Promise<CardRecord | undefined> {
    const card = known(tenantId, cardId);
    if (card !== undefined) return card;
    const read = await readCard(tx, tenantId, cardId);
    if (read !== undefined) keep(tx, read);
    return read;
  }

  async function findByNo(
    tx: Writer,
    tenantId: number,
    cardNo: number,
  ): Promise<CardRecord | undefined> {
    const card = await readCardByNo(tx, tenantId, cardNo);
    return card === undefined ? undefined : (known(tenantId, card.cardId) ?? card);
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

  /** Many at once: of cards whose identity may differ too, heads as one statement over all rows. */
  async function putAll(tx: Writer, changes: readonly Change[]): Promise<void> {
    await writeHeads(
      tx,
      changes.map(({ after }) => after),
    );
    for (const { before, after } of changes) {
      if (identityChanged(before, after)) await writeCard(tx, after);
      keep(tx, after);
    }
  }

  const putHead = (tx: Writer, card: CardRecord, head: Head): Promise<CardRecord> =>
    put(tx, card, { ...card, head });

  return { find, findByNo, add, put, putAll, putHead };
}

/** A card and what it becomes. */
export interface Change {
  readonly before: CardRecord;
  readonly after: CardRecord;
}

const identityChanged = (a: CardRecord, b: CardRecord): boolean =>
  a.status !== b.status ||
  a.keyVersion !== b.keyVersion ||
  a.blockedAtSec !== b.blockedAtSec ||
  a.replacedByNo !== b.replacedByNo ||
  a.needsValidation !== b.needsValidation;
