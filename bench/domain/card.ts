/**
 * The cards of the benchmark as their chips would be: each knows its own chain, balance and session and
 * writes its next event, hash included. What a server must then say of a card follows from it. Cards
 * and amounts are made so that nothing is flagged but debits above the single limit, on purpose.
 */
import type { EventType } from "../../src/domain/chain.ts";
import {
  deltaTime,
  EVENT_CODE,
  entryHash,
  hashHex,
  OFFLINE,
  SUSPECT,
  startMarker,
} from "../../src/domain/chain.ts";
import type { IncomingEvent } from "../../src/domain/event.ts";
import {
  type CardState,
  CHECKED_IN,
  CHECKED_OUT,
  IDLE,
  STATE_NAME,
  stateAfter,
} from "../../src/domain/state.ts";
import type { Random } from "./random.ts";

/** Amounts in minor units. */
export const openingMinor = 3_000_000;
/** A second, pending top-up that every fourth card still has to fetch. */
export const extraMinor = 50_000;
export const singleTxLimitMinor = 40_000;
export const dailyLimitMinor = 2_000_000;
const debitMinMinor = 500;
const debitMaxMinor = 30_000;
const overLimitMaxMinor = 60_000;
/** A debit above the single limit, one in so many. */
const overLimitEvery = 500;

/** Seconds back from the making of the venue to its first events. */
export const openedBeforeSec = 6 * 3_600;

const firstId = 0x10_0000_0000;

/** Id of card `index`: 12 hex digits, spread over the range so that neighbours differ. */
export const cardIdOf = (index: number): string =>
  ((firstId + index * 0x9e3779b1) % 0x1_0000_0000_0000).toString(16).padStart(12, "0");

export const openingTimeSec = (index: number, openSec: number): number => openSec + (index % 600);
export const hasExtra = (index: number): boolean => index % 4 === 0;

/** An event as its chip knows it; one object that the next event changes. */
class Written implements IncomingEvent {
  index = 0;
  counter = 0;
  type: EventType = "admin";
  amount = 0;
  balanceAfter = 0;
  timestamp = 0;
  hash = 0;
  /** Start of the session, UTC seconds; 0 before the first. */
  start = 0;
  state: CardState = IDLE;

  get cardId(): string {
    return cardIdOf(this.index);
  }
}

/** What a server has to answer about a card. */
export interface CardFacts {
  readonly cardId: string;
  readonly counter: number;
  readonly chipBalance: number;
  readonly balance: number;
  readonly lastActivity: number;
  readonly state: string;
}

export class Cards {
  readonly count: number;
  #openSec: number;
  /** No event is later than this. */
  #closeSec: number;
  readonly #random: Random;
  readonly #counter: Uint32Array;
  readonly #balance: Uint32Array;
  readonly #spent: Uint32Array;
  readonly #time: Uint32Array;
  readonly #start: Uint32Array;
  readonly #hash: Float64Array;
  readonly #state: Uint8Array;
  /** Debits that are left in the session. */
  readonly #left: Uint8Array;
  /** Pending top-ups that are left. */
  readonly #extra: Uint8Array;
  /** Flagged, by what is to be answered: set by the debit that was made last. */
  lastIsOverLimit = false;
  /** The event that was written last; changes with the next. */
  readonly last = new Written();
  debitedMinor = 0;
  creditedMinor = 0;
  made = 0;

  /** Cards of which none has an event yet; `openingEvent` of each comes first. */
  constructor(count: number, openSec: number, random: Random) {
    this.count = count;
    this.#openSec = openSec;
    this.#closeSec = openSec + openedBeforeSec - 60;
    this.#random = random;
    this.#counter = new Uint32Array(count);
    this.#balance = new Uint32Array(count);
    this.#spent = new Uint32Array(count);
    this.#time = new Uint32Array(count);
    this.#start = new Uint32Array(count);
    this.#hash = new Float64Array(count);
    this.#state = new Uint8Array(count).fill(IDLE);
    this.#left = new Uint8Array(count);
    this.#extra = Uint8Array.from({ length: count }, (_, index) => (hasExtra(index) ? 1 : 0));
  }

  /** Cards of a venue that is open: every one has its opening credit. */
  static opened(count: number, openSec: number, random: Random): Cards {
    const cards = new Cards(count, openSec, random);
    for (let index = 0; index < count; index++) cards.openingEvent(index);
    cards.made = 0;
    cards.creditedMinor = 0;
    return cards;
  }

  /** The next day of the venue: nobody has spent anything, sessions that are open just end. */
  open(openSec: number): void {
    this.#openSec = openSec;
    this.#closeSec = openSec + openedBeforeSec - 60;
    this.#spent.fill(0);
    this.#left.fill(0);
    for (let index = 0; index < this.count; index++) {
      this.#time[index] = openingTimeSec(index, openSec);
    }
  }

  /** Whether the second top-ups wait for their cards. */
  offerExtras(offered: boolean): void {
    for (let index = 0; index < this.count; index++) {
      this.#extra[index] = offered && hasExtra(index) ? 1 : 0;
    }
  }

  /** Writes the credit of a card's first top-up. */
  begin(index: number): void {
    this.#time[index] = openingTimeSec(index, this.#openSec);
    this.lastIsOverLimit = false;
    this.#write(index, "credit", openingMinor, OFFLINE);
  }

