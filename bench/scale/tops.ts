/** What a history must know of each card while it is written: one number a card in each list. */

/** Events of top-ups: which one, and when it was taken; 0 before it came. */
export class Credits {
  readonly event: Uint32Array;
  readonly atSec: Uint32Array;

  constructor(count: number) {
    this.event = new Uint32Array(count);
    this.atSec = new Uint32Array(count);
  }
}

/** What the newest event of each card left, for the next one and for the head. */
export class Tops {
  readonly eventId: Uint32Array;
  readonly type: Uint8Array;
  readonly amount: Uint32Array;
  readonly hash: Float64Array;
  readonly start: Uint32Array;
  readonly state: Uint8Array;
  readonly flags: Uint32Array;
  /** The newest week with a debit, and its seven days. */
  readonly week: Uint32Array;
  readonly days: Uint32Array;

  constructor(count: number) {
    this.eventId = new Uint32Array(count);
    this.type = new Uint8Array(count);
    this.amount = new Uint32Array(count);
    this.hash = new Float64Array(count);
    this.start = new Uint32Array(count);
    this.state = new Uint8Array(count);
    this.flags = new Uint32Array(count);
    this.week = new Uint32Array(count);
    this.days = new Uint32Array(count * 7);
  }

  daysOf(index: number): Days {
    const { days } = this;
    const at = (day: number): number => days[index * 7 + day] ?? 0;
    return [at(0), at(1), at(2), at(3), at(4), at(5), at(6)];
  }
}

type Days = [number, number, number, number, number, number, number];
