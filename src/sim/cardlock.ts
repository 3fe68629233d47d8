/**
 * Lets calls about the same card go one after the other, where their order decides the answer. Only
 * cards that were named as such are held; taken in one order, so no two callers wait for each other.
 */
export class CardLocks {
  readonly #special: ReadonlySet<string>;
  readonly #last = new Map<string, Promise<void>>();

  constructor(special: ReadonlySet<string>) {
    this.#special = special;
  }

  isHeld(cardId: string): boolean {
    return this.#special.has(cardId);
  }

  async run<T>(cardIds: Iterable<string>, work: () => Promise<T>): Promise<T> {
    const wanted = [...new Set(cardIds)].filter((id) => this.#special.has(id)).sort();
    const waits = wanted.map((id) => this.#last.get(id));
    const { promise, resolve } = Promise.withResolvers<void>();
    // All queues are joined in one turn, so callers stand in the same order in each.
    for (const id of wanted) this.#last.set(id, promise);
    await Promise.all(waits);
    try {
      return await work();
    } finally {
      resolve();
    }
  }
}
