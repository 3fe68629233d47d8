/** Chain hashes against a slow second spelling of the layout, at the edges and for random entries. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  deltaTime,
  EVENT_CODE,
  type EventType,
  entryHash,
  fitsChain,
  hashHex,
  OFFLINE,
  read48,
  SUSPECT,
  startMarker,
  write48,
} from "../../src/domain/chain.ts";

const le = (value: number, bytes: number): string =>
  Array.from({ length: bytes }, (_, i) =>
    (Math.floor(value / 256 ** i) % 256).toString(16).padStart(2, "0"),
  ).join("");

function slowHash(delta: number, amount: number, balance: number, flags: number, previous: string) {
  const text = le(delta, 2) + le(amount, 3) + le(balance, 4) + le(flags, 1) + previous;
  return createHash("sha256").update(Buffer.from(text, "hex")).digest("hex").slice(0, 12);
}

const u48 = fc.maxSafeNat().map((n) => n % 2 ** 48);
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const type = fc.constantFrom<EventType>("debit", "credit", "checkin", "checkout", "admin");
const bits = fc.constantFrom(0, OFFLINE, SUSPECT, OFFLINE | SUSPECT);

test("entryHash is the layout hashed", () => {
  fc.assert(
    fc.property(fc.nat(65_535), fc.nat(2 ** 24 - 1), u32, fc.nat(63), u48, (d, a, b, f, p) => {
      expect(hashHex(entryHash(d, a, b, f, p))).toBe(slowHash(d, a, b, f, hashHex(p)));
    }),
  );
});

test.each([
  [0, "000000000000"],
  [1, "010000000000"],
  [0x01020304, "040302010000"],
  [0xffffffff, "ffffffff0000"],
  [0x80000000, "000000800000"],
])("startMarker(%d) is its four bytes, little-endian, and two zeros", (start, hex) => {
  expect(hashHex(startMarker(start))).toBe(hex);
});

test.each([
  [10, 10, 0],
  [9, 10, 65_535],
  [65_546, 10, 0],
  [0, 4_294_967_295, 1],
  [4_294_967_295, 0, 65_535],
])("deltaTime(%d, %d) = %d", (timestamp, start, delta) => {
  expect(deltaTime(timestamp, start)).toBe(delta);
});

test("48-bit numbers and their bytes", () => {
  fc.assert(
    fc.property(u48, (n) => {
      const bytes = new Uint8Array(8);
      write48(bytes, 1, n);
      expect(bytes.subarray(1, 7).toHex()).toBe(hashHex(n));
      expect(read48(bytes, 1)).toBe(n);
    }),
  );
});

test("an event fits under each of the four flag combinations, and no other", () => {
  fc.assert(
    fc.property(type, fc.nat(2 ** 24 - 1), u32, u32, u32, u48, bits, (t, a, b, ts, st, p, flag) => {
      const start = t === "checkin" ? ts : st;
      const previous = t === "checkin" ? startMarker(ts) : p;
      const flags = EVENT_CODE[t] | flag;
      const hash = entryHash(deltaTime(ts, start), a, b, flags, previous);
      const event = { type: t, amount: a, balanceAfter: b, timestamp: ts, hash };
      expect(fitsChain(event, st, p)).toBe(true);
      const high = entryHash(deltaTime(ts, start), a, b, flags | 64, previous);
      expect(fitsChain({ ...event, hash: high }, st, p)).toBe(false);
      expect(fitsChain({ ...event, balanceAfter: (b + 1) % 2 ** 32 }, st, p)).toBe(false);
      expect(fitsChain({ ...event, amount: (a + 1) % 2 ** 24 }, st, p)).toBe(false);
    }),
  );
});

test.each([
  { amount: 2 ** 24, balanceAfter: 0 },
  { amount: -1, balanceAfter: 0 },
  { amount: 0, balanceAfter: 2 ** 32 },
  { amount: 0, balanceAfter: -1 },
  { amount: Number.NaN, balanceAfter: 0 },
])("what can't be laid out never fits: %o", ({ amount, balanceAfter }) => {
  const cut = entryHash(0, amount, balanceAfter, 0, 0);
  const event = { type: "debit", amount, balanceAfter, timestamp: 0, hash: cut } as const;
  expect(fitsChain(event, 0, 0)).toBe(false);
});
