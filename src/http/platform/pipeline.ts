/**
 * One call of the operator surface, from the matched route to the answer, in the order of checks: size
 * 413, client address 429, token 401, the caller's limits 429, tenant 403 and plan 402, module 404,
 * permission 403, content type 415, idempotency header 400, query and body 400, replay or 409, malformed
 * ids 404, the handler. Path 404 and verb 405 come before, where no route was matched.
 */
import { invalid, Problem } from "../../domain/problem.ts";
import { checkDeclaredLength } from "../body.ts";
import { queryOf, requestIdOf } from "../context.ts";
import { isIdempotencyKey } from "../idempotency.ts";
import { canonical } from "../value.ts";
import { type Caller, checkBalanceChange, isOwnToken } from "./caller.ts";
import { PlatformExchange, readKept, type SocketAddress } from "./exchange.ts";
import { faultsMax } from "./fault.ts";
import { checkType, readBytes, readForm, readJson, readQuery } from "./input.ts";
import type { Taken } from "./limit.ts";
import type { Place } from "./page.ts";
import { problemOf, problemResponse } from "./problem.ts";
import { answerHeaders, respond, send } from "./respond.ts";
import type { PlatformAccess, PlatformRoute } from "./route.ts";
import { takesBody, takesKey } from "./slugs.ts";
import {
  type CompiledPlatformRoute,
  compilePlatformRoute,
  type PlatformSurface,
  pageDefault,
} from "./surface.ts";

export type ServePlatformRoute = (
  request: Request,
  params: unknown,
  socketAddress: SocketAddress,
) => Response | Promise<Response>;

/** A function that serves `route` below each base, sharing what calls share. */
export function servePlatformRoute(
  surface: PlatformSurface,
  route: PlatformRoute,
): (base: string) => ServePlatformRoute {
  const compiled = compilePlatformRoute(route);
  const { deps } = surface;
  return (base) => (request, params, socketAddress) => {
    const nowMs = deps.clock.nowMs();
    const id = requestIdOf(request, () => deps.random.uuid(nowMs));
    const exchange = new PlatformExchange(surface, route, base, request, id, nowMs, socketAddress);
    exchange.params = params;
    const fail = (error: unknown): Response => {
      exchange.claim?.release();
      return served(exchange, refuse(error, exchange, compiled));
    };
    let answered: Response | Promise<Response>;
    try {
      answered = answer(exchange, compiled);
    } catch (error) {
      return fail(error);
    }
    if (!(answered instanceof Promise)) return served(exchange, answered);
    return answered.then((response) => served(exchange, response), fail);
  };
}

/** The end of every call. */
function served(x: PlatformExchange, response: Response): Response {
  const { surface, route, trace, requestId, nowMs } = x;
  const { deps } = surface;
  x.claim?.release();
  deps.served?.({
    requestId,
    traceId: trace.traceId,
    parentSpanId: trace.parentSpanId,
    sampled: trace.sampled,
    method: route.method,
    path: route.path,
    status: response.status,
    caller: response.status < 400 ? null : callerOf(x),
    startedMs: nowMs,
    tookMs: deps.clock.nowMs() - nowMs,
  });
  return response;
}

const callerOf = ({ caller }: PlatformExchange): string | null =>
  caller === null ? null : `${caller.kind} ${caller.id} of tenant ${caller.tenantId}`;

function refuse(
  error: unknown,
  exchange: PlatformExchange,
  { route, refusals }: CompiledPlatformRoute,
): Response {
  const { deps } = exchange.surface;
  const { requestId, path, traceId } = exchange;
  const problem = problemOf(error, (bug) => deps.reportFault(bug, requestId, path));
  if (deps.checkAnswers && !refusals.has(problem.slug)) {
    const undeclared = `${route.operationId} does not declare ${problem.slug}`;
    deps.reportFault(new Error(undeclared), requestId, path);
  }
  const context = { requestId, path, traceId, problemBase: deps.problemBase };
  return problemResponse(problem, context, answerHeaders(exchange));
}

/**
 * Goes on with what is known at once, without a turn of the loop: most calls wait for nothing, and a
 * promise at each step would cost them as much as the steps do.
 */
const after = <T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> =>
  value instanceof Promise ? value.then(next) : next(value);

