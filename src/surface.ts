/** What the calls of both surfaces are served with. Addresses are read as late as possible, since they follow the port. */
import { join } from "node:path";
import { bucketsMax } from "../schema/bound.ts";
import type { Kartu } from "./app.ts";
import { versionDocuments } from "./documents.ts";
import { Windows } from "./domain/quota.ts";
import { platformGuard } from "./feature/access/guard.ts";
import { deviceGuard } from "./feature/device/guard.ts";
import { type GatewayService, gatewayService, type PartState } from "./feature/gateway/service.ts";
import { createLimits } from "./http/platform/limit.ts";
import type { PlatformRoute } from "./http/platform/route.ts";
import { StreamCounts } from "./http/platform/stream.ts";
import type { PlatformDeps } from "./http/platform/surface.ts";
import { Tickets } from "./http/platform/ticket.ts";
import type { SurfaceDeps } from "./http/surface.ts";
import type { Instruments } from "./instrument.ts";
import { freeBytes } from "./system/disk.ts";
import { frozenFiles } from "./system/frozen.ts";
import { type ValkeyWindows, valkeyWindows } from "./system/valkey.ts";

const filesName = "files";
/** Sign-ups and mailed links of one client address. */
const signupPerMin = 5;

/** Layer 2 of the limits, where processes share it. */
export function sharedWindows(
  { config }: Kartu,
  alert: GatewayService["alert"],
): ValkeyWindows | undefined {
  if (config.valkeyUrl === "") return undefined;
  const told = (detail: string) =>
    void alert({ kind: "limiter", route: "", detail, tenantId: null });
  return valkeyWindows({
    url: config.valkeyUrl,
    onDown: () => told("The shared counter of limits can't be reached; this process counts alone."),
    onUp: () => told("The shared counter of limits is back."),
  });
}

const unused = (): PartState => ({ status: "ok", detail: "not in use" });

export interface GatewayParts {
  readonly instruments: Instruments;
  /** Asked for late: which routes there are is known last. */
  readonly routes: () => readonly PlatformRoute[];
  readonly windows: () => ValkeyWindows | undefined;
  readonly isStopping: () => boolean;
}

export function gatewayOf(kartu: Kartu, parts: GatewayParts): GatewayService {
  const { store, random, audit, event, clock, log, dataDir, mail } = kartu;
  const callable = (): Set<string> =>
    new Set(
      parts
        .routes()
        .filter(({ access, uncounted }) => !("public" in access) && uncounted !== true)
        .map(({ operationId }) => operationId),
    );
  let limitable: Set<string> | undefined;
  return gatewayService({
    ...{ store, random, audit, event, clock, log, queue: store },
    documents: versionDocuments(kartu, parts.routes, () => kartu.settings().publicUrl),
    frozen: frozenFiles(join(dataDir, filesName)),
    isLimitable: (route) => {
      limitable ??= callable();
      return limitable.has(route);
    },
    disk: () => freeBytes(dataDir),
    parts: {
      files: unused,
      mail: async () => ({ status: "ok", detail: `${await mail.waiting()} waiting` }),
      scanner: unused,
      limiter: async () => {
        const windows = parts.windows();
        if (windows === undefined) return { status: "ok", detail: "in memory" };
        const pingMs = await windows.ping();
        return pingMs === null
          ? { status: "degraded", detail: "shared counter away; counting alone" }
          : { status: "ok", detail: "shared" };
      },
      events: () => ({ status: "ok", detail: null }),
      webhooks: unused,
      modules: unused,
    },
    isStopping: parts.isStopping,
    onAlert: (kind) => parts.instruments.metrics.alerted(kind),
  });
}

export function deviceDeps(
  kartu: Kartu,
  { versions }: GatewayService,
  { servedDevice }: Instruments,
): SurfaceDeps {
  const { config, log, clock, random, store } = kartu;
  const perMin = {
    grant: config.rateGrantPerMin,
    device: config.rateDevicePerMin,
    report: config.rateReportPerMin,
  };
  return {
    store,
    clock,
    newRequestId: () => random.uuid(clock.nowMs()),
    admit: deviceGuard({ find: kartu.token.find, hasOp: kartu.session.hasOp }, perMin),
    reportFault: (error, requestId, path) => log.error("a call failed", { requestId, path, error }),
    served: servedDevice,
    version: (nowMs) => versions.notice(0, nowMs),
    get problemBase() {
      return kartu.settings().problemBase;
    },
    proxyHops: config.trustProxyHops,
    bodyMaxBytes: config.bodyLimitBytes,
    addressPerMin: { all: config.rateIpPerMin, token: config.rateDeviceTokenIpPerMin },
    checkAnswers: config.env !== "production",
  };
}

export function platformDeps(
  kartu: Kartu,
  gateway: GatewayService,
  { metrics, servedPlatform }: Instruments,
  windows: ValkeyWindows | undefined,
): PlatformDeps {
  const { config, log, clock, random, store, masterKey, access, auth } = kartu;
  const { rules, versions, alert } = gateway;
  const plan = {
    windowSec: 60,
    requests: config.ratePerMin,
    adminRequests: config.rateAdminPerMin,
  };
  return {
    ...{ store, clock, random, masterKey },
    admit: platformGuard({ access, verifyAccess: auth.verifyAccess }),
    limits: createLimits({
      plan: () => plan,
      rules: rules.of,
      counter: windows ?? new Windows(bucketsMax),
      addressPerMin: {
        all: config.rateIpPerMin,
        auth: config.rateAuthPerMin,
        refresh: config.rateRefreshPerMin,
        signup: config.rateIpPerMin === 0 ? 0 : signupPerMin,
      },
      refused: (layer) => metrics.rateLimited(layer),
    }),
    tickets: new Tickets(random),
    streams: new StreamCounts(),
    version: (nowMs) => versions.notice(1, nowMs),
    reportFault: (error, requestId, path) => log.error("a call failed", { requestId, path, error }),
    served: servedPlatform,
    alert: (raised) => void alert(raised),
    get problemBase() {
      return kartu.settings().problemBase;
    },
    proxyHops: config.trustProxyHops,
    bodyMaxBytes: config.bodyLimitBytes,
    batchMaxBytes: config.batchLimitBytes,
    corsOrigins: config.corsOrigins,
    verifiedEmailDue: config.verifiedEmailDue ?? config.smtpUrl !== undefined,
    checkAnswers: config.env !== "production",
  };
}
