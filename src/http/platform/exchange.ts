/**
 * One call on its way: what is known of it, filled step by step by `pipeline.ts` and handed to the
 * handler complete. The answer's write lives here, because it is where an answer is kept for replay.
 */
import { Problem } from "../../domain/problem.ts";
import { Refused } from "../../domain/refused.ts";
import type { WriteOptions, Writer } from "../../store/seam.ts";
import { addressOf, pathOf } from "../context.ts";
import type { Claim } from "../idempotency.ts";
import type { Caller } from "./caller.ts";
import type { Place } from "./page.ts";
import { problemBody, problemOfRefused } from "./problem.ts";
import type { AddressBucket, AnswerWrite, PlatformCall, PlatformRoute } from "./route.ts";
import type { PlatformSurface, VersionNotice } from "./surface.ts";
import { readTrace, type Trace } from "./trace.ts";

const noBytes = new Uint8Array(0);

/** The address of the socket, asked for only where it is needed. */
export type SocketAddress = (request: Request) => string;

export class PlatformExchange implements PlatformCall<unknown, unknown, unknown, unknown> {
  caller: Caller | null = null;
  /** What the caller was let in with. */
  token = "";
  params: unknown;
  query: unknown;
  body: unknown;
  bytes: Uint8Array = noBytes;
  claim: Claim | null = null;
  status: number;
  /** What the answer's write gave, once it is durable. */
  written: { readonly value: unknown } | null = null;
  /** Of a list: its filter in one spelling. */
  filter = "";
  notice: VersionNotice | null = null;
  readonly headers: Record<string, string> = {};
  /** What limits have to say, whatever is answered. */
  limitHeaders: Readonly<Record<string, string>> | null = null;
  readonly trace: Trace;
  #path: string | undefined;
  #address: string | undefined;
  #write: AnswerWrite | undefined;

  constructor(
    readonly surface: PlatformSurface,
    readonly route: PlatformRoute,
    readonly base: string,
    readonly request: Request,
    readonly requestId: string,
    readonly nowMs: number,
    readonly socketAddress: SocketAddress,
  ) {
    this.status = route.status;
    this.trace = readTrace(request.headers.get("traceparent"));
  }

  get path(): string {
    this.#path ??= pathOf(this.request.url);
    return this.#path;
  }

  get operationId(): string {
    return this.route.operationId;
  }

  /** Buckets of the client's address that the call draws on besides that of all calls. */
  get bucket(): AddressBucket | undefined {
    const { access } = this.route;
    return "public" in access ? access.bucket : undefined;
  }

  get traceId(): string {
    return this.trace.traceId;
  }

  get nowSec(): number {
    return Math.floor(this.nowMs / 1000);
  }

  get address(): string {
    const { request, surface } = this;
    this.#address ??= addressOf(request, this.socketAddress(request), surface.deps.proxyHops);
    return this.#address;
  }

  get userAgent(): string {
    return this.request.headers.get("user-agent") ?? "";
  }

  /** A function of its own, so that handlers may take it out of the call. */
  get write(): AnswerWrite {
    this.#write ??= (work, options) => this.#keepingWrite(work, options);
    return this.#write;
  }

  /** The answer that was kept, and its bytes, which need not be made twice. */
  kept: { readonly value: unknown; readonly text: string } | null = null;
  /** What the list's cursors are bound to: tenant, operation, path below the base, filter. */
  get binding(): string {
    const { caller, route, path, base, filter } = this;
    return `${caller?.tenantId ?? 0}\n${route.operationId}\n${path.slice(base.length)}\n${filter}`;
  }

  // Most calls need none of these three, so each is made where it is asked for.

  get cursorOf(): (place: Place) => string {
    return (place) => this.surface.cursors.write(this.binding, place);
  }

  get problemAt(): (problem: Problem, index: number) => Record<string, unknown> {
    return (problem, index) =>
      problemBody(problem, {
        path: `${this.path}#/${index}`,
        traceId: this.traceId,
        problemBase: this.surface.deps.problemBase,
      });
  }

  get standing(): () => Promise<boolean> {
    return () => this.#stands();
  }

  async #stands(): Promise<boolean> {
    const { deps } = this.surface;
    try {
      await deps.admit(this, deps.clock.nowMs());
      return true;
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
  }

  async #keepingWrite<T>(
    work: (tx: Writer) => Promise<T>,
    options?: WriteOptions,
  ): Promise<Exclude<T, Error>> {
    const { claim, surface } = this;
    const keeping = async (tx: Writer): Promise<T> => {
      const value = await work(tx);
      if (claim !== null && !(value instanceof Error)) await this.keep(claim, tx, value);
      return value;
    };
    const value = await surface.deps.store.write(claim === null ? work : keeping, options);
    if (value instanceof Refused) throw problemOfRefused(value);
    if (value instanceof Error) throw value;
    this.written = { value };
    return value as Exclude<T, Error>;
  }

  /** Keeps `value` as the answer of this call. */
  keep(claim: Claim, tx: Writer, value: unknown): Promise<void> {
    this.locate(value);
    this.kept = { value, text: answerText(value) };
    const kept = keptText(this.headers, this.base, this.kept.text);
    const nowSec = Math.floor(this.surface.deps.clock.nowMs() / 1000);
    return claim.keep(tx, this.status, kept, nowSec);
  }

  /** Sets `Location` by the route's rule. */
  locate(value: unknown): void {
    const { route, headers, base } = this;
    if (route.location === undefined || headers.location !== undefined) return;
    headers.location = base + route.location(value);
  }
}

/** The bytes of an answer as text; empty for none. */
export const answerText = (value: unknown): string =>
  value === undefined ? "" : JSON.stringify(value);

/**
 * A kept answer is its headers as a line of JSON, then its body. `Location` is kept without the base,
 * since a repeat may come by the other one.
 */
function keptText(headers: Readonly<Record<string, string>>, base: string, text: string): string {
  const { location } = headers;
  const isBelow = base !== "" && location?.startsWith(`${base}/`) === true;
  const kept = isBelow ? { ...headers, location: location.slice(base.length) } : headers;
  return `${JSON.stringify([isBelow, kept])}\n${text}`;
}

/** The headers and the body of a kept answer, for a caller who used `base`. */
export function readKept(
  kept: string,
  base: string,
): { headers: Record<string, string>; text: string } {
  const end = kept.indexOf("\n");
  const [isBelow, headers] = JSON.parse(kept.slice(0, end)) as [boolean, Record<string, string>];
  if (isBelow) headers.location = `${base}${headers.location}`;
  return { headers, text: kept.slice(end + 1) };
}
