/**
 * Routes onto the server, and what is answered where no route is: 404, 405 with `Allow`, `OPTIONS`.
 * Elysia finds the route; parsing and validating are ours, because Elysia does both before any guard.
 */
import type { Elysia } from "elysia";
import { Refused } from "../domain/refused.ts";
import { requestIdOf } from "./context.ts";
import { serveRoutes } from "./pipeline.ts";
import { commonHeaders, errorResponse, pathOf, refusalOf, styleOf } from "./problem.ts";
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
        isMisled(request.url, route.path)
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

/**
 * Where the `Host` of a request is no host, its URL is a path alone, of which Elysia leaves out the
 * beginning: what lies in front of `/api` would not be seen.
 */
const isMisled = (url: string, pattern: string): boolean =>
  url.startsWith("/") && !fits(pattern.split("/"), pathOf(url).split("/"));

export type FallbackDeps = Pick<SurfaceDeps, "newRequestId" | "reportFault" | "problemBase">;

/** Answers what no route answers, and whatever escapes one. Once, before any route. */
export function mountFallback(app: Elysia, deps: FallbackDeps): void {
  app.onError({ as: "global" }, ({ code, error, request }) => {
    if (code === "NOT_FOUND") return unmatched(app, deps, request);
    const requestId = requestIdOf(request, deps.newRequestId);
    const path = pathOf(request.url);
    const refused = refusalOf(error, (bug) => deps.reportFault(bug, requestId, path));
    return errorResponse(refused, { requestId, path, problemBase: deps.problemBase });
  });
}

/** A request that matched no route: an unknown path, or a known one with another method. */
function unmatched(app: Elysia, deps: FallbackDeps, request: Request): Response {
  const requestId = requestIdOf(request, deps.newRequestId);
  const path = pathOf(request.url);
  const context = { requestId, path, problemBase: deps.problemBase };
  const methods = methodsOf(app, path);
  if (methods.length === 0) return errorResponse(new Refused("not_found"), context);
  const allow = { allow: [...methods, "OPTIONS"].join(", ") };
  if (request.method === "OPTIONS") {
    return new Response(null, { status: 204, headers: { ...commonHeaders(requestId), ...allow } });
  }
  return errorResponse(new Refused("method_not_allowed"), context, allow);
}

/** Methods that the path answers to, `OPTIONS` apart. */
function methodsOf(app: Elysia, path: string): string[] {
  const methods = new Set<string>();
  const steps = path.split("/");
  for (const route of app.routes) {
    if (route.method === "HEAD" || !fits(route.path.split("/"), steps)) continue;
    methods.add(route.method);
    if (route.method === "GET" && styleOf(path) !== "device") methods.add("HEAD");
  }
  return [...methods];
}

const fits = (pattern: readonly string[], steps: readonly string[]): boolean =>
  pattern.length === steps.length &&
  pattern.every((part, at) => (part.startsWith(":") ? steps[at] !== "" : part === steps[at]));
