/**
 * A bounded map in front of the store, for values that any write may drop: what was read while a drop
 * came is handed out once, and not kept.
 */
import type { Reader, Store } from "../../store/seam.ts";

/** Counts drops; one for all shelves, since a read may rest on rows of several. */
export interface Epoch {
  count: number;
}

export class Shelf<K, V> {
  readonly #kept = new Map<K, V>();
  readonly #store: Store;
  readonly #epoch: Epoch;
  readonly #countMax: number;
  readonly #read: (q: Reader, key: K) => Promise<V | undefined>;

  constructor(
    store: Store,
    epoch: Epoch,
    countMax: number,
    read: (q: Reader, key: K) => Promise<V | undefined>,
  ) {
    this.#store = store;
    this.#epoch = epoch;
    this.#countMax = countMax;
    this.#read = read;
  }

  /** What is kept, without a look into the store. */
  peek(key: K): V | undefined {
    return this.#kept.get(key);
  }

  /** What does not exist is not kept. */
  async find(key: K): Promise<V | undefined> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const since = this.#epoch.count;
    const value = await this.#store.read((q) => this.#read(q, key));
    if (value !== undefined && since === this.#epoch.count) this.#keep(key, value);
    return value;
  }

  drop(key: K): void {
    this.#kept.delete(key);
  }

  clear(): void {
    this.#kept.clear();
  }

  values(): Iterable<V> {
    return this.#kept.values();
  }

  #keep(key: K, value: V): void {
    if (this.#kept.size >= this.#countMax) {
      for (const eldest of this.#kept.keys()) {
        this.#kept.delete(eldest);
        break;
      }
    }
    this.#kept.set(key, value);
  }
}
