/**
 * A caller that mixes up names and values sent a token as the name of a field, and the answer told it
 * back: 64 characters of name were let through, and tokens have 46.
 */
import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { faultsOf } from "../../src/http/platform/fault.ts";

const body = Type.Object({ email: Type.String() }, { additionalProperties: false });
const tail = new Uint8Array(32).fill(0xa5).toBase64({ alphabet: "base64url", omitPadding: true });

test.each(["kt", "ks", "rt", "st", "tk", "ev", "pr", "in", "ak"])(
  "a token %s_… as a field's name is not told back",
  (prefix) => {
    const faults = faultsOf(body, { email: "a@b.example", [`${prefix}_${tail}`]: 1 });
    expect(faults).toEqual([
      { field: "*", message: "Is not a known field", code: "UNKNOWN_FIELD" },
    ]);
  },
);

test("a name that fits is", () => {
  const [fault] = faultsOf(body, { email: "a@b.example", emailAdress: 1 });
  expect(fault?.field).toBe("emailAdress");
});
