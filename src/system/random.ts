/**
 * Random bytes and ids as a value handed in, so that a test can repeat a run from its seed. The
 * seeded variant is predictable by design: never for anything that must stay secret.
 *
 * UUID version 7 (RFC 9562 §5.7, counter as §6.2 method 1), hexadecimal digits:
 *
 *     tttttttt-tttt-7ccc-vccc-rrrrrrrrrrrr
 *
 * t unix time in ms (48 bits) · 7 version · c counter, high 12 bits then low 14 · v variant, the two
 * bits 10 above those 14 · r random (48 bits). Ids of one source ascend strictly: within a
 * millisecond, or when the clock steps back, the counter goes on; it starts at a random value with
 * its top bit clear, so 2^25 ids fit into any millisecond, and one more borrows from the next.
 */
export interface Random {
  /** `length` fresh bytes, 0 to 65536. */
  bytes(length: number): Uint8Array;
  /** A new id, lower-case; later than every id that this source gave before. */
  uuid(nowMs: number): string;
}

const poolLength = 4096;
const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

/** An id maker over `fill`, which it asks for a few kilobytes at a time; `counterMax` for tests. */
export const uuidSource = (
  fill: (pool: Uint8Array) => void,
  counterMax = 2 ** 26 - 1,
): ((nowMs: number) => string) => {
  const pool = new Uint8Array(poolLength);
  let used = poolLength;
  let lastMs = -1;
  let counter = 0;
  let timeDigits = "";

  const take = (count: number): number => {
    if (used + count > poolLength) {
      fill(pool);
      used = 0;
    }
    const start = used;
    used += count;
    return start;
  };

  const startMillisecond = (ms: number): void => {
    const at = take(4);
    lastMs = ms;
    counter =
      ((pool[at]! << 24) | (pool[at + 1]! << 16) | (pool[at + 2]! << 8) | pool[at + 3]!) >>> 7;
    const digits = hex(ms, 12);
    timeDigits = `${digits.slice(0, 8)}-${digits.slice(8)}-`;
  };

  return (nowMs) => {
    if (nowMs > lastMs) startMillisecond(Math.floor(nowMs));
    else if (counter < counterMax) counter++;
    else startMillisecond(lastMs + 1);
    const at = take(6);
    let tail = "";
    for (let i = at; i < at + 6; i++) tail += hexOf[pool[i]!];
    const high = 0x7000 | (counter >>> 14);
    const low = 0x8000 | (counter & 0x3fff);
    return `${timeDigits}${hex(high, 4)}-${hex(low, 4)}-${tail}`;
  };
};

/** The machine's secure random. */
export const systemRandom = (): Random => ({
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  uuid: uuidSource((pool) => crypto.getRandomValues(pool)),
});

/** 32 bits at a time from a 32-bit seed (splitmix32: a Weyl sequence through a mixer). */
const splitmix32 = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
};

/** The same bytes and ids for the same seed, in the same order of calls. Never in production. */
export const seededRandom = (seed: number): Random => {
  const next = splitmix32(seed);
  const fill = (target: Uint8Array): void => {
    for (let i = 0; i < target.length; i++) target[i] = next() & 0xff;
  };
  return {
    bytes: (length) => {
      const target = new Uint8Array(length);
      fill(target);
      return target;
    },
    uuid: uuidSource(fill),
  };
};
