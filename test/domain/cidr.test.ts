/** Ranges of addresses: what is one, and what lies in it. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addressBytes, isAllowed, isInRange, parseRange } from "../../src/domain/cidr.ts";

describe("an address lies in a range", () => {
  const cases: [address: string, range: string, isIn: boolean][] = [
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.0/24", true],
    ["192.0.3.1", "192.0.2.0/24", false],
    ["192.0.3.1", "192.0.2.0/23", true],
    ["8.8.8.8", "0.0.0.0/0", true],
    ["10.0.0.127", "10.0.0.0/25", true],
    ["10.0.0.128", "10.0.0.0/25", false],
    ["::1", "::1/128", true],
    ["2001:db8::7", "2001:db8::/32", true],
    ["2001:db9::7", "2001:db8::/32", false],
    ["2001:DB8:0:0:0:0:0:7", "2001:db8::7", true],
    ["fe80::1%eth0", "fe80::/10", true],
    ["::ffff:192.0.2.1", "192.0.2.0/24", true],
    ["192.0.2.1", "::ffff:192.0.2.0/120", true],
    ["192.0.2.1", "2001:db8::/32", false],
    ["::1", "0.0.0.0/0", false],
    ["8.8.8.8", "::/0", false],
    ["x", "0.0.0.0/0", false],
  ];
  for (const [address, text, isIn] of cases) {
    test(`${address} in ${text}: ${isIn}`, () => {
      const range = parseRange(text);
      if (range === undefined) throw new Error("no range");
      expect(isInRange(address, range)).toBe(isIn);
    });
  }
});

describe("what is no range", () => {
  const bad = [
    ...["", "x", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4/33", "1.2.3.4/-1"],
    ...["1.2.3.4/8/8", "1.2.3.4/", "1.2.3.4/08", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9"],
    ...["::/129", "12345::", "::1.2.3", "1:2:3:4:5:6:7:8::", " 1.2.3.4"],
  ];
  for (const text of bad) test(`"${text}"`, () => expect(parseRange(text)).toBeUndefined());
});

test("no range at all lets everybody in; else one of them must", () => {
  expect(isAllowed("8.8.8.8", [])).toBe(true);
  expect(isAllowed("8.8.8.8", ["10.0.0.0/8", "8.0.0.0/8"])).toBe(true);
  expect(isAllowed("9.9.9.9", ["10.0.0.0/8", "8.0.0.0/8"])).toBe(false);
});

test("an address lies in the range of its own first bits, and in none that differs in one of them", () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 128 }), fc.nat(127), (raw, prefixBits, at) => {
      const groups = Array.from({ length: 8 }, (_, i) =>
        (((raw[2 * i] ?? 0) << 8) | (raw[2 * i + 1] ?? 0)).toString(16),
      );
      const address = groups.join(":");
      const base = addressBytes(address);
      fc.pre(base?.length === 16);
      if (base === undefined) return;
      expect(isInRange(address, { base, prefixBits })).toBe(true);
      const other = Uint8Array.from(base);
      other[at >> 3] = (other[at >> 3] ?? 0) ^ (0x80 >> (at & 7));
      expect(isInRange(address, { base: other, prefixBits })).toBe(at >= prefixBits);
    }),
    { numRuns: 200 },
  );
});
