/**
 * How often something was tried within a window, by key, in memory and bounded: so many, then nothing
 * more until the window ends, which begins with the first try. Knows no clock: time is handed in.
 */
interface Window {
  count: number;
  readonly endsAtMs: number;
}

export interface AttemptsOptions {
  /** Tries of one window. */
  readonly max: number;
  readonly windowSec: number;
  /** Windows kept at most; past it the oldest goes. */
  readonly keysMax: number;
}

export class Attempts {
  readonly #windows = new Map<string, Window>();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #options: AttemptsOptions;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** 0 = go on; else the whole seconds ≥ 1 until the window ends. */
  waitSec(key: string, nowMs: number): number {
    const window = this.#current(key, nowMs);
    if (window === undefined || window.count < this.#options.max) return 0;
    return Math.max(1, Math.ceil((window.endsAtMs - nowMs) / 1000));
  }

  note(key: string, nowMs: number): void {
    const window = this.#current(key, nowMs);
    if (window !== undefined) {
      window.count++;
      return;
    }
    if (this.#windows.size >= this.#options.keysMax) {
      for (const eldest of this.#windows.keys()) {
        this.#windows.delete(eldest);
        break;
      }
    }
    this.#windows.set(key, { count: 1, endsAtMs: nowMs + this.#options.windowSec * 1000 });
  }

  /** Counts one try if there is one left; else the seconds to wait, as `waitSec`. */
  take(key: string, nowMs: number): number {
    const waitSec = this.waitSec(key, nowMs);
    if (waitSec === 0) this.note(key, nowMs);
    return waitSec;
  }

  clear(key: string): void {
    this.#windows.delete(key);
  }

  /** One `work` of a key at a time, so that tries side by side count one after the other. */
  async inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key);
    const turn = before === undefined ? work() : before.then(work, work);
    this.#turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  /** One that ends later than a whole window from now is of a clock that was set back. */
  #current(key: string, nowMs: number): Window | undefined {
    const window = this.#windows.get(key);
    if (window === undefined) return undefined;
    const leftMs = window.endsAtMs - nowMs;
    if (leftMs > 0 && leftMs <= this.#options.windowSec * 1000) return window;
    this.#windows.delete(key);
    return undefined;
  }
}
