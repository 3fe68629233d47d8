/** The small pure parts of signing in: opaque tokens, recovery codes, kept answers, claims, passwords. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { FieldCode } from "../../schema/problem.ts";
import { readClaims, uuidMs } from "../../src/domain/claims.ts";
import { hashOf, isOpaque, opaqueToken } from "../../src/domain/opaque.ts";
import { passwordFault } from "../../src/domain/password.ts";
import { readRecoveryCode, recoveryBytes, recoveryCode } from "../../src/domain/recovery.ts";
import { graceNonceBytes, openGrace, sealGrace } from "../../src/domain/refresh.ts";
import { seededRandom } from "../../src/system/random.ts";

/** "answer" under the token "rt_token" and a nonce of sevens. */
const frozen =
  "0707070707070707070707071ccdfd4f12692cb9aa59632fe7496a433cd524f27d10f475758066b415f9dd";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe("an opaque token", () => {
  test("is its prefix and 43 characters, and is kept as 32 bytes", () => {
    const token = opaqueToken("rt_", new Uint8Array(32).fill(255));
    expect(token).toBe(`rt_${"_".repeat(42)}8`);
    expect(isOpaque("rt_", token)).toBe(true);
    expect(Buffer.from(hashOf(token)).toString("hex")).toBe(
      new Bun.CryptoHasher("sha256").update(token).digest("hex"),
    );
  });

  test("of another use, length or alphabet is none", () => {
    const token = opaqueToken("rt_", new Uint8Array(32));
    for (const text of [
      `st_${token.slice(3)}`,
      `${token}A`,
      token.slice(0, -1),
      `rt_${"+".repeat(43)}`,
    ]) {
      expect(isOpaque("rt_", text)).toBe(false);
    }
    expect(() => opaqueToken("rt_", new Uint8Array(31))).toThrow(RangeError);
  });
});

test("a recovery code has three groups of four, and is read back however it is typed", () => {
  fc.assert(
    fc.property(bytes(recoveryBytes), (raw) => {
      const code = recoveryCode(raw);
      expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
      expect(readRecoveryCode(code)).toBe(code);
      expect(readRecoveryCode(code.toLowerCase())).toBe(code);
      expect(readRecoveryCode(code.replaceAll("0", "o").replaceAll("1", "l"))).toBe(code);
    }),
    { numRuns: 100 },
  );
});

describe("a kept answer", () => {
  const nonce = new Uint8Array(graceNonceBytes).fill(7);
  const grace = { body: '{"accessToken":"é"}', cookie: "rt_x" };

  test("opens with the token that it was sealed under, and with no other", () => {
    const sealed = sealGrace("rt_a", nonce, grace);
    expect(openGrace("rt_a", sealed)).toEqual(grace);
    expect(openGrace("rt_a", sealGrace("rt_a", nonce, { body: "", cookie: null }))).toEqual({
      body: "",
      cookie: null,
    });
    expect(() => openGrace("rt_b", sealed)).toThrow();
    for (const at of [0, 12, sealed.length - 1]) {
      const damaged = Uint8Array.from(sealed);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(() => openGrace("rt_a", damaged)).toThrow();
    }
  });

  test("its layout is frozen", () => {
    const sealed = sealGrace("rt_token", nonce, { body: "answer", cookie: null });
    expect(Buffer.from(sealed).toString("hex")).toBe(frozen);
    expect(openGrace("rt_token", Buffer.from(frozen, "hex"))).toEqual({
      body: "answer",
      cookie: null,
    });
  });
});

describe("claims", () => {
  const nowMs = 1_763_742_780_123;
  const uuid = seededRandom(3).uuid(nowMs);
  const payload = {
    ...{ sub: uuid, email: "a@b.example", tenantId: uuid, roles: ["owner"], iat: 1, exp: 2 },
    ...{ iss: "https://kartu.example", aud: "platform-kernel", jti: uuid },
    kartu: { principal: "user" },
  };

  test("are read, the millisecond of their making out of the id", () => {
    expect(uuidMs(uuid)).toBe(nowMs);
    expect(readClaims({ ...payload, sid: uuid, act: { sub: uuid } })).toEqual({
      ...{ sub: uuid, email: "a@b.example", tenantId: uuid, roles: ["owner"] },
      ...{ issuedAtSec: 1, expiresAtSec: 2, audience: "platform-kernel", jti: uuid },
      ...{ issuedAtMs: nowMs, sid: uuid, principal: "user", actorId: uuid },
    });
    expect(readClaims(payload)).toMatchObject({ sid: null, actorId: null });
  });

  const bad: [string, Readonly<Record<string, unknown>>][] = [
    ["no subject", { sub: undefined }],
    ["a subject in capitals", { sub: uuid.toUpperCase() }],
    ["a tenant that is none", { tenantId: "1" }],
    ["no id", { jti: undefined }],
    ["several audiences", { aud: ["platform-kernel"] }],
    ["roles that are no list", { roles: "owner" }],
    ["a role that is no text", { roles: [1] }],
    ["no principal", { kartu: {} }],
    ["a strange principal", { kartu: { principal: "god" } }],
    ["a family that is none", { sid: 7 }],
    ["an actor that is none", { act: {} }],
    ["an expiry as text", { exp: "2" }],
  ];
  for (const [what, change] of bad) {
    test(`${what}: none of ours`, () => {
      expect(readClaims({ ...payload, ...change })).toBeUndefined();
    });
  }
});

describe("a password", () => {
  const cases: [string, FieldCode | undefined][] = [
    ["x".repeat(11), "TOO_SHORT"],
    ["x".repeat(12), undefined],
    ["x".repeat(128), undefined],
    ["x".repeat(129), "TOO_LONG"],
    ["Dewi@Example.com", "NOT_ALLOWED"],
    [" dewi@example.com ", "NOT_ALLOWED"],
  ];
  for (const [password, code] of cases) {
    test(`${password.slice(0, 20)} (${password.length}): ${code ?? "good"}`, () => {
      expect(passwordFault(password, "dewi@example.com")?.code).toBe(code);
    });
  }
});