/** The steps, each before the next. Whatever a step throws is the answer. */
function answer(x: PlatformExchange, c: CompiledPlatformRoute): Response | Promise<Response> {
  const { request, route, surface } = x;
  const { deps } = surface;
  // What stands alone is of no version.
  x.notice = route.root === true ? null : (deps.version?.(x.nowMs) ?? null);
  if (x.notice?.ended === true) throw new Problem("version-sunset");
  if (takesBody(route)) checkDeclaredLength(request, bytesMaxOf(x));
  const counted = route.uncounted === true ? undefined : takeAddress(x);
  const { access } = route;
  const entered = after(counted, () => ("public" in access ? undefined : enter(x, access)));
  return after(entered, () => perform(x, c));
}

const bytesMaxOf = ({ route, surface: { deps } }: PlatformExchange): number =>
  route.size === "batch" ? deps.batchMaxBytes : deps.bodyMaxBytes;

/** Who calls, and whether they may. */
function enter(x: PlatformExchange, access: CallerAccess): void | Promise<void> {
  const { route, surface } = x;
  const { deps } = surface;
  return after(admit(x), (caller) => {
    x.caller = caller;
    const counted = route.uncounted === true ? undefined : takeCaller(x);
    const opened = after(counted, () => {
      if (caller.tenant.status === "blocked") throw new Problem("tenant-blocked");
      return deps.gate?.(caller, route);
    });
    return after(opened, () => checkAccess(access, caller, deps.verifiedEmailDue));
  });
}

/** What is asked, and the answer to it. */
function perform(x: PlatformExchange, c: CompiledPlatformRoute): Response | Promise<Response> {
  const { request, route } = x;
  if (takesBody(route)) checkType(request, route.media ?? "json");
  const key = keyIn(x);
  x.query = readQuery(queryOf(request.url), c.query);
  if (takesBody(route)) return performWithBody(x, c, key);
  if (route.contract.list !== undefined) readPage(x);
  return handle(x, c);
}

async function performWithBody(
  x: PlatformExchange,
  c: CompiledPlatformRoute,
  key: string | null,
): Promise<Response> {
  await readPayload(x, c, bytesMaxOf(x));
  if (c.route.contract.list !== undefined) readPage(x);
  if (key !== null && x.caller !== null) {
    const replay = await claimKey(x, x.caller, key);
    if (replay !== null) return replay;
  }
  return await handle(x, c);
}

function handle(x: PlatformExchange, c: CompiledPlatformRoute): Response | Promise<Response> {
  if (c.params !== null && !c.params.check(x.params)) throw new Problem("not-found");
  return after(x.route.handle(x), (value) => {
    const { claim } = x;
    if (value instanceof Response || claim === null || x.written !== null) {
      return respond(x, c, value);
    }
    const kept = x.surface.deps.store.write((tx) => x.keep(claim, tx, value));
    return kept.then(() => respond(x, c, value));
  });
}

function takeAddress(x: PlatformExchange): Promise<void> | undefined {
  const taken = x.surface.deps.limits.take(x, x.nowMs);
  if (taken instanceof Promise) return taken.then(checkVerdict);
  checkVerdict(taken);
  return undefined;
}

function takeCaller(x: PlatformExchange): Promise<void> | undefined {
  const settle = (verdict: Taken): void => {
    x.limitHeaders = verdict.headers;
    checkVerdict(verdict);
  };
  const taken = x.surface.deps.limits.take(x, x.nowMs);
  if (taken instanceof Promise) return taken.then(settle);
  settle(taken);
  return undefined;
}

function checkVerdict({ refusal }: Taken): void {
  if (refusal === undefined) return;
  const { detail, retryAfterSec } = refusal;
  throw new Problem("rate-limit-exceeded", detail, { retryAfterSec });
}

const scheme = "bearer ";

/** The bearer token of a request (RFC 6750 §2.1); undefined when there is none. */
export function bearerOf(request: Request): string | undefined {
  const header = request.headers.get("authorization");
  if (header === null) return undefined;
  const isBearer =
    header.startsWith("Bearer ") || header.slice(0, scheme.length).toLowerCase() === scheme;
  if (!isBearer) return undefined;
  const token = header.slice(scheme.length).trim();
  // Of what else a token may consist, whoever checks it knows best.
  return token === "" || token.includes(" ") ? undefined : token;
}

