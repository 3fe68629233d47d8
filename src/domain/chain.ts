/**
 * The hash chain of a card's log. An entry hashes what happened and the hash before it; the backend,
 * which never sees the two flag bits, tries the four combinations. Hashes are handled as numbers: the
 * 6 bytes read big-endian, `parseInt(hex, 16)`, so that nothing is allocated per event.
 *
 * What is hashed, 16 bytes, little-endian (the entry kept on the card is the same with its own hash
 * in the place of `previous`):
 *
 *   0         2            5               9       10               16
 *   | delta u16 | amount u24 | balance u32 | flags u8 | previous (6) |
 *
 * flags: bits 0–3 the type, 4 offline, 5 suspect, 6–7 zero.
 */
import { uint24Max, uint32Max } from "../../schema/bound.ts";

export type EventType = "debit" | "credit" | "checkin" | "checkout" | "admin";

/** Low four bits of an entry's flags. */
export const EVENT_CODE: Readonly<Record<EventType, number>> = {
  debit: 0,
  credit: 1,
  checkin: 2,
  checkout: 3,
  admin: 15,
};
export const OFFLINE = 16;
export const SUSPECT = 32;

export interface ChainEvent {
  readonly type: EventType;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly timestamp: number;
  /** 48 bits, the hex read big-endian. */
  readonly hash: number;
}

const input = new Uint8Array(16);
const digest = new Uint8Array(32);
const flagsAt = 9;

function lay(deltaTime: number, amount: number, balance: number, previous: number): void {
  input[0] = deltaTime;
  input[1] = deltaTime >>> 8;
  input[2] = amount;
  input[3] = amount >>> 8;
  input[4] = amount >>> 16;
  input[5] = balance;
  input[6] = balance >>> 8;
  input[7] = balance >>> 16;
  input[8] = balance >>> 24;
  write48(input, 10, previous);
}

function hashWith(flags: number): number {
  input[flagsAt] = flags;
  Bun.SHA256.hash(input, digest);
  return read48(digest, 0);
}

/** 6 bytes at `offset` as a number, big-endian. The caller guarantees that they are there. */
export function read48(bytes: Uint8Array, offset: number): number {
  const high =
    ((bytes[offset] as number) << 24) |
    ((bytes[offset + 1] as number) << 16) |
    ((bytes[offset + 2] as number) << 8) |
    (bytes[offset + 3] as number);
  const low = ((bytes[offset + 4] as number) << 8) | (bytes[offset + 5] as number);
  return (high >>> 0) * 65_536 + low;
}

/** Writes a 48-bit number as 6 bytes at `offset`, big-endian. */
export function write48(bytes: Uint8Array, offset: number, value: number): void {
  const high = Math.floor(value / 65_536);
  bytes[offset] = high >>> 24;
  bytes[offset + 1] = high >>> 16;
  bytes[offset + 2] = high >>> 8;
  bytes[offset + 3] = high;
  bytes[offset + 4] = value >>> 8;
  bytes[offset + 5] = value;
}

/** 12 lowercase hex digits of a 48-bit hash. */
export const hashHex = (hash: number): string => hash.toString(16).padStart(12, "0");

/** Seconds since the session began, mod 65 536 and never negative: a clock may run behind it. */
export const deltaTime = (timestamp: number, startTime: number): number =>
  (timestamp - startTime) & 0xffff;

/**
 * What stands for `previous` in a checkin and in a card's first entry: startTime (4, LE) ‖ 00 00 as a
 * number; 0 before the first session.
 */
export const startMarker = (startTime: number): number =>
  ((startTime & 0xff) * 0x1000000 +
    ((startTime >>> 8) & 0xff) * 0x10000 +
    ((startTime >>> 16) & 0xff) * 0x100 +
    (startTime >>> 24)) *
  65_536;

/**
 * Hash of one log entry, 48 bits. `delta` 0…65 535, `amount` u24, `balanceAfter` u32, `flags` u8,
 * `previous` 48 bits; larger numbers are the caller's mistake and would be cut.
 */
export function entryHash(
  delta: number,
  amount: number,
  balanceAfter: number,
  flags: number,
  previous: number,
): number {
  lay(delta, amount, balanceAfter, previous);
  return hashWith(flags);
}

/**
 * Does the event's hash fit what came before under any of the four flag combinations? `previous` is
 * the predecessor's hash, or `startMarker(startTime)` for a card's first entry. A checkin names its
 * own start, so both arguments are ignored for it. Never throws: what can't be laid out never fits.
 */
export function fitsChain(event: ChainEvent, startTime: number, previous: number): boolean {
  const { amount, balanceAfter, timestamp, hash } = event;
  if (!(amount >= 0 && amount <= uint24Max)) return false;
  if (!(balanceAfter >= 0 && balanceAfter <= uint32Max)) return false;
  if (event.type === "checkin") lay(0, amount, balanceAfter, startMarker(timestamp));
  else lay(deltaTime(timestamp, startTime), amount, balanceAfter, previous);
  const code = EVENT_CODE[event.type];
  // Terminals write offline as a rule; suspect marks the rare repair.
  return (
    hashWith(code | OFFLINE) === hash ||
    hashWith(code) === hash ||
    hashWith(code | OFFLINE | SUSPECT) === hash ||
    hashWith(code | SUSPECT) === hash
  );
}
