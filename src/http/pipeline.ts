/**
 * One call of the device surface, from the matched route to the answer, in the order of refusal:
 * length 413, address bucket 429, admission (token 401, device bucket 429, role, suspension and op
 * 403), media type 415, payload 400, terminal 403, idempotency replay or 409, path parameters 404, the
 * handler. Path 404 and method 405 come before, in `mount.ts`.
 */
import type { DeviceIdentity } from "../domain/identity.ts";
import { Refused } from "../domain/refused.ts";
import { checkDeclaredLength, checkMediaType, hasBody, readBody } from "./body.ts";
import { addressKey, pathOf, queryOf, requestIdOf } from "./context.ts";
import { faultBesidesCount, readQuery, type Shape } from "./contract.ts";
import { Exchange } from "./exchange.ts";
import { isIdempotencyKey } from "./idempotency.ts";
import { checkSpelling, malformed, parseJson } from "./json.ts";
import { readTrace } from "./platform/trace.ts";
import { errorResponse, refusalOf, styleOf } from "./problem.ts";
import { respond, send } from "./respond.ts";
import type { Route } from "./route.ts";
import {
  type CompiledRoute,
  compileRoute,
  type SocketAddress,
  Surface,
  type SurfaceDeps,
} from "./surface.ts";

export type ServeRoute = (
  request: Request,
  params: unknown,
  socketAddress: SocketAddress,
) => Promise<Response>;

/** A function that serves each of `routes`, sharing what calls share. */
export function serveRoutes(deps: SurfaceDeps, routes: readonly Route[]): Map<Route, ServeRoute> {
  const surface = new Surface(deps);
  return new Map(routes.map((route) => [route, serveRoute(surface, compileRoute(route))]));
}

const serveRoute = (surface: Surface, compiled: CompiledRoute): ServeRoute => {
  const { deps } = surface;
  const { route } = compiled;
  // What lies outside `/api` has a trace, whoever serves it.
  const isTraced = styleOf(route.path) === "problem";
  return async (request, params, socketAddress) => {
    const nowMs = deps.clock.nowMs();
    const requestId = requestIdOf(request, deps.newRequestId);
    const exchange = new Exchange(surface, route, request, requestId, nowMs, socketAddress);
    const notice = deps.version?.(nowMs) ?? null;
    let response: Response;
    try {
      if (notice?.ended === true) throw new Refused("version_sunset");
      exchange.params = params;
      response = await answer(exchange, compiled);
    } catch (error) {
      response = refuse(error, exchange, compiled);
    } finally {
      exchange.claim?.release();
    }
    if (notice !== null) {
      for (const [name, value] of Object.entries(notice.headers)) response.headers.set(name, value);
    }
    if (isTraced && !response.headers.has("x-trace-id")) {
      const { traceId } = readTrace(request.headers.get("traceparent"));
      response.headers.set("x-trace-id", traceId);
    }
    deps.served?.({
      requestId,
      traceparent: request.headers.get("traceparent"),
      method: route.method,
      path: route.path,
      status: response.status,
      caller: response.status < 400 ? null : callerOf(exchange),
      startedMs: nowMs,
      tookMs: deps.clock.nowMs() - nowMs,
    });
    return response;
  };
};

const callerOf = ({ device }: Exchange): string | null =>
  device === null ? null : `device ${device.terminalId} of tenant ${device.tenantId}`;

function refuse(error: unknown, exchange: Exchange, compiled: CompiledRoute): Response {
  const { deps } = exchange.surface;
  const { requestId, request } = exchange;
  const path = pathOf(request.url);
  let refused = refusalOf(error, (bug) => deps.reportFault(bug, requestId, path));
  if (deps.checkAnswers && !compiled.refusals.has(refused.code)) {
    const undeclared = `${compiled.route.operationId} does not declare ${refused.code}`;
    deps.reportFault(new Error(undeclared), requestId, path);
    refused = new Refused("internal_error");
  }
  return errorResponse(refused, { requestId, path, problemBase: deps.problemBase });
}

