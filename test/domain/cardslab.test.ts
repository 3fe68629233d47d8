/** Cards as numbers: whatever is taken in comes out the same, however large, odd or often replaced. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type CardRecord, freshHead, type StatusCode } from "../../src/domain/cardrecord.ts";
import { CardSlab } from "../../src/domain/cardslab.ts";
import { EVENT_CODE, type EventType } from "../../src/domain/chain.ts";
import { NumberSet } from "../../src/domain/numberset.ts";
import type { CardState } from "../../src/domain/state.ts";

const safe = fc.oneof(
  fc.nat(),
  fc.constantFrom(0, 1, 4_294_967_294, 4_294_967_295, 4_294_967_296, Number.MAX_SAFE_INTEGER),
);
const orNull = fc.option(safe, { nil: null });
const state = fc.constantFrom<CardState>(0, 1, 3);

const top = fc.record({
  ...{ id: safe, counter: safe, amount: safe, balanceAfter: safe, timestamp: safe, flags: safe },
  type: fc.constantFrom(...(Object.keys(EVENT_CODE) as EventType[])),
  hash: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  linked: fc.boolean(),
  start: orNull,
  state: fc.option(state, { nil: null }),
});

const head = fc.record({
  ...{ top, shownState: state, shownCounter: safe, openingBalance: safe, depth: safe, late: safe },
  ...{ quarantined: fc.boolean(), pending: safe, frozen: safe, week: safe, applied: safe },
  available: fc.oneof(safe, fc.integer(), fc.constant(Number.MIN_SAFE_INTEGER)),
  days: fc.array(safe, { minLength: 7, maxLength: 7 }),
});

const card: fc.Arbitrary<CardRecord> = fc.record({
  cardNo: fc.integer({ min: 1, max: 10_000 }),
  tenantId: fc.integer({ min: 1, max: 3 }),
  cardId: fc.oneof(
    fc.stringMatching(/^[0-9a-f]{12}$/),
    fc.constantFrom(
      "000000000000",
      "ffffffffffff",
      "00000000000a",
      "0000000000A0",
      "nine chars",
      "",
    ),
  ),
  ...{ memberNo: safe, userId: safe, createdAtSec: safe, expiresAtSec: orNull },
  ...{ blockedAtSec: orNull, replacesNo: orNull, replacedByNo: orNull },
  status: fc.constantFrom<StatusCode>(0, 1, 2, 3, 4),
  keyVersion: fc.integer({ min: 1, max: 255 }),
  needsValidation: fc.boolean(),
  head,
});

const cardsMax = 9_000;
const isHeld = ({ cardNo, cardId }: CardRecord): boolean =>
  cardNo <= cardsMax && /^[0-9a-f]{12}$/.test(cardId);

test("a slab is a map", () => {
  const actions = fc.array(fc.tuple(card, fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(actions, (steps) => {
      const slab = new CardSlab(cardsMax);
      const model = new Map<number, CardRecord>();
      for (const [each, isRemoved] of steps) {
        expect(slab.set(each)).toBe(isHeld(each));
        if (isHeld(each)) model.set(each.cardNo, each);
        if (!isRemoved) continue;
        slab.remove(each.cardNo);
        model.delete(each.cardNo);
      }
      for (const [each] of steps) {
        const { cardNo, tenantId, cardId } = each;
        expect(slab.get(cardNo)).toEqual(model.get(cardNo));
        expect(slab.has(cardNo)).toBe(model.has(cardNo));
        const same = [...model.values()].filter(
          (known) => known.tenantId === tenantId && known.cardId === cardId,
        );
        const found = slab.find(tenantId, cardId);
        if (same.length === 0) expect(found).toBeUndefined();
        else expect(same).toContainEqual(found as CardRecord);
      }
    }),
    { numRuns: 300 },
  );
});

test("many cards are found, each by its own id, while the slab grows", () => {
  const slab = new CardSlab(50_000);
  const idOf = (no: number) => ((no * 2_654_435_761) % 2 ** 40).toString(16).padStart(12, "0");
  const fresh = freshHead(0, 0);
  const like = (cardNo: number): CardRecord => ({
    ...{ cardNo, tenantId: 1 + (cardNo % 2), cardId: idOf(cardNo), memberNo: 1, userId: cardNo },
    ...{ status: 0, keyVersion: 1, createdAtSec: 0, expiresAtSec: null, blockedAtSec: null },
    ...{ replacesNo: null, replacedByNo: null, needsValidation: false, head: fresh },
  });
  for (let no = 1; no <= 20_000; no += 1) slab.set(like(no));
  for (let no = 1; no <= 20_000; no += 1) {
    expect(slab.find(1 + (no % 2), idOf(no))?.cardNo).toBe(no);
    expect(slab.find(2 - (no % 2), idOf(no))).toBeUndefined();
  }
});

test("a set of numbers is a set, walked in order", () => {
  const number = fc.integer({ min: 1, max: 5_000 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(number, fc.boolean()), { maxLength: 200 }),
      number,
      (steps, from) => {
        const set = new NumberSet();
        const model = new Set<number>();
        for (const [n, isAdded] of steps) {
          if (isAdded) set.add(n);
          else set.delete(n);
          if (isAdded) model.add(n);
          else model.delete(n);
          expect([set.has(n), set.size]).toEqual([isAdded, model.size]);
        }
        const walked: number[] = [];
        for (let n = set.next(from); n !== 0; n = set.next(n + 1)) walked.push(n);
        expect(walked).toEqual([...model].filter((n) => n >= from).sort((a, b) => a - b));
      },
    ),
  );
});
