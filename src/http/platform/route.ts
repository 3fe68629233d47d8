/**
 * A route of the operator surface as a value: verb, path, who may call, contract, examples and handler
 * stand together. `pipeline.ts` serves it in the order of checks, `openapi.ts` describes it; neither
 * knows a feature. Types and constructors only.
 */
import type { Static, TSchema } from "@sinclair/typebox";
import type { ProblemSlug } from "../../../schema/problem.ts";
import type { FieldFault, Problem } from "../../domain/problem.ts";
import type { WriteOptions, Writer } from "../../store/seam.ts";
import type { Caller } from "./caller.ts";
import type { ListAnswer, PageQuery, Place } from "./page.ts";
import type { Trace } from "./trace.ts";

/** Buckets per client address besides that of all calls (§ rate limits): see `limit.ts`. */
export type AddressBucket = "auth" | "refresh" | "signup";

/** Anyone may call; `call.caller` is null. */
export interface PublicAccess {
  readonly public: true;
  readonly bucket?: AddressBucket;
}

/** Any signed-in caller about itself. */
export interface SelfAccess {
  readonly self: true;
  /**
   * Writes that need a person's own token: 403 `forbidden` for keys, clients and applications,
   * `impersonation-restricted` under impersonation.
   */
  readonly own?: true;
}

/** Callers that hold the permission; null stands for a rule that the handler checks by itself. */
export interface PermissionAccess {
  readonly permission: string;
  /**
   * Further permissions of which any one lets the call through to the handler, which decides by the
   * resource (own tenant or one below).
   */
  readonly or?: readonly string[];
  /** Changes how somebody signs in: 403 `impersonation-restricted` under impersonation. */
  readonly restricted?: true;
  /**
   * Changes a balance: 403 `impersonation-restricted` under impersonation, and `email-not-verified`
   * for users whose address is not, where the server asks for it.
   */
  readonly balance?: true;
}

/** The tenant's owner alone. */
export interface OwnerAccess {
  readonly role: "owner";
  readonly restricted?: true;
}

export type PlatformAccess = PublicAccess | SelfAccess | PermissionAccess | OwnerAccess;

/**
 * Shapes of a call. Objects are closed (`additionalProperties: false`). Absent `query`: no query
 * parameter is accepted. Absent `body`: none is needed, and `{}` is accepted. `response: null`: 204.
 * `list`: the answer is the list envelope over this item, and `limit`, `cursor` are added to the query.
 */
export interface PlatformContract {
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  readonly response?: TSchema | null;
  /** What the call says of itself with 503, as JSON, where that is its purpose. */
  readonly unwell?: TSchema;
  readonly list?: TSchema;
  /** An object: further members of a list's answer, beside `data` and `meta`. */
  readonly beside?: TSchema;
  /** An object: further members of a list's `meta`. */
  readonly meta?: TSchema;
}

type Of<C, K extends string> = C extends Record<K, infer S extends TSchema> ? Static<S> : undefined;

/** What a handler of a call without an answer returns. */
type Nothing = ReturnType<() => void>;

type BesideOf<C> = C extends { beside: infer S extends TSchema } ? Static<S> : unknown;
type MetaOf<C> = C extends { meta: infer S extends TSchema }
  ? { readonly meta: Static<S> }
  : unknown;

type AnswerOf<C extends PlatformContract> = C extends { list: infer S extends TSchema }
  ? ListAnswer<Static<S>> & BesideOf<C> & MetaOf<C>
  : C extends { response: infer S extends TSchema }
    ? Static<S>
    : Nothing;

/** A query of a list has where to begin and how much to read besides its filters. */
type QueryOf<C extends PlatformContract> = C extends { list: TSchema }
  ? (C extends { query: infer S extends TSchema } ? Static<S> : unknown) & PageQuery
  : Of<C, "query">;

/**
 * The one write whose result is the answer; under an `Idempotency-Key` that result is kept for replay
 * in the same transaction. Throwing rolls back and keeps nothing. A `Problem` that the work *returns* is
 * thrown after the COMMIT: what it wrote stays.
 */
export type AnswerWrite = <T>(
  work: (tx: Writer) => Promise<T>,
  options?: WriteOptions,
) => Promise<Exclude<T, Error>>;

