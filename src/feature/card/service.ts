/**
 * Cards: registering, reading, blocking, rekeying, expiring. Money is not moved here; top-ups, reissue
 * and reconciliation are features of their own and use the same book of cards.
 */
import type { Actor } from "../../domain/audit.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import { refuseRegister, refuseRekey } from "../../domain/card.ts";
import {
  ACTIVE,
  type CardRecord,
  chipBalance,
  effectiveStatus,
  STATUS_NAME,
  type StatusCode,
  worth,
} from "../../domain/cardrecord.ts";
import { reasonsOf } from "../../domain/flag.ts";
import type { DeviceIdentity } from "../../domain/identity.ts";
import { Problem } from "../../domain/problem.ts";
import { Refused } from "../../domain/refused.ts";
import { STATE_NAME } from "../../domain/state.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import type { AuditService } from "../audit/service.ts";
import type { BlocklistService } from "../blocklist/service.ts";
import type { EventService } from "../event/service.ts";
import type { KeyService } from "../key/service.ts";
import type { MemberService } from "../member/service.ts";
import { type BookOptions, cardBook } from "./book.ts";
import { readEvent, readNewest, readRun, type StoredEvent } from "./history.ts";
import { type CardFilter, type CardShown, cardList } from "./list.ts";
import {
  addChange,
  type ChangeKind,
  readActiveCards,
  readDetail,
  readExpired,
  readPending,
  writeBlockNote,
} from "./store.ts";
import {
  countLine,
  readLine,
  type TimelineEntry,
  type TimelineFilter,
  wholeTimeline,
} from "./timeline.ts";

export interface CardDeps {
  readonly store: Store;
  readonly random: Random;
  readonly audit: AuditService;
  readonly event: EventService;
  readonly member: MemberService;
  readonly blocklist: BlocklistService;
  readonly key: KeyService;
  /** How cards are kept in memory; default the bounds. */
  readonly book?: BookOptions;
}

/** Who does it: a device online, an operator, or the server by itself. */
export interface Doer {
  readonly actor: Actor;
  readonly terminalId: number | null;
  /** From where, of an operator's call. */
  readonly by?: By;
}

export const deviceDoer = (device: DeviceIdentity): Doer => ({
  actor: { type: "device", id: device.deviceId },
  terminalId: device.terminalId,
});
const serverDoer: Doer = { actor: { type: "system", id: "server" }, terminalId: null };

export interface RegisterInput {
  readonly cardId: string;
  readonly userId: number;
  readonly name: string;
  readonly createdAt: number;
  readonly keyVersion: number;
  readonly expiresAt?: number;
}

/** What is told of a change to a card, in its timeline, the audit record and the event log. */
export interface CardNote {
  readonly kind: ChangeKind;
  readonly action: string;
  readonly amount?: number;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Data of the event; none is published without it. */
  readonly data?: Readonly<Record<string, unknown>>;
}

const expireAtOnce = 500;

/** A turn of the writer that reads so many cards is short beside one that takes a batch. */
const readAheadAtOnce = 500;

export type { BookOptions, CardFilter, CardShown, TimelineEntry, TimelineFilter };

export type CardService = ReturnType<typeof cardService>;

