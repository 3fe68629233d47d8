/** YAML that every reader takes for the same value: what it looks like, and that it comes back. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { yamlText } from "../../src/domain/yaml.ts";

test("blocks, with every text quoted and keys where they need it", () => {
  const value = {
    openapi: "3.1.0",
    empty: {},
    none: [],
    at: "2026-11-21T16:33:00.000Z",
    on: true,
    "404": { $ref: "#/x", "{id}": null },
    list: ["yes", 1, [2.5, {}], { a: "b" }],
    absent: undefined,
  };
  expect(yamlText(value)).toBe(
    [
      '"404":',
      '  "$ref": "#/x"',
      '  "{id}": null',
      'openapi: "3.1.0"',
      "empty: {}",
      "none: []",
      'at: "2026-11-21T16:33:00.000Z"',
      '"on": true',
      "list:",
      '  - "yes"',
      "  - 1",
      "  -",
      "    - 2.5",
      "    - {}",
      "  -",
      '    a: "b"',
      "",
    ].join("\n"),
  );
});

test("what is no JSON is refused", () => {
  for (const value of [undefined, Number.NaN, { a: Number.POSITIVE_INFINITY }, [() => 1]]) {
    expect(() => yamlText(value)).toThrow(RangeError);
  }
});

test("every value comes back", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "yes",
      "null",
      "~",
      "1e3",
      "0x1f",
      "2026-11-21",
      "- a",
      "a: b",
      "# no",
      "\u0085",
    ),
  );
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(
        text.filter((name) => name !== "__proto__" && name !== "<<"),
        tie("value"),
        { maxKeys: 4 },
      ),
    ),
  }));
  fc.assert(
    fc.property(json.value, (value) => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown;
      expect(Bun.YAML.parse(yamlText(plain))).toEqual(plain);
    }),
  );
});
