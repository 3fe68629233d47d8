/** The faults of a value are named exactly when its compiled shape refuses it, whatever the shape. */
import { describe, expect, test } from "bun:test";
import { type TSchema, Type } from "@sinclair/typebox";
import fc from "fast-check";
import { fieldCodes } from "../../schema/problem.ts";
import { faultsOf } from "../../src/http/platform/fault.ts";
import { shapeOf } from "../../src/http/platform/input.ts";
import { canonical, contentFaults, isSound } from "../../src/http/value.ts";

const closed = { additionalProperties: false };
const leaves: readonly TSchema[] = [
  Type.String(),
  Type.String({ minLength: 2, maxLength: 4 }),
  Type.String({ pattern: "^[a-c]+$" }),
  Type.String({ format: "uuid" }),
  Type.String({ format: "email", maxLength: 254 }),
  Type.String({ format: "date-time" }),
  Type.String({ format: "date" }),
  Type.String({ format: "uri" }),
  Type.Integer({ minimum: -2, maximum: 2 }),
  Type.Integer(),
  Type.Number({ minimum: 0 }),
  Type.Integer({ multipleOf: 3 }),
  Type.Boolean(),
  Type.Null(),
  Type.Literal("a"),
  Type.Literal(1),
];

const schemas: fc.Arbitrary<TSchema> = fc.letrec<{ schema: TSchema }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...leaves),
    fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((parts) => Type.Union(parts)),
    fc
      .tuple(tie("schema"), fc.boolean())
      .map(([item, uniqueItems]) => Type.Array(item, { minItems: 1, maxItems: 2, uniqueItems })),
    fc.constant(Type.Array(Type.Unknown(), { uniqueItems: true })),
    tie("schema").map((value) => Type.Record(Type.String({ pattern: "^[ab]$" }), value, closed)),
    fc
      .tuple(tie("schema"), tie("schema"), fc.boolean())
      .map(([a, b, isOpen]) => Type.Object({ a, b: Type.Optional(b) }, isOpen ? {} : closed)),
  ),
})).schema;

const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>(
      ...[null, true, 0, 1, -3, 1.5, 3, "", "a", "ab", "abcab", "🙂🙂🙂🙂", "x"],
      ...["2026-11-21", "2026-11-21T16:33:00Z", "a@b.co", "https://kartu.test/x"],
      "0195d1f0-7d5c-7b3a-8a55-1f0e2d3c4b5a",
    ),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3 }),
  ),
})).value;

describe("faults", () => {
  test("are there exactly when the compiled shape says no, with codes of the closed list", () => {
    fc.assert(
      fc.property(schemas, values, (schema, value) => {
        const faults = faultsOf(schema, value);
        expect(faults.length === 0).toBe(shapeOf(schema).check(value));
        for (const { code, message } of faults) {
          expect(fieldCodes).toContain(code);
          expect(message.length).toBeGreaterThan(3);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("values", () => {
  test("equal values are equal text, in whatever order their members stand", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const turn = (each: unknown): unknown => {
          if (Array.isArray(each)) return each.map(turn);
          if (each === null || typeof each !== "object") return each;
          return Object.fromEntries(
            Object.entries(each)
              .reverse()
              .map(([name, item]) => [name, turn(item)]),
          );
        };
        expect(canonical(turn(value))).toBe(canonical(value));
        expect(canonical(JSON.parse(canonical(value)))).toBe(canonical(value));
      }),
    );
  });

  test("are sound exactly when nothing in them is named", () => {
    const odd = fc.constantFrom("\u0000", "\ud800", "a\udc00", 2 ** 53, -(2 ** 53), "ok", 1.5);
    const any = fc.oneof(fc.jsonValue(), fc.array(odd), fc.dictionary(fc.string(), odd), odd);
    const steps = { member: (path: string, name: string) => `${path}.${name}`, item: String };
    fc.assert(
      fc.property(any, (value) => {
        expect(contentFaults(value, steps).length === 0).toBe(isSound(value));
      }),
    );
  });
});
