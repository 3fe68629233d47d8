/**
 * What a surface is made of: what it is given, what its calls share, and its routes made ready to judge
 * calls. No steps and no answers.
 */
import { bucketsMax } from "../../schema/bound.ts";
import type { RefusalCode } from "../../schema/refusal.ts";
import type { DeviceIdentity } from "../domain/identity.ts";
import type { Store } from "../store/seam.ts";
import { compileShape, type Shape } from "./contract.ts";
import { IdempotencyKeys } from "./idempotency.ts";
import { commonRefusals, type ReportFault } from "./problem.ts";
import { Buckets } from "./rate.ts";
import type { DeviceAccess, Route } from "./route.ts";

/** A call whose device is known once its token is, also if the call is then refused. */
export interface DeviceCall {
  device: DeviceIdentity | null;
}

/**
 * Says who calls, and lets them by if this call is theirs to make.
 * @throws Refused invalid_token · rate_limited · insufficient_role · terminal_suspended · op_not_granted
 */
export type Admit = (
  request: Request,
  access: DeviceAccess,
  nowMs: number,
  call: DeviceCall,
) => Promise<void>;

/** How the version stands that the calls are of: headers once its end is announced, and whether it came. */
export interface SurfaceNotice {
  readonly headers: Readonly<Record<string, string>>;
  readonly ended: boolean;
}

/** One line of the request log; no token, query or body in it. */
export interface Served {
  readonly requestId: string;
  /** As the caller sent it. */
  readonly traceparent: string | null;
  readonly method: string;
  /** The route's pattern, so that lines can be counted by it. */
  readonly path: string;
  readonly status: number;
  /** Of a call that was refused: whose it was, by numbers and ids alone; null where nobody is known. */
  readonly caller: string | null;
  readonly startedMs: number;
  readonly tookMs: number;
}

export interface SurfaceDeps {
  readonly store: Store;
  readonly clock: { nowMs(): number };
  /** A new UUID. */
  readonly newRequestId: () => string;
  readonly admit: Admit;
  readonly reportFault: ReportFault;
  readonly served?: (served: Served) => void;
  /** Null: nothing to be said of the device surface. */
  readonly version?: (nowMs: number) => SurfaceNotice | null;
  /** Start of problem types, without a trailing slash. */
  readonly problemBase: string;
  /** Believed hops of X-Forwarded-For. */
  readonly proxyHops: number;
  readonly bodyMaxBytes: number;
  /** Calls a minute of one client address: of all kinds, and for a token. 0 = off. */
  readonly addressPerMin: { readonly all: number; readonly token: number };
  /** Development and tests: an answer or refusal that is not in the contract is a bug, 500. */
  readonly checkAnswers: boolean;
}

/** The address of the socket, asked for only where it is needed. */
export type SocketAddress = (request: Request) => string;

/** What calls share: made once a surface. */
export class Surface {
  readonly keys: IdempotencyKeys;
  readonly addressBuckets = new Buckets(bucketsMax);
  readonly tokenBuckets = new Buckets(bucketsMax);

  constructor(readonly deps: SurfaceDeps) {
    this.keys = new IdempotencyKeys(deps.store);
  }
}

export interface CompiledRoute {
  readonly route: Route;
  readonly params: Shape | null;
  readonly query: Shape | null;
  readonly body: Shape | null;
  readonly response: Shape | null;
  readonly refusals: ReadonlySet<RefusalCode>;
}

export function compileRoute(route: Route): CompiledRoute {
  const { params, query, body, response } = route.contract;
  return {
    route,
    params: params === undefined ? null : compileShape(params),
    query: query === undefined ? null : compileShape(query),
    body: body === undefined ? null : compileShape(body),
    response: response === null ? null : compileShape(response),
    refusals: new Set([...commonRefusals, ...route.refusals, ...codesOf(route)]),
  };
}

const codesOf = (route: Route): RefusalCode[] => {
  const codes: RefusalCode[] = [];
  if (route.malformedParams !== undefined) codes.push(route.malformedParams);
  if (route.tooMany !== undefined) codes.push(route.tooMany.code);
  if (route.terminalId !== undefined) codes.push("terminal_mismatch");
  if (!("public" in route.access) && route.access.op !== undefined) codes.push("op_not_granted");
  return codes;
};

/** Every special code that a route can answer, its own and those that follow from how it is made. */
export const refusalsOf = (route: Route): readonly RefusalCode[] => [
  ...new Set([...codesOf(route), ...route.refusals]),
];
