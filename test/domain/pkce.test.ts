/** PKCE by the example of its standard, and no verifier but the right one. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { challengeOf, isChallenge, isVerifier, provesChallenge } from "../../src/domain/pkce.ts";

const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
const verifiers = fc
  .array(fc.constantFrom(...letters), { minLength: 43, maxLength: 128 })
  .map((all) => all.join(""));

test("RFC 7636 appendix B", () => {
  expect(challengeOf(verifier)).toBe(challenge);
  expect(provesChallenge(verifier, challenge)).toBe(true);
});

test("a verifier proves its own challenge and no other", () => {
  fc.assert(
    fc.property(verifiers, verifiers, (one, other) => {
      expect(isVerifier(one)).toBe(true);
      expect(isChallenge(challengeOf(one))).toBe(true);
      expect(provesChallenge(one, challengeOf(one))).toBe(true);
      expect(provesChallenge(other, challengeOf(one))).toBe(one === other);
    }),
    { numRuns: 50 },
  );
});

describe("what is no verifier or challenge proves nothing", () => {
  const short = "a".repeat(42);
  const long = "a".repeat(129);
  const bad: [string, string, string][] = [
    ["a verifier of 42", short, challengeOf(short)],
    ["a verifier of 129", long, challengeOf(long)],
    ["a verifier with a blank", `${verifier} `, challengeOf(`${verifier} `)],
    ["the challenge itself (method plain)", challenge, challenge],
    ["an empty challenge", verifier, ""],
    ["a padded challenge", verifier, `${challenge}=`],
  ];
  for (const [name, given, wanted] of bad) {
    test(name, () => expect(provesChallenge(given, wanted)).toBe(false));
  }
});