/** The steps, each before the next. Whatever a step throws is the answer. */
async function answer(exchange: Exchange, compiled: CompiledRoute): Promise<Response> {
  const { request, route, surface, nowMs } = exchange;
  checkDeclaredLength(request, surface.deps.bodyMaxBytes);
  takeAddress(exchange);
  if (!("public" in route.access)) {
    await surface.deps.admit(request, route.access, nowMs, exchange);
  }
  if (route.method === "POST") checkMediaType(request, hasBody(request));
  exchange.query = queryIn(request, compiled.query);
  const key = keyIn(exchange);
  if (route.method === "POST") await readPayload(exchange, compiled);
  checkTerminal(exchange);
  if (key !== null && exchange.device !== null) {
    const replay = await claimKey(exchange, exchange.device, key);
    if (replay !== null) return replay;
  }
  if (compiled.params !== null && !compiled.params.check(exchange.params)) {
    throw new Refused(route.malformedParams ?? "not_found");
  }
  const value = await route.handle(exchange);
  if (exchange.claim !== null && exchange.written === null) {
    await exchange.write(async () => value);
  }
  return respond(exchange, compiled, value);
}

function takeAddress(exchange: Exchange): void {
  const { surface, route, nowMs } = exchange;
  const { all, token } = surface.deps.addressPerMin;
  const tokenPerMin = "public" in route.access && route.access.addressBucket ? token : 0;
  if (all === 0 && tokenPerMin === 0) return;
  const key = addressKey(exchange.address);
  const retryAfterSec =
    surface.addressBuckets.take(key, all, nowMs) ||
    surface.tokenBuckets.take(key, tokenPerMin, nowMs);
  if (retryAfterSec > 0) throw new Refused("rate_limited", { retryAfterSec });
}

function queryIn(request: Request, shape: Shape | null): unknown {
  const read = readQuery(queryOf(request.url), shape?.schema ?? null);
  if ("path" in read) throw malformed(read);
  if (shape === null) return undefined;
  if (shape.check(read.value)) return read.value;
  const { path, expected } = shape.fault(read.value, "");
  throw malformed({ path: path === "" ? "query" : `query.${path}`, expected });
}

function keyIn({ route, request }: Exchange): string | null {
  if (route.method !== "POST" || route.ignoresIdempotencyKey === true) return null;
  const key = request.headers.get("idempotency-key");
  if (key !== null && !isIdempotencyKey(key)) {
    throw malformed({ path: "Idempotency-Key", expected: "must be a UUID of version 4 or 7" });
  }
  return key;
}

async function readPayload(exchange: Exchange, compiled: CompiledRoute): Promise<void> {
  const { request, surface, route } = exchange;
  exchange.bytes = await readBody(request, surface.deps.bodyMaxBytes);
  const shape = compiled.body;
  if (exchange.bytes.length === 0) {
    if (shape === null) return;
    throw malformed({ path: "body", expected: "is required" });
  }
  const scanned = route.scan?.(exchange.bytes) ?? null;
  if (scanned !== null) {
    const fault = route.check?.(scanned) ?? null;
    if (fault !== null) throw malformed(fault);
    exchange.body = scanned;
    return;
  }
  const parsed = parseJson(exchange.bytes);
  if (shape === null) return checkEmptyObject(parsed.value);
  if (!shape.check(parsed.value)) {
    const { tooMany } = route;
    if (tooMany === undefined) throw malformed(shape.fault(parsed.value, "body"));
    const fault = faultBesidesCount(shape, parsed.value, tooMany.field, "body");
    throw fault === null ? new Refused(tooMany.code) : malformed(fault);
  }
  const fault = checkSpelling(parsed) ?? route.check?.(parsed.value) ?? null;
  if (fault !== null) throw malformed(fault);
  exchange.body = parsed.value;
}

function checkEmptyObject(value: unknown): void {
  const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
  if (!isObject) throw malformed({ path: "body", expected: "must be an object" });
  if (Object.keys(value).length > 0) {
    throw malformed({ path: "body", expected: "has an unknown field" });
  }
}

function checkTerminal({ route, device, body }: Exchange): void {
  if (device === null || route.terminalId === undefined) return;
  if (route.terminalId(body) !== device.terminalId) throw new Refused("terminal_mismatch");
}

/** Claims the key; or the answer that was kept for it. */
async function claimKey(
  exchange: Exchange,
  device: DeviceIdentity,
  key: string,
): Promise<Response | null> {
  const { surface, request, route, body, nowSec } = exchange;
  const { tenantId, deviceNo: caller } = device;
  const scope = { tenantId, caller, method: route.method, path: pathOf(request.url), key };
  // No body and `{}` are the same call.
  const begun = await surface.keys.begin(scope, body ?? {}, nowSec);
  if ("release" in begun) {
    exchange.claim = begun;
    return null;
  }
  return send(exchange, begun.status, begun.body, { "idempotent-replayed": "true" });
}
