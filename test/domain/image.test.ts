/**
 * The image codec under random lives of a card: what is written reads back, one flipped bit is
 * refused, a write torn at any page leaves the old card or the new one, and nonces are never reused.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { deriveCardKeys } from "../../src/domain/cardkey.ts";
import { type OpenCard, openImage, peek } from "../../src/domain/image.ts";
import { decodePlaintext, encodePlaintext } from "../../src/domain/plaintext.ts";
import { logFault, recoverImage } from "../../src/domain/recover.ts";
import {
  type CardWrite,
  firstImage,
  nextCounter,
  pageBytes,
  pageOrder,
  writeImage,
} from "../../src/domain/write.ts";

const keys = deriveCardKeys(new Uint8Array(32).fill(7), Uint8Array.of(1, 2, 3, 4, 5, 6));
const newKeys = deriveCardKeys(new Uint8Array(32).fill(9), keys.cardId);
const holder = { name: "Siti Rahayú", userId: 4_000_000_000, gender: 1, createdAt: 1_700_000_000 };
const start = {
  type: "admin",
  amount: 0,
  timestamp: 1_700_000_000,
  counter: 1,
  offline: false,
  holder,
  openingBalance: 50_000,
  expiresAt: 1_800_000_000,
  keyVersion: 3,
} as const;

const step = fc.record({
  type: fc.constantFrom("debit", "credit", "checkin", "checkout", "admin"),
  amount: fc.nat(1_000),
  pause: fc.nat(100_000),
  skip: fc.nat(3),
  offline: fc.boolean(),
  suspect: fc.boolean(),
  terminalId: fc.nat(65_535),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function write(card: OpenCard, move: Step): CardWrite {
  const { pause, skip, ...rest } = move;
  const moves = move.type === "debit" || move.type === "credit";
  const amount = moves ? Math.min(move.amount, card.plain.balance) : 0;
  const timestamp = card.plain.lastTimestamp + pause;
  return { ...rest, amount, timestamp, counter: nextCounter(card) + skip };
}

const life = (steps: Step[]): OpenCard =>
  steps.reduce((card, move) => writeImage(card, keys, write(card, move)).card, first());
const first = (): OpenCard => firstImage(keys, start).card;
const steps = fc.array(step, { maxLength: 12 });

const opened = (image: Uint8Array, older = [keys]): OpenCard => {
  const card = openImage(image, keys, older);
  if (typeof card === "string") throw new Error(card);
  return card;
};

function tear(before: Uint8Array, after: OpenCard, pages: number): Uint8Array {
  const image = before.slice();
  for (const page of pageOrder(after.active).slice(0, pages)) {
    const at = page * pageBytes;
    image.set(after.image.subarray(at, at + pageBytes), at);
  }
  return image;
}

test("what is written reads back, and its log agrees with it", () => {
  fc.assert(
    fc.property(steps, (moves) => {
      const card = life(moves);
      expect(opened(card.image)).toEqual(card);
      expect(logFault(card)).toBeNull();
      expect(decodePlaintext(encodePlaintext(card.plain))).toEqual(card.plain);
    }),
    { numRuns: 50 },
  );
});

test("any bit flipped in the active buffer, its tag or what the HMAC covers is refused", () => {
  fc.assert(
    fc.property(steps, fc.nat(), fc.nat(7), (moves, n, bit) => {
      const card = life(moves);
      const covered = [
        ...Array.from({ length: 210 }, (_, i) => card.active * 210 + i),
        ...Array.from({ length: 20 }, (_, i) => 420 + i),
        ...Array.from({ length: 16 }, (_, i) => 440 + card.active * 16 + i),
        ...Array.from({ length: 8 }, (_, i) => 472 + i),
      ];
      const image = card.image.slice();
      const at = covered[n % covered.length] as number;
      image[at] = (image[at] as number) ^ (1 << bit);
      expect(openImage(image, keys)).toBeString();
    }),
  );
});

test("torn at any page: the old card or the new, and the next write skips what was tried", () => {
  const total = pageOrder(0).length;
  fc.assert(
    fc.property(steps, step, fc.nat(total), (moves, last, pages) => {
      const before = life(moves);
      // A write as a terminal makes it: no counter left out but those of nextCounter.
      const move = write(before, { ...last, skip: 0 });
      const after = writeImage(before, keys, move).card;
      const image = tear(before.image, after, pages);
      const read = openImage(image, keys);
      const card = typeof read === "string" ? recoverImage(image, keys) : read;
      if (!card) throw new Error("nothing opens");
      expect([before.plain, after.plain]).toContainEqual(card.plain);
      const whole = image.every((byte, i) => byte === after.image[i]);
      const none = image.every((byte, i) => byte === before.image[i]);
      if (!none) expect(nextCounter(card)).toBeGreaterThan(after.plain.counter);
      if (whole) expect(card).toEqual({ ...after, inactive: card.inactive });
    }),
    { numRuns: 300 },
  );
});

describe("the other buffer", () => {
  const second = () => writeImage(first(), keys, write(first(), moveOf("credit"))).card;
  const moveOf = (type: Step["type"]): Step => ({
    ...{ type, amount: 5, pause: 1, skip: 0 },
    ...{ offline: true, suspect: false, terminalId: 9 },
  });

  test("never written: no sign of a broken write", () => {
    expect(opened(first().image).inactive).toBe("blank");
    expect(nextCounter(opened(first().image))).toBe(2);
  });

  test("an older write: no sign", () => {
    expect(nextCounter(opened(second().image))).toBe(3);
  });

  test("half of a write: three counters on", () => {
    const after = writeImage(second(), keys, write(second(), moveOf("debit"))).card;
    const card = opened(tear(second().image, after, 20));
    expect(card.inactive).toBe("shut");
    expect(nextCounter(card)).toBe(5);
  });

  test("from before a rekey: no sign to a reader that has the older key", () => {
    const rekey = { ...write(second(), moveOf("admin")), keyVersion: 4 };
    const { image } = writeImage(second(), newKeys, rekey).card;
    expect(openImage(image, keys)).toBe("hmac");
    const known = openImage(image, newKeys, [keys]);
    const unknown = openImage(image, newKeys);
    expect(known).toMatchObject({ inactive: "opens", keyVersion: 4 });
    expect(unknown).toMatchObject({ inactive: "shut", keyVersion: 4 });
  });
});

test.each([
  [{ type: "debit", amount: 50_001 }],
  [{ type: "credit", amount: 2 ** 24 }],
  [{ type: "checkin", amount: 1 }],
  [{ type: "credit", amount: -1 }],
  [{ type: "admin", counter: 1 }],
] as const)("what can't be written is a RangeError: %o", (wrong) => {
  const sane = { amount: 0, timestamp: 1_700_000_001, counter: 2, offline: true };
  expect(() => writeImage(first(), keys, { ...sane, ...wrong })).toThrow(RangeError);
});

test("a torn card is mended only with what its trailer can't prove", () => {
  const after = writeImage(first(), keys, { ...start, counter: 2, expiresAt: 1_900_000_000 }).card;
  const card = recoverImage(tear(first().image, after, 55), keys);
  if (!card) throw new Error("nothing opens");
  const mend = { ...start, counter: nextCounter(card), suspect: true };
  const { expiresAt, keyVersion, ...unproven } = mend;
  expect(() => writeImage(card, keys, unproven)).toThrow(RangeError);
  const mended = writeImage(card, keys, { ...unproven, expiresAt, keyVersion }).card;
  expect(opened(mended.image)).toMatchObject({ torn: false, expiresAt, inactive: "opens" });
});

test.each([
  [0x00, "blank"],
  [0xff, "blank"],
  [0x4b, "magic"],
])("a chip full of %p is %s", (byte, fault) => {
  expect(peek(new Uint8Array(484).fill(byte))).toBe(fault as "blank");
  expect(recoverImage(new Uint8Array(484).fill(byte), keys)).toBeNull();
});

test("another version of the format is not read", () => {
  const image = first().image.slice();
  image[4] = 2;
  expect(openImage(image, keys)).toBe("version");
});

test.each(["balance", "chain", "root"] as const)("a log that lies: %s", (fault) => {
  const { card, entry } = writeImage(first(), keys, { ...start, counter: 2 });
  const log = card.plain.log.slice();
  log[1] = { ...entry, hash: entry.hash + (fault === "chain" ? 1 : 0) };
  const balance = card.plain.balance + (fault === "balance" ? 1 : 0);
  const rootHash = card.rootHash + (fault === "root" ? 1 : 0);
  expect(logFault({ ...card, rootHash, plain: { ...card.plain, log, balance } })).toBe(fault);
});
