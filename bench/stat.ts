/** Figures from many: medians, percentiles, and what one repeat of a workload yields. */

/** One repeat of a workload. */
export interface Sample {
  /** In the workload's unit: so many a second, or milliseconds. */
  readonly value: number;
  /** Of each call, in no order. */
  readonly latenciesMs: Float64Array;
  /** Events in the file when it ended, where the workload adds some. */
  readonly rows?: number;
  /** Time that the server's threads spent, for each event, in microseconds. */
  readonly cpuUs?: number;
  /** Resident memory of the server when it ended. */
  readonly rssMb?: number;
}

/** Latencies of one repeat; grows as it needs. */
export class Latencies {
  #values = new Float64Array(4096);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    if (this.#count === this.#values.length) {
      const wider = new Float64Array(this.#values.length * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#count] = ms;
    this.#count += 1;
  }

  values(): Float64Array {
    return this.#values.slice(0, this.#count);
  }
}

/** All of them in one ascending list. */
export function sorted(lists: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all.sort();
}

/** Value that `share` of an ascending list does not exceed (nearest rank); 0 for an empty one. */
export const percentile = (ascending: Float64Array, share: number): number =>
  ascending[Math.max(1, Math.ceil(share * ascending.length)) - 1] ?? 0;

export function median(values: readonly number[]): number {
  const ascending = [...values].sort((a, b) => a - b);
  const middle = ascending.length >> 1;
  const high = ascending[middle] ?? 0;
  return ascending.length % 2 === 1 ? high : ((ascending[middle - 1] ?? 0) + high) / 2;
}

/** To so many significant digits. */
export const significant = (value: number, digits: number): number =>
  value === 0 ? 0 : Number(value.toPrecision(digits));
