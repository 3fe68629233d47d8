/**
 * The one place where cards and heads are read for change and written. Cards live in memory as the
 * writer's connection sees them. A head to which events were only added on top is not written at once:
 * `sweep.ts` does it later, and `rest.ts` works out what a row lacks. Everything else is written in
 * the transaction that changes it.
 */
import { headsResidentMax, sweepRoundEventsMin } from "../../../schema/bound.ts";
import type { CardRecord, Head } from "../../domain/cardrecord.ts";
import { CardSlab } from "../../domain/cardslab.ts";
import type { Behind, Reader, Writer } from "../../store/seam.ts";
import { newestAfter, withRest } from "./rest.ts";
import {
  insertCard,
  lastCardNo,
  type NewCard,
  readCard,
  readCardByNo,
  readCardOfNo,
  readCardsAfter,
  readCardsBetween,
  readThrough,
  writeCard,
  writeHead,
  writeHeads,
} from "./store.ts";
import { HeadSweep } from "./sweep.ts";

export interface BookOptions {
  /** Cards up to this number are kept in memory; others are read each time and written at once. */
  readonly residentMax?: number;
  /** Events in the course of which all heads are written once, at the least. */
  readonly roundEventsMin?: number;
  /** Heads that one transaction of an idle moment writes. */
  readonly eagerHeads?: number;
  /** Cards to be gone over at a time: fewer share too few pages. */
  readonly stretchMin?: number;
}

/** A card and what it becomes. */
export interface Change {
  readonly before: CardRecord;
  readonly after: CardRecord;
  /** The head differs by events on top of it alone. */
  readonly appended: boolean;
}

/** What a transaction put in the place of what, to be taken back if it rolls back. */
interface Undo {
  readonly cardNo: number;
  readonly before: CardRecord | undefined;
  readonly lagged: boolean;
}

/** Events looked at, or cards read ahead, by one statement. */
const recoverAtOnce = 20_000;

