/**
 * A chip's log, written by hand: each call makes the next event as a lawful terminal would, with a hash
 * that fits. No image and no key; what a test wants wrong it changes in the event it got.
 */
import {
  deltaTime,
  EVENT_CODE,
  type EventType,
  entryHash,
  hashHex,
  OFFLINE,
  SUSPECT,
  startMarker,
} from "../src/domain/chain.ts";
import type { WireEvent } from "../src/sim/happened.ts";

export type { WireEvent } from "../src/sim/happened.ts";

export interface Written {
  /** Default: a minute after the event before. */
  readonly at?: number;
  /** Flag bits besides the type; default offline. */
  readonly bits?: number;
  /** Counters left out below this event. */
  readonly skip?: number;
}

/** Values that a chip holds between two writes. */
interface Chip {
  counter: number;
  balance: number;
  hash: number;
  startTime: number;
  timestamp: number;
}

export class Chain {
  readonly #chip: Chip;

  constructor(
    readonly cardId: string,
    chip: Partial<Chip> = {},
  ) {
    this.#chip = { counter: 0, balance: 0, hash: 0, startTime: 0, timestamp: 0, ...chip };
  }

  get balance(): number {
    return this.#chip.balance;
  }

  get counter(): number {
    return this.#chip.counter;
  }

  /** A copy of the chip as it is: what a clone or a rolled-back buffer goes on from. */
  fork(): Chain {
    return new Chain(this.cardId, this.#chip);
  }

  /** Any event, lawful or not. */
  write(type: EventType, amount: number, balanceAfter: number, how: Written = {}): WireEvent {
    const chip = this.#chip;
    const { at: timestamp = chip.timestamp + 60, bits = OFFLINE, skip = 0 } = how;
    const first = chip.counter === 0 || type === "checkin";
    if (type === "checkin") chip.startTime = timestamp;
    const previous = first ? startMarker(chip.startTime) : chip.hash;
    const delta = deltaTime(timestamp, chip.startTime);
    chip.hash = entryHash(delta, amount, balanceAfter, EVENT_CODE[type] | bits, previous);
    chip.counter += 1 + skip;
    chip.balance = balanceAfter;
    chip.timestamp = timestamp;
    const { cardId } = this;
    const hash = hashHex(chip.hash);
    return { cardId, counter: chip.counter, type, amount, balanceAfter, timestamp, hash };
  }

  checkin(how?: Written): WireEvent {
    return this.write("checkin", 0, this.balance, how);
  }

  checkout(how?: Written): WireEvent {
    return this.write("checkout", 0, this.balance, how);
  }

  admin(how?: Written): WireEvent {
    return this.write("admin", 0, this.balance, how);
  }

  debit(amount: number, how?: Written): WireEvent {
    return this.write("debit", amount, this.balance - amount, how);
  }

  credit(amount: number, how?: Written): WireEvent {
    return this.write("credit", amount, this.balance + amount, how);
  }
}

export { OFFLINE, SUSPECT };
