/**
 * The image that follows one event. Whether the event may be written (state, limits, grant) is not
 * decided here; what can't be laid out is a RangeError. An image is written in the order of
 * `pageOrder`: the buffer that was not active, then the trailer upward, 4 bytes at a time.
 */
import { uint24Max, uint32Max } from "../../schema/bound.ts";
import type { CardKeys } from "./cardkey.ts";
import {
  deltaTime,
  EVENT_CODE,
  type EventType,
  entryHash,
  OFFLINE,
  SUSPECT,
  startMarker,
} from "./chain.ts";
import {
  bufferBytes,
  bufferOf,
  imageBytes,
  type OpenCard,
  sealBuffer,
  trailerOf,
} from "./image.ts";
import {
  encodePlaintext,
  type Holder,
  type LogEntry,
  logSlots,
  type Plaintext,
  slotOf,
} from "./plaintext.ts";
import { IDLE, stateAfter } from "./state.ts";
import { type BufferPtr, encodeTrailer, setMac, trailerMac } from "./trailer.ts";

/** An NTAG215 is written in pages of 4 bytes; the image starts on a page. */
export const pageBytes = 4;

export interface CardWrite {
  readonly type: EventType;
  /** Minor units, u24; 0 for checkin, checkout and admin. */
  readonly amount: number;
  readonly timestamp: number;
  /** `nextCounter`, or one more for the retry within the same tap. */
  readonly counter: number;
  readonly offline: boolean;
  /** Set by the write that mends a torn one. */
  readonly suspect?: boolean;
  /** Of the terminal that checks in. */
  readonly terminalId?: number;
  /** A status to write (admin). */
  readonly status?: number;
  /** From now on; must be given when a torn card is mended, for its own is not proven. */
  readonly expiresAt?: number;
  /** Written under this version (admin), with `keys` derived for it: how a rotation moves a card. */
  readonly keyVersion?: number;
}

export interface FirstWrite extends CardWrite {
  readonly holder: Holder;
  readonly openingBalance: number;
  readonly expiresAt: number;
  readonly keyVersion: number;
}

export interface Written {
  /** The card as a reader would find it. */
  readonly card: OpenCard;
  readonly entry: LogEntry;
}

/** The counter that the next write carries: traces of a broken write skip those it may have used. */
export function nextCounter(card: OpenCard): number {
  if (card.torn || card.inactive === "shut") {
    return Math.max(card.counterBind, card.plain.counter) + 3;
  }
  return card.plain.counter + 1;
}

/** @throws RangeError if the amount or the balance after it does not fit its field. */
function balanceAfter(balance: number, write: CardWrite): number {
  const { type, amount } = write;
  const moves = type === "debit" || type === "credit";
  if (!(amount >= 0 && amount <= (moves ? uint24Max : 0))) throw new RangeError("amount");
  const after = type === "debit" ? balance - amount : balance + amount;
  if (!(after >= 0 && after <= uint32Max)) throw new RangeError("balance after the write");
  return after;
}

/** The plaintext after one event. Counters skipped since the last one lose their slots. */
function follow(plain: Plaintext, write: CardWrite): { plain: Plaintext; entry: LogEntry } {
  const { type, timestamp, counter } = write;
  if (!(counter > plain.counter)) throw new RangeError("counter does not grow");
  const newest = plain.counter > 0 ? plain.log[slotOf(plain.counter)] : null;
  const startTime = type === "checkin" ? timestamp : plain.startTime;
  const previous = newest && type !== "checkin" ? newest.hash : startMarker(startTime);
  const delta = deltaTime(timestamp, startTime);
  const balance = balanceAfter(plain.balance, write);
  const flags =
    EVENT_CODE[type] | (write.offline ? OFFLINE : 0) | (write.suspect === true ? SUSPECT : 0);
  const hash = entryHash(delta, write.amount, balance, flags, previous);
  const entry = { delta, amount: write.amount, balanceAfter: balance, flags, hash };
  const log = plain.log.slice();
  for (let c = Math.max(plain.counter + 1, counter - logSlots); c < counter; c += 1) {
    log[slotOf(c)] = null;
  }
  log[slotOf(counter)] = entry;
  const next: Plaintext = {
    ...plain,
    status: write.status ?? plain.status,
    balance,
    lastBalance: plain.balance,
    counter,
    lastTimestamp: timestamp,
    state: stateAfter(plain.state, type),
    startTime,
    endTime: type === "checkin" ? 0 : type === "checkout" ? timestamp : plain.endTime,
    terminalId: type === "checkin" ? (write.terminalId ?? 0) : plain.terminalId,
    log,
  };
  return { plain: next, entry };
}

