/** One-time codes against the RFC's vectors, and that each step is spent once in any order. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { base32, otpauthUri, spendCode, stepOf, totpCode } from "../../src/domain/totp.ts";

const secret = new TextEncoder().encode("12345678901234567890");

/** RFC 6238, appendix B, SHA-1, of whose 8 digits the last 6. */
const vectors: [timeSec: number, code: string][] = [
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"],
];

describe("RFC 6238, appendix B", () => {
  for (const [timeSec, code] of vectors) {
    test(`${timeSec}`, () => expect(totpCode(secret, stepOf(timeSec))).toBe(code));
  }
});

describe("RFC 4648, §10, without padding", () => {
  const cases: [text: string, encoded: string][] = [
    ["", ""],
    ["f", "MY"],
    ["fo", "MZXQ"],
    ["foo", "MZXW6"],
    ["foob", "MZXW6YQ"],
    ["fooba", "MZXW6YTB"],
    ["foobar", "MZXW6YTBOI"],
  ];
  for (const [text, encoded] of cases) {
    test(`"${text}"`, () => expect(base32(new TextEncoder().encode(text))).toBe(encoded));
  }
});

test("the URI of an authenticator app", () => {
  expect(otpauthUri("a b@c.example", "ABC")).toBe(
    "otpauth://totp/Kartu:a%20b%40c.example?secret=ABC&issuer=Kartu&algorithm=SHA1&digits=6&period=30",
  );
});

test("a code of another length or alphabet is never good", () => {
  for (const code of ["", "28708", "2870820", "abcdef", "28708２"]) {
    expect(spendCode(secret, code, 59, 0)).toBeUndefined();
  }
});

test("whatever comes in whatever order, a step within reach is taken once, and no other is", () => {
  // A plain set of used steps is the model.
  const tries = fc.array(
    fc.record({ waitSec: fc.nat(70), skew: fc.integer({ min: -3, max: 3 }) }),
    {
      maxLength: 30,
    },
  );
  fc.assert(
    fc.property(tries, (all) => {
      const used = new Set<number>();
      let spent = 0;
      let nowSec = 1_700_000_000;
      for (const { waitSec, skew } of all) {
        nowSec += waitSec;
        const step = stepOf(nowSec) + skew;
        const after = spendCode(secret, totpCode(secret, step), nowSec, spent);
        expect(after !== undefined).toBe(Math.abs(skew) <= 1 && !used.has(step));
        if (after === undefined) continue;
        used.add(step);
        spent = after;
      }
    }),
    { numRuns: 200 },
  );
});
