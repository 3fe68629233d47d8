/** What a proof found wrong, and walking two orders of rows side by side. Knows no table. */
export interface Fault {
  /** Which rule. */
  readonly check: string;
  readonly table: string;
  /** Which row. */
  readonly key: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/** Faults kept of one check; a badly broken file has no end of them. */
export const faultsMax = 100;

export class Faults {
  readonly list: Fault[] = [];
  /** All that were found, the ones not kept too. */
  count = 0;
  readonly #kept = new Map<string, number>();

  add(check: string, table: string, key: string, expected: unknown, found: unknown): void {
    this.count += 1;
    const kept = this.#kept.get(check) ?? 0;
    if (kept >= faultsMax) return;
    this.#kept.set(check, kept + 1);
    this.list.push({ check, table, key, expected, found });
  }

  same(check: string, table: string, key: string, expected: unknown, found: unknown): void {
    if (expected !== found) this.add(check, table, key, expected, found);
  }
}

/** Rows one by one, the next one visible before it is taken. */
export class Cursor<T> {
  readonly #rows: Iterator<T>;
  #next: T | undefined;

  constructor(rows: Iterable<T>) {
    this.#rows = rows[Symbol.iterator]();
    this.#step();
  }

  /** The row in front, undefined at the end. */
  get next(): T | undefined {
    return this.#next;
  }

  take(): T | undefined {
    const row = this.#next;
    if (row !== undefined) this.#step();
    return row;
  }

  /** Lets go of the rows that are left. */
  close(): void {
    this.#rows.return?.();
  }

  #step(): void {
    const step = this.#rows.next();
    this.#next = step.done === true ? undefined : step.value;
  }
}