/** @throws Problem unauthorized · token-expired · token-revoked */
function admit(x: PlatformExchange): Caller | Promise<Caller> {
  const { deps } = x.surface;
  let token = bearerOf(x.request);
  if (token === undefined && x.route.stream === true && !x.request.headers.has("authorization")) {
    const ticket = new URLSearchParams(queryOf(x.request.url)).get("ticket");
    if (ticket !== null) token = deps.tickets.redeem(ticket, x.nowMs);
  }
  if (token === undefined) throw new Problem("unauthorized", "An access token is due.");
  x.token = token;
  return deps.admit(x, x.nowMs);
}

type CallerAccess = Exclude<PlatformAccess, { readonly public: true }>;

/** @throws Problem forbidden · impersonation-restricted · email-not-verified */
function checkAccess(access: CallerAccess, caller: Caller, verifiedEmailDue: boolean): void {
  if ("self" in access) {
    if (access.own === true && !isOwnToken(caller)) {
      if (caller.actorId !== null) throw new Problem("impersonation-restricted");
      throw new Problem("forbidden", "The call needs a token of the person's own.");
    }
    return;
  }
  if ("role" in access) {
    if (!caller.isOwner) throw new Problem("forbidden", "The call is the owner's alone.");
  } else {
    const { permission, or = [] } = access;
    if (!caller.can(permission) && !or.some((other) => caller.can(other))) {
      throw new Problem("forbidden", `The permission ${permission} is missing.`);
    }
  }
  if (access.restricted === true && caller.actorId !== null) {
    throw new Problem("impersonation-restricted");
  }
  if ("balance" in access && access.balance === true) checkBalanceChange(caller, verifiedEmailDue);
}

function keyIn({ route, request }: PlatformExchange): string | null {
  if (!takesKey(route)) return null;
  const key = request.headers.get("idempotency-key");
  if (key === null) {
    if (route.idempotency === "required") throw new Problem("idempotency-key-required");
    return null;
  }
  if (!isIdempotencyKey(key)) throw new Problem("idempotency-key-invalid");
  return key;
}

async function readPayload(
  x: PlatformExchange,
  { route, body }: CompiledPlatformRoute,
  bytesMax: number,
): Promise<void> {
  x.bytes = await readBytes(x.request, bytesMax);
  if (route.media === "form" && body !== null) x.body = readForm(x.bytes, body);
  else x.body = readJson(x.bytes, body);
  if (route.check === undefined || x.body === undefined) return;
  const errors = route.check(x.body);
  if (errors.length > 0) throw invalid(errors.slice(0, faultsMax));
}

/** Turns `limit` and `cursor` into what a handler reads by. @throws Problem invalid-cursor */
function readPage(x: PlatformExchange): void {
  // Made for this call by `readQuery`, so it is filled on the spot.
  const query = x.query as { limit?: number; cursor?: string; after?: Place | undefined };
  const { limit = pageDefault, cursor } = query;
  x.filter = filterOf(query);
  query.limit = limit;
  query.after = cursor === undefined ? undefined : x.surface.cursors.read(x.binding, cursor);
  if (cursor !== undefined) delete query.cursor;
}

/** What a list's query has besides the page, in one spelling. */
function filterOf(query: Readonly<Record<string, unknown>>): string {
  for (const name in query) {
    if (name === "limit" || name === "cursor") continue;
    const { limit: _limit, cursor: _cursor, ...filter } = query;
    return canonical(filter);
  }
  return noFilter;
}

const noFilter = canonical({});

/** Claims the key; or the answer that was kept for it. */
async function claimKey(
  x: PlatformExchange,
  caller: Caller,
  key: string,
): Promise<Response | null> {
  const { surface, route, query, body } = x;
  const scope = {
    tenantId: caller.tenantId,
    caller: caller.id,
    method: route.method,
    path: x.path.slice(x.base.length),
    key,
  };
  const asked = [query ?? {}, body ?? {}];
  const begun = await surface.keys.begin(scope, asked, x.nowSec, route.secret === true);
  if ("release" in begun) {
    x.claim = begun;
    return null;
  }
  const { headers, text } = readKept(begun.body, x.base);
  return send(x, begun.status, text, { ...headers, "idempotent-replayed": "true" });
}
