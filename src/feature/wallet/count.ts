/**
 * Counts of what only grows, in the order of a number: what was counted once is not counted again. Kept in
 * memory, bounded; what falls out is counted anew.
 */
import { talliesKeptMax } from "../../../schema/bound.ts";

/** Rows after a number, and the last of them; null: there is none. */
export interface Since {
  readonly count: number;
  readonly last: number | null;
}

export class Tallies {
  readonly #known = new Map<string, { readonly count: number; readonly last: number }>();

  /** How many there are by now; `since` counts those after a number. */
  async count(key: string, since: (after: number) => Promise<Since>): Promise<number> {
    const known = this.#known.get(key) ?? { count: 0, last: 0 };
    const { count, last } = await since(known.last);
    if (last === null) return known.count;
    const now = { count: known.count + count, last };
    if (this.#known.size >= talliesKeptMax) this.#known.clear();
    // A snapshot that is older than another's count is told no more than it sees.
    if ((this.#known.get(key)?.last ?? 0) <= last) this.#known.set(key, now);
    return now.count;
  }
}
