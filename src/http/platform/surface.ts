/**
 * What the operator surface is made of: what it is given, what its calls share, and its routes made
 * ready to judge calls. No steps and no answers.
 */
import { type TSchema, Type } from "@sinclair/typebox";
import type { ProblemSlug } from "../../../schema/problem.ts";
import type { Store } from "../../store/seam.ts";
import type { Clock } from "../../system/clock.ts";
import type { Random } from "../../system/random.ts";
import type { Shape } from "../contract.ts";
import { IdempotencyKeys } from "../idempotency.ts";
import type { Caller } from "./caller.ts";
import type { CorsOrigins } from "./cors.ts";
import { Cursors } from "./cursor.ts";
import { shapeOf } from "./input.ts";
import type { Limits } from "./limit.ts";
import type { PlatformRoute } from "./route.ts";
import { refusalsOf } from "./slugs.ts";
import type { StreamCounts } from "./stream.ts";
import type { Tickets } from "./ticket.ts";

/** Who may not be told apart from a stranger until checked: a bearer token, as it was sent. */
export interface Knock {
  readonly token: string;
  /** Client address, believed proxies taken off; read only where it counts. */
  readonly address: string;
}

/**
 * Who calls, as of now.
 * @throws Problem unauthorized · token-expired · token-revoked
 */
export type AdmitCaller = (knock: Knock, nowMs: number) => Caller | Promise<Caller>;

/**
 * Whether what a route belongs to is open to the caller's tenant: the plan, and the module. The tenant
 * itself is looked at before.
 * @throws Problem subscription-suspended · subscription-terminated · plan-limit-exceeded ·
 * module-not-installed · billing-disabled
 */
export type Gate = (caller: Caller, route: PlatformRoute) => void | Promise<void>;

/** One line of the request log, and one span; no token, query or body in it. */
export interface PlatformServed {
  readonly requestId: string;
  readonly traceId: string;
  readonly parentSpanId: string | null;
  readonly sampled: boolean;
  readonly method: string;
  /** The route's pattern below `/api/v1`, whichever base was used, so that lines can be counted by it. */
  readonly path: string;
  readonly status: number;
  /** Of a call that was refused: whose it was, by ids alone; null where nobody is known. */
  readonly caller: string | null;
  readonly startedMs: number;
  readonly tookMs: number;
}

/** Something that people must be told of. */
export interface Alert {
  readonly kind: string;
  /** The route's pattern. */
  readonly route: string;
  readonly detail: string;
  /** Whose call it was; null where nobody's. */
  readonly tenantId: number | null;
}

/** How the version that a call is of stands: headers while deprecated, and whether it is past its end. */
export interface VersionNotice {
  readonly headers: Readonly<Record<string, string>>;
  readonly ended: boolean;
}

export interface PlatformDeps {
  readonly store: Store;
  readonly clock: Pick<Clock, "nowMs" | "every">;
  readonly random: Random;
  readonly masterKey: Uint8Array;
  readonly admit: AdmitCaller;
  readonly limits: Limits;
  readonly gate?: Gate;
  readonly tickets: Tickets;
  readonly streams: StreamCounts;
  /** Null: nothing to be said of version 1. */
  readonly version?: (nowMs: number) => VersionNotice | null;
  readonly reportFault: (error: unknown, requestId: string, path: string) => void;
  readonly served?: (served: PlatformServed) => void;
  /** An answer broke its contract. */
  readonly alert?: (alert: Alert) => void;
  /** Start of problem types, without a trailing slash. */
  readonly problemBase: string;
  /** Believed hops of X-Forwarded-For. */
  readonly proxyHops: number;
  readonly bodyMaxBytes: number;
  readonly batchMaxBytes: number;
  readonly corsOrigins: CorsOrigins;
  /** Users whose address is not verified change no balance. */
  readonly verifiedEmailDue: boolean;
  /** Development and staging: an answer that breaks its contract is 500. */
  readonly checkAnswers: boolean;
}

/** What calls share: made once. */
export class PlatformSurface {
  readonly keys: IdempotencyKeys;
  readonly cursors: Cursors;

  constructor(readonly deps: PlatformDeps) {
    this.keys = new IdempotencyKeys(deps.store, deps);
    this.cursors = new Cursors(deps.masterKey);
  }
}

export interface CompiledPlatformRoute {
  readonly route: PlatformRoute;
  readonly params: Shape | null;
  readonly query: Shape | null;
  readonly body: Shape | null;
  readonly response: Shape | null;
  readonly statuses: ReadonlySet<number>;
  readonly refusals: ReadonlySet<ProblemSlug>;
}

const pageMax = 100;
export const pageDefault = 20;

const listParameters = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: pageMax,
      default: pageDefault,
      description: "Rows of a page.",
    }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 2_048, description: "`meta.cursor` of the page before." }),
  ),
};

const streamParameters = {
  ticket: Type.Optional(
    Type.String({ maxLength: 64, description: "A stream ticket in place of the bearer header." }),
  ),
  lastEventId: Type.Optional(
    Type.String({ maxLength: 64, description: "Position to go on after, as `Last-Event-ID`." }),
  ),
};

/** Every query parameter of a route, those that follow from what it is included; null = none. */
export function querySchemaOf({ contract, stream }: PlatformRoute): TSchema | null {
  const { query, list } = contract;
  if (query === undefined && list === undefined && stream !== true) return null;
  const properties = {
    ...(query?.properties as Record<string, TSchema> | undefined),
    ...(list !== undefined && listParameters),
    ...(stream === true && streamParameters),
  };
  const additionalProperties = (query?.additionalProperties ?? false) as boolean | TSchema;
  return Type.Object(properties, { additionalProperties });
}

const listMeta = Type.Object(
  {
    cursor: Type.Union([Type.String(), Type.Null()], {
      description: "Where the next page begins; null on the last one.",
    }),
    hasMore: Type.Boolean(),
    total: Type.Integer({ minimum: 0, description: "Rows that the filter lets through." }),
    totalCapped: Type.Optional(Type.Literal(true, { description: "Counting stopped here." })),
  },
  { additionalProperties: false },
);

const metaOf = (more: TSchema | undefined): TSchema =>
  more === undefined
    ? listMeta
    : Type.Object(
        { ...listMeta.properties, ...(more.properties as Record<string, TSchema>) },
        { additionalProperties: false },
      );

/** The answer's body; null = none. */
export const responseSchemaOf = ({ contract }: PlatformRoute): TSchema | null =>
  contract.list !== undefined
    ? Type.Object(
        {
          data: Type.Array(contract.list),
          meta: metaOf(contract.meta),
          ...(contract.beside?.properties as Record<string, TSchema> | undefined),
        },
        { additionalProperties: false },
      )
    : (contract.response ?? null);

export function compilePlatformRoute(route: PlatformRoute): CompiledPlatformRoute {
  const { params, body } = route.contract;
  const shape = (schema: TSchema | null | undefined): Shape | null =>
    schema === null || schema === undefined ? null : shapeOf(schema);
  return {
    route,
    params: shape(params),
    query: shape(querySchemaOf(route)),
    body: shape(body),
    response: shape(responseSchemaOf(route)),
    statuses: new Set([route.status, ...(route.alsoStatus ?? [])]),
    refusals: new Set(refusalsOf(route)),
  };
}
