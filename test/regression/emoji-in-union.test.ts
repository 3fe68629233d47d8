/** A text of emojis as long as allowed was refused where the field may also be null. */
import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { compileShape } from "../../src/http/contract.ts";

const text = Type.String({ minLength: 2, maxLength: 4 });
const shape = compileShape(
  Type.Object({ name: Type.Union([text, Type.Null()]) }, { additionalProperties: false }),
);

test.each([
  ["🙂🙂🙂🙂", true],
  ["🙂🙂🙂🙂🙂", false],
  ["abcd", true],
  ["abcde", false],
  [null, true],
  [5, false],
] as const)("%p", (name, isRight) => {
  expect(shape.check({ name })).toBe(isRight);
});
