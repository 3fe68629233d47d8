/**
 * Reads a batch from bytes that are written exactly as `JSON.stringify` writes one with its members in
 * the contract's order and every value within the contract:
 *
 *   {"terminalId":42,"events":[{"cardId":"a1b2c3d4e5f6","counter":17,"type":"debit","amount":15000,
 *   "balanceAfter":485000,"timestamp":1746690000,"hash":"0f1e2d3c4b5a"},…]}       (without line breaks)
 *
 * It judges nothing else: at the first byte that is another one it gives up, and who called reads the
 * body as any JSON. What it does read is what `JSON.parse` would have made of it.
 */
import { batchEventsMax, safeIntegerMax, terminalIdMax, uint32Max } from "../../schema/bound.ts";
import type { EventType } from "./chain.ts";

export interface ScannedEvent {
  cardId: string;
  counter: number;
  type: EventType;
  amount: number;
  balanceAfter: number;
  timestamp: number;
  /** 12 lower-case hexadecimal digits. */
  hash: string;
}

export interface ScannedBatch {
  terminalId: number;
  events: ScannedEvent[];
}

const encoder = new TextEncoder();
const word = (text: string): Uint8Array => encoder.encode(text);

const opening = word('{"terminalId":');
const eventsStart = word(',"events":[');
const cardIdStart = word('{"cardId":"');
const counterStart = word('","counter":');
const typeStart = word(',"type":"');
const amountStart = word('","amount":');
const balanceStart = word(',"balanceAfter":');
const timestampStart = word(',"timestamp":');
const hashStart = word(',"hash":"');
const eventEnd = word('"}');
const closing = word("]}");
const comma = 0x2c;
const idChars = 12;

const types: readonly (readonly [EventType, Uint8Array])[] = (
  ["debit", "checkin", "checkout", "credit", "admin"] as const
).map((type) => [type, word(type)]);

/** One byte for each character, so that places in the text are places in the bytes. */
const decoder = new TextDecoder("latin1");

/** A batch being read. Each step moves on, or sets `failed`, after which nothing that it says counts. */
class Scan {
  at = 0;
  failed = false;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly text: string,
  ) {}

  /** Exactly these bytes. */
  pass(expected: Uint8Array): void {
    if (this.isNext(expected)) this.at += expected.length;
    else this.failed = true;
  }

  isNext(expected: Uint8Array): boolean {
    const { bytes, at } = this;
    for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
    return true;
  }

  isByte(byte: number): boolean {
    return this.bytes[this.at] === byte;
  }

  /** Decimal digits without a leading zero; at most 2^53 − 1, so the sum below is exact. */
  number(min: number, max: number): number {
    const { bytes } = this;
    const start = this.at;
    let value = 0;
    let digit = (bytes[this.at] ?? 0) - 0x30;
    while (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      this.at += 1;
      digit = (bytes[this.at] ?? 0) - 0x30;
    }
    const length = this.at - start;
    const isPlain = length > 0 && length <= 16 && (length === 1 || bytes[start] !== 0x30);
    if (!isPlain || value < min || value > max) this.failed = true;
    return value;
  }

  /** 12 lower-case hexadecimal digits. */
  id(): string {
    const { bytes, at } = this;
    for (let i = at; i < at + idChars; i++) {
      const byte = bytes[i] ?? 0;
      const isHex = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66);
      if (!isHex) this.failed = true;
    }
    this.at += idChars;
    return this.text.slice(at, at + idChars);
  }

  type(): EventType {
    for (const [type, bytes] of types) {
      if (!this.isNext(bytes)) continue;
      this.at += bytes.length;
      return type;
    }
    this.failed = true;
    return "debit";
  }

  event(): ScannedEvent {
    this.pass(cardIdStart);
    const cardId = this.id();
    this.pass(counterStart);
    const counter = this.number(1, safeIntegerMax);
    this.pass(typeStart);
    const type = this.type();
    this.pass(amountStart);
    const amount = this.number(0, uint32Max);
    this.pass(balanceStart);
    const balanceAfter = this.number(0, uint32Max);
    this.pass(timestampStart);
    const timestamp = this.number(0, uint32Max);
    this.pass(hashStart);
    const hash = this.id();
    this.pass(eventEnd);
    return { cardId, counter, type, amount, balanceAfter, timestamp, hash };
  }
}

/** The batch, or null if the bytes are anything else than one in the form above. */
export function scanBatch(bytes: Uint8Array): ScannedBatch | null {
  const scan = new Scan(bytes, decoder.decode(bytes));
  scan.pass(opening);
  const terminalId = scan.number(0, terminalIdMax);
  scan.pass(eventsStart);
  const events: ScannedEvent[] = [];
  if (!scan.failed && !scan.isNext(closing)) {
    events.push(scan.event());
    while (!scan.failed && scan.isByte(comma) && events.length < batchEventsMax) {
      scan.at += 1;
      events.push(scan.event());
    }
  }
  scan.pass(closing);
  return scan.failed || scan.at !== bytes.length ? null : { terminalId, events };
}
