/**
 * Token buckets in memory, bounded in number. A bucket is one number: the moment at which it is full
 * again (the "theoretical arrival time" of GCRA, ITU-T I.371), so a full bucket need not be kept.
 * Knows no clock: time is handed in.
 */
const minuteMs = 60_000;
/** Sums of thirds of a second are not exact; a microsecond more or less is nobody's. */
const roundingMs = 0.001;
/** Of a table that is full, at least this part is freed at once, so that a sweep is rare. */
const sweepPart = 8;

export class Buckets {
  readonly #fullAtMs = new Map<string, number>();

  /** @param countMax buckets kept at most. */
  constructor(readonly countMax: number) {}

  get count(): number {
    return this.#fullAtMs.size;
  }

  /**
   * Takes one token from the bucket of `key`, which holds `limit` and refills evenly in a window.
   * @param limit 0 = off: everything passes.
   * @returns 0 = taken; else the whole seconds ≥ 1 after which one token is there.
   */
  take(key: string, limit: number, nowMs: number, windowMs = minuteMs): number {
    if (limit <= 0) return 0;
    const waitMs = this.waitMs(key, limit, nowMs, windowMs);
    if (waitMs > 0) return Math.max(1, Math.ceil(waitMs / 1000));
    const known = this.#fullAtMs.get(key);
    if (known === undefined && this.#fullAtMs.size >= this.countMax) this.#sweep(nowMs);
    this.#fullAtMs.set(key, fullAt(known, nowMs, windowMs) + windowMs / limit);
    return 0;
  }

  /** Until there is a token in the bucket of `key`; takes none. 0 = there is one. */
  waitMs(key: string, limit: number, nowMs: number, windowMs = minuteMs): number {
    if (limit <= 0) return 0;
    const known = this.#fullAtMs.get(key);
    const waitMs = fullAt(known, nowMs, windowMs) + windowMs / limit - windowMs - nowMs;
    return waitMs > roundingMs ? waitMs : 0;
  }

  /** Puts back one token that was taken for a call which was then refused elsewhere. */
  giveBack(key: string, limit: number, windowMs = minuteMs): void {
    const known = this.#fullAtMs.get(key);
    if (known !== undefined && limit > 0) this.#fullAtMs.set(key, known - windowMs / limit);
  }

  /**
   * Drops full buckets, then those nearest to full. A bucket that someone has drained goes last, so
   * a flood of other keys does not refill it.
   */
  #sweep(nowMs: number): void {
    const keep = this.countMax - Math.ceil(this.countMax / sweepPart);
    for (let debtMs = 0; this.#fullAtMs.size > keep; debtMs = debtMs === 0 ? 1000 : debtMs * 2) {
      for (const [key, fullAtMs] of this.#fullAtMs) {
        if (fullAtMs - nowMs <= debtMs) this.#fullAtMs.delete(key);
        if (debtMs > 0 && this.#fullAtMs.size <= keep) return;
      }
    }
  }
}

/** One that is full later than a whole window from now is of a clock that was set back: it is forgotten. */
const fullAt = (known: number | undefined, nowMs: number, windowMs: number): number =>
  known === undefined || known < nowMs || known > nowMs + windowMs + roundingMs ? nowMs : known;
