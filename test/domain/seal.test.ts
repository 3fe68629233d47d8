/** Secrets at rest and the session key: frozen bytes, and every way in which a seal must not open. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SealBroken, type SealPlace, seal, unseal, wipe } from "../../src/domain/seal.ts";
import { deriveSessionKey } from "../../src/domain/sessionkey.ts";
import { uuidBytes } from "../../src/domain/uuid.ts";

const range = (from: number, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => from + i);
const place: SealPlace = {
  table: "key_version",
  row: "0196b0a0-0000-7000-8000-000000000001:3",
  column: "sealed_secret",
};
const masterKey = range(0, 32);

describe("seal", () => {
  test("gives the bytes of an independent implementation", () => {
    // Computed by a separate program checked against draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    expect(seal(masterKey, range(100, 24), place, range(200, 32)).toHex()).toBe(
      "6465666768696a6b6c6d6e6f707172737475767778797a7b" +
        "b4ba337b33e3474d57e14fec72ba6b1e836288aa38f1146f6cb48644cfbb9ef7" +
        "b46c4288de1da373fceeb468b46227ee",
    );
  });

  test("opens to what was sealed, whatever it was", () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const property = fc.property(bytes(32), bytes(24), fc.uint8Array(), (key, nonce, secret) => {
      expect(unseal(key, place, seal(key, nonce, place, secret))).toEqual(secret);
    });
    fc.assert(property, { numRuns: 50 });
  });

  const sealed = seal(masterKey, range(1, 24), place, range(9, 32));
  const elsewhere: [string, Partial<SealPlace>][] = [
    ["table", { table: "signing_key" }],
    ["row", { row: "0196b0a0-0000-7000-8000-000000000001:4" }],
    ["column", { column: "sealed" }],
  ];
  for (const [what, other] of elsewhere) {
    test(`does not open in another ${what}`, () => {
      expect(() => unseal(masterKey, { ...place, ...other }, sealed)).toThrow(SealBroken);
    });
  }

  test("does not open with another key, cut, or with any byte changed", () => {
    expect(() => unseal(range(1, 32), place, sealed)).toThrow(SealBroken);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => unseal(masterKey, place, sealed.subarray(0, length))).toThrow(SealBroken);
    }
    for (let at = 0; at < sealed.length; at++) {
      const damaged = sealed.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(() => unseal(masterKey, place, damaged)).toThrow(SealBroken);
    }
  });

  test("wipes", () => {
    const secret = range(1, 4);
    wipe(secret);
    expect(secret).toEqual(new Uint8Array(4));
  });
});

describe("session key", () => {
  const tenant = uuidBytes("0196b0a0-0000-7000-8000-000000000001");

  test("gives the bytes of an independent implementation", () => {
    expect(deriveSessionKey(range(0, 32), tenant, 3).toHex()).toBe(
      "e01ea7fc390afe70bdb9ca6d1dd7e6f60791f5966c964523e26ac29574277147",
    );
  });

  test("differs by tenant, version and secret", () => {
    const keys = [
      deriveSessionKey(range(0, 32), tenant, 3),
      deriveSessionKey(range(0, 32), tenant, 4),
      deriveSessionKey(range(1, 32), tenant, 3),
      deriveSessionKey(range(0, 32), uuidBytes("0196b0a0-0000-7000-8000-000000000002"), 3),
    ];
    expect(new Set(keys.map((key) => key.toHex())).size).toBe(4);
  });

  for (const version of [0, 256, 1.5]) {
    test(`refuses version ${version}`, () => {
      expect(() => deriveSessionKey(range(0, 32), tenant, version)).toThrow(RangeError);
    });
  }
});
