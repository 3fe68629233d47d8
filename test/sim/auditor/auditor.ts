/**
 * The auditor: a second, simpler model of the server, made from the rules alone. It is told every call and
 * every answer, says at once where an answer is not the one that is due, and at the end holds the server's
 * file against its own books. It shares no code with the server.
 */

import { type Books, openBooks } from "./books.ts";
import type { Answer, Call, Start, View } from "./call.ts";
import { diverge } from "./call.ts";
import { Calendar } from "./day.ts";
import { type Asked, type Due, hold, isObject, mismatch } from "./due.ts";
import { finalAudit } from "./final.ts";
import { operatorSurface } from "./house.ts";
import { Kept } from "./idempotency.ts";
import { comeRound } from "./minute.ts";
import { deviceSurface } from "./surface.ts";

export { type Answer, type Call, Divergence, type Start } from "./call.ts";

export class Auditor {
  readonly #books: Books;
  readonly #devices: (asked: Asked, path: string) => Due;
  readonly #operators: (asked: Asked, path: string) => Due | undefined;
  /** Bodies by the ETag that they came with, of one caller and address. */
  readonly #etags = new Map<string, unknown>();
  #restarts = 0;

  constructor(start: Start) {
    this.#books = openBooks(start);
    const calendar = new Calendar(start.timezone);
    const kept = new Kept("idempotency_key_conflict");
    this.#devices = deviceSurface({ calendar, kept, reissues: new Map() });
    this.#operators = operatorSurface(calendar);
  }

  /**
   * To be called after every call that reached the server, in order, whether or not its caller saw the
   * answer. Flags must be listed by a call before one is decided.
   * @throws Divergence with what was due, what was answered, and why
   */
  judge(call: Call, answer: Answer, nowSec: number): void {
    const [path = "", search = ""] = call.path.split("?");
    const where = `${call.by} ${call.method} ${call.path}`;
    if (answer.status >= 500) {
      const met = { status: answer.status, body: answer.json, restarts: this.#restarts };
      diverge(where, "any other answer", met, "a fault of the server");
    }
    const body = isObject(call.body) ? call.body : {};
    const query = new URLSearchParams(search);
    const asked: Asked = { books: this.#books, call, answer, nowSec, ids: [], query, body };
    const operator = /^(?:\/api)?\/v1(\/.*)$/.exec(path)?.[1];
    const due = operator ? this.#operators(asked, operator) : this.#devices(asked, path);
    if (due === undefined || due.status === 0) return;
    if (answer.status === 304) this.#holdUnchanged(call, due);
    else hold(call, due, answer);
    this.#remember(call, answer);
  }

  /** Nothing has changed: what came with that ETag is still due. */
  #holdUnchanged(call: Call, due: Due): void {
    const body = this.#etags.get(`${call.by} ${call.path} ${call.etag}`);
    const at = body === undefined ? "an etag that was never given" : mismatch(due.body, body);
    if (at !== undefined) diverge(`${call.by} ${call.path}`, due.status, 304, `${at} has changed`);
  }

  #remember(call: Call, { status, headers, json }: Answer): void {
    const etag = headers.get("etag");
    if (call.method !== "GET" || status !== 200 || etag === null) return;
    if (call.etag === etag) diverge(`${call.by} ${call.path}`, 304, 200, "the ETag is the same");
    this.#etags.set(`${call.by} ${call.path} ${etag}`, json);
  }

  /** The server was stopped or killed and started again between two calls: nothing may have changed. */
  restarted(): void {
    this.#restarts += 1;
  }

  /** What comes round every minute has run. */
  tick(nowSec: number): void {
    comeRound(this.#books, nowSec);
  }

  /** Holds everything there is against the books. @throws Divergence */
  async audit(view: View, nowSec: number): Promise<void> {
    await finalAudit(this.#books, view, nowSec);
  }
}
