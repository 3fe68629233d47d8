/**
 * Time as a value handed in, so that nothing else reads the machine's clock. Timers made here follow
 * the clock when it is moved (a development server, tests): what became due by the move runs at once.
 * Not a scheduler: no cron lines, nothing kept across a restart.
 */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  nowMs(): number;
  /**
   * Moves the clock forward and runs what became due, each timer once however far the move.
   * @throws RangeError unless `sec` is a whole number of at least 0
   */
  advance(sec: number): void;
  /**
   * Calls `work` each `periodMs`; a call still running when the next is due makes that one fall out.
   * Does not keep the process alive. What `work` throws goes to the clock's `onError`.
   * @returns stops the timer; resolves when a running call has ended
   */
  every(periodMs: number, work: () => void | Promise<void>): () => Promise<void>;
}

interface Timer {
  dueMs: number;
  readonly periodMs: number;
  readonly work: () => void | Promise<void>;
  handle: ReturnType<typeof setTimeout> | undefined;
  running: Promise<void> | undefined;
}

export interface ClockOptions {
  /** Seconds that this clock is ahead of the machine's (behind, if negative). */
  readonly offsetSec?: number;
  readonly onError?: (error: unknown) => void;
}

/** Longer delays overflow the runtime's timer and would fire at once. */
const delayMsMax = 2 ** 31 - 1;

class MovableClock implements Clock {
  readonly #source: () => number;
  readonly #real: boolean;
  readonly #onError: (error: unknown) => void;
  readonly #timers = new Set<Timer>();
  #offsetMs: number;

  constructor(source: () => number, real: boolean, options: ClockOptions) {
    this.#source = source;
    this.#real = real;
    this.#offsetMs = (options.offsetSec ?? 0) * 1000;
    this.#onError =
      options.onError ??
      ((error) => {
        throw error;
      });
  }

  nowMs(): number {
    return this.#source() + this.#offsetMs;
  }

  advance(sec: number): void {
    if (!Number.isSafeInteger(sec) || sec < 0) {
      throw new RangeError(`advance takes whole seconds of at least 0, not ${sec}`);
    }
    this.#offsetMs += sec * 1000;
    for (const timer of [...this.#timers]) this.#check(timer);
  }

  every(periodMs: number, work: () => void | Promise<void>): () => Promise<void> {
    if (!(periodMs > 0)) throw new RangeError(`a period must be above 0 ms, not ${periodMs}`);
    const dueMs = this.nowMs() + periodMs;
    const timer: Timer = { dueMs, periodMs, work, handle: undefined, running: undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return async () => {
      this.#timers.delete(timer);
      clearTimeout(timer.handle);
      await timer.running;
    };
  }

  #arm(timer: Timer): void {
    if (!this.#real) return;
    clearTimeout(timer.handle);
    const delayMs = Math.min(Math.max(timer.dueMs - this.nowMs(), 0), delayMsMax);
    timer.handle = setTimeout(() => this.#check(timer), delayMs);
    timer.handle.unref();
  }

  #check(timer: Timer): void {
    if (!this.#timers.has(timer)) return;
    const nowMs = this.nowMs();
    const isDue = nowMs >= timer.dueMs;
    // The machine's clock may have been set back: never wait for more than one period.
    const nextMs = nowMs + timer.periodMs;
    timer.dueMs = isDue ? nextMs : Math.min(timer.dueMs, nextMs);
    this.#arm(timer);
    if (isDue && timer.running === undefined) this.#run(timer);
  }

  #run(timer: Timer): void {
    try {
      const work = timer.work();
      if (work === undefined) return;
      timer.running = work.catch(this.#onError).finally(() => {
        timer.running = undefined;
      });
    } catch (error) {
      this.#onError(error);
    }
  }
}

/** The machine's clock, moved by `offsetSec`. */
export const systemClock = (options: ClockOptions = {}): Clock =>
  new MovableClock(() => Date.now(), true, options);

/** Stands at `startMs` and moves by `advance` alone: for tests and simulations. */
export const manualClock = (startMs: number, options: ClockOptions = {}): Clock =>
  new MovableClock(() => startMs, false, options);
