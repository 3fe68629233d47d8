/**
 * The device surface over HTTP, as a device's own radio sees it: obeys Retry-After, waits for a server
 * that restarts, can lose a request or a reply on purpose, and notes every answer that breaks the
 * conventions which hold for all calls. What an answer means is not judged here.
 */
import type { Findings } from "./finding.ts";
import type { Meter } from "./meter.ts";

export interface Answer {
  /** 0: the request never left, on purpose. */
  readonly status: number;
  /** Parsed JSON, or null where there is no body. */
  readonly body: unknown;
  readonly headers: Headers;
  /** An attempt before this one ended without an answer, so it may have been carried out. */
  readonly uncertain: boolean;
}

export interface Call {
  /** Under which name it is measured. */
  readonly kind: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly token?: string;
  /** Sent as it is: a resend carries the same bytes. */
  readonly body?: string;
  readonly idempotencyKey?: string;
  readonly ifNoneMatch?: string;
  readonly loseRequest?: boolean;
}

class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** Without an answer, or 503. */
const attemptsMax = 12;
/** Of these, answered with a fault of the server. */
const faultsMax = 2;
/** 429 included: many devices behind one address share its bucket. */
const waitsMax = 100;
const backoffFirstMs = 50;
const backoffMaxMs = 5_000;
const retryAfterMaxSec = 60;
const callMaxMs = 30_000;
/** Characters of a body that a finding quotes. */
const shownMax = 200;

const errorOf = (body: unknown): unknown =>
  typeof body === "object" && body !== null && "error" in body ? body.error : undefined;

export class Client {
  readonly #url: string;
  readonly #meter: Meter;
  readonly #findings: Findings;

  constructor(url: string, meter: Meter, findings: Findings) {
    this.#url = url.replace(/\/+$/, "");
    this.#meter = meter;
    this.#findings = findings;
  }

  /**
   * One call, tried again on 429, 503 and when nobody answers, twice on another 5xx.
   * @throws Unreachable after the last attempt.
   */
  async call(call: Call): Promise<Answer> {
    if (call.loseRequest) {
      this.#meter.record(call.kind, 0, 0);
      return { status: 0, body: null, headers: new Headers(), uncertain: false };
    }
    let uncertain = false;
    let failures = 0;
    for (let waits = 0; failures < attemptsMax && waits < waitsMax; waits += 1) {
      const answer = await this.#once(call, uncertain);
      if (!answer) uncertain = true;
      else if (!mayPass(answer.status, failures)) return answer;
      if (answer?.status !== 429) failures += 1;
      await Bun.sleep(waitMs(answer, failures));
    }
    throw new Unreachable(`${call.method} ${call.path}: no answer, tried often enough`);
  }

  async #once(call: Call, uncertain: boolean): Promise<Answer | null> {
    const headers: Record<string, string> = {};
    if (call.token !== undefined) headers.Authorization = `Bearer ${call.token}`;
    if (call.body !== undefined) headers["Content-Type"] = "application/json";
    if (call.idempotencyKey !== undefined) headers["Idempotency-Key"] = call.idempotencyKey;
    if (call.ifNoneMatch !== undefined) headers["If-None-Match"] = call.ifNoneMatch;
    const startMs = performance.now();
    try {
      const response = await fetch(this.#url + call.path, {
        method: call.method,
        headers,
        ...(call.body === undefined ? {} : { body: call.body }),
        signal: AbortSignal.timeout(callMaxMs),
      });
      const text = await response.text();
      this.#meter.record(call.kind, response.status, performance.now() - startMs);
      const body = this.#parse(call, text);
      const { status, headers: got } = response;
      this.#conventions(call, status, got, body);
      return { status, body, headers: got, uncertain };
    } catch {
      this.#meter.record(call.kind, 0, 0);
      return null;
    }
  }

  #parse(call: Call, text: string): unknown {
    if (text === "") return null;
    try {
      return JSON.parse(text);
    } catch {
      this.#findings.add(`${call.kind}: body is not JSON`, "JSON", text.slice(0, shownMax));
      return null;
    }
  }

  /** What every answer on this surface owes, whatever the call. */
  #conventions(call: Call, status: number, headers: Headers, body: unknown): void {
    const owe = (what: string, got: unknown) =>
      this.#findings.add(`${call.kind} ${status}: ${what}`, what, got);
    if (status >= 500 && status !== 503) owe("no fault of the server", body);
    if (status < 400) return;
    if (typeof errorOf(body) !== "string") owe("an error code in the body", body);
    if (!headers.get("x-request-id")) owe("an X-Request-ID", null);
    if (status === 401 && !headers.get("www-authenticate")) owe("WWW-Authenticate", null);
    if (status === 429 || status === 503) {
      const after = headers.get("retry-after") ?? "";
      if (!/^[1-9]\d*$/.test(after)) owe("Retry-After in whole seconds", after);
    }
  }
}

/** A fault of the server is safe to try again, but one that stays is the caller's to see. */
const mayPass = (status: number, failures: number): boolean =>
  status === 429 || status === 503 || (status >= 500 && failures < faultsMax);

function waitMs(answer: Answer | null, attempt: number): number {
  const after = Number(answer?.headers.get("retry-after") ?? 0);
  if (after > 0) return Math.min(after, retryAfterMaxSec) * 1_000;
  return Math.min(backoffMaxMs, backoffFirstMs * 2 ** attempt);
}
