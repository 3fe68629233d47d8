/**
 * Cards with their heads as numbers in a few large arrays, so that a million of them take 160 MB and
 * leave the garbage collector nothing to walk. Found by card number or by tenant and card id. What
 * does not fit a layout of 32-bit numbers is held beside it as it is. It forgets nothing by itself.
 *
 * One card, 32 unsigned words (`x + 1`: 0 stands for null) and 3 doubles:
 *
 *   0 bits        8 replacedByNo + 1    16 shownCounter     24 days[1]
 *   1 tenantId    9 top.id              17 openingBalance   25 days[2]
 *   2 memberNo   10 top.counter         18 depth            26 days[3]
 *   3 userId     11 top.amount          19 late             27 days[4]
 *   4 createdAt  12 top.balanceAfter    20 pending          28 days[5]
 *   5 expiresAt + 1  13 top.timestamp   21 frozen           29 days[6]
 *   6 blockedAt + 1  14 top.flags       22 week             30 applied
 *   7 replacesNo + 1 15 top.start + 1   23 days[0]          31 unused
 *
 *   bits: 0 present, 1 held beside, 2–4 status, 5–12 keyVersion, 13 needsValidation, 14–17 type,
 *         18 linked, 19–21 state + 1, 22–23 shownState, 24 quarantined
 *   doubles: cardId (48 bits), top.hash (48 bits), available
 */
import type { CardRecord, StatusCode } from "./cardrecord.ts";
import { EVENT_CODE } from "./chain.ts";
import { eventType } from "./event.ts";
import type { CardState } from "./state.ts";

const words = 32;
const doubles = 3;
const chunkShift = 12;
const chunkCards = 1 << chunkShift;
const chunkMask = chunkCards - 1;

const PRESENT = 1;
const BESIDE = 2;

interface Chunk {
  readonly u: Uint32Array;
  readonly f: Float64Array;
}

/** A card id as a number, or −1 if it is not 12 lower-case hexadecimal digits. */
function keyOf(cardId: string): number {
  if (cardId.length !== 12) return -1;
  let high = 0;
  let low = 0;
  for (let i = 0; i < 12; i++) {
    const code = cardId.charCodeAt(i);
    const digit = code < 58 ? code - 48 : code - 87;
    if (digit < 0 || digit > 15 || (code > 57 && digit < 10)) return -1;
    if (i < 6) high = high * 16 + digit;
    else low = low * 16 + digit;
  }
  return high * 0x1000000 + low;
}

const idOf = (key: number): string => key.toString(16).padStart(12, "0");

/** `n + 1`, or 0 for null. */
const shifted = (n: number | null): number => (n === null ? 0 : n + 1);
const unshifted = (n: number): number | null => (n === 0 ? null : n - 1);

export class CardSlab {
  readonly #cardsMax: number;
  readonly #chunks: (Chunk | undefined)[] = [];
  readonly #beside = new Map<number, CardRecord>();
  /** Card numbers, open addressing; a number whose card has another id by now is passed over. */
  #index = new Uint32Array(2048);
  #used = 0;

  /** Cards with a number above `cardsMax` are not taken in. */
  constructor(cardsMax: number) {
    this.#cardsMax = cardsMax;
  }

  has(cardNo: number): boolean {
    const chunk = this.#chunks[cardNo >>> chunkShift];
    return chunk !== undefined && ((chunk.u[(cardNo & chunkMask) * words] as number) & PRESENT) > 0;
  }

  get(cardNo: number): CardRecord | undefined {
    const chunk = this.#chunks[cardNo >>> chunkShift];
    return chunk === undefined ? undefined : this.#decode(chunk, cardNo, undefined);
  }

  find(tenantId: number, cardId: string): CardRecord | undefined {
    const key = keyOf(cardId);
    if (key < 0) return undefined;
    const index = this.#index;
    const mask = index.length - 1;
    for (let at = slotOf(tenantId, key) & mask; ; at = (at + 1) & mask) {
      const cardNo = index[at] as number;
      if (cardNo === 0) return undefined;
      const chunk = this.#chunks[cardNo >>> chunkShift] as Chunk;
      const within = cardNo & chunkMask;
      if (chunk.f[within * doubles] !== key) continue;
      if (chunk.u[within * words + 1] !== tenantId) continue;
      const card = this.#decode(chunk, cardNo, cardId);
      if (card !== undefined) return card;
    }
  }

