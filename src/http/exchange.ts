/**
 * One call on its way: what is known of it, filled step by step by `pipeline.ts` and handed to the
 * handler complete. The answer's write lives here, because it is where an answer is kept for replay.
 */
import type { DeviceIdentity } from "../domain/identity.ts";
import { Refused } from "../domain/refused.ts";
import type { WriteOptions, Writer } from "../store/seam.ts";
import { addressOf } from "./context.ts";
import { isNoneMatch } from "./etag.ts";
import type { Claim } from "./idempotency.ts";
import { type AnswerWrite, type Call, JsonText, type Route } from "./route.ts";
import type { SocketAddress, Surface } from "./surface.ts";

const noBytes = new Uint8Array(0);

export class Exchange implements Call<unknown, unknown, unknown, unknown> {
  device: DeviceIdentity | null = null;
  params: unknown;
  query: unknown;
  body: unknown;
  bytes: Uint8Array = noBytes;
  claim: Claim | null = null;
  /** What the answer's write gave, once it is durable. */
  written: { readonly value: unknown } | null = null;
  readonly headers: Record<string, string> = {};

  constructor(
    readonly surface: Surface,
    readonly route: Route,
    readonly request: Request,
    readonly requestId: string,
    readonly nowMs: number,
    readonly socketAddress: SocketAddress,
  ) {}

  get nowSec(): number {
    return Math.floor(this.nowMs / 1000);
  }

  get address(): string {
    const { request } = this;
    return addressOf(request, this.socketAddress(request), this.surface.deps.proxyHops);
  }

  // A property, as `write`, so that handlers may take it out of the call.
  readonly matches = (tag: string): boolean => {
    this.headers.etag = `"${tag}"`;
    this.headers["cache-control"] = "no-cache";
    return isNoneMatch(this.request.headers.get("if-none-match"), `"${tag}"`);
  };

  readonly write: AnswerWrite = async <T>(
    work: (tx: Writer) => Promise<T | Refused>,
    options?: WriteOptions,
  ): Promise<T> => {
    const { claim, route } = this;
    const keeping = async (tx: Writer): Promise<T | Refused> => {
      const value = await work(tx);
      if (claim !== null && !(value instanceof Refused)) {
        await claim.keep(tx, route.status, answerText(value), this.nowSec);
      }
      return value;
    };
    const value = await this.surface.deps.store.write(claim === null ? work : keeping, options);
    if (value instanceof Refused) throw value;
    this.written = { value };
    return value;
  };
}

/** The bytes of an answer as text; empty for none. */
export const answerText = (value: unknown): string =>
  value instanceof JsonText ? value.text : value === undefined ? "" : JSON.stringify(value);
