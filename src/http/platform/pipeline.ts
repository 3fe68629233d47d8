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
import { type Caller, isOwnToken } from "./caller.ts";
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
) => Promise<Response>;

/** A function that serves `route` below each base, sharing what calls share. */
export function servePlatformRoute(
  surface: PlatformSurface,
  route: PlatformRoute,
): (base: string) => ServePlatformRoute {
  const compiled = compilePlatformRoute(route);
  const { deps } = surface;
  return (base) => async (request, params, socketAddress) => {
    const nowMs = deps.clock.nowMs();
    const id = requestIdOf(request, () => deps.random.uuid(nowMs));
    const exchange = new PlatformExchange(surface, route, base, request, id, nowMs, socketAddress);
    exchange.params = params;
    let response: Response;
    try {
      response = await answer(exchange, compiled);
    } catch (error) {
      response = refuse(error, exchange, compiled);
    } finally {
      exchange.claim?.release();
    }
    deps.served?.({
      requestId: id,
      ...exchange.trace,
      method: route.method,
      path: route.path,
      status: response.status,
      startedMs: nowMs,
      tookMs: deps.clock.nowMs() - nowMs,
    });
    return response;
  };
}

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

/** The steps, each before the next. Whatever a step throws is the answer. */
async function answer(x: PlatformExchange, c: CompiledPlatformRoute): Promise<Response> {
  const { request, route, surface } = x;
  const { deps } = surface;
  // What stands alone is of no version.
  x.notice = route.root === true ? null : (deps.version?.(x.nowMs) ?? null);
  if (x.notice?.ended === true) throw new Problem("version-sunset");
  const bytesMax = route.size === "batch" ? deps.batchMaxBytes : deps.bodyMaxBytes;
  if (takesBody(route)) checkDeclaredLength(request, bytesMax);
  // What is known at once is not waited for: a turn of the loop is a tenth of a small call.
  const counted = route.uncounted === true ? undefined : takeAddress(x);
  if (counted !== undefined) await counted;
  if (!("public" in route.access)) {
    const admitted = admit(x);
    const caller = admitted instanceof Promise ? await admitted : admitted;
    x.caller = caller;
    const taken = route.uncounted === true ? undefined : takeCaller(x, caller);
    if (taken !== undefined) await taken;
    if (caller.tenant.status === "blocked") throw new Problem("tenant-blocked");
    const gate = deps.gate?.(caller, route);
    if (gate instanceof Promise) await gate;
    checkAccess(route.access, caller, deps.verifiedEmailDue);
  }
  if (takesBody(route)) checkType(request, route.media ?? "json");
  const key = keyIn(x);
  x.query = readQuery(queryOf(request.url), c.query);
  if (takesBody(route)) await readPayload(x, c, bytesMax);
  if (route.contract.list !== undefined) readPage(x);
  if (key !== null && x.caller !== null) {
    const replay = await claimKey(x, x.caller, key);
    if (replay !== null) return replay;
  }
  if (c.params !== null && !c.params.check(x.params)) throw new Problem("not-found");
  const made = route.handle(x);
  const value = made instanceof Promise ? await made : made;
  if (value instanceof Response) return respond(x, c, value);
  const { claim } = x;
  if (claim !== null && x.written === null) {
    await deps.store.write((tx) => x.keep(claim, tx, value));
  }
  return respond(x, c, value);
}

function takeAddress(x: PlatformExchange): Promise<void> | undefined {
  const { access, operationId } = x.route;
  const bucket = "public" in access ? access.bucket : undefined;
  const call = { caller: null, address: x.address, operationId, ...(bucket && { bucket }) };
  const taken = x.surface.deps.limits.take(call, x.nowMs);
  if (taken instanceof Promise) return taken.then(checkVerdict);
  checkVerdict(taken);
  return undefined;
}

function takeCaller(x: PlatformExchange, caller: Caller): Promise<void> | undefined {
  const settle = (verdict: Taken): void => {
    x.limitHeaders = verdict.headers;
    checkVerdict(verdict);
  };
  const call = { caller, address: x.address, operationId: x.route.operationId };
  const taken = x.surface.deps.limits.take(call, x.nowMs);
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
  return deps.admit({ token, address: x.address }, x.nowMs);
}

/** @throws Problem forbidden · impersonation-restricted · email-not-verified */
function checkAccess(
  access: Exclude<PlatformAccess, { readonly public: true }>,
  caller: Caller,
  verifiedEmailDue: boolean,
): void {
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
  const isBalance = "balance" in access && access.balance === true;
  if ((isBalance || access.restricted === true) && caller.actorId !== null) {
    throw new Problem("impersonation-restricted");
  }
  if (isBalance && verifiedEmailDue && caller.kind === "user" && !caller.emailVerified) {
    throw new Problem("email-not-verified");
  }
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
  const {
    limit = pageDefault,
    cursor,
    ...filter
  } = x.query as {
    limit?: number;
    cursor?: string;
  };
  const tenantId = x.caller?.tenantId ?? 0;
  const path = x.path.slice(x.base.length);
  x.binding = `${tenantId}\n${x.route.operationId}\n${path}\n${canonical(filter)}`;
  const after: Place | undefined =
    cursor === undefined ? undefined : x.surface.cursors.read(x.binding, cursor);
  x.query = { ...filter, limit, after };
}

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
