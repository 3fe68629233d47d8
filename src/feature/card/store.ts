/** Rows of cards and heads to and from `CardRecord`. */
import {
  activeCardsOfMember,
  type CardRow,
  cardBlockNote,
  cardById,
  cardByNo,
  cardChangeInsert,
  cardDetail,
  cardInsert,
  cardLast,
  cardOfNo,
  cardPending,
  cardQuarantined,
  cardsBetween,
  cardsExpired,
  cardTimeZone,
  cardUpdate,
  type HeadParams,
  headInsert,
  headThrough,
  headThroughPut,
  headUpdate,
} from "../../../schema/query/card.ts";
import { eventCardsAfter, eventNewestAfter } from "../../../schema/query/event.ts";
import { type CardRecord, freshHead, type Head, type StatusCode } from "../../domain/cardrecord.ts";
import { EVENT_CODE } from "../../domain/chain.ts";
import { eventType } from "../../domain/event.ts";
import type { CardState } from "../../domain/state.ts";
import type { Reader, Writer } from "../../store/seam.ts";

function toHead(row: CardRow): Head {
  return {
    top: {
      id: row.event_id,
      counter: row.counter,
      type: eventType(row.type),
      amount: row.amount,
      balanceAfter: row.chip_balance,
      timestamp: row.timestamp_sec,
      hash: row.hash,
      flags: row.flags,
      linked: row.linked === 1,
      start: row.start_sec,
      state: row.state as CardState | null,
    },
    shownState: row.shown_state as CardState,
    shownCounter: row.shown_counter,
    openingBalance: row.opening_balance,
    depth: row.depth,
    late: row.late,
    quarantined: row.quarantined === 1,
    available: row.available,
    pending: row.pending,
    frozen: row.frozen,
    week: row.week,
    days: [row.d0, row.d1, row.d2, row.d3, row.d4, row.d5, row.d6],
    applied: row.applied,
  };
}

const toCard = (row: CardRow): CardRecord => ({
  cardNo: row.card_no,
  tenantId: row.tenant_id,
  cardId: row.card_id,
  memberNo: row.member_no,
  userId: row.user_id,
  status: row.status as StatusCode,
  keyVersion: row.key_version,
  createdAtSec: row.created_at_sec,
  expiresAtSec: row.expires_at_sec,
  blockedAtSec: row.blocked_at_sec,
  replacesNo: row.replaces_no,
  replacedByNo: row.replaced_by_no,
  needsValidation: row.needs_validation === 1,
  head: toHead(row),
});

const headParams = ({
  cardNo,
  tenantId,
  head,
}: Pick<CardRecord, "cardNo" | "tenantId" | "head">): HeadParams => {
  const { top, days } = head;
  return [
    cardNo,
    tenantId,
    top.id,
    top.counter,
    EVENT_CODE[top.type],
    top.amount,
    top.balanceAfter,
    top.timestamp,
    top.hash,
    top.flags,
    top.linked ? 1 : 0,
    top.start,
    top.state,
    head.shownState,
    head.shownCounter,
    head.openingBalance,
    head.depth,
    head.late,
    head.quarantined ? 1 : 0,
    head.available,
    head.pending,
    head.frozen,
    head.week,
    days[0] ?? 0,
    days[1] ?? 0,
    days[2] ?? 0,
    days[3] ?? 0,
    days[4] ?? 0,
    days[5] ?? 0,
    days[6] ?? 0,
    head.applied,
  ];
};

export async function readCard(
  q: Reader,
  tenantId: number,
  cardId: string,
): Promise<CardRecord | undefined> {
  const row = await q.get(cardById, tenantId, cardId);
  return row === undefined ? undefined : toCard(row);
}

export async function readCardByNo(
  q: Reader,
  tenantId: number,
  cardNo: number,
): Promise<CardRecord | undefined> {
  const row = await q.get(cardByNo, tenantId, cardNo);
  return row === undefined ? undefined : toCard(row);
}

/** Whoever's card it is. */
export async function readCardOfNo(q: Reader, cardNo: number): Promise<CardRecord | undefined> {
  const row = await q.get(cardOfNo, cardNo);
  return row === undefined ? undefined : toCard(row);
}

export const readCardsBetween = async (
  q: Reader,
  fromNo: number,
  toNo: number,
): Promise<CardRecord[]> => (await q.all(cardsBetween, fromNo, toNo)).map(toCard);

export const lastCardNo = async (q: Reader): Promise<number> =>
  (await q.get(cardLast))?.card_no ?? 0;

/** No head lacks an event with an id up to this. */
export const readThrough = async (q: Reader): Promise<number> =>
  (await q.get(headThrough))?.through ?? 0;

export async function writeThrough(tx: Writer, through: number): Promise<void> {
  await tx.run(headThroughPut, through);
}

/** Whose events came after event `id`, in order of arrival. */
export const readCardsAfter = (q: Reader, id: number, limit: number) =>
  q.all(eventCardsAfter, id, limit);

