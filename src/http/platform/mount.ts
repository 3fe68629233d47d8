/**
 * Routes of the operator surface onto the server, below both bases. What is answered where no route is
 * (404, 405, `OPTIONS`) stands in `../mount.ts` with that of the other surface.
 */
import type { Elysia } from "elysia";
import { type FallbackDeps, isMisled, unmatched } from "../mount.ts";
import { corsHeaders, preflightHeaders } from "./cors.ts";
import type { SocketAddress } from "./exchange.ts";
import { servePlatformRoute } from "./pipeline.ts";
import type { PlatformRoute } from "./route.ts";
import { type PlatformDeps, PlatformSurface } from "./surface.ts";

/** The canonical base, and its exact alias. */
const platformBases = ["/api/v1", "/v1"] as const;

const isBelowBase = (path: string): boolean =>
  platformBases.some((base) => path === base || path.startsWith(`${base}/`));

/** What `mountFallback` is to be given where this surface is served too. */
export const fallbackDeps = (deps: PlatformDeps): FallbackDeps => ({
  newRequestId: () => deps.random.uuid(deps.clock.nowMs()),
  reportFault: deps.reportFault,
  // The address may follow a port that is not bound yet.
  get problemBase() {
    return deps.problemBase;
  },
  outside: (request, path, allow) => ({
    ...(allow === null
      ? corsHeaders(deps.corsOrigins, request)
      : preflightHeaders(deps.corsOrigins, request, allow)),
    ...(isBelowBase(path) && deps.version?.(deps.clock.nowMs())?.headers),
  }),
});

/** Serves each route. `mountFallback` is to come first. */
export function mountPlatform(
  app: Elysia,
  deps: PlatformDeps,
  routes: readonly PlatformRoute[],
): void {
  const fallback = fallbackDeps(deps);
  const socketAddress: SocketAddress = (request) => app.server?.requestIP(request)?.address ?? "";
  const surface = new PlatformSurface(deps);
  for (const route of routes) {
    const serveBelow = servePlatformRoute(surface, route);
    for (const base of route.root === true ? [""] : platformBases) {
      const serve = serveBelow(base);
      const path = base + route.path;
      app.route(
        route.method,
        path,
        ({ request, params }: { request: Request; params: unknown }) =>
          isMisled(request.url, path)
            ? unmatched(app, fallback, request)
            : serve(request, params, socketAddress),
        { parse: "none" },
      );
    }
  }
}
