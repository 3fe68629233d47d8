/**
 * The card format against vectors made by an independent implementation: every key, nonce, hash,
 * image, refusal, recovery and grant. Not one byte may differ.
 */
import { describe, expect, test } from "bun:test";
import { type CardKeys, deriveCardKeys, deriveNonce } from "../../src/domain/cardkey.ts";
import {
  EVENT_CODE,
  type EventType,
  fitsChain,
  hashHex,
  OFFLINE,
  SUSPECT,
} from "../../src/domain/chain.ts";
import { type Grant, grantKey, grantText, verifyGrant } from "../../src/domain/grant.ts";
import { type OpenCard, openImage, peek } from "../../src/domain/image.ts";
import { slotOf } from "../../src/domain/plaintext.ts";
import { logFault, recoverImage } from "../../src/domain/recover.ts";
import { firstImage, pageOrder, writeImage } from "../../src/domain/write.ts";
import vectors from "./card-v1.json";

type CardVector = (typeof vectors.cards)[number];
type EventVector = CardVector["events"][number];

const keysOf = (card: CardVector): CardKeys =>
  deriveCardKeys(Uint8Array.fromBase64(card.sessionKey), Uint8Array.fromHex(card.cardId));

/** The image after an event, from the image before it. */
function next(card: CardVector, keys: CardKeys, before: OpenCard | null, event: EventVector) {
  const write = {
    type: event.type as EventType,
    amount: event.amount,
    timestamp: event.timestamp,
    counter: event.counter,
    offline: (event.flags & OFFLINE) !== 0,
    suspect: (event.flags & SUSPECT) !== 0,
    terminalId: event.terminalId,
    status: event.status,
  };
  if (before) return writeImage(before, keys, write);
  const { name, userId, gender, createdAt, expiresAt, openingBalance } = card;
  const holder = { name, userId, gender, createdAt };
  const { keyVersion } = event;
  return firstImage(keys, { ...write, holder, openingBalance, expiresAt, keyVersion });
}

const opened = (image: Uint8Array, keys: CardKeys): OpenCard => {
  const card = openImage(image, keys);
  if (typeof card === "string") throw new Error(card);
  return card;
};

describe.each(vectors.cards)("card $cardId, $about", (card) => {
  const keys = keysOf(card);

  test("keys and nonces", () => {
    expect(keys.encryptionKey.toHex()).toBe(card.encryptionKey);
    expect(keys.authKey.toHex()).toBe(card.authKey);
    for (const event of card.events) {
      expect(deriveNonce(keys, event.counter).toHex()).toBe(event.nonce);
    }
  });

  test("every image follows from the one before, byte for byte", () => {
    let before: OpenCard | null = null;
    for (const event of card.events) {
      const { card: after, entry } = next(card, keys, before, event);
      expect(after.image.toHex()).toBe(event.image);
      expect(hashHex(entry.hash)).toBe(event.hash);
      expect({ delta: entry.delta, flags: entry.flags }).toEqual({
        delta: event.deltaTime,
        flags: event.flags,
      });
      before = opened(after.image, keys);
      expect(before).toEqual(after);
    }
  });

  test("every image reads back as what was written", () => {
    for (const event of card.events) {
      const seen = peek(Uint8Array.fromHex(event.image));
      if (typeof seen === "string") throw new Error(seen);
      expect(seen.cardId.toHex()).toBe(card.cardId);
      expect(seen.keyVersion).toBe(event.keyVersion);
      const read = opened(Uint8Array.fromHex(event.image), keys);
      expect(logFault(read)).toBeNull();
      expect(read.expiresAt).toBe(card.expiresAt);
      const { name, userId, gender, createdAt } = card;
      const { counter, timestamp, balanceAfter, state, startTime, endTime, terminalId } = event;
      expect(read.plain).toMatchObject({ name, userId, gender, createdAt, counter, state });
      expect(read.plain).toMatchObject({ startTime, endTime, terminalId, status: event.status });
      expect(read.plain).toMatchObject({ balance: balanceAfter, lastTimestamp: timestamp });
    }
  });

  test("every hash fits the chain, and none with another hash before it", () => {
    let previous = 0;
    for (const event of card.events) {
      const seen = {
        type: event.type as EventType,
        amount: event.amount,
        balanceAfter: event.balanceAfter,
        timestamp: event.timestamp,
        hash: Number.parseInt(event.hash, 16),
      };
      expect(fitsChain(seen, event.startTime, previous)).toBe(true);
      expect(fitsChain(seen, event.startTime, previous + 1)).toBe(event.type === "checkin");
      expect(fitsChain({ ...seen, hash: seen.hash + 1 }, event.startTime, previous)).toBe(false);
      expect(event.flags & 15).toBe(EVENT_CODE[seen.type]);
      previous = seen.hash;
    }
  });
});

const first = vectors.cards[0] as CardVector;

test.each(vectors.badImages)("refused: $flipped", ({ flipped, image }) => {
  const fault = openImage(Uint8Array.fromHex(image), keysOf(first));
  expect(fault).toBe(flipped === "activeTag" ? "gcm" : "hmac");
});

test.each(vectors.torn)("torn after $pagesWritten pages: $counterThatWins", (torn) => {
  const image = Uint8Array.fromHex(torn.image);
  const keys = keysOf(first);
  const read = openImage(image, keys);
  const card = typeof read === "string" ? recoverImage(image, keys) : read;
  expect(card?.plain.counter).toBe(torn.counterThatWins);
  expect(card && logFault(card)).toBeNull();
  expect(card?.torn).toBe(typeof read === "string");
});

test("the pages of a torn image are those of pageOrder", () => {
  const events = first.events.slice(-2).map((event) => Uint8Array.fromHex(event.image));
  const [before, after] = events as [Uint8Array, Uint8Array];
  for (const torn of vectors.torn) {
    const image = before.slice();
    const order = pageOrder(0);
    for (const page of order.slice(0, order.length - 16 + torn.pagesWritten)) {
      image.set(after.subarray(page * 4, page * 4 + 4), page * 4);
    }
    expect(image.toHex()).toBe(torn.image);
  }
});

test("the ring's slot of a counter", () => {
  const slots = [1, 2, 7, 8, 4294967302].map(slotOf);
  expect(slots).toEqual([0, 1, 6, 0, 4294967301 % 7]);
});

test.each(vectors.grants)("a grant, valid: $valid", (vector) => {
  const grant = vector.grant as Grant & { signature: string };
  expect(verifyGrant(grant, grantKey(vectors.grantKey))).toBe(vector.valid);
  if (vector.signedBytes !== undefined) expect(grantText(grant)).toBe(vector.signedBytes);
});