/** The card's newest event after event `id`; 0 if there is none. */
export const readNewestAfter = async (
  q: Reader,
  { tenantId, cardNo }: Pick<CardRecord, "tenantId" | "cardNo">,
  id: number,
): Promise<number> => (await q.get(eventNewestAfter, tenantId, cardNo, id))?.event_id ?? 0;

export async function readTimeZone(q: Reader, tenantId: number): Promise<string> {
  const row = await q.get(cardTimeZone, tenantId);
  if (row === undefined) throw new RangeError(`card of no tenant ${tenantId}`);
  return row.timezone;
}

export const readActiveCards = async (
  q: Reader,
  tenantId: number,
  memberNo: number,
): Promise<CardRecord[]> => (await q.all(activeCardsOfMember, tenantId, memberNo)).map(toCard);

export interface NewCard {
  readonly tenantId: number;
  readonly cardId: string;
  readonly walletUuid: string;
  readonly memberNo: number;
  readonly userId: number;
  readonly name: string;
  readonly keyVersion: number;
  readonly createdAtSec: number;
  readonly expiresAtSec: number | null;
  readonly replacesNo: number | null;
  readonly registeredAtMs: number;
  readonly openingBalance: number;
}

export async function insertCard(tx: Writer, card: NewCard): Promise<CardRecord> {
  const row = await tx.get(
    cardInsert,
    card.tenantId,
    card.cardId,
    card.walletUuid,
    card.memberNo,
    card.userId,
    card.name,
    card.keyVersion,
    card.createdAtSec,
    card.expiresAtSec,
    card.replacesNo,
    card.registeredAtMs,
  );
  if (row === undefined) throw new RangeError("card: nothing inserted");
  const refused = await tx.get(cardQuarantined, card.tenantId, card.cardId);
  const head = freshHead(card.openingBalance, card.openingBalance);
  const made: CardRecord = {
    cardNo: row.card_no,
    tenantId: card.tenantId,
    cardId: card.cardId,
    memberNo: card.memberNo,
    userId: card.userId,
    status: 0,
    keyVersion: card.keyVersion,
    createdAtSec: card.createdAtSec,
    expiresAtSec: card.expiresAtSec,
    blockedAtSec: null,
    replacesNo: card.replacesNo,
    replacedByNo: null,
    needsValidation: false,
    head: { ...head, quarantined: refused?.quarantined === 1 },
  };
  await tx.run(headInsert, ...headParams(made));
  return made;
}

export async function writeHead(tx: Writer, card: CardRecord): Promise<void> {
  await tx.run(headUpdate, ...headParams(card));
}

/** As `writeHead`, over many cards. */
export const writeHeads = (tx: Writer, cards: readonly CardRecord[]): Promise<void> =>
  tx.many(headUpdate, cards.map(headParams));

export async function writeCard(tx: Writer, card: CardRecord): Promise<void> {
  await tx.run(
    cardUpdate,
    card.cardNo,
    card.tenantId,
    card.status,
    card.keyVersion,
    card.blockedAtSec,
    card.replacedByNo,
    card.needsValidation ? 1 : 0,
  );
}

/** Why a card is blocked and who said so, for its record. */
export async function writeBlockNote(
  tx: Writer,
  card: Pick<CardRecord, "cardNo" | "tenantId">,
  reason: string,
  by: string,
): Promise<void> {
  await tx.run(cardBlockNote, card.cardNo, card.tenantId, reason, by);
}

export type ChangeKind =
  | "registered"
  | "topup"
  | "topup_cancelled"
  | "report"
  | "status"
  | "decision"
  | "rekey"
  | "reissue"
  | "refund";

export interface Change {
  readonly atMs: number;
  readonly kind: ChangeKind;
  readonly terminalId: number | null;
  readonly actor: string;
  readonly amount: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export async function addChange(
  tx: Writer,
  card: Pick<CardRecord, "cardNo" | "tenantId">,
  change: Change,
): Promise<void> {
  const { atMs, kind, terminalId, actor, amount, detail } = change;
  await tx.run(
    cardChangeInsert,
    card.tenantId,
    card.cardNo,
    atMs,
    kind,
    terminalId,
    actor,
    amount,
    JSON.stringify(detail),
  );
}

export const readDetail = (q: Reader, tenantId: number, cardId: string) =>
  q.get(cardDetail, tenantId, cardId);

export const readExpired = (q: Reader, nowSec: number, limit: number) =>
  q.all(cardsExpired, nowSec, limit);

/** Number and sum of the card's pending top-ups. */
export const readPending = async (
  q: Reader,
  card: Pick<CardRecord, "cardNo" | "tenantId">,
): Promise<{ count: number; amount: number }> =>
  (await q.get(cardPending, card.tenantId, card.cardNo)) ?? { count: 0, amount: 0 };
