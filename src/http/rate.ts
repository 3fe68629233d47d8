/**
 * Token buckets in memory, bounded in number. A bucket is one number: the moment at which it is full
 * again (the "theoretical arrival time" of GCRA, ITU-T I.371), so a full bucket need not be kept.
 * Knows no clock: time is handed in.
 */
const minuteMs = 60_000;
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
   * Takes one token from the bucket of `key`, which holds `perMin` and refills evenly in a minute.
   * @param perMin 0 = off: everything passes.
   * @returns 0 = taken; else the whole seconds ≥ 1 after which one token is there.
   */
  take(key: string, perMin: number, nowMs: number): number {
    if (perMin <= 0) return 0;
    const known = this.#fullAtMs.get(key);
    const tokenMs = minuteMs / perMin;
    // A clock that was set back must not lock anyone out for longer than a bucket lasts.
    const fullAtMs =
      known === undefined || known < nowMs ? nowMs : Math.min(known, nowMs + minuteMs);
    const waitMs = fullAtMs + tokenMs - minuteMs - nowMs;
    // Sums of thirds of a second are not exact; a microsecond more or less is nobody's.
    if (waitMs > 0.001) return Math.max(1, Math.ceil(waitMs / 1000));
    if (known === undefined && this.#fullAtMs.size >= this.countMax) this.#sweep(nowMs);
    this.#fullAtMs.set(key, fullAtMs + tokenMs);
    return 0;
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
