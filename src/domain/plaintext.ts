/**
 * What a card says about itself: the 198 bytes inside a buffer, as a record and back. Nothing here is
 * encrypted or trusted; that is the image's part. Little-endian:
 *
 *    0 name 32       UTF-8, NUL-padded, at most 31 bytes
 *   32 userId 4      36 gender 1     37 status 1     38 createdAt 4     42 zero 4
 *   46 balance 4     50 lastBalance 4  (before the latest write; the opening balance at counter 1)
 *   54 counter 8     62 lastTimestamp 4
 *   66 state 1       67 flags 1 (zero)  68 zero 2
 *   70 startTime 4   (0 before the first session)   74 endTime 4 (0 = open)
 *   78 terminalId 2  (that opened the session)      80 zero 6
 *   86 log 7 × 16    a ring: the entry of counter c in slot (c − 1) mod 7
 *
 * An entry: deltaTime u16, amount u24, balanceAfter u32, flags u8, hash 6. A slot of zeros belongs to
 * a counter that was skipped, or not reached yet.
 */
import { cardNameMaxBytes, safeIntegerMax } from "../../schema/bound.ts";
import { read48, write48 } from "./chain.ts";
import { type CardState, STATE_NAME } from "./state.ts";

const plaintextBytes = 198;
export const logSlots = 7;
const logAt = 86;
const entryBytes = 16;

export interface LogEntry {
  readonly delta: number;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly flags: number;
  readonly hash: number;
}

/** What is set when the card is made and stays. */
export interface Holder {
  readonly name: string;
  readonly userId: number;
  readonly gender: number;
  readonly createdAt: number;
}

export interface Plaintext extends Holder {
  /** 0 ACTIVE, 1 BLOCKED_TAMPER, 2 BLOCKED_FRAUD, 3 BLOCKED_EXPIRED, 4 BLOCKED_ADMIN. */
  readonly status: number;
  readonly balance: number;
  readonly lastBalance: number;
  readonly counter: number;
  readonly lastTimestamp: number;
  readonly state: CardState;
  readonly startTime: number;
  readonly endTime: number;
  readonly terminalId: number;
  /** Seven slots; null where there is no entry. */
  readonly log: readonly (LogEntry | null)[];
}

/** Slot of a counter's entry, an integer ≥ 1. */
export const slotOf = (counter: number): number => (counter - 1) % logSlots;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** 198 bytes. @throws RangeError if the name is longer than 31 bytes. */
export function encodePlaintext(plain: Plaintext): Uint8Array {
  const bytes = new Uint8Array(plaintextBytes);
  const view = new DataView(bytes.buffer);
  const name = encoder.encode(plain.name);
  if (name.length > cardNameMaxBytes) throw new RangeError("name: at most 31 bytes of UTF-8");
  bytes.set(name);
  view.setUint32(32, plain.userId, true);
  bytes[36] = plain.gender;
  bytes[37] = plain.status;
  view.setUint32(38, plain.createdAt, true);
  view.setUint32(46, plain.balance, true);
  view.setUint32(50, plain.lastBalance, true);
  view.setBigUint64(54, BigInt(plain.counter), true);
  view.setUint32(62, plain.lastTimestamp, true);
  bytes[66] = plain.state;
  view.setUint32(70, plain.startTime, true);
  view.setUint32(74, plain.endTime, true);
  view.setUint16(78, plain.terminalId, true);
  for (let slot = 0; slot < logSlots; slot += 1) {
    const entry = plain.log[slot];
    if (entry) encodeEntry(view, bytes, logAt + slot * entryBytes, entry);
  }
  return bytes;
}

function encodeEntry(view: DataView, bytes: Uint8Array, at: number, entry: LogEntry): void {
  view.setUint16(at, entry.delta, true);
  view.setUint16(at + 2, entry.amount & 0xffff, true);
  bytes[at + 4] = entry.amount >>> 16;
  view.setUint32(at + 5, entry.balanceAfter, true);
  bytes[at + 9] = entry.flags;
  write48(bytes, at + 10, entry.hash);
}

function decodeEntry(view: DataView, bytes: Uint8Array, at: number): LogEntry | null {
  const entry = {
    delta: view.getUint16(at, true),
    amount: view.getUint16(at + 2, true) | (view.getUint8(at + 4) << 16),
    balanceAfter: view.getUint32(at + 5, true),
    flags: view.getUint8(at + 9),
    hash: read48(bytes, at + 10),
  };
  const { delta, amount, balanceAfter, flags, hash } = entry;
  return delta || amount || balanceAfter || flags || hash ? entry : null;
}

function decodeName(bytes: Uint8Array): string | null {
  const end = bytes.indexOf(0);
  if (end < 0 || end > cardNameMaxBytes) return null;
  try {
    return decoder.decode(bytes.subarray(0, end));
  } catch {
    return null;
  }
}

/** The record in 198 bytes, or null where a field holds what the format doesn't know. */
export function decodePlaintext(bytes: Uint8Array): Plaintext | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, plaintextBytes);
  const name = decodeName(bytes.subarray(0, 32));
  const counter = Number(view.getBigUint64(54, true));
  const state = view.getUint8(66);
  const gender = view.getUint8(36);
  const status = view.getUint8(37);
  if (name === null || gender > 2 || status > 4 || !(state in STATE_NAME)) return null;
  if (counter < 1 || counter > safeIntegerMax) return null;
  const log: (LogEntry | null)[] = [];
  for (let slot = 0; slot < logSlots; slot += 1) {
    log.push(decodeEntry(view, bytes, logAt + slot * entryBytes));
  }
  return {
    name,
    userId: view.getUint32(32, true),
    gender,
    status,
    createdAt: view.getUint32(38, true),
    balance: view.getUint32(46, true),
    lastBalance: view.getUint32(50, true),
    counter,
    lastTimestamp: view.getUint32(62, true),
    state: state as CardState,
    startTime: view.getUint32(70, true),
    endTime: view.getUint32(74, true),
    terminalId: view.getUint16(78, true),
    log,
  };
}
