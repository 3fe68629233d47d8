/**
 * Routes onto the server, and what is answered where no route is: 404, 405 with `Allow`, `OPTIONS`.
 * Elysia finds the route; parsing and validating are ours, because Elysia does both before any guard.
 */
import type { Elysia } from "elysia";
import { Refused } from "../domain/refused.ts";
import { commonHeaders, pathOf, requestIdOf } from "./context.ts";
import { serveRoutes } from "./pipeline.ts";
import { readTrace } from "./platform/trace.ts";
import { type ErrorContext, errorResponse, refusalOf, styleOf } from "./problem.ts";
import type { Route } from "./route.ts";
import type { SocketAddress, SurfaceDeps } from "./surface.ts";

/** Serves each route of the device surface. `mountFallback` is to come first. */
export function mountSurface(app: Elysia, deps: SurfaceDeps, routes: readonly Route[]): void {
  const socketAddress: SocketAddress = (request) => app.server?.requestIP(request)?.address ?? "";
  for (const [route, serve] of serveRoutes(deps, routes)) {
    app.route(
      route.method,
      route.path,
      ({ request, params }: { request: Request; params: unknown }) =>
        isMisled(request.url, route.path) || isHeadOf(request, route)
          ? unmatched(app, deps, request)
          : serve(request, params, socketAddress),
      { parse: "none" },
    );
  }
  // Elysia answers HEAD with GET's handler; on the device surface alone that is not wanted: a grant is
  // not a read.
  for (const { method, path } of routes) {
    if (method !== "GET" || styleOf(path) !== "device") continue;
    app.route("HEAD", path, ({ request }: { request: Request }) => unmatched(app, deps, request), {
      parse: "none",
    });
  }
}

/** A path with dot segments comes by another router, which takes HEAD for GET on this surface too. */
const isHeadOf = (request: Request, { method, path }: Route): boolean =>
  request.method !== method && styleOf(path) === "device";

/**
 * Where the `Host` of a request is no host, its URL is a path alone, of which Elysia leaves out the
 * beginning: what lies in front of `/api` would not be seen.
 */
export const isMisled = (url: string, pattern: string): boolean =>
  url.startsWith("/") && !fits(pattern.split("/"), pathOf(url).split("/"));

export interface FallbackDeps
  extends Pick<SurfaceDeps, "newRequestId" | "reportFault" | "problemBase"> {
  /** Further headers of answers outside the device surface: cross-origin reads, a version's end. */
  readonly outside?: (
    request: Request,
    path: string,
    allow: string | null,
  ) => Readonly<Record<string, string>> | null;
  /** Told of each request that no route took, so that it can be counted. */
  readonly missed?: (request: Request, status: number) => void;
  /** Further headers of answers on the device surface: its version's end. */
  readonly inside?: () => Readonly<Record<string, string>> | null;
}

/** Answers what no route answers, and whatever escapes one. Once, before any route. */
export function mountFallback(app: Elysia, deps: FallbackDeps): void {
  app.onError({ as: "global" }, ({ code, error, request }) => {
    if (code === "NOT_FOUND") return unmatched(app, deps, request);
    const context = contextOf(deps, request);
    const refused = refusalOf(error, (bug) =>
      deps.reportFault(bug, context.requestId, context.path),
    );
    return errorResponse(refused, context, outsideHeaders(deps, request, context.path, null));
  });
}

const contextOf = ({ newRequestId, problemBase }: FallbackDeps, request: Request): ErrorContext => {
  const path = pathOf(request.url);
  const { traceId } = readTrace(request.headers.get("traceparent"));
  return { requestId: requestIdOf(request, newRequestId), path, problemBase, traceId };
};

const outsideHeaders = (
  { outside, inside }: FallbackDeps,
  request: Request,
  path: string,
  allow: string | null,
): Readonly<Record<string, string>> =>
  (styleOf(path) === "problem" ? outside?.(request, path, allow) : inside?.()) ?? {};

/** A request that matched no route: an unknown path, or a known one with another method. */
export function unmatched(app: Elysia, deps: FallbackDeps, request: Request): Response {
  const response = missing(app, deps, request);
  deps.missed?.(request, response.status);
  return response;
}

function missing(app: Elysia, deps: FallbackDeps, request: Request): Response {
  const context = contextOf(deps, request);
  const { path, requestId } = context;
  const methods = methodsOf(app, path);
  if (methods.length === 0) {
    return errorResponse(
      new Refused("not_found"),
      context,
      outsideHeaders(deps, request, path, null),
    );
  }
  const allow = [...methods, "OPTIONS"].join(", ");
  const isOptions = request.method === "OPTIONS";
  const extra = { ...outsideHeaders(deps, request, path, isOptions ? allow : null), allow };
  if (!isOptions) return errorResponse(new Refused("method_not_allowed"), context, extra);
  const headers: Record<string, string> = { ...commonHeaders(requestId), ...extra };
  if (styleOf(path) === "problem") headers["x-trace-id"] = context.traceId ?? "";
  return new Response(null, { status: 204, headers });
}

interface Door {
  readonly method: string;
  readonly steps: readonly string[];
}

/** The routes of a server by the number of steps of their path, so that a flood of 404s costs little. */
const doors = new WeakMap<Elysia, { count: number; bySteps: Map<number, Door[]> }>();

function doorsOf(app: Elysia, steps: number): readonly Door[] {
  const routes = app.routes;
  let known = doors.get(app);
  if (known?.count !== routes.length) {
    known = { count: routes.length, bySteps: new Map() };
    for (const { method, path } of routes) {
      const door = { method, steps: path.split("/") };
      const same = known.bySteps.get(door.steps.length);
      if (same === undefined) known.bySteps.set(door.steps.length, [door]);
      else same.push(door);
    }
    doors.set(app, known);
  }
  return known.bySteps.get(steps) ?? [];
}

/** Methods that the path answers to, `OPTIONS` apart. */
function methodsOf(app: Elysia, path: string): string[] {
  const methods = new Set<string>();
  const steps = path.split("/");
  for (const door of doorsOf(app, steps.length)) {
    if (door.method === "HEAD" || !fits(door.steps, steps)) continue;
    methods.add(door.method);
    if (door.method === "GET" && styleOf(path) !== "device") methods.add("HEAD");
  }
  return [...methods];
}

const fits = (pattern: readonly string[], steps: readonly string[]): boolean =>
  pattern.length === steps.length &&
  pattern.every((part, at) => (part.startsWith(":") ? steps[at] !== "" : part === steps[at]));