/** Lays out the image; `keys` are those it is written under. */
function seal(before: OpenCard, write: CardWrite, keys: CardKeys, first: boolean): Written {
  const { plain, entry } = follow(before.plain, write);
  const active: BufferPtr = before.active === 0 ? 1 : 0;
  const image = before.image.slice();
  sealBuffer(image, active, keys, plain.counter, encodePlaintext(plain));
  const trailer = {
    expiresAt: write.expiresAt ?? before.expiresAt,
    keyVersion: write.keyVersion ?? before.keyVersion,
    activePtr: active,
    rootHash: entry.hash,
    counterBind: plain.counter,
  };
  const tail = trailerOf(image);
  encodeTrailer(trailer, tail);
  setMac(tail, trailerMac(keys.authKey, bufferOf(image, active), tail));
  const { expiresAt, keyVersion, rootHash, counterBind } = trailer;
  const inactive = first ? "blank" : "opens";
  return {
    card: {
      image,
      plain,
      keyVersion,
      expiresAt,
      rootHash,
      counterBind,
      active,
      inactive,
      torn: false,
    },
    entry,
  };
}

/**
 * The image after one event. `keys` are the card's own, or those of the new version in a rekey.
 * @throws RangeError amount, balance or counter impossible; a torn card without `expiresAt`.
 */
export function writeImage(card: OpenCard, keys: CardKeys, write: CardWrite): Written {
  if (card.torn && (write.expiresAt === undefined || write.keyVersion === undefined)) {
    throw new RangeError("a torn card's expiresAt and keyVersion must be given");
  }
  return seal(card, write, keys, false);
}

/** A chip's first image, with its first event: buffer A, the rest zero. @throws RangeError as above. */
export function firstImage(keys: CardKeys, write: FirstWrite): Written {
  const { holder, openingBalance, expiresAt, keyVersion } = write;
  const plain: Plaintext = {
    name: holder.name,
    userId: holder.userId,
    gender: holder.gender,
    createdAt: holder.createdAt,
    status: 0,
    balance: openingBalance,
    lastBalance: openingBalance,
    counter: 0,
    lastTimestamp: 0,
    state: IDLE,
    startTime: 0,
    endTime: 0,
    terminalId: 0,
    log: new Array<null>(logSlots).fill(null),
  };
  const nothing: OpenCard = {
    image: new Uint8Array(imageBytes),
    plain,
    keyVersion,
    expiresAt,
    rootHash: 0,
    counterBind: 0,
    active: 1,
    inactive: "blank",
    torn: false,
  };
  return seal(nothing, write, keys, true);
}

/** Indices of the pages of a write that makes `active` the active buffer, in the order of writing. */
export function pageOrder(active: BufferPtr): number[] {
  const from = Math.floor((active * bufferBytes) / pageBytes);
  const to = Math.ceil(((active + 1) * bufferBytes) / pageBytes);
  const pages: number[] = [];
  // The page on the border of the two buffers carries two bytes of each; the other's stay the same.
  for (let page = from; page < to; page += 1) pages.push(page);
  for (let page = (2 * bufferBytes) / pageBytes; page < imageBytes / pageBytes; page += 1) {
    pages.push(page);
  }
  return pages;
}
