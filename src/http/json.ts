/**
 * From bytes to a JSON value, strict where JSON.parse lets something through that says other than was
 * meant. Not the shape of the value: that is the contract's.
 */
import { Refused } from "../domain/refused.ts";
import type { Fault } from "./route.ts";

/** Deeper than any contract; keeps the walks below off the end of the stack. */
const depthMax = 32;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A payload that is not valid: where and what was expected, never what was sent. */
export const malformed = (fault: Fault): Refused =>
  new Refused("malformed_payload", { message: `${fault.path}: ${fault.expected}` });

/** A JSON text that could be read, and what its values no longer tell. */
export interface Parsed {
  readonly value: unknown;
  readonly bytes: Uint8Array;
  /** First number that is not written as a plain integer; −1 = none. */
  readonly oddNumberAt: number;
  /** Some string holds an escape. */
  readonly escapes: boolean;
  /** Members that were written; the parser keeps the last of those of one name. */
  readonly members: number;
}

/**
 * Reads a JSON text: valid UTF-8 without a byte order mark, nesting bounded.
 * @throws Refused malformed_payload. The parser's own words quote the text: they stay here.
 */
export function parseJson(bytes: Uint8Array): Parsed {
  let text: string;
  let value: unknown;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw malformed({ path: "body", expected: "must be UTF-8" });
  }
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed({ path: "body", expected: "must be JSON" });
  }
  const { tooDeep, oddNumberAt, escapes, members } = scanJson(bytes);
  if (tooDeep) throw malformed({ path: "body", expected: "is nested too deeply" });
  return { value, bytes, oddNumberAt, escapes, members };
}

/**
 * What no shape can say: no member is there twice (RFC 8259 §4: readers differ on which one counts),
 * numbers are written as plain integers (`1.0`, `1e3` and `-0` are not), strings are text. Asked after the shape was found right, so that every name in the path is one of ours.
 */
export function checkSpelling(parsed: Parsed): Fault | null {
  if (countMembers(parsed.value) !== parsed.members) {
    return { path: "body", expected: "must have no member twice" };
  }
  if (parsed.oddNumberAt >= 0) {
    const path = pathAt(parsed.bytes, parsed.oddNumberAt);
    return { path, expected: "must be an integer in plain digits" };
  }
  return parsed.escapes ? checkStrings(parsed.value, "") : null;
}

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const colon = 0x3a;
const comma = 0x2c;
const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** Index of the closing quote of the string that opens at `start`. */
function stringEnd(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at;
}

/** One pass over a text that is known to be JSON. */
function scanJson(
  bytes: Uint8Array,
): Pick<Parsed, "oddNumberAt" | "escapes" | "members"> & { tooDeep: boolean } {
  const length = bytes.length;
  const scan = { oddNumberAt: -1, escapes: false, members: 0, tooDeep: false };
  let depth = 0;
  let at = 0;
  for (; at < length; at++) {
    const byte = bytes[at] as number;
    if (byte === quote) {
      at++;
      for (let inner = bytes[at]; inner !== quote; inner = bytes[++at]) {
        if (inner !== backslash) continue;
        scan.escapes = true;
        at++;
      }
    } else if (byte === openBracket || byte === openBrace) {
      if (++depth > depthMax) return { ...scan, tooDeep: true };
    } else if (byte === closeBracket || byte === closeBrace) {
      depth--;
    } else if (byte === colon) {
      scan.members++;
    } else if (isOddNumber(byte, bytes, at) && scan.oddNumberAt < 0) {
      scan.oddNumberAt = at;
    }
  }
  return scan;
}

/** Members of a value, those of what it holds included. */
export function countMembers(value: unknown): number {
  if (value === null || typeof value !== "object") return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item);
    return count;
  }
  for (const name in value) count += 1 + countMembers((value as Record<string, unknown>)[name]);
  return count;
}

/** At a byte outside strings: a fraction, an exponent (`true` and `false` have an e too), or `-0`. */
const isOddNumber = (byte: number, bytes: Uint8Array, at: number): boolean =>
  byte === 0x2e ||
  byte === 0x45 ||
  (byte === 0x65 && isDigit(bytes[at - 1])) ||
  (byte === 0x2d && bytes[at + 1] === 0x30);

/** Path of the value that holds byte `target` of a JSON text. */
function pathAt(bytes: Uint8Array, target: number): string {
  const stack: (string | number)[] = [];
  let lastString = "";
  for (let at = 0; at < target; at++) {
    const byte = bytes[at];
    const top = stack.length - 1;
    const key = stack[top];
    if (byte === quote) {
      const end = stringEnd(bytes, at);
      lastString = decoder.decode(bytes.subarray(at + 1, end));
      at = end;
    } else if (byte === colon) stack[top] = lastString;
    else if (byte === openBracket) stack.push(0);
    else if (byte === openBrace) stack.push("");
    else if (byte === closeBracket || byte === closeBrace) stack.pop();
    else if (byte === comma && typeof key === "number") stack[top] = key + 1;
  }
  let path = "";
  for (const step of stack)
    path += typeof step === "number" ? `[${step}]` : path === "" ? step : `.${step}`;
  return path === "" ? "body" : path;
}

/** Steps to the first member of a JSON text that its object has already; null = none. */
export function duplicateMember(bytes: Uint8Array): (string | number)[] | null {
  const stack: { step: string | number; readonly names: Set<string> | null }[] = [];
  let lastString = "";
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    const top = stack.at(-1);
    if (byte === quote) {
      const end = stringEnd(bytes, at);
      lastString = JSON.parse(decoder.decode(bytes.subarray(at, end + 1))) as string;
      at = end;
    } else if (byte === colon && top !== undefined) {
      top.step = lastString;
      if (top.names?.has(lastString)) return stack.map(({ step }) => step);
      top.names?.add(lastString);
    } else if (byte === openBracket) stack.push({ step: 0, names: null });
    else if (byte === openBrace) stack.push({ step: "", names: new Set() });
    else if (byte === closeBracket || byte === closeBrace) stack.pop();
    else if (byte === comma && typeof top?.step === "number") top.step += 1;
  }
  return null;
}

/**
 * First string that is no text: half a surrogate pair (it has no UTF-8) or U+0000 (it cuts C strings
 * short). Both can only come from `\u` escapes. Null = none.
 */
function checkStrings(value: unknown, path: string): Fault | null {
  if (typeof value === "string") {
    if (value.isWellFormed() && !value.includes("\u0000")) return null;
    return { path: path === "" ? "body" : path, expected: "must be Unicode text without U+0000" };
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const fault = checkStrings(item, `${path}[${index}]`);
      if (fault !== null) return fault;
    }
    return null;
  }
  if (value === null || typeof value !== "object") return null;
  for (const [name, item] of Object.entries(value)) {
    const fault = checkStrings(item, path === "" ? name : `${path}.${name}`);
    if (fault !== null) return fault;
  }
  return null;
}
