/**
 * Cards as operators see them: lists by filter, newest first, and one card with all that belongs to it.
 * A list without search costs the same however many cards there are. Writes nothing.
 */
import {
  type CardKindRow,
  cardCountFlagged,
  cardHolder,
  cardKinds,
  cardShown,
  cardsFlagged,
  cardsNamed,
  cardsNamedWidely,
  cardsOfKind,
  cardsOfKindClear,
  cardsOfMember,
  type ShownRow,
} from "../../../schema/query/cardlist.ts";
import {
  type Balance,
  type CardRecord,
  effectiveStatus,
  STATUS_NAME,
  type StatusCode,
  type StatusName,
  worth,
} from "../../domain/cardrecord.ts";
import { globOf } from "../../domain/search.ts";
import { STATE_NAME } from "../../domain/state.ts";
import type { Reader, Store } from "../../store/seam.ts";
import { nextTurn } from "../../system/turn.ts";
import { lastCardNo } from "./store.ts";

/** Null lets everything through. */
export interface CardFilter {
  readonly status: StatusName | null;
  readonly keyVersion: number | null;
  readonly needsValidation: boolean | null;
  /** Has a flag that nobody has decided. */
  readonly flagged: boolean | null;
  readonly userId: number | null;
  readonly memberId: string | null;
  /** A part of the id or the name; capitals are not minded. */
  readonly q: string | null;
}

export interface CardShown {
  readonly cardNo: number;
  readonly cardId: string;
  readonly userId: number;
  readonly memberId: string;
  readonly name: string;
  readonly status: StatusName;
  readonly statusCode: StatusCode;
  readonly state: "IDLE" | "CHECKED_IN" | "CHECKED_OUT";
  readonly keyVersion: number;
  /** Available and pending money, minor units. */
  readonly balance: number;
  readonly pendingTopups: { readonly count: number; readonly amount: number };
  readonly counter: number;
  readonly needsValidation: boolean;
  readonly expiresAtSec: number | null;
  readonly createdAtSec: number;
  readonly lastActivitySec: number;
  readonly blockedAtSec: number | null;
  readonly blockReason: string | null;
  readonly blockedBy: string | null;
  readonly replaces: string | null;
  readonly replacedBy: string | null;
  readonly openFlags: number;
  readonly wallet: { readonly id: string; readonly balance: Balance };
}

export interface CardListDeps {
  readonly store: Store;
  readonly read: (q: Reader, tenantId: number, cardId: string) => Promise<CardRecord | undefined>;
}

/** Cards that a search reads through before others have their turn. */
const stretch = 5_000;

/** One list: what is found out for a page serves its total too. */
export interface CardPages {
  /** Cards below a number, newest first. */
  page(belowNo: number, limit: number, nowSec: number): Promise<CardShown[]>;
  count(): Promise<number>;
}

export function cardList({ store, read }: CardListDeps) {
  function list(tenantId: number, filter: CardFilter): CardPages {
    let found: Promise<number[]> | undefined;
    const whole = (): Promise<number[]> => {
      found ??= store.read((q) => wholeList(q, tenantId, filter));
      return found;
    };
    const isShort = isOfMember(filter) || filter.q !== null;
    return {
      page: async (belowNo, limit, nowSec) => {
        const numbers = isShort
          ? (await whole()).filter((cardNo) => cardNo < belowNo).slice(0, limit)
          : await store.read((q) => numbersOf(q, tenantId, filter, belowNo, limit));
        return await show(tenantId, numbers, nowSec);
      },
      count: async () =>
        isShort ? (await whole()).length : await store.read((q) => countOf(q, tenantId, filter)),
    };
  }

  /** Read anew: what memory knows of heads is what the newest snapshot shows. */
  const show = (
    tenantId: number,
    numbers: readonly number[],
    nowSec: number,
  ): Promise<CardShown[]> =>
    store.read(async (q) => {
      const cards: CardShown[] = [];
      for (const cardNo of numbers) {
        const card = await shown(q, tenantId, cardNo, nowSec);
        if (card !== undefined) cards.push(card);
      }
      return cards;
    });

  async function shown(
    q: Reader,
    tenantId: number,
    cardNo: number,
    nowSec: number,
  ): Promise<CardShown | undefined> {
    const row = await q.get(cardShown, tenantId, cardNo);
    const card = row && (await read(q, tenantId, row.card_id));
    return card && shownOf(card, row, nowSec);
  }

  /** The tenant's card; undefined where there is none. */
  const find = (tenantId: number, cardId: string, nowSec: number): Promise<CardShown | undefined> =>
    store.read(async (q) => {
      const card = await read(q, tenantId, cardId);
      const row = card && (await q.get(cardShown, tenantId, card.cardNo));
      return row && shownOf(card, row, nowSec);
    });

  /** The card as a transaction that changed it sees it. */
  async function after(tx: Reader, card: CardRecord, nowSec: number): Promise<CardShown> {
    const row = await tx.get(cardShown, card.tenantId, card.cardNo);
    if (row === undefined) throw new RangeError(`card ${card.cardNo} is gone`);
    return shownOf(card, row, nowSec);
  }

  return { list, find, after };
}

