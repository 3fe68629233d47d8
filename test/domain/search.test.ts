/** Searching a part of a text: the pattern fits in SQLite exactly where the text holds the part. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import fc from "fast-check";
import { globOf } from "../../src/domain/search.ts";

const db = new Database(":memory:");
const asked = db.prepare<{ fits: number }, [string, string]>("SELECT ?1 GLOB ?2 AS fits");
const fits = (text: string, part: string): boolean => asked.get(text, globOf(part))?.fits === 1;

const cases: [text: string, part: string, isIn: boolean][] = [
  ["Siti Rahayu", "RAHA", true],
  ["Siti Rahayu", "rahu", false],
  ["Éloïse", "éLOÏ", true],
  ["МОСКВА", "москва", true],
  ["a*b?c[d]^e-f", "*B?C[d]^E-", true],
  ["abc", "a*c", false],
  ["abc", "a?c", false],
  ["abc", "[abc]", false],
  ["x]y", "]Y", true],
  ["Straße", "ß", true],
  ["İstanbul", "stan", true],
];
for (const [text, part, isIn] of cases) {
  test(`"${part}" is ${isIn ? "" : "not "}in "${text}"`, () => expect(fits(text, part)).toBe(isIn));
}

test("as JavaScript finds it, for any text of letters that have two cases each", () => {
  const letters = fc.string({ unit: fc.constantFrom(..."abXY*?[]^-%_.éÉñЖж1 "), maxLength: 12 });
  fc.assert(
    fc.property(letters, letters, (text, part) => {
      expect(fits(text, part)).toBe(text.toLowerCase().includes(part.toLowerCase()));
    }),
    { numRuns: 500 },
  );
});