  /** Takes the card in, in the place of its older self. False if it is not one of those to be held. */
  set(card: CardRecord): boolean {
    const { cardNo } = card;
    const key = keyOf(card.cardId);
    if (cardNo > this.#cardsMax || key < 0) return false;
    let chunk = this.#chunks[cardNo >>> chunkShift];
    if (chunk === undefined) {
      chunk = {
        u: new Uint32Array(chunkCards * words),
        f: new Float64Array(chunkCards * doubles),
      };
      this.#chunks[cardNo >>> chunkShift] = chunk;
    }
    const within = cardNo & chunkMask;
    const at = within * words;
    const { u, f } = chunk;
    const isNew =
      ((u[at] as number) & PRESENT) === 0 ||
      f[within * doubles] !== key ||
      u[at + 1] !== card.tenantId;
    if (((u[at] as number) & BESIDE) !== 0) this.#beside.delete(cardNo);
    f[within * doubles] = key;
    if (!encode(u, f, at, within * doubles, card)) {
      u[at] = PRESENT | BESIDE;
      u[at + 1] = card.tenantId;
      this.#beside.set(cardNo, card);
    }
    if (isNew) this.#enter(cardNo, card.tenantId, key);
    return true;
  }

  /** A card that is not there after all. */
  remove(cardNo: number): void {
    const chunk = this.#chunks[cardNo >>> chunkShift];
    if (chunk === undefined) return;
    chunk.u[(cardNo & chunkMask) * words] = 0;
    this.#beside.delete(cardNo);
  }

  #enter(cardNo: number, tenantId: number, key: number): void {
    if (2 * (this.#used + 1) > this.#index.length) this.#rebuild();
    const index = this.#index;
    const mask = index.length - 1;
    let at = slotOf(tenantId, key) & mask;
    while (index[at] !== 0) {
      if (index[at] === cardNo) return;
      at = (at + 1) & mask;
    }
    index[at] = cardNo;
    this.#used += 1;
  }

  /** Of the cards that are there, in twice the room. */
  #rebuild(): void {
    const index = new Uint32Array(2 * this.#index.length);
    const mask = index.length - 1;
    this.#used = 0;
    for (const [high, chunk] of this.#chunks.entries()) {
      if (chunk === undefined) continue;
      for (let within = 0; within < chunkCards; within++) {
        if (((chunk.u[within * words] as number) & PRESENT) === 0) continue;
        const tenantId = chunk.u[within * words + 1] as number;
        let at = slotOf(tenantId, chunk.f[within * doubles] as number) & mask;
        while (index[at] !== 0) at = (at + 1) & mask;
        index[at] = (high << chunkShift) + within;
        this.#used += 1;
      }
    }
    this.#index = index;
  }

  #decode(chunk: Chunk, cardNo: number, cardId: string | undefined): CardRecord | undefined {
    const { u, f } = chunk;
    const within = cardNo & chunkMask;
    const bits = u[within * words] as number;
    if ((bits & PRESENT) === 0) return undefined;
    if ((bits & BESIDE) !== 0) return this.#beside.get(cardNo);
    return decode(u, f, within * words, within * doubles, cardNo, cardId);
  }
}

/** Mixes a tenant and a 48-bit key to 32 bits. */
function slotOf(tenantId: number, key: number): number {
  const high = Math.floor(key / 0x1000000);
  const low = key % 0x1000000;
  let h = Math.imul(high ^ Math.imul(tenantId, 0x9e3779b1), 0x85ebca6b) ^ low;
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 13)) >>> 0;
}

/** False if some number is no unsigned word: then what was written means nothing. */
function encode(
  u: Uint32Array,
  f: Float64Array,
  at: number,
  fat: number,
  card: CardRecord,
): boolean {
  const { head } = card;
  const { top, days } = head;
  let fits = card.keyVersion <= 255 && days.length === 7;
  const put = (offset: number, value: number): void => {
    u[at + offset] = value;
    if (u[at + offset] !== value) fits = false;
  };
  put(1, card.tenantId);
  put(2, card.memberNo);
  put(3, card.userId);
  put(4, card.createdAtSec);
  put(5, shifted(card.expiresAtSec));
  put(6, shifted(card.blockedAtSec));
  put(7, shifted(card.replacesNo));
  put(8, shifted(card.replacedByNo));
  put(9, top.id);
  put(10, top.counter);
  put(11, top.amount);
  put(12, top.balanceAfter);
  put(13, top.timestamp);
  put(14, top.flags);
  put(15, shifted(top.start));
  put(16, head.shownCounter);
  put(17, head.openingBalance);
  put(18, head.depth);
  put(19, head.late);
  put(20, head.pending);
  put(21, head.frozen);
  put(22, head.week);
  for (let i = 0; i < 7; i++) put(23 + i, days[i] as number);
  put(30, head.applied);
  f[fat + 1] = top.hash;
  f[fat + 2] = head.available;
  u[at] =
    PRESENT |
    (card.status << 2) |
    (card.keyVersion << 5) |
    (card.needsValidation ? 1 << 13 : 0) |
    (EVENT_CODE[top.type] << 14) |
    (top.linked ? 1 << 18 : 0) |
    (shifted(top.state) << 19) |
    (head.shownState << 22) |
    (head.quarantined ? 1 << 24 : 0);
  return fits;
}

function decode(
  u: Uint32Array,
  f: Float64Array,
  at: number,
  fat: number,
  cardNo: number,
  cardId: string | undefined,
): CardRecord {
  const w = (offset: number): number => u[at + offset] as number;
  const bits = w(0);
  return {
    cardNo,
    tenantId: w(1),
    cardId: cardId ?? idOf(f[fat] as number),
    memberNo: w(2),
    userId: w(3),
    status: ((bits >>> 2) & 7) as StatusCode,
    keyVersion: (bits >>> 5) & 255,
    createdAtSec: w(4),
    expiresAtSec: unshifted(w(5)),
    blockedAtSec: unshifted(w(6)),
    replacesNo: unshifted(w(7)),
    replacedByNo: unshifted(w(8)),
    needsValidation: (bits & (1 << 13)) !== 0,
    head: {
      top: {
        id: w(9),
        counter: w(10),
        type: eventType((bits >>> 14) & 15),
        amount: w(11),
        balanceAfter: w(12),
        timestamp: w(13),
        hash: f[fat + 1] as number,
        flags: w(14),
        linked: (bits & (1 << 18)) !== 0,
        start: unshifted(w(15)),
        state: unshifted((bits >>> 19) & 7) as CardState | null,
      },
      shownState: ((bits >>> 22) & 3) as CardState,
      shownCounter: w(16),
      openingBalance: w(17),
      depth: w(18),
      late: w(19),
      quarantined: (bits & (1 << 24)) !== 0,
      available: f[fat + 2] as number,
      pending: w(20),
      frozen: w(21),
      week: w(22),
      days: [w(23), w(24), w(25), w(26), w(27), w(28), w(29)],
      applied: w(30),
    },
  };
}