export function cardBook({
  residentMax = headsResidentMax,
  roundEventsMin = sweepRoundEventsMin,
  eagerHeads = 1_000,
  stretchMin = 128,
}: BookOptions = {}) {
  const slab = new CardSlab(residentMax);
  const sweep = new HeadSweep({
    roundEventsMin,
    eagerHeads,
    stretchMin,
    current: async (tx, cardNo) => slab.get(cardNo) ?? (await load(tx, readCardOfNo(tx, cardNo))),
    write: writeHeads,
  });
  /** Newest event of each card whose row may lack some, by number; of those not in memory yet. */
  let newest = new Float64Array(0);
  let isRecovered = false;
  /** Transactions that changed something here and are not over. */
  let unsettled = 0;
  const undos = new WeakMap<Writer, Undo[]>();

  /** Finds out, once, which rows lack what; before any card is changed. */
  async function recover(tx: Writer): Promise<void> {
    if (isRecovered) return;
    const through = await readThrough(tx);
    const cards = await lastCardNo(tx);
    const found = new Float64Array(cards + 1);
    let last = through;
    for (;;) {
      const rows = await readCardsAfter(tx, last, recoverAtOnce);
      for (const { card_no: cardNo, event_id: id } of rows) {
        found[cardNo] = id;
        sweep.lagging.add(cardNo);
        last = id;
      }
      if (rows.length < recoverAtOnce) break;
    }
    newest = found;
    sweep.begin(cards, through, last);
    isRecovered = true;
  }

  /** A card that is not in memory, as it was read: completed, and taken in. */
  async function load(
    tx: Writer,
    reading: Promise<CardRecord | undefined>,
  ): Promise<CardRecord | undefined> {
    const row = await reading;
    if (row === undefined) return undefined;
    const card = await withRest(tx, row, newest[row.cardNo] ?? 0);
    slab.set(card);
    return card;
  }

  /** @throws Error the transaction is over: nobody would take back what is put here now */
  function undosOf(tx: Writer): Undo[] {
    const known = undos.get(tx);
    if (known !== undefined) return known;
    const list: Undo[] = [];
    const { lastId, cards } = sweep;
    const end = (): void => {
      undos.delete(tx);
      unsettled -= 1;
    };
    tx.onCommit(end);
    tx.onRollback(() => {
      end();
      for (const { cardNo, before, lagged } of list.reverse()) {
        if (before === undefined) slab.remove(cardNo);
        else slab.set(before);
        sweep.mark(cardNo, lagged);
      }
      sweep.lastId = lastId;
      sweep.cards = cards;
    });
    undos.set(tx, list);
    unsettled += 1;
    return list;
  }

  /** `after` is what the card is now; `lags`: its row is not. */
  function keep(
    undo: Undo[],
    before: CardRecord | undefined,
    after: CardRecord,
    lags: boolean,
  ): void {
    const { cardNo, head } = after;
    undo.push({ cardNo, before, lagged: sweep.lagging.has(cardNo) });
    slab.set(after);
    sweep.mark(cardNo, lags);
    if (head.applied > sweep.lastId) sweep.lastId = head.applied;
  }

  /** The card as this transaction sees it. */
  async function find(
    tx: Writer,
    tenantId: number,
    cardId: string,
  ): Promise<CardRecord | undefined> {
    const known = slab.find(tenantId, cardId);
    if (known !== undefined) return known;
    await recover(tx);
    return await load(tx, readCard(tx, tenantId, cardId));
  }

  async function findByNo(
    tx: Writer,
    tenantId: number,
    cardNo: number,
  ): Promise<CardRecord | undefined> {
    const known = slab.get(cardNo);
    if (known !== undefined) return known.tenantId === tenantId ? known : undefined;
    await recover(tx);
    return await load(tx, readCardByNo(tx, tenantId, cardNo));
  }

  async function add(tx: Writer, card: NewCard): Promise<CardRecord> {
    await recover(tx);
    const made = await insertCard(tx, card);
    const undo = undosOf(tx);
    keep(undo, undefined, made, false);
    sweep.cards = Math.max(sweep.cards, made.cardNo);
    return made;
  }

  /** Puts `after` in the place of `before`; writes only the rows that differ. */
  async function put(tx: Writer, before: CardRecord, after: CardRecord): Promise<CardRecord> {
    const undo = undosOf(tx);
    const isHeadNew = after.head !== before.head;
    if (isHeadNew) await writeHead(tx, after);
    if (identityChanged(before, after)) await writeCard(tx, after);
    keep(undo, before, after, !isHeadNew && sweep.lagging.has(after.cardNo));
    return after;
  }

  /** Many at once. Heads with events on top alone are written later, where they stay in memory. */
  async function putAll(tx: Writer, changes: readonly Change[]): Promise<void> {
    const undo = undosOf(tx);
    const written: CardRecord[] = [];
    for (const { before, after, appended } of changes) {
      const lags = appended && after.cardNo <= residentMax;
      if (!lags) written.push(after);
      if (identityChanged(before, after)) await writeCard(tx, after);
      keep(undo, before, after, lags);
    }
    // Neighbours share pages: each page is touched once.
    if (written.length > 0)
      await writeHeads(
        tx,
        written.sort((a, b) => a.cardNo - b.cardNo),
      );
  }

  const putHead = (tx: Writer, card: CardRecord, head: Head): Promise<CardRecord> =>
    put(tx, card, { ...card, head });

  /**
   * The card as it was last committed, if it is in memory and nobody is changing one; undefined says
   * nothing.
   */
  const peek = (tenantId: number, cardId: string): CardRecord | undefined =>
    isRecovered && unsettled === 0 ? slab.find(tenantId, cardId) : undefined;

  /**
   * The card as of the reader's snapshot: from memory, where that is the newest there is and nobody is
   * changing it, else the row and what that lacks.
   */
  async function read(
    q: Reader,
    tenantId: number,
    cardId: string,
  ): Promise<CardRecord | undefined> {
    const isSettled = isRecovered && unsettled === 0 && q.isNewest();
    const known = isSettled ? slab.find(tenantId, cardId) : undefined;
    if (known !== undefined) return known;
    const row = await readCard(q, tenantId, cardId);
    if (row === undefined) return undefined;
    const last = isSettled ? (newest[row.cardNo] ?? 0) : await newestAfter(q, row);
    return await withRest(q, row, last);
  }

  /** Takes in up to `count` cards after number `from`; the last number looked at, 0 at the end. */
  async function readAhead(tx: Writer, from: number, count: number): Promise<number> {
    await recover(tx);
    const to = Math.min(from + count, sweep.cards, residentMax);
    for (const card of await readCardsBetween(tx, from + 1, to)) {
      if (!slab.has(card.cardNo)) await load(tx, Promise.resolve(card));
    }
    return to < Math.min(sweep.cards, residentMax) ? to : 0;
  }

  const behind: Behind = {
    isDue: () => sweep.isDue(),
    isOwed: () => sweep.isOwed(),
    sweep: (tx, eager) => sweep.sweep(tx, eager),
  };

  return { recover, find, findByNo, add, put, putAll, putHead, peek, read, readAhead, behind };
}

const identityChanged = (a: CardRecord, b: CardRecord): boolean =>
  a.status !== b.status ||
  a.keyVersion !== b.keyVersion ||
  a.blockedAtSec !== b.blockedAtSec ||
  a.replacedByNo !== b.replacedByNo ||
  a.needsValidation !== b.needsValidation;
