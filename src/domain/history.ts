/**
 * What is known of one card's recorded events while a batch is decided: runs of counters within which
 * every recorded event is in memory. A question outside them is answered `unknown`, so that the caller
 * can have more read and decide again from the start. No I/O here.
 */
import type { Recorded } from "./event.ts";

/** Every recorded event with lo ≤ counter ≤ hi, ascending; `lo` is the counter of the first of them. */
export interface Run {
  readonly lo: number;
  readonly hi: number;
  readonly events: readonly Recorded[];
}

export const unknown: unique symbol = Symbol("unknown");
export type Unknown = typeof unknown;

interface OwnRun {
  lo: number;
  hi: number;
  events: Recorded[];
}

/** Index of the first event with a counter ≥ `counter`. */
function lowerBound(events: readonly Recorded[], counter: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if ((events[mid] as Recorded).counter < counter) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** Runs that touch or overlap made one; where two know an event, the first one's word stands. */
function joined(runs: Run[]): OwnRun[] {
  runs.sort((a, b) => a.lo - b.lo);
  const result: OwnRun[] = [];
  for (const run of runs) {
    const last = result.at(-1);
    if (last === undefined || run.lo > last.hi + 1) {
      result.push({ lo: run.lo, hi: run.hi, events: [...run.events] });
      continue;
    }
    for (const event of run.events) {
      const at = lowerBound(last.events, event.counter);
      if (last.events[at]?.counter !== event.counter) last.events.splice(at, 0, event);
    }
    last.hi = Math.max(last.hi, run.hi);
  }
  return result;
}

export class History {
  private readonly runs: OwnRun[];

  /** `top` is the head's event: nothing is recorded above it. `read` are runs read from the store. */
  constructor(top: Recorded, read: readonly Run[]) {
    const open: OwnRun = { lo: top.counter, hi: Number.MAX_SAFE_INTEGER, events: [top] };
    this.runs = read.length === 0 ? [open] : joined([...read, open]);
  }

  /** Most questions are about the highest run, so it is asked first. */
  private covering(counter: number): OwnRun | undefined {
    for (let i = this.runs.length - 1; i >= 0; i -= 1) {
      const run = this.runs[i] as OwnRun;
      if (run.lo <= counter) return counter <= run.hi ? run : undefined;
    }
    return undefined;
  }

  /** The event recorded at `counter`, null if there is none. */
  at(counter: number): Recorded | null | Unknown {
    const run = this.covering(counter);
    if (run === undefined) return unknown;
    const event = run.events[lowerBound(run.events, counter)];
    return event?.counter === counter ? event : null;
  }

  /** The nearest event below `counter`; the registration is one. */
  below(counter: number): Recorded | Unknown {
    const run = this.covering(counter);
    if (run === undefined) return unknown;
    return run.events[lowerBound(run.events, counter) - 1] ?? unknown;
  }

  /** The nearest event above `counter`, null at the head. */
  above(counter: number): Recorded | null | Unknown {
    const run = this.covering(counter);
    if (run === undefined) return unknown;
    const next = run.events[lowerBound(run.events, counter + 1)];
    if (next !== undefined) return next;
    return run.hi === Number.MAX_SAFE_INTEGER ? null : unknown;
  }

  /** Adds an event, or puts a newer knowledge of it in its place. Its counter must be covered. */
  put(event: Recorded): void {
    const run = this.covering(event.counter);
    if (run === undefined) throw new RangeError("history: counter not read");
    const { events } = run;
    const at = lowerBound(events, event.counter);
    if (at === events.length) events.push(event);
    else if (events[at]?.counter === event.counter) events[at] = event;
    else events.splice(at, 0, event);
  }
}
