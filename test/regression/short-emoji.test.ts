/**
 * Six emojis passed for a password of twelve characters, and one for a search of two: the least length of
 * a text was counted in units of UTF-16, the greatest of a password too.
 */
import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { passwordMaxChars, passwordMinChars } from "../../schema/bound.ts";
import { passwordFault } from "../../src/domain/password.ts";
import { compileShape } from "../../src/http/contract.ts";
import { faultsOf } from "../../src/http/platform/fault.ts";
import { Estate } from "../surface/estate.ts";

const smile = "\u{1f642}";
const text = Type.String({ minLength: 3, maxLength: 4 });
const nullable = Type.Union([text, Type.Null()]);
const schema = Type.Object(
  {
    text: Type.Optional(text),
    nullable: Type.Optional(nullable),
    list: Type.Optional(Type.Array(nullable)),
    inner: Type.Optional(Type.Object({ text })),
  },
  { additionalProperties: false },
);
const shape = compileShape(schema);

test.each([
  [{ text: smile.repeat(2) }, "text"],
  [{ text: smile.repeat(3) }, null],
  [{ text: smile.repeat(4) }, null],
  [{ text: "abc" }, null],
  [{ text: "ab" }, "text"],
  [{ nullable: smile.repeat(2) }, "nullable"],
  [{ nullable: null, list: [] }, null],
  [{ list: [null, smile.repeat(3), `a${smile}`] }, "list[2]"],
  [{ inner: { text: `a${smile}` } }, "inner.text"],
  [{ inner: { text: `ab${smile}` } }, null],
] as const)("%j", (value, path) => {
  expect(shape.check(value)).toBe(path === null);
  expect(faultsOf(schema, value).map(({ field, code }) => `${field} ${code}`)).toEqual(
    path === null ? [] : [`${path} TOO_SHORT`],
  );
  if (path !== null) {
    const expected = "must be a string of 3 to 4 characters";
    expect(shape.fault(value, "body")).toMatchObject({ path, expected });
  }
});

test("a password", () => {
  const codeOf = (password: string) => passwordFault(password, "a@example.com")?.code;
  expect(codeOf(smile.repeat(passwordMinChars - 1))).toBe("TOO_SHORT");
  expect(codeOf(smile.repeat(passwordMinChars))).toBeUndefined();
  expect(codeOf(smile.repeat(passwordMaxChars))).toBeUndefined();
  expect(codeOf(smile.repeat(passwordMaxChars + 1))).toBe("TOO_LONG");
});

test("a password and a search over HTTP", async () => {
  const estate = await Estate.open();
  try {
    const { owner: token } = estate.root;
    const register = (password: string): Promise<string> =>
      estate.outcome("POST", "/auth/register", {
        body: { email: "siti@example.com", password, name: "Siti" },
      });
    expect(await register(smile.repeat(6))).toBe("400 validation-error");
    expect(await register(smile.repeat(12))).toBe("201");
    const search = (q: string): Promise<string> =>
      estate.outcome("GET", `/fleet/cards?q=${encodeURIComponent(q)}`, { token });
    expect(await search(smile)).toBe("400 validation-error");
    expect(await search(smile.repeat(2))).toBe("200");
  } finally {
    await estate.close();
  }
});
