/**
 * The scanner of batches against the ordinary way of reading one: whatever it takes, that way takes too
 * and makes the same of; and what a terminal writes in the common form, it does take.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { batchEventsMax } from "../../schema/bound.ts";
import { batchRequest } from "../../schema/contract/reconcile.ts";
import { scanBatch } from "../../src/domain/batchscan.ts";
import { compileShape } from "../../src/http/contract.ts";
import { checkSpelling, parseJson } from "../../src/http/json.ts";

const shape = compileShape(batchRequest);
const encoder = new TextEncoder();

/** As the pipeline reads a body; undefined where it refuses. */
function ordinary(bytes: Uint8Array): unknown {
  try {
    const parsed = parseJson(bytes);
    return shape.check(parsed.value) && checkSpelling(parsed) === null ? parsed.value : undefined;
  } catch {
    return undefined;
  }
}

/** Never laxer, never different, members in the same order. Returns whether it was taken. */
function compare(bytes: Uint8Array): boolean {
  const scanned = scanBatch(bytes);
  if (scanned === null) return false;
  const due = ordinary(bytes);
  expect(due).not.toBeUndefined();
  expect(JSON.stringify(scanned)).toBe(JSON.stringify(due));
  return true;
}

const hex = fc.stringMatching(/^[0-9a-f]{12}$/);
const uint32 = fc.oneof(fc.nat(), fc.constantFrom(0, 1, 16_777_216, 4_294_967_294, 4_294_967_295));
const event = fc.record({
  cardId: hex,
  counter: fc.oneof(
    fc.integer({ min: 1, max: 100 }),
    fc.constantFrom(2 ** 53 - 1, 2 ** 53 - 2, 2 ** 52),
  ),
  type: fc.constantFrom("debit", "credit", "checkin", "checkout", "admin"),
  amount: uint32,
  balanceAfter: uint32,
  timestamp: uint32,
  hash: hex,
});
const batch = fc.record({
  terminalId: fc.oneof(fc.nat(65_535), fc.constantFrom(0, 65_535)),
  events: fc.array(event, { maxLength: 4 }),
});
const text = batch.map((value) => JSON.stringify(value));

const pieces = [
  ...['"', "\\", "{", "}", "[", "]", ",", ":", " ", "\n", "0", "1", "9", "-", ".", "e", "E", "+"],
  ...["a", "f", "g", "A", "null", "true", '"events":[]', '"terminalId":1', "\u0000", "\u00e9"],
  ...["9007199254740992", "4294967296", "65536", "00", "1e3", "-0", "\\u0061", "debit", "é", "𝄞"],
];

describe("a batch", () => {
  test("as it is usually written is taken", () => {
    fc.assert(
      fc.property(text, (json) => compare(encoder.encode(json))),
      { numRuns: 400 },
    );
  });

  test("with anything changed is taken only if it is still one, and the same", () => {
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      drop: fc.nat(3),
      put: fc.oneof(fc.constantFrom(...pieces), fc.constant("")),
    });
    let taken = 0;
    fc.assert(
      fc.property(text, fc.array(edit, { minLength: 1, maxLength: 3 }), (json, edits) => {
        let changed = json;
        for (const { at, drop, put } of edits) {
          const from = Math.floor(at * changed.length);
          changed = changed.slice(0, from) + put + changed.slice(from + drop);
        }
        if (compare(encoder.encode(changed))) taken += 1;
      }),
      { numRuns: 20_000 },
    );
    expect(taken).toBeGreaterThan(0);
  });

  test("with any byte changed is taken only if it is still one, and the same", () => {
    const bytes = fc.tuple(text, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }));
    fc.assert(
      fc.property(bytes, ([json, changes]) => {
        const raw = encoder.encode(json);
        for (const [at, byte] of changes) raw[at % raw.length] = byte;
        compare(raw);
      }),
      { numRuns: 10_000 },
    );
  });

  test("cut off at any place is not taken", () => {
    const value = { terminalId: 7, events: [{ ...one, counter: 12 }, one] };
    const whole = encoder.encode(JSON.stringify(value));
    for (let length = 0; length < whole.length; length += 1) {
      expect(scanBatch(whole.subarray(0, length))).toBeNull();
    }
    expect(scanBatch(whole)).toEqual(value);
  });

  test("of as many events as there may be is taken, and of one more is not", () => {
    const of = (count: number) =>
      encoder.encode(JSON.stringify({ terminalId: 1, events: Array(count).fill(one) }));
    expect(scanBatch(of(0))?.events).toEqual([]);
    expect(scanBatch(of(batchEventsMax))?.events).toHaveLength(batchEventsMax);
    expect(scanBatch(of(batchEventsMax + 1))).toBeNull();
  });
});

const one = {
  cardId: "a1b2c3d4e5f6",
  counter: 1,
  type: "debit" as const,
  amount: 5,
  balanceAfter: 10,
  timestamp: 1_746_690_000,
  hash: "0f1e2d3c4b5a",
};
