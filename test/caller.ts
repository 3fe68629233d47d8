/**
 * How tests call a server and tell it the time: requests through the very handler that sockets feed, and
 * a clock that moves only when told. No venue here.
 */
import type { Serving } from "../src/serve.ts";
import type { Clock } from "../src/system/clock.ts";

/** Thursday, 8 May 2025, 17:26:40 in Jakarta. */
export const startSec = 1_746_700_000;
export interface VenueClock extends Clock {
  nowSec(): number;
  /** Puts the clock to a second, also backwards. */
  set(sec: number): void;
  /** Runs what comes round every minute, once. */
  minute(): Promise<void>;
}

export function venueClock(): VenueClock {
  const works: (() => void | Promise<void>)[] = [];
  let sec = startSec;
  return {
    nowMs: () => sec * 1000,
    nowSec: () => sec,
    advance: (by) => {
      sec += by;
    },
    set: (to) => {
      sec = to;
    },
    // Nothing runs by itself, so that a test says when a job comes round.
    every: (_periodMs, work) => {
      works.push(work);
      return async () => undefined;
    },
    minute: async () => {
      for (const work of works) await work();
    },
  };
}

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  /** The body as JSON; undefined when there was none. */
  readonly json: T;
}

export interface CallOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Call = <T = Record<string, unknown>>(
  method: string,
  path: string,
  options?: CallOptions,
) => Promise<Answer<T>>;

/** Calls to what is served, without a socket. */
export const callOf =
  ({ app }: Serving): Call =>
  async <T>(method: string, path: string, { token, body, headers = {} }: CallOptions = {}) => {
    const given = new Headers(headers);
    if (token !== undefined) given.set("authorization", `Bearer ${token}`);
    const text = typeof body === "string" ? body : JSON.stringify(body);
    if (text !== undefined && !given.has("content-type")) {
      given.set("content-type", "application/json");
    }
    const init = { method, headers: given, ...(text !== undefined && { body: text }) };
    const response = await app.handle(new Request(`http://localhost${path}`, init));
    const answer = await response.text();
    const json = (answer === "" ? undefined : JSON.parse(answer)) as T;
    return { status: response.status, headers: response.headers, json };
  };

/** The status, and the code of a refusal: what a test compares. */
export const outcome = ({ status, json }: Answer): string => {
  const error = status < 400 ? undefined : (json as { error?: string } | undefined)?.error;
  return error === undefined ? String(status) : `${status} ${error}`;
};
