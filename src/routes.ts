/** Every call of the operator surface that a server with these settings serves. */
import type { Services } from "./compose.ts";
import type { Config } from "./config.ts";
import { clockRoutes } from "./feature/gateway/platform.ts";
import type { GatewayService } from "./feature/gateway/service.ts";
import type { PlatformRoute } from "./http/platform/route.ts";
import type { StreamDeps } from "./http/platform/stream.ts";
import type { AdmitCaller } from "./http/platform/surface.ts";
import type { Tickets } from "./http/platform/ticket.ts";
import { watchRoutes } from "./http/platform/watch.ts";
import { platformRoutes } from "./platform.ts";
import type { Metrics } from "./system/metrics.ts";
import { kartuVersion } from "./system/version.ts";

export interface RouteParts {
  readonly gateway: GatewayService;
  readonly tickets: Tickets;
  readonly admit: AdmitCaller;
  readonly stream: StreamDeps;
  /** Users whose address is not verified change no balance. */
  readonly verifiedEmailDue: boolean;
  /** Moves the clock; see `serve.ts`. */
  readonly advance: (sec: number) => Promise<number>;
  readonly metrics: Metrics;
  readonly startedMs: number;
  readonly problemBase: () => string;
}

export const routesOf = (
  services: Services,
  config: Config,
  { advance, metrics, startedMs, ...parts }: RouteParts,
): readonly PlatformRoute[] => [
  ...platformRoutes({ ...services, ...parts }),
  ...(config.env === "development"
    ? clockRoutes({ advance, moved: parts.gateway.clockMoved })
    : []),
  ...watchRoutes({
    failure: () => null,
    unreadiness: parts.gateway.unreadiness,
    health: parts.gateway.health,
    version: kartuVersion,
    environment: config.env,
    startedMs,
    metrics,
    metricsToken: config.metricsToken,
  }),
];
