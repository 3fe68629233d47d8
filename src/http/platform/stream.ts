/**
 * Server-sent events over a log: what lies behind a position, then what comes, until the stream has lived
 * its life or the token its own. Knows no log: what it reads and what wakes it are handed in.
 *
 *   id: <position>\nevent: <type>\ndata: <one line of JSON>\n\n     an event
 *   : ping\n\n                                                       every 15 s, and at first
 *   event: gap\ndata: {"oldest":<position>}\n\n                      the position asked for is gone
 *   event: expired\ndata: {"reason":"time" | "token"}\n\n            the last one
 */
import {
  streamLifeMs,
  streamPingMs,
  streamsPerTenantMax,
  streamsPerUserMax,
} from "../../../schema/bound.ts";
import { invalid, Problem } from "../../domain/problem.ts";
import type { Clock } from "../../system/clock.ts";
import type { Caller } from "./caller.ts";
import type { PlatformCall } from "./route.ts";

export interface StreamEvent {
  readonly position: number;
  readonly type: string;
  /** What a webhook would carry. */
  readonly data: unknown;
}

export interface StreamSource {
  /** Position of the newest entry of the log: where a stream begins that resumes nothing. */
  newest(): Promise<number>;
  /** Position of the oldest entry that is still there; one past the newest in an empty log. */
  oldest(): Promise<number>;
  /**
   * Entries behind `after` that this stream shows, oldest first, at most `limit`, and the position up to
   * which the log was looked through.
   */
  read(
    after: number,
    limit: number,
  ): Promise<{ readonly events: readonly StreamEvent[]; readonly upTo: number }>;
  /** Calls `wake` whenever there may be more. @returns ends that. */
  subscribe(wake: () => void): () => void;
}

/** Streams that are open now, so that nobody holds too many and all end when the server does. */
export class StreamCounts {
  readonly #counts = new Map<string, number>();
  readonly #open = new Set<() => void>();

