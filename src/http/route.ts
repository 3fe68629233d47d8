/**
 * A route of the device surface as a value: method, path, guard, contract, examples and handler stand
 * together. `mount.ts` serves it, `openapi.ts` describes it; neither knows a feature. Types and two
 * constructors only, no behaviour.
 */
import type { Static, TSchema } from "@sinclair/typebox";
import type { RefusalCode } from "../../schema/refusal.ts";
import type { Op } from "../domain/grant.ts";
import type { DeviceIdentity, Role } from "../domain/identity.ts";
import type { Refused } from "../domain/refused.ts";
import type { WriteOptions, Writer } from "../store/seam.ts";

/** The bucket of a device that a call draws from; its size is a setting. */
export type BucketName = "grant" | "device" | "report";

/** Anyone may call; a bucket per client address of its own on top of the one of all calls. */
export interface PublicAccess {
  readonly public: true;
  readonly addressBucket?: "token";
}

/** Devices of these roles may call. */
export interface DeviceAccess {
  readonly roles: readonly Role[];
  /** The call still answers while the device is suspended. */
  readonly suspended: boolean;
  /** An unexpired grant of this device must carry this op. */
  readonly op?: Op;
  readonly bucket: BucketName;
}

/**
 * Shapes of a call. Objects are closed (`additionalProperties: false`). Absent `query`: no query
 * parameter is accepted. Absent `body` on a POST: no body or `{}`. `response: null`: 204.
 */
export interface Contract {
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  readonly response: TSchema | null;
}

type ParamsOf<C extends Contract> = C extends { params: infer S extends TSchema }
  ? Static<S>
  : undefined;
type QueryOf<C extends Contract> = C extends { query: infer S extends TSchema }
  ? Static<S>
  : undefined;
type BodyOf<C extends Contract> = C extends { body: infer S extends TSchema }
  ? Static<S>
  : undefined;
type AnswerOf<C extends Contract> = C extends { response: infer S extends TSchema }
  ? Static<S>
  : undefined;

/** A body that is JSON text already, such as one shared by many answers. Sent as it is. */
export class JsonText {
  constructor(readonly text: string) {}
}

/** Returned by a handler after `call.matches(tag)` was true: 304 without a body. */
export const notModified: unique symbol = Symbol("notModified");

export type Answer<A> = A | JsonText | typeof notModified;

/**
 * The one write whose result is the answer. Under an `Idempotency-Key` that result is kept for replay
 * in the same transaction. A `Refused` that the work *returns* is thrown after the COMMIT (what it
 * wrote stays, nothing is kept for the key); one that it *throws* rolls back. Side writes that are not
 * the answer go to the store itself.
 */
export type AnswerWrite = <T>(
  work: (tx: Writer) => Promise<T | Refused>,
  options?: WriteOptions,
) => Promise<T>;

/** What is wrong with a payload: where, and what was expected. Never what was sent. */
export interface Fault {
  /** Such as `events[3].amount`; `body` or `query` for the whole. */
  readonly path: string;
  /** Such as `must be an integer from 1 to 255`. */
  readonly expected: string;
}

/** One call on its way through, validated. */
export interface Call<P, Q, B, D = DeviceIdentity> {
  readonly device: D;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** The body as it came; empty when there was none. */
  readonly bytes: Uint8Array;
  readonly request: Request;
  readonly requestId: string;
  /** Client address, proxies that are trusted taken off. */
  readonly address: string;
  /** The moment of arrival; one for the whole call. */
  readonly nowMs: number;
  readonly nowSec: number;
  /** Extra headers of the answer, names in lower case. */
  readonly headers: Record<string, string>;
  readonly write: AnswerWrite;
  /** Sets `ETag: "<tag>"`; true when the caller has that version: return `notModified`. */
  readonly matches: (tag: string) => boolean;
}

export interface RouteExamples<B, A> {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly request?: B;
  readonly response?: A;
}

export interface Route<P = unknown, Q = unknown, B = unknown, A = unknown, D = unknown> {
  readonly method: "GET" | "POST";
  /** With `:name` for parameters, such as `/api/cards/:cardId`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly access: PublicAccess | DeviceAccess;
  readonly contract: Contract;
  readonly status: 200 | 201 | 204;
  /** Codes special to this call, in the order tried; the common ones are understood. */
  readonly refusals: readonly RefusalCode[];
  readonly examples: RouteExamples<B, A>;
  /** What a path parameter of the wrong shape answers, at the step "resource". Default `not_found`. */
  readonly malformedParams?: RefusalCode;
  /** What a body, else in shape, with more items in this array than its `maxItems` answers. */
  readonly tooMany?: { readonly field: string; readonly code: RefusalCode };
  /** A strong ETag over the bytes of the answer, and 304 for a caller who has them. */
  readonly etag?: true;
  /** The handler asks `matches` itself: the call can answer 304. */
  readonly conditional?: true;
  /** Idempotency-Key is not looked at (an answer that must not be kept). */
  readonly ignoresIdempotencyKey?: true;
  /**
   * Reads a body in its usual spelling faster than any JSON is read; null where the bytes are not just
   * that, and then they are read as any JSON. It takes nothing that the contract would refuse.
   */
  scan?(bytes: Uint8Array): B | null;
  /** What a contract can't say, such as a length in bytes; asked once the shape is right. */
  check?(body: B): Fault | null;
  /** The terminal the body names; another than the token's is 403 `terminal_mismatch`. */
  terminalId?(body: B): number;
  handle(call: Call<P, Q, B, D>): Answer<A> | Promise<Answer<A>>;
}

type Typed<C extends Contract, D> = Route<ParamsOf<C>, QueryOf<C>, BodyOf<C>, AnswerOf<C>, D> & {
  readonly contract: C;
};

/** A route that a device calls: `call.device` is who it is. */
export const route = <const C extends Contract>(
  value: Typed<C, DeviceIdentity> & { readonly access: DeviceAccess },
): Route => value;

/** A route without a credential: `call.device` is null. */
export const publicRoute = <const C extends Contract>(
  value: Typed<C, null> & { readonly access: PublicAccess },
): Route => value;
