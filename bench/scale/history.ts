/**
 * The events of a long history as rows, the way reconciliation leaves them: batches of 500 by random
 * terminals, each of different cards in random order, so that a card's events lie far apart in the
 * file; real chain hashes, back pointers, places, flags, weeks that left the head, settlement. What is
 * not repeated: reading, judging, and the digest of a body that nobody sent (32 random bytes).
 */
import { placeEvery } from "../../schema/bound.ts";
import { batchInsert } from "../../schema/query/batch.ts";
import { debitWeekPut, headInsert, headThroughPut } from "../../schema/query/card.ts";
import { eventInsert, placeInsert } from "../../schema/query/event.ts";
import { flagInsert } from "../../schema/query/flag.ts";
import { txnStatus, walletAdd } from "../../schema/query/money.ts";
import { settlementAdd } from "../../schema/query/settlement.ts";
import { topupSettle } from "../../schema/query/topup.ts";
import { weekdayOf, weekOf } from "../../src/domain/calendar.ts";
import { EVENT_CODE } from "../../src/domain/chain.ts";
import { bit, severityOf } from "../../src/domain/flag.ts";
import { Tally } from "../../src/domain/tally.ts";
import { evidenceOf } from "../../src/feature/flag/service.ts";
import { extraMinor, hasExtra, singleTxLimitMinor } from "../domain/card.ts";
import type { Random } from "../domain/random.ts";
import type { Device, Ground } from "./ground.ts";
import { Credits, Tops } from "./tops.ts";

const batchEvents = 500;
const overLimit = "single_tx_limit_exceeded";

/** An event that an operator must see. */
interface Shown {
  readonly eventId: number;
  readonly index: number;
  readonly cardId: string;
  readonly counter: number;
  readonly amount: number;
  readonly evidence: { readonly [name: string]: unknown };
}

export class History {
  readonly #order: Uint32Array;
  readonly #terminals: readonly Device[];
  readonly #openings: Credits;
  readonly #extras: Credits;
  readonly #tops: Tops;
  readonly #run;
  /** Number of the first second top-up, once they are made. */
  firstExtraNo = 0;
  #eventId: number;
  #batchNo: number;
  /** No event yet is later. */
  #latestSec = 0;
  #receivedSec = 0;
  #shown: Shown[] = [];