  /** @throws Problem too-many-streams @returns closes it; more than once does no harm. */
  open({ id, tenantId }: Pick<Caller, "id" | "tenantId">, end: () => void): () => void {
    const user = `user ${tenantId} ${id}`;
    const tenant = `tenant ${tenantId}`;
    if (this.#count(user) >= streamsPerUserMax || this.#count(tenant) >= streamsPerTenantMax) {
      throw new Problem(
        "too-many-streams",
        `At most ${streamsPerUserMax} streams of a user and ${streamsPerTenantMax} of a tenant are open.`,
        { retryAfterSec: streamPingMs / 1000 },
      );
    }
    for (const key of [user, tenant]) this.#counts.set(key, this.#count(key) + 1);
    this.#open.add(end);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.#open.delete(end);
      for (const key of [user, tenant]) {
        const left = this.#count(key) - 1;
        if (left > 0) this.#counts.set(key, left);
        else this.#counts.delete(key);
      }
    };
  }

  /** Streams open now. */
  get size(): number {
    return this.#open.size;
  }

  /** Ends every stream: the server stops. */
  endAll(): void {
    for (const end of [...this.#open]) end();
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }
}

const positionForm = /^(?:0|[1-9][0-9]{0,15})$/;

/** The position that a stream resumes after; undefined = from now on. @throws Problem validation-error */
function resumeAfter(call: StreamCall): number | undefined {
  const header = call.request.headers.get("last-event-id");
  const given = header ?? call.query?.lastEventId;
  if (given === undefined || given === "") return undefined;
  const position = positionForm.test(given) ? Number(given) : Number.NaN;
  if (Number.isSafeInteger(position)) return position;
  const fault = { message: "Must be the position of an event", code: "INVALID_FORMAT" as const };
  throw header === null
    ? invalid([{ field: "lastEventId", ...fault }], "query")
    : invalid([{ field: "Last-Event-ID", ...fault }], "headers");
}

const encoder = new TextEncoder();
const frame = (type: string, data: unknown, id?: number): string =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

const eventsPerChunk = 100;

type End = "time" | "token" | "stop";

class Feed {
  #after = 0;
  #woken = false;
  #wake: (() => void) | undefined;
  #pings = 1;
  #end: End | undefined;
  #opening = "";
  isClosed = false;
  readonly #endings: (() => void)[] = [];

  constructor(readonly source: StreamSource) {}

  /** Where to begin: behind `after`, with a gap first where that is gone. */
  async begin(after: number | undefined): Promise<void> {
    this.#endings.push(this.source.subscribe(() => this.wake()));
    const newest = await this.source.newest();
    this.#after = Math.min(after ?? newest, newest);
    const oldest = await this.source.oldest();
    if (after === undefined || after >= oldest - 1) return;
    this.#after = oldest - 1;
    this.#opening = frame("gap", { oldest });
  }

  onEnd(ending: () => void): void {
    this.#endings.push(ending);
  }

  ping(): void {
    this.#pings = 1;
    this.wake();
  }

  finish(reason: End): void {
    this.#end ??= reason;
    this.wake();
  }

  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** The next bytes; null after the last. Waits until there are any. */
  async next(): Promise<Uint8Array | null> {
    for (;;) {
      this.#woken = false;
      if (this.#end !== undefined) return null;
      let text = this.#opening;
      this.#opening = "";
      const { events, upTo } = await this.source.read(this.#after, eventsPerChunk);
      for (const { type, data, position } of events) text += frame(type, data, position);
      const moved = upTo > this.#after;
      this.#after = Math.max(this.#after, upTo);
      if (this.#pings > 0) text = `: ping\n\n${text}`;
      this.#pings = 0;
      if (text !== "") return encoder.encode(text);
      if (!moved) await this.#sleep();
    }
  }

  get lastWords(): Uint8Array | null {
    if (this.#end === undefined || this.#end === "stop") return null;
    return encoder.encode(frame("expired", { reason: this.#end }));
  }

  close(): void {
    this.isClosed = true;
    for (const ending of this.#endings.splice(0)) ending();
  }

  #sleep(): Promise<void> {
    if (this.#woken) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }
}

/** What a stream's query has besides its own filters. */
interface StreamQuery {
  readonly lastEventId?: string;
  readonly [filter: string]: unknown;
}

export type StreamCall = Pick<
  PlatformCall<unknown, StreamQuery | undefined, unknown, Caller>,
  "caller" | "query" | "request" | "requestId" | "path" | "nowMs" | "standing"
>;

export interface StreamDeps {
  readonly streams: StreamCounts;
  readonly clock: Pick<Clock, "every">;
  /** Told when the log can't be read: the stream then breaks off. */
  readonly reportFault: (error: unknown, requestId: string, path: string) => void;
}

const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // A proxy that gathers the answer would hold events back.
  "x-accel-buffering": "no",
};

/**
 * The answer of a route with `stream`.
 * @throws Problem too-many-streams · validation-error (Last-Event-ID)
 */
export async function streamOf(
  call: StreamCall,
  source: StreamSource,
  { streams, clock, reportFault }: StreamDeps,
): Promise<Response> {
  const after = resumeAfter(call);
  if (call.request.method === "HEAD") return new Response(null, { headers: streamHeaders });
  const feed = new Feed(source);
  feed.onEnd(streams.open(call.caller, () => feed.finish("stop")));
  try {
    await feed.begin(after);
  } catch (error) {
    feed.close();
    throw error;
  }
  const tokenLifeMs = call.caller.expiresAtSec * 1000 - call.nowMs;
  const isTokenFirst = tokenLifeMs < streamLifeMs;
  const lifeMs = Math.max(1, Math.min(tokenLifeMs, streamLifeMs));
  const stopLife = clock.every(lifeMs, () => feed.finish(isTokenFirst ? "token" : "time"));
  const stopPing = clock.every(streamPingMs, async () => {
    if (await call.standing()) feed.ping();
    else feed.finish("token");
  });
  feed.onEnd(() => void stopLife());
  feed.onEnd(() => void stopPing());
  const onFault = (error: unknown): void => reportFault(error, call.requestId, call.path);
  return new Response(bodyOf(feed, onFault), { headers: streamHeaders });
}

const bodyOf = (feed: Feed, onFault: (error: unknown) => void): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        let bytes: Uint8Array | null = null;
        try {
          bytes = await feed.next();
        } catch (error) {
          onFault(error);
          feed.finish("stop");
        }
        // The client went meanwhile: there is nobody to tell.
        if (feed.isClosed) return;
        if (bytes !== null) return controller.enqueue(bytes);
        if (feed.lastWords !== null) controller.enqueue(feed.lastWords);
        feed.close();
        controller.close();
      },
      cancel: () => {
        feed.finish("stop");
        feed.close();
      },
    },
    { highWaterMark: 1 },
  );
