/** The parameters of a query: what is cut by hand is what `URLSearchParams` finds. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { parametersOf } from "../../src/http/context.ts";

const pieces = fc.constantFrom("a", "b1", "=", "&", "%", "%20", "+", ",", "~:", "ü", "__proto__");

test("parameters are those of URLSearchParams, plain or not", () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const query = parts.join("");
      expect([...parametersOf(query)]).toEqual([...new URLSearchParams(query)]);
    }),
    { numRuns: 2_000 },
  );
});