/** One call on its way through, validated. */
export interface PlatformCall<P, Q, B, C> {
  readonly caller: C;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly bytes: Uint8Array;
  readonly request: Request;
  readonly requestId: string;
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  readonly trace: Trace;
  /** Client address, believed proxies taken off. */
  readonly address: string;
  readonly userAgent: string;
  readonly nowMs: number;
  readonly nowSec: number;
  /** The base that the request used, `/api/v1` or `/v1`: what links and `Location` start with. */
  readonly base: string;
  /** Path as received, without query. */
  readonly path: string;
  /**
   * Extra headers of the answer, names in lower case; `set-cookie` too. What a replay is to repeat is set
   * before the answer's write ends. `Location` of a created resource: `location` of the route.
   */
  readonly headers: Record<string, string>;
  readonly write: AnswerWrite;
  /** The signed cursor of a row's place in this very list: `pageOf` in `page.ts` asks for it. */
  readonly cursorOf: (place: Place) => string;
  /** The body of a problem document, for items of a batch; `instance` is the path and `#/<index>`. */
  readonly problemAt: (problem: Problem, index: number) => Record<string, unknown>;
  /** Whether the caller's token would be let in now: asked by what outlives the call. */
  readonly standing: () => Promise<boolean>;
  /** Status other than the route's, such as 207 or a shared route's second success. */
  status: number;
}

export interface PlatformExamples<B, A> {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly request?: B;
  readonly response?: A;
}

export type Verb = "GET" | "POST" | "PATCH" | "DELETE";

export interface PlatformRoute<P = unknown, Q = unknown, B = unknown, A = unknown, C = unknown> {
  readonly method: Verb;
  /**
   * Without the base, with `:name` for parameters: `/users/:id/block`. At one place of the path the
   * parameters of all routes bear one name: `:id`.
   */
  readonly path: string;
  /** The path stands alone, below neither base: `/.well-known/openid-configuration`, `/health`. */
  readonly root?: true;
  /** Draws on no bucket of any limit: probes, metrics. */
  readonly uncounted?: true;
  /** Which of the eleven documents describes it. */
  readonly namespace: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** Heading in the document. */
  readonly tag: string;
  readonly access: PlatformAccess;
  readonly contract: PlatformContract;
  readonly status: 200 | 201 | 202 | 204;
  /** Further successes that the handler may choose by `call.status`. */
  readonly alsoStatus?: readonly (200 | 201 | 202 | 204 | 207 | 302)[];
  /** Slugs special to this call; the common ones are understood. */
  readonly refusals: readonly ProblemSlug[];
  readonly examples: PlatformExamples<B, A>;
  /** `required` on calls that move money; default: accepted on every POST with a caller. */
  readonly idempotency?: "required" | "ignored";
  /** The answer carries a secret: kept sealed, never in clear. */
  readonly secret?: true;
  /** Path of the resource that was created, without the base: the answer's `Location`. */
  location?(answer: A): string;
  /**
   * The answer is `text/event-stream` (`streamOf` in `stream.ts`): `?ticket=` stands for the bearer
   * header, and `?lastEventId=` for `Last-Event-ID`.
   */
  readonly stream?: true;
  /** Media type of the success, where the handler returns a `Response` that is no JSON: `text/csv`. */
  readonly produces?: string;
  /** Media types that the success may have besides JSON, where the handler returns a `Response`. */
  readonly alsoProduces?: readonly string[];
  /** `form`: `application/x-www-form-urlencoded` in place of JSON. */
  readonly media?: "json" | "form";
  /** Largest body; default the setting, `batch` the batch setting. */
  readonly size?: "batch";
  /** What a contract can't say; asked once the shape is right. Faults in the order of the fields. */
  check?(body: B): readonly FieldFault[];
  /** Returns the answer, or a `Response` of its own (redirects, pages, streams). */
  handle(call: PlatformCall<P, Q, B, C>): A | Response | Promise<A | Response>;
}

type Typed<C extends PlatformContract, Who> = PlatformRoute<
  Of<C, "params">,
  QueryOf<C>,
  Of<C, "body">,
  AnswerOf<C>,
  Who
> & { readonly contract: C };

/** A route with a caller. */
export const operation = <const C extends PlatformContract>(
  value: Typed<C, Caller> & { readonly access: Exclude<PlatformAccess, PublicAccess> },
): PlatformRoute => value as PlatformRoute;

/** A route without one. */
export const publicOperation = <const C extends PlatformContract>(
  value: Typed<C, null> & { readonly access: PublicAccess },
): PlatformRoute => value as PlatformRoute;