  constructor(
    readonly ground: Ground,
    readonly draw: Random,
  ) {
    const { bulk, cards, devices } = ground;
    this.#order = Uint32Array.from({ length: cards.count }, (_, index) => index);
    this.#terminals = devices.filter(({ role }) => role === "terminal");
    this.#openings = new Credits(cards.count);
    this.#extras = new Credits(cards.count);
    this.#tops = new Tops(cards.count);
    this.#run = {
      event: bulk.use(eventInsert),
      place: bulk.use(placeInsert),
      week: bulk.use(debitWeekPut),
      batch: bulk.use(batchInsert),
      flag: bulk.use(flagInsert),
      wallet: bulk.use(walletAdd),
      settle: bulk.use(settlementAdd),
    };
    this.#eventId = bulk.last("event", "event_id");
    this.#batchNo = bulk.last("batch", "batch_no");
  }

  /** The first events of a day of the venue are not later than this. */
  open(latestSec: number): void {
    this.#latestSec = latestSec;
  }

  /** One event of each of `count` cards, drawn anew: all of them, or some. */
  round(count: number): void {
    const { draw } = this;
    const order = this.#order;
    // A card's next event is at most eight seconds after its last.
    this.#receivedSec = this.#latestSec + 9;
    for (let at = 0; at < count; at++) {
      const other = at + draw.below(order.length - at);
      const drawn = order[other] ?? 0;
      order[other] = order[at] ?? 0;
      order[at] = drawn;
    }
    for (let from = 0; from < count; from += batchEvents) {
      this.#batch(order.subarray(from, Math.min(count, from + batchEvents)));
    }
  }

  #batch(drawn: Uint32Array): void {
    const { cards, calendar } = this.ground;
    const device = this.#terminals[this.draw.below(this.#terminals.length)];
    if (device === undefined) throw new Error("a venue needs a terminal");
    this.#batchNo += 1;
    this.#shown = [];
    const first = this.#eventId + 1;
    const tally = new Tally(calendar, this.#receivedSec);
    for (const index of drawn) {
      if (cards.counterOf(index) === 0) cards.begin(index);
      else cards.step(index);
      const { last } = cards;
      if (last.timestamp > this.#latestSec) this.#latestSec = last.timestamp;
      tally.accept(last, false);
      this.#event(index, device);
      if (cards.lastIsOverLimit) tally.flag(last);
    }
    this.#enter(device, first, drawn.length, tally);
  }

  #event(index: number, device: Device): void {
    const { tenantId, firstCardNo, cards } = this.ground;
    const { last, lastIsOverLimit } = cards;
    const { counter, type, amount, balanceAfter, timestamp, hash, start, state } = last;
    this.#eventId += 1;
    const [id, tops, code] = [this.#eventId, this.#tops, EVENT_CODE[type]];
    const cardNo = firstCardNo + index;
    const flags = lastIsOverLimit ? bit(overLimit) : 0;
    const topupNo = type === "credit" ? this.#credit(index, amount) : null;
    const booking = type === "debit" ? 1 : topupNo === null ? 0 : 2;
    const prev = tops.eventId[index] ?? 0;
    this.#run.event(
      ...[id, tenantId, cardNo, this.#batchNo, device.device_no],
      ...[counter, code, amount, balanceAfter, timestamp, hash],
      ...[flags, 1, start, state, prev, 0, booking, topupNo],
    );
    if (counter % placeEvery === 0) this.#run.place(cardNo, 0, counter, id, tenantId);
    if (type === "debit") this.#spend(index, timestamp, amount);
    tops.eventId[index] = id;
    tops.type[index] = code;
    tops.amount[index] = amount;
    tops.hash[index] = hash;
    tops.start[index] = start;
    tops.state[index] = state;
    tops.flags[index] = flags;
    if (!lastIsOverLimit) return;
    const evidence = evidenceOf(last, { limit: singleTxLimitMinor, total: amount });
    this.#shown.push({ eventId: id, index, cardId: last.cardId, counter, amount, evidence });
  }

  /** Number of the top-up that a credit settles. */
  #credit(index: number, amount: number): number {
    const isExtra = amount === extraMinor;
    const credits = isExtra ? this.#extras : this.#openings;
    credits.event[index] = this.#eventId;
    credits.atSec[index] = this.#receivedSec;
    return isExtra ? this.#extraNo(index) : this.ground.firstTxnNo + index;
  }

  /** Every fourth card has one, in their order. */
  #extraNo(index: number): number {
    return this.firstExtraNo + index / 4;
  }

  /** A week that is over leaves the head for a row of its own. */
  #spend(index: number, timestamp: number, amount: number): void {
    const { calendar, tenantId, firstCardNo } = this.ground;
    const { week: weeks, days } = this.#tops;
    const day = calendar.dayOf(timestamp);
    const week = weekOf(day);
    const before = weeks[index] ?? 0;
    if (week !== before) {
      if (before > 0) {
        this.#run.week(firstCardNo + index, before, tenantId, ...this.#tops.daysOf(index));
      }
      days.fill(0, index * 7, index * 7 + 7);
      weeks[index] = week;
    }
    const at = index * 7 + weekdayOf(day);
    days[at] = (days[at] ?? 0) + amount;
  }

  /** The batch's own rows, and the other side of what its events book. */
  #enter(device: Device, first: number, accepted: number, tally: Tally): void {
    const { tenantId, random, record } = this.ground;
    const { device_no: deviceNo, device_id: deviceId, terminal_id: terminalId } = device;
    const nowMs = this.#receivedSec * 1000;
    const batchId = random.uuid(nowMs);
    const { flaggedEvents: flagged, debited: debitAmount, credits: creditAmount } = tally;
    const totals = { accepted, rejected: 0, flagged, debitAmount, creditAmount };
    const facts = { batchId, terminalId, ...totals };
    const digest = random.bytes(32);
    const action = "fleet.batch.reconciled";
    const seq = record.append({
      ...{ atMs: nowMs, action, entityType: "batch", entityId: batchId },
      actor: { type: "device", id: deviceId },
      metadata: { ...facts, digest: digest.toHex() },
    });
    const sums = [accepted, accepted, 0, flagged, debitAmount, creditAmount] as const;
    const from = [this.#batchNo, batchId, tenantId, deviceNo, nowMs] as const;
    this.#run.batch(...from, ...sums, digest, 1, first, seq);
    this.#run.wallet(tenantId, device.settlement_wallet_no, debitAmount, 0, 0, nowMs);
    for (const [day, t] of tally.days) {
      const debits = [t.debits, t.debitAmount, t.credits, t.creditAmount] as const;
      const rest = [0, 0, t.rejected, t.flagged, t.lateEvents] as const;
      this.#run.settle(tenantId, day, deviceNo, t.checkins, t.checkouts, ...debits, ...rest);
    }
    for (const shown of this.#shown) this.#raise(shown, device, nowMs);
    record.publish(action, facts, nowMs);
  }

  #raise(shown: Shown, device: Device, nowMs: number): void {
    const { tenantId, random, record, firstCardNo } = this.ground;
    const { eventId, index, cardId, counter, amount, evidence } = shown;
    const flagId = random.uuid(nowMs);
    const kind = "flag";
    const severity = severityOf(overLimit);
    const of = [firstCardNo + index, cardId, device.device_no, eventId, null] as const;
    const what = [kind, overLimit, severity] as const;
    const rest = [this.#batchNo, counter, amount, nowMs, JSON.stringify(evidence)] as const;
    this.#run.flag(flagId, tenantId, ...what, ...of, ...rest);
    const terminalId = device.terminal_id;
    const data = { flagId, kind, reason: overLimit, severity, cardId, terminalId };
    record.publish("fleet.flag.raised", data, nowMs);
  }

  /** Heads as the last events left them, and the top-ups that were settled, in the order of the keys. */
  close(): void {
    for (let index = 0; index < this.ground.cards.count; index++) this.#head(index);
    this.ground.bulk.use(headThroughPut)(this.#eventId);
    for (let index = 0; index < this.ground.cards.count; index++) {
      this.#settled(this.ground.firstTxnNo + index, this.#openings, index);
    }
    for (let index = 0; index < this.ground.cards.count; index++) {
      if (hasExtra(index)) this.#settled(this.#extraNo(index), this.#extras, index);
    }
  }

  #settled(topupNo: number, credits: Credits, index: number): void {
    const { bulk, tenantId } = this.ground;
    const eventId = credits.event[index] ?? 0;
    if (eventId === 0) return;
    const atMs = (credits.atSec[index] ?? 0) * 1000;
    bulk.use(txnStatus)(tenantId, topupNo, "completed", atMs);
    bulk.use(topupSettle)(tenantId, topupNo, "event", eventId);
  }

  #head(index: number): void {
    const { bulk, tenantId, firstCardNo, cards } = this.ground;
    const t = this.#tops;
    const { counter, chipBalance, balance, lastActivity } = cards.facts(index);
    const state = t.state[index] ?? 0;
    const start = t.start[index] ?? 0;
    const hash = t.hash[index] ?? 0;
    bulk.use(headInsert)(
      ...([firstCardNo + index, tenantId, t.eventId[index] ?? 0, counter] as const),
      ...([t.type[index] ?? 0, t.amount[index] ?? 0, chipBalance, lastActivity, hash] as const),
      ...([t.flags[index] ?? 0, 1, start, state, state, counter, 0, counter, 0, 0] as const),
      ...([chipBalance, balance - chipBalance, 0, t.week[index] ?? 0] as const),
      ...t.daysOf(index),
      t.eventId[index] ?? 0,
    );
  }
}
