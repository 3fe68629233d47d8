/**
 * What is due: a status and, of its body, the parts that the rules fix. A part may be a value, a nest of
 * parts, or a function that says whether what was met will do; members that are not named are free.
 */

import type { Books } from "./books.ts";
import { type Answer, type Call, diverge } from "./call.ts";
import type { Device } from "./thing.ts";

export type Fit = (met: unknown) => boolean;
export type Part = null | boolean | number | string | undefined | Fit | readonly Part[] | Parts;
export interface Parts {
  readonly [name: string]: Part;
}

export interface Due {
  /** 0: whatever it is, nobody judges it. */
  readonly status: number;
  /** The code of a refusal; of several, any will do. */
  readonly codes?: readonly string[];
  readonly body?: Part;
}

/** Everything that a rule can look at. */
export interface Asked {
  readonly books: Books;
  readonly call: Call;
  readonly answer: Answer;
  readonly nowSec: number;
  /** Ids from the path. */
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Json;
}

/** A call that passed the guard of the device surface. */
export interface Heard extends Asked {
  readonly device: Device;
}

export type Json = Readonly<Record<string, unknown>>;

export const ok = (body?: Part, status = 200): Due => ({
  status,
  ...(body !== undefined && { body }),
});
export const refuse = (status: number, ...codes: string[]): Due => ({ status, codes });

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
export const isUuid: Fit = (met) => typeof met === "string" && uuid.test(met);

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
export const numberOf = (value: unknown): number =>
  typeof value === "number" ? value : Number.NaN;

/** As the operator surface writes times. */
export const iso = (sec: number): string => new Date(sec * 1000).toISOString();

/** Any of these. */
export const either =
  (...parts: readonly Part[]): Fit =>
  (met) =>
    parts.some((part) => mismatch(part, met) === undefined);

/** The same members, in any order. */
export const anyOrder =
  (parts: readonly Part[]): Fit =>
  (met) => {
    if (!Array.isArray(met) || met.length !== parts.length) return false;
    const left = [...parts];
    for (const each of met) {
      const at = left.findIndex((part) => mismatch(part, each) === undefined);
      if (at < 0) return false;
      left.splice(at, 1);
    }
    return true;
  };

/** Where the two part, or undefined. */
export function mismatch(due: Part, met: unknown, at = ""): string | undefined {
  if (typeof due === "function") return due(met) ? undefined : at || "body";
  if (Array.isArray(due)) {
    if (!Array.isArray(met) || met.length !== due.length) return at || "body";
    return firstOf(due.map((part, index) => mismatch(part, met[index], `${at}[${index}]`)));
  }
  if (typeof due === "object" && due !== null) {
    if (!isObject(met)) return at || "body";
    const parts = Object.entries(due);
    return firstOf(parts.map(([name, part]) => mismatch(part, met[name], `${at}.${name}`)));
  }
  return Object.is(due, met) ? undefined : at || "body";
}

const firstOf = (found: readonly (string | undefined)[]): string | undefined =>
  found.find((each) => each !== undefined);

/** A body as it is written in a message: functions by what they were called. */
function written(part: Part): unknown {
  if (typeof part === "function") return `<${part.name || "fit"}>`;
  if (Array.isArray(part)) return part.map(written);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([name, each]) => [name, written(each)]));
}

/** The code of a refusal: of the device surface, else the last word of the problem's type. */
export function codeOf({ json }: Answer): string {
  const { error, type } = objectOf(json);
  return textOf(error) || textOf(type).replace(/^.*\//, "");
}

/** @throws Divergence unless the answer is what was due */
export function hold(call: Call, due: Due, answer: Answer): void {
  const where = `${call.by} ${call.method} ${call.path} ${JSON.stringify(call.body) ?? ""}`;
  const { status, codes, body } = due;
  const met = { status: answer.status, body: answer.json };
  if (answer.status !== status) {
    diverge(where, { status, codes, body: written(body) }, met, "the status is another");
  }
  if (codes !== undefined && !codes.includes(codeOf(answer))) {
    diverge(where, codes, codeOf(answer), "the refusal is another");
  }
  const { status: told = status } = objectOf(answer.json);
  if (codes !== undefined && told !== status) diverge(where, status, told, "the body says another");
  const at = body === undefined ? undefined : mismatch(body, answer.json);
  if (at !== undefined) diverge(where, written(body), answer.json, `differs at ${at}`);
}
