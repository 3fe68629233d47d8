/**
 * Calls counted in windows that are refilled whole: a window starts with the first call after the last
 * one ended. Kept in memory, bounded in number; time is handed in. Counting over several processes is
 * `system/valkey.ts`, by the same rules.
 */

/** What one call counts against. */
export interface WindowKey {
  readonly key: string;
  /** Calls a window, at least 1. */
  readonly limit: number;
  readonly windowMs: number;
}

export interface WindowState {
  /** Calls left in the window that runs. */
  readonly remaining: number;
  /** Until the window ends; 0 while none runs. */
  readonly resetMs: number;
}

export interface WindowTaken {
  /** Each key had a call left. Only then is one taken, from all of them. */
  readonly passed: boolean;
  /** In the order of the keys, after the taking. */
  readonly states: readonly WindowState[];
}

interface Window {
  used: number;
  endMs: number;
}

/** Of a table that is full, at least this part is freed at once, so that a sweep is rare. */
const sweepPart = 8;

export class Windows {
  readonly #windows = new Map<string, Window>();

  /** @param countMax windows kept at most. */
  constructor(readonly countMax: number) {}

  get count(): number {
    return this.#windows.size;
  }

  /**
   * Takes one call from the window of every key, or from none.
   * @param count 0 looks and takes nothing.
   */
  take(keys: readonly WindowKey[], nowMs: number, count: 0 | 1): WindowTaken {
    const windows: (Window | undefined)[] = [];
    let passed = true;
    for (const key of keys) {
      const window = this.#running(key, nowMs);
      windows.push(window);
      if ((window?.used ?? 0) >= key.limit) passed = false;
    }
    const states: WindowState[] = [];
    for (let at = 0; at < keys.length; at++) {
      const { key, limit, windowMs } = keys[at]!;
      let window = windows[at];
      if (passed && count === 1) {
        if (window === undefined) window = this.#start(key, windowMs, nowMs);
        window.used++;
      }
      states.push(
        window === undefined
          ? { remaining: limit, resetMs: 0 }
          : { remaining: Math.max(0, limit - window.used), resetMs: window.endMs - nowMs },
      );
    }
    return { passed, states };
  }

  /** One that ends later than a whole window from now is of a clock that was set back. */
  #running({ key, windowMs }: WindowKey, nowMs: number): Window | undefined {
    const window = this.#windows.get(key);
    const isRunning =
      window !== undefined && window.endMs > nowMs && window.endMs <= nowMs + windowMs;
    return isRunning ? window : undefined;
  }

  #start(key: string, windowMs: number, nowMs: number): Window {
    if (this.#windows.size >= this.countMax && !this.#windows.has(key)) this.#sweep(nowMs);
    const window = { used: 0, endMs: nowMs + windowMs };
    this.#windows.set(key, window);
    return window;
  }

  /** Drops what has ended, then the least used: a flood of other keys refills no drained window. */
  #sweep(nowMs: number): void {
    const keep = this.countMax - Math.ceil(this.countMax / sweepPart);
    for (let usedMax = 0; this.#windows.size > keep; usedMax = usedMax === 0 ? 1 : usedMax * 2) {
      for (const [key, { used, endMs }] of this.#windows) {
        if (endMs <= nowMs || used <= usedMax) this.#windows.delete(key);
        if (usedMax > 0 && this.#windows.size <= keep) return;
      }
    }
  }
}