  /** The credit of a card's first top-up, as JSON. */
  openingEvent(index: number): string {
    this.begin(index);
    return this.#json();
  }

  /** The next event of a card, as JSON. */
  next(index: number): string {
    this.step(index);
    return this.#json();
  }

  /** Writes the next event of a card. */
  step(index: number): void {
    const random = this.#random;
    const now = (this.#time[index] ?? 0) + 1 + random.below(8);
    this.#time[index] = Math.min(now, this.#closeSec);
    this.lastIsOverLimit = false;
    const flags = random.once(10) ? (random.once(4) ? OFFLINE | SUSPECT : 0) : OFFLINE;
    const state = this.#state[index];
    if ((this.#extra[index] ?? 0) > 0 && random.once(12)) {
      this.#extra[index] = 0;
      this.#write(index, "credit", extraMinor, flags);
    } else if (state === CHECKED_IN) {
      const amount = (this.#left[index] ?? 0) > 0 ? this.#debit(index) : 0;
      if (amount > 0) this.#left[index] = (this.#left[index] ?? 0) - 1;
      this.#write(index, amount === 0 ? "checkout" : "debit", amount, flags);
    } else if (state === CHECKED_OUT && random.once(4)) this.#write(index, "admin", 0, flags);
    else {
      this.#left[index] = 3 + random.below(7);
      this.#write(index, "checkin", 0, flags);
    }
  }

  /** What is paid: never more than the card has or the day allows, 0 when that is used up. */
  #debit(index: number): number {
    const random = this.#random;
    const rest = dailyLimitMinor - (this.#spent[index] ?? 0);
    const most = Math.min(this.#balance[index] ?? 0, rest);
    let amount = debitMinMinor + random.below(debitMaxMinor - debitMinMinor);
    if (random.once(overLimitEvery)) {
      amount = singleTxLimitMinor + 1 + random.below(overLimitMaxMinor - singleTxLimitMinor);
    }
    // Cards that run low pay less, so that a long run stays one of accepted debits.
    if (amount > most / 32) amount = Math.min(most, 1 + Math.floor(most / 32));
    this.lastIsOverLimit = amount > singleTxLimitMinor;
    return amount;
  }

  #write(index: number, type: EventType, amount: number, chipFlags: number): void {
    const time = this.#time[index] ?? 0;
    const counter = (this.#counter[index] ?? 0) + 1;
    let balance = this.#balance[index] ?? 0;
    if (type === "debit") {
      balance -= amount;
      this.#spent[index] = (this.#spent[index] ?? 0) + amount;
      this.debitedMinor += amount;
    } else if (type === "credit") {
      balance += amount;
      this.creditedMinor += amount;
    }
    const isCheckin = type === "checkin";
    if (isCheckin) this.#start[index] = time;
    const start = this.#start[index] ?? 0;
    const delta = isCheckin ? 0 : deltaTime(time, start);
    const previous = isCheckin ? startMarker(time) : (this.#hash[index] ?? 0);
    const hash = entryHash(delta, amount, balance, EVENT_CODE[type] | chipFlags, previous);
    this.#counter[index] = counter;
    this.#balance[index] = balance;
    this.#hash[index] = hash;
    const state = stateAfter(this.#stateOf(index), type);
    this.#state[index] = state;
    this.made += 1;
    const { last } = this;
    last.index = index;
    last.counter = counter;
    last.type = type;
    last.amount = amount;
    last.balanceAfter = balance;
    last.timestamp = time;
    last.hash = hash;
    last.start = start;
    last.state = state;
  }

  #json(): string {
    const { cardId, counter, type, amount, balanceAfter, timestamp, hash } = this.last;
    return (
      `{"cardId":"${cardId}","counter":${counter},"type":"${type}","amount":${amount},` +
      `"balanceAfter":${balanceAfter},"timestamp":${timestamp},"hash":"${hashHex(hash)}"}`
    );
  }

  /** All that the cards know, in the order in which `restore` reads it; made for one machine. */
  dump(): Uint8Array[] {
    return this.#arrays().map(
      (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    );
  }

  /** Cards as they were when `dump` was called; they count from here. @throws on another length */
  restore(bytes: Uint8Array): void {
    let at = 0;
    for (const own of this.dump()) {
      own.set(bytes.subarray(at, at + own.length));
      at += own.length;
    }
    if (at !== bytes.length) throw new RangeError(`cards: ${bytes.length} bytes, ${at} expected`);
  }

  #arrays() {
    return [
      ...[this.#counter, this.#balance, this.#spent, this.#time, this.#start, this.#hash],
      ...[this.#state, this.#left, this.#extra],
    ];
  }

  #stateOf(index: number): CardState {
    const state = this.#state[index];
    return state === CHECKED_IN || state === CHECKED_OUT ? state : IDLE;
  }

  counterOf(index: number): number {
    return this.#counter[index] ?? 0;
  }

  facts(index: number): CardFacts {
    const chipBalance = this.#balance[index] ?? 0;
    return {
      cardId: cardIdOf(index),
      counter: this.counterOf(index),
      chipBalance,
      balance: chipBalance + (this.#extra[index] ?? 0) * extraMinor,
      lastActivity: this.#time[index] ?? 0,
      state: STATE_NAME[this.#stateOf(index)],
    };
  }
}