function shownOf(card: CardRecord, row: ShownRow, nowSec: number): CardShown {
  const { head } = card;
  const { status, blockedAtSec } = effectiveStatus(card, nowSec);
  // An expiry that is not written down yet is nobody's doing either way.
  const isExpiredNow = status !== card.status;
  return {
    cardNo: card.cardNo,
    cardId: card.cardId,
    userId: card.userId,
    memberId: row.member_uuid,
    name: row.name,
    status: STATUS_NAME[status],
    statusCode: status,
    state: STATE_NAME[head.shownState],
    keyVersion: card.keyVersion,
    balance: worth(head),
    pendingTopups: { count: row.pending_count, amount: row.pending_amount },
    counter: head.top.counter,
    needsValidation: card.needsValidation,
    expiresAtSec: card.expiresAtSec,
    createdAtSec: card.createdAtSec,
    lastActivitySec: head.top.counter === 0 ? card.createdAtSec : head.top.timestamp,
    blockedAtSec,
    blockReason: isExpiredNow ? "expired" : row.block_reason,
    blockedBy: isExpiredNow ? "server" : row.blocked_by,
    replaces: row.replaces,
    replacedBy: row.replaced_by,
    openFlags: row.open_flags,
    wallet: {
      id: row.wallet_uuid,
      balance: { available: head.available, pending: head.pending, frozen: head.frozen },
    },
  };
}

const statusCode = ({ status }: CardFilter): number | null =>
  status === null ? null : STATUS_NAME.indexOf(status);
const number = (flag: boolean | null): number | null => (flag === null ? null : Number(flag));
const paramsOf = (filter: CardFilter) =>
  [statusCode(filter), filter.keyVersion, number(filter.needsValidation)] as const;

const isOfMember = ({ userId, memberId }: CardFilter): boolean =>
  userId !== null || memberId !== null;

/** Kinds of cards that the filter lets through. */
async function kindsOf(q: Reader, tenantId: number, filter: CardFilter): Promise<CardKindRow[]> {
  const [status, keyVersion, needsValidation] = paramsOf(filter);
  const kinds = await q.all(cardKinds, tenantId);
  return kinds.filter(
    (kind) =>
      (status === null || kind.status === status) &&
      (keyVersion === null || kind.key_version === keyVersion) &&
      (needsValidation === null || kind.needs_validation === needsValidation),
  );
}

/** Numbers of the member's cards that fit, newest first. */
async function numbersOfMember(q: Reader, tenantId: number, filter: CardFilter): Promise<number[]> {
  const holder = await q.get(cardHolder, tenantId, filter.userId, filter.memberId);
  if (holder === undefined) return [];
  const glob = filter.q === null ? null : globOf(filter.q);
  const rest = [holder.member_no, number(filter.flagged), glob] as const;
  return numbers(await q.all(cardsOfMember, tenantId, ...paramsOf(filter), ...rest));
}

const numbers = (rows: readonly { readonly card_no: number }[]): number[] =>
  rows.map((row) => row.card_no);

/** Cards that fit a search, newest first; reads through all of them. */
async function numbersNamed(q: Reader, tenantId: number, filter: CardFilter): Promise<number[]> {
  const found: number[] = [];
  const text = filter.q ?? "";
  const [search, part] = isAscii(text)
    ? [cardsNamed, text.toLowerCase()]
    : [cardsNamedWidely, globOf(text)];
  const fixed = [...paramsOf(filter), part, number(filter.flagged)] as const;
  for (let below = (await lastCardNo(q)) + 1; below > 1; ) {
    const from = Math.max(1, below - stretch);
    found.push(...numbers(await q.all(search, tenantId, ...fixed, from, below)));
    below = from;
    await nextTurn();
  }
  return found;
}

const isAscii = (text: string): boolean => /^[ -~]*$/.test(text);

/** All numbers of a list that is read as a whole. */
const wholeList = (q: Reader, tenantId: number, filter: CardFilter): Promise<number[]> =>
  isOfMember(filter) ? numbersOfMember(q, tenantId, filter) : numbersNamed(q, tenantId, filter);

async function numbersOf(
  q: Reader,
  tenantId: number,
  filter: CardFilter,
  belowNo: number,
  limit: number,
): Promise<number[]> {
  if (filter.flagged === true) {
    return numbers(await q.all(cardsFlagged, tenantId, ...paramsOf(filter), belowNo, limit));
  }
  const ofKind = filter.flagged === false ? cardsOfKindClear : cardsOfKind;
  const found: number[] = [];
  for (const kind of await kindsOf(q, tenantId, filter)) {
    const { status, key_version: version, needs_validation: isDue } = kind;
    found.push(...numbers(await q.all(ofKind, tenantId, status, version, isDue, belowNo, limit)));
  }
  return found.sort((a, b) => b - a).slice(0, limit);
}

async function countOf(q: Reader, tenantId: number, filter: CardFilter): Promise<number> {
  const flagged =
    filter.flagged === null
      ? 0
      : ((await q.get(cardCountFlagged, tenantId, ...paramsOf(filter)))?.count ?? 0);
  if (filter.flagged === true) return flagged;
  const kinds = await kindsOf(q, tenantId, filter);
  return kinds.reduce((total, kind) => total + kind.cards, 0) - flagged;
}
