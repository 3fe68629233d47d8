/**
 * A set of small whole numbers, from 1, that can be walked in their order: one bit each. For numbers
 * that are dense, such as those of cards; it grows with the largest one and never shrinks.
 */
export class NumberSet {
  #words = new Uint32Array(64);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(n: number): boolean {
    return ((this.#words[n >>> 5] ?? 0) & (1 << (n & 31))) !== 0;
  }

  add(n: number): void {
    const word = n >>> 5;
    if (word >= this.#words.length) this.#grow(word + 1);
    const before = this.#words[word] as number;
    const after = (before | (1 << (n & 31))) >>> 0;
    if (after === before) return;
    this.#words[word] = after;
    this.#size += 1;
  }

  delete(n: number): void {
    const word = n >>> 5;
    const before = this.#words[word] ?? 0;
    const after = (before & ~(1 << (n & 31))) >>> 0;
    if (after === before) return;
    this.#words[word] = after;
    this.#size -= 1;
  }

  /** The least member from `n` on; 0 if there is none. */
  next(n: number): number {
    const words = this.#words;
    let at = n >>> 5;
    if (at >= words.length) return 0;
    let word = ((words[at] as number) & (0xffffffff << (n & 31))) >>> 0;
    while (word === 0) {
      at += 1;
      if (at === words.length) return 0;
      word = words[at] as number;
    }
    return at * 32 + 31 - Math.clz32(word & -word);
  }

  #grow(words: number): void {
    const grown = new Uint32Array(Math.max(words, 2 * this.#words.length));
    grown.set(this.#words);
    this.#words = grown;
  }
}