export function cardService(deps: CardDeps) {
  const { store, random, audit, event, member, blocklist, key } = deps;
  const book = cardBook(deps.book);
  store.keep(book.behind);
  const list = cardList({ store, read: book.read });

  /** Tells of a change in all three places, in the transaction of the change. */
  async function tell(
    tx: Writer,
    card: CardRecord,
    doer: Doer,
    nowMs: number,
    note: CardNote,
  ): Promise<void> {
    const { kind, action, amount = null, detail, data } = note;
    const { tenantId, cardId } = card;
    await addChange(tx, card, {
      atMs: nowMs,
      kind,
      terminalId: doer.terminalId,
      actor: doer.actor.id,
      amount,
      detail,
    });
    const facts = {
      ...detail,
      ...(amount === null ? {} : { amount }),
      terminalId: doer.terminalId,
    };
    const by = recordedBy(doer.by ?? doer);
    await audit.append(tx, {
      tenantId,
      atMs: nowMs,
      action,
      entityType: "card",
      entityId: cardId,
      ...by,
      metadata: { ...facts, ...by.metadata },
    });
    if (data !== undefined) await event.publish(tx, { tenantId, type: action, data, atMs: nowMs });
  }

  /** Blocks an ACTIVE card from `atSec` on. */
  async function setBlocked(
    tx: Writer,
    card: CardRecord,
    status: Exclude<StatusCode, 0>,
    atSec: number,
    reason: string,
    doer: Doer,
    nowMs: number,
    facts: Readonly<Record<string, unknown>> = {},
  ): Promise<CardRecord> {
    const after = await book.put(tx, card, { ...card, status, blockedAtSec: atSec });
    await writeBlockNote(tx, card, reason, doer.actor.id);
    await blocklist.note(tx, card, status, reason, atSec);
    const data = {
      cardId: card.cardId,
      status: STATUS_NAME[status],
      reason,
      terminalId: doer.terminalId,
      actor: { type: doer.actor.type, id: doer.actor.id },
    };
    await tell(tx, card, doer, nowMs, {
      kind: "status",
      action: "fleet.card.blocked",
      detail: { ...facts, status: STATUS_NAME[status], reason },
      data,
    });
    return after;
  }

  /** The card as it is now: an expiry that has come is written down first. */
  async function current(tx: Writer, card: CardRecord, nowMs: number): Promise<CardRecord> {
    const { status, blockedAtSec } = effectiveStatus(card, Math.floor(nowMs / 1000));
    if (status === card.status || status === ACTIVE || blockedAtSec === null) return card;
    return await setBlocked(tx, card, status, blockedAtSec, "expired", serverDoer, nowMs);
  }

  /** The tenant's card, to be changed. @throws Refused card_not_found */
  async function take(
    tx: Writer,
    tenantId: number,
    cardId: string,
    nowMs: number,
  ): Promise<CardRecord> {
    const card = await book.find(tx, tenantId, cardId);
    if (card === undefined) throw new Refused("card_not_found");
    return await current(tx, card, nowMs);
  }

  /** The member's card that may be used now, besides `exceptNo`. */
  async function activeCardOf(
    tx: Writer,
    tenantId: number,
    memberNo: number,
    nowMs: number,
    exceptNo = 0,
  ): Promise<CardRecord | undefined> {
    for (const read of await readActiveCards(tx, tenantId, memberNo)) {
      const card = await book.find(tx, tenantId, read.cardId);
      if (card === undefined) continue;
      const now = await current(tx, card, nowMs);
      if (now.status === ACTIVE && now.cardNo !== exceptNo) return now;
    }
    return undefined;
  }

  /** What the device surface answers about a registered card. */
  const shortView = (card: CardRecord, nowSec: number) => ({
    cardId: card.cardId,
    userId: card.userId,
    status: STATUS_NAME[effectiveStatus(card, nowSec).status],
    balance: worth(card.head),
    createdAt: card.createdAtSec,
  });

  /** @throws Refused card_already_registered · user_has_active_card · invalid_user · invalid_key_version · card_blocked */
  async function register(tx: Writer, device: DeviceIdentity, input: RegisterInput, nowMs: number) {
    const { tenantId } = device;
    const { cardId, userId } = input;
    const holder = await member.find(tx, tenantId, userId);
    const refusal = refuseRegister({
      known: (await book.find(tx, tenantId, cardId)) !== undefined,
      memberStatus: holder?.status,
      memberHasActiveCard:
        holder !== undefined &&
        (await activeCardOf(tx, tenantId, holder.memberNo, nowMs)) !== undefined,
      keyIsActive: await key.isActive(tx, tenantId, input.keyVersion),
      listed: await blocklist.isListedByHand(tx, tenantId, cardId),
    });
    if (refusal !== null || holder === undefined) throw new Refused(refusal ?? "invalid_user");
    const card = await book.add(tx, {
      tenantId,
      cardId,
      walletUuid: random.uuid(nowMs),
      memberNo: holder.memberNo,
      userId,
      name: input.name,
      keyVersion: input.keyVersion,
      createdAtSec: input.createdAt,
      // 0 on the chip means never.
      expiresAtSec: input.expiresAt || null,
      replacesNo: null,
      registeredAtMs: nowMs,
      openingBalance: 0,
    });
    await tell(tx, card, deviceDoer(device), nowMs, {
      kind: "registered",
      action: "fleet.card.registered",
      detail: { userId, keyVersion: input.keyVersion },
      data: { cardId, userId, terminalId: device.terminalId, amount: 0, balance: 0 },
    });
    return shortView(card, Math.floor(nowMs / 1000));
  }

  /** A scout bound to a member sees that member's cards alone. */
  function visible(card: CardRecord | undefined, device: DeviceIdentity): CardRecord {
    const own = device.memberNo === null || card?.memberNo === device.memberNo;
    if (card === undefined || !own) throw new Refused("card_not_found");
    return card;
  }

  /** What `read` answers; `links` and `pending` are not in the card's record. */
  const longView = (
    card: CardRecord,
    nowSec: number,
    links: { readonly replaces?: string | null; readonly replaced_by?: string | null },
    pending: { readonly count: number; readonly amount: number },
  ) => ({
    ...shortView(card, nowSec),
    counter: card.head.top.counter,
    lastActivity: card.head.top.counter === 0 ? card.createdAtSec : card.head.top.timestamp,
    chipBalance: chipBalance(card.head),
    state: STATE_NAME[card.head.shownState],
    pendingTopups: { count: pending.count, amount: pending.amount },
    needsValidation: card.needsValidation,
    expiresAt: card.expiresAtSec,
    ...(links.replaces == null ? {} : { replaces: links.replaces }),
    ...(links.replaced_by == null ? {} : { replacedBy: links.replaced_by }),
  });

  /** Most cards are answered from memory: those that stand for no other and wait for no top-up. */
  async function read(device: DeviceIdentity, cardId: string, nowSec: number) {
    const { tenantId } = device;
    const known = book.peek(tenantId, cardId);
    if (known !== undefined && isAlone(known) && known.head.pending === 0) {
      return longView(visible(known, device), nowSec, {}, noTopups);
    }
    return await store.read(async (q) => {
      const card = visible(await book.read(q, tenantId, cardId), device);
      const links = isAlone(card) ? {} : ((await readDetail(q, tenantId, cardId)) ?? {});
      const pending = card.head.pending === 0 ? noTopups : await readPending(q, card);
      return longView(card, nowSec, links, pending);
    });
  }

  const events = (device: DeviceIdentity, cardId: string, limit: number) =>
    store.read(async (q) => {
      const card = visible(await book.read(q, device.tenantId, cardId), device);
      const newest = await readNewest(q, card, limit);
      return { events: newest.map(eventView) };
    });

  /** Part of what happened to a card, newest first. @throws Refused card_not_found */
  const timelinePage = (
    tenantId: number,
    cardId: string,
    filter: TimelineFilter,
    after: readonly number[] | undefined,
    limit: number,
  ): Promise<TimelineEntry[]> =>
    store.read(async (q) => readLine(q, await known(q, tenantId, cardId), filter, after, limit));

  /** Counted not much further than `limit`. @throws Refused card_not_found */
  const timelineCount = (
    tenantId: number,
    cardId: string,
    filter: TimelineFilter,
    limit: number,
  ): Promise<number> =>
    store.read(async (q) => countLine(q, await known(q, tenantId, cardId), filter, limit));

  /** All that happened to a card, newest first. @throws Refused card_not_found */
  const timeline = (tenantId: number, cardId: string, limit: number): Promise<TimelineEntry[]> =>
    timelinePage(tenantId, cardId, wholeTimeline, undefined, limit);

  async function known(q: Reader, tenantId: number, cardId: string): Promise<CardRecord> {
    const card = await book.read(q, tenantId, cardId);
    if (card === undefined) throw new Refused("card_not_found");
    return card;
  }

  /** A card blocked for another cause keeps its status; the request is recorded all the same. */
  async function block(
    tx: Writer,
    tenantId: number,
    cardId: string,
    as: Exclude<StatusCode, 0>,
    reason: string,
    doer: Doer,
    nowMs: number,
    facts: Readonly<Record<string, unknown>> = {},
  ): Promise<{ card: CardRecord; changed: boolean }> {
    const card = await take(tx, tenantId, cardId, nowMs);
    if (card.status === ACTIVE) {
      const atSec = Math.floor(nowMs / 1000);
      const blocked = await setBlocked(tx, card, as, atSec, reason, doer, nowMs, facts);
      return { card: blocked, changed: true };
    }
    await tell(tx, card, doer, nowMs, {
      kind: "status",
      action: "fleet.card.blocked",
      detail: { ...facts, status: STATUS_NAME[card.status], reason, changed: false },
    });
    return { card, changed: false };
  }

  /**
   * The same for an operator's call, who sees the card. @throws Problem not-found · wrong-state (it was
   * replaced)
   */
  async function blockByOperator(
    tx: Writer,
    tenantId: number,
    cardId: string,
    as: Exclude<StatusCode, 0>,
    reason: string,
    by: By,
    nowMs: number,
  ): Promise<CardShown & { readonly changed: boolean }> {
    const found = await book.find(tx, tenantId, cardId);
    if (found === undefined) throw noCard();
    if (found.replacedByNo !== null) {
      const state = STATUS_NAME[found.status];
      throw new Problem("wrong-state", "The card was replaced by another.", { members: { state } });
    }
    const doer: Doer = { actor: by.actor, terminalId: null, by };
    const { card, changed } = await block(tx, tenantId, cardId, as, reason, doer, nowMs);
    return { ...(await list.after(tx, card, Math.floor(nowMs / 1000))), changed };
  }

  /** The card as operators see it. @throws Problem not-found */
  async function find(tenantId: number, cardId: string, nowSec: number): Promise<CardShown> {
    const card = await list.find(tenantId, cardId, nowSec);
    if (card === undefined) throw noCard();
    return card;
  }

  /** @throws Refused card_not_found · invalid_key_version · card_blocked */
  async function rekey(
    tx: Writer,
    device: DeviceIdentity,
    cardId: string,
    input: { readonly keyVersion: number; readonly operatorId: number; readonly timestamp: number },
    nowMs: number,
  ) {
    const card = await take(tx, device.tenantId, cardId, nowMs);
    const { keyVersion, operatorId } = input;
    if (card.keyVersion === keyVersion) return { cardId, keyVersion };
    const refusal = refuseRekey({
      status: card,
      keyIsActive: await key.isActive(tx, device.tenantId, keyVersion),
    });
    if (refusal !== null) throw new Refused(refusal);
    await book.put(tx, card, { ...card, keyVersion });
    await tell(tx, card, deviceDoer(device), nowMs, {
      kind: "rekey",
      action: "fleet.card.rekeyed",
      detail: { keyVersion, before: card.keyVersion, operatorId },
    });
    return { cardId, keyVersion };
  }

  /** The name that was written on the card. */
  async function nameOf(q: Reader, card: CardRecord): Promise<string> {
    return (await readDetail(q, card.tenantId, card.cardId))?.name ?? "";
  }

  /** Writes down the expiries that have come. Returns how many there were. */
  async function expireDue(nowMs: number): Promise<number> {
    const due = await store.read((q) => readExpired(q, Math.floor(nowMs / 1000), expireAtOnce));
    if (due.length === 0) return 0;
    await store.write(
      async (tx) => {
        for (const row of due) {
          const card = await book.find(tx, row.tenant_id, row.card_id);
          if (card !== undefined) await current(tx, card, nowMs);
        }
      },
      { weight: due.length },
    );
    return due.length;
  }

  /** Finds out which heads a stop without warning left behind; what is read for change needs it. */
  const recover = (): Promise<void> => store.write((tx) => book.recover(tx));

  /** Takes all cards into memory, a few at a time, so that none has to be read when it is used. */
  async function readAhead(): Promise<void> {
    for (let from = 0; ; ) {
      from = await store.write((tx) => book.readAhead(tx, from, readAheadAtOnce));
      if (from === 0) return;
    }
  }

  return {
    book,
    recover,
    readAhead,
    tell,
    addChange,
    setBlocked,
    current,
    take,
    activeCardOf,
    shortView,
    register,
    read,
    events,
    timeline,
    timelinePage,
    timelineCount,
    list: list.list,
    find,
    block,
    blockByOperator,
    rekey,
    nameOf,
    expireDue,
    readEvent,
    readRun,
    readNewest,
  };
}

const noCard = (): Problem => new Problem("not-found", "There is no such card.");

const noTopups = { count: 0, amount: 0 } as const;

/** It replaces no card and was not replaced. */
const isAlone = ({ replacesNo, replacedByNo }: CardRecord): boolean =>
  replacesNo === null && replacedByNo === null;

const eventView = (e: StoredEvent) => ({
  counter: e.counter,
  type: e.type,
  amount: e.amount,
  balanceAfter: e.balanceAfter,
  timestamp: e.timestamp,
  flags: reasonsOf(e.flags),
});
