/**
 * Which days are closed, and what of them is in which run. A row stands in a layer: 0 until a run closes
 * its day, then the number of the last run there was when it came in. A run has the rows of layer 0 of its
 * own days, and what came late since the last run that had the terminal.
 */
/** Stands for the house among devices: behind every terminal. */
export const houseNo = 2_147_483_647;

/** A run as the days that it has closed. */
export interface ClosedDays {
  readonly number: number;
  readonly from: number;
  readonly to: number;
  /** Null: every device, and the house. */
  readonly deviceNo: number | null;
}

/** Days of a device, or of all; both in it. */
export type Span = Omit<ClosedDays, "number">;

/** The house is in runs of all alone. */
const takes = (run: Pick<Span, "deviceNo">, deviceNo: number | null): boolean =>
  run.deviceNo === null || run.deviceNo === deviceNo;

const covers = (run: ClosedDays, day: number): boolean => run.from <= day && day <= run.to;

/** What the runs of a tenant have closed. */
export class Closings {
  readonly #runs: readonly ClosedDays[];
  readonly #last: number;
  #newestDay = Number.NEGATIVE_INFINITY;

  /** @param runs all of them, in the order of their numbers */
  constructor(runs: readonly ClosedDays[]) {
    this.#runs = runs;
    this.#last = runs.at(-1)?.number ?? 0;
    for (const { to } of runs) this.#newestDay = Math.max(this.#newestDay, to);
  }

  /** Number that the next run has. */
  get next(): number {
    return this.#last + 1;
  }

  /** Layer that what comes in now for a day goes to. */
  layerOf(day: number, deviceNo: number): number {
    if (day > this.#newestDay) return 0;
    // Of the house any run closes the day: one of all can't have it any more.
    const isClosed = this.#runs.some(
      (run) => covers(run, day) && (deviceNo === houseNo || takes(run, deviceNo)),
    );
    return isClosed ? this.#last : 0;
  }

  /** A run that has a day of a terminal which the span would have. */
  over(span: Span): ClosedDays | undefined {
    return this.#runs.find(
      (run) =>
        run.from <= span.to &&
        run.to >= span.from &&
        (span.deviceNo === null || takes(run, span.deviceNo)),
    );
  }

  /** Number of the last run before this one that had its terminal, or all; 0: none. */
  before({ number, deviceNo }: ClosedDays): number {
    return this.#runs.findLast((run) => run.number < number && takes(run, deviceNo))?.number ?? 0;
  }

  /** Days that runs of single terminals closed, whose house the run of all `run` is the next to have. */
  houseDays(run: ClosedDays): number[] {
    if (run.deviceNo !== null) return [];
    const since = this.before(run);
    const first = new Map<number, number>();
    for (const { number, from, to, deviceNo } of this.#runs) {
      if (deviceNo === null) continue;
      for (let day = from; day <= to; day++) if (!first.has(day)) first.set(day, number);
    }
    return [...first]
      .filter(([, number]) => number > since && number < run.number)
      .map(([day]) => day)
      .sort((a, b) => a - b);
  }
}
