/**
 * Serves an open directory: both surfaces, their documents, and the jobs that come round. Constructor
 * wiring alone.
 */
import { Elysia } from "elysia";
import type { Kartu } from "./app.ts";
import { onPort } from "./config.ts";
import { documentsOf } from "./documents.ts";
import { roles } from "./domain/identity.ts";
import { Problem } from "./domain/problem.ts";
import { Refused } from "./domain/refused.ts";
import { serverLimits } from "./http/body.ts";
import { mountFrozen } from "./http/frozen.ts";
import { purgeIdempotency } from "./http/idempotency.ts";
import { mountFallback, mountSurface } from "./http/mount.ts";
import { mountPages, type PagesDeps } from "./http/pages.ts";
import { fallbackDeps, mountPlatform } from "./http/platform/mount.ts";
import { mountProblems } from "./http/platform/problempage.ts";
import type { PlatformRoute } from "./http/platform/route.ts";
import type { PlatformDeps } from "./http/platform/surface.ts";
import type { DeviceAccess } from "./http/route.ts";
import type { SurfaceDeps } from "./http/surface.ts";
import { type Instruments, instrumentsOf } from "./instrument.ts";
import { routesOf } from "./routes.ts";
import { StoreUnavailable } from "./store/seam.ts";
import { deviceDeps, gatewayOf, platformDeps, sharedWindows } from "./surface.ts";
import { type Job, type Jobs, startJobs } from "./system/job.ts";
import { keepOffset } from "./system/offset.ts";
import { terminalRoutes } from "./terminal.ts";

const jobPeriodMs = 60_000;
const purgeRows = 1_000;

/** What is left after so many goes waits for the next minute. */
const stepsMax = 1_000;

/** Calls `step` until it has less than `full` to do. */
async function untilDone(full: number, step: () => Promise<number>): Promise<void> {
  for (let steps = 0; steps < stepsMax; steps++) if ((await step()) < full) return;
}

/** What comes round every minute. */
const minuteJobs = (kartu: Kartu): readonly Job[] => [
  { name: "audit tallies", run: (nowMs) => kartu.audit.flushTallies(nowMs) },
  { name: "devices last seen", run: () => kartu.token.flushSeen() },
  {
    name: "lapsed idempotency keys",
    run: (nowMs) =>
      untilDone(purgeRows, () =>
        kartu.store.write((tx) => purgeIdempotency(tx, Math.floor(nowMs / 1000), purgeRows)),
      ),
  },
  { name: "token keys", run: (nowMs) => kartu.signing.rotateTokenKeys(nowMs) },
  { name: "lapsed sign-ins", run: (nowMs) => untilDone(1, () => kartu.auth.purge(nowMs)) },
  {
    name: "lapsed consent requests",
    run: (nowMs) => untilDone(purgeRows, () => kartu.oauth.purge(nowMs, purgeRows)),
  },
  { name: "old jobs", run: (nowMs) => kartu.job.tidy(nowMs) },
  { name: "letters", run: (nowMs) => kartu.mail.sendDue(nowMs) },
  { name: "removed users", run: (nowMs) => untilDone(1, () => kartu.account.purge(nowMs)) },
  { name: "card expiry", run: (nowMs) => untilDone(1, () => kartu.card.expireDue(nowMs)) },
  { name: "expired holds", run: (nowMs) => untilDone(1, () => kartu.wallet.expireHolds(nowMs)) },
  { name: "stale top-ups", run: (nowMs) => untilDone(1, () => kartu.topup.alertStale(nowMs)) },
  { name: "missing events", run: (nowMs) => untilDone(1, () => kartu.reconcile.flagHoles(nowMs)) },
];

export interface Listen {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

export interface Serving {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly app: Elysia;
  /** Every call of the operator surface that is served. */
  readonly routes: readonly PlatformRoute[];
  /** Moves the clock; resolves when the jobs that became due are done. Returns the time then, in ms. */
  advance(sec: number): Promise<number>;
  /** Takes no more, finishes what runs (`alongside` too) within `timeoutSec`, closes the directory. */
  stop(timeoutSec: number, alongside?: Promise<void>): Promise<void>;
}

const anyDevice: DeviceAccess = { roles, suspended: true, bucket: "device" };

type DocsAnswer = Awaited<ReturnType<PagesDeps["mayRead"]>>;

/** Whether the documents are shown to the sender of a request: a credential of either surface will do. */
async function mayReadDocs(
  kartu: Kartu,
  device: SurfaceDeps,
  platform: PlatformDeps,
  request: Request,
): Promise<DocsAnswer> {
  const { docs } = kartu.config;
  if (docs !== "auth") return docs === "public" ? "yes" : "off";
  const nowMs = kartu.clock.nowMs();
  try {
    const [, token] = /^Bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    if (token?.startsWith("kt_") === false) await platform.admit({ token, address: "" }, nowMs);
    else await device.admit(request, anyDevice, nowMs, { device: null });
    return "yes";
  } catch (error) {
    const isStranger =
      (error instanceof Refused && error.code === "invalid_token") ||
      (error instanceof Problem && error.status === 401);
    if (isStranger) return "unauthorized";
    throw error;
  }
}

interface Mounted {
  readonly app: Elysia;
  readonly routes: readonly PlatformRoute[];
  /** What is to be open before the first call. */
  readonly ready: Promise<void>;
  /** Ends what would go on for long. */
  ending(): void;
  close(): Promise<void>;
}

interface Moving {
  readonly advance: (sec: number) => Promise<number>;
  readonly isStopping: () => boolean;
}

async function mount(kartu: Kartu, { advance, isStopping }: Moving): Promise<Mounted> {
  const { config } = kartu;
  const instruments: Instruments = await instrumentsOf(kartu);
  const routes: PlatformRoute[] = [];
  const gateway = gatewayOf(kartu, {
    ...{ instruments, isStopping },
    routes: () => routes,
    windows: () => windows,
  });
  const windows = sharedWindows(kartu, gateway.alert);
  const device = deviceDeps(kartu, gateway, instruments);
  const platform = platformDeps(kartu, gateway, instruments, windows);
  const { tickets, admit, streams, reportFault, verifiedEmailDue } = platform;
  routes.push(
    ...routesOf(kartu, config, {
      ...{ gateway, tickets, admit, advance, verifiedEmailDue },
      stream: { streams, clock: kartu.clock, reportFault },
      metrics: instruments.metrics,
      startedMs: kartu.clock.nowMs(),
      problemBase: () => platform.problemBase,
    }),
  );
  // Else a Host of one to three letters moves where Elysia takes the path to begin.
  const handler = { standardHostname: false };
  const app = new Elysia({ strictPath: true, handler });
  const fallback = Object.assign(fallbackDeps(platform), {
    missed: instruments.missed,
    inside: () => device.version?.(kartu.clock.nowMs())?.headers ?? null,
  });
  mountFallback(app, fallback);
  mountSurface(app, device, terminalRoutes(kartu));
  mountPlatform(app, platform, routes);
  mountProblems(app, fallback);
  const pages: PagesDeps = {
    ...fallback,
    get problemBase() {
      return fallback.problemBase;
    },
    product: "Kartu",
    lead: "The backend for offline NFC wallets.",
    mayRead: (request) => mayReadDocs(kartu, device, platform, request),
    links: [
      {
        href: "/.well-known/jwks.json",
        title: "Public keys",
        summary: "What tokens and session grants are signed with, as a JWK set.",
      },
      { href: "/problems", title: "Problems", summary: "Every error of the operator surface." },
    ],
  };
  mountPages(app, pages, documentsOf(kartu, routes, ""));
  mountFrozen(app, pages, gateway.versions);
  return {
    ...{ app, routes },
    ready: gateway.versions.open(),
    ending: () => platform.streams.endAll(),
    close: async () => {
      windows?.close();
      await instruments.close();
    },
  };
}

/** Serves an open directory and runs its jobs. @throws when the address can't be listened on */
export async function serveKartu(kartu: Kartu, { host, port }: Listen): Promise<Serving> {
  const { clock, log, config } = kartu;
  let isStopping = false;
  const jobs: Jobs = startJobs(clock, log, jobPeriodMs, minuteJobs(kartu));
  const advance = async (sec: number): Promise<number> => {
    clock.advance(sec);
    keepOffset(kartu.dataDir, clock.nowMs());
    await jobs.idle();
    return clock.nowMs();
  };
  const mounted = await mount(kartu, { advance, isStopping: () => isStopping });
  const { app, routes } = mounted;
  await mounted.ready;
  await kartu.job.start({ clock, log });
  // Else a second server on the port would silently take half of the calls.
  app.listen({ hostname: host, port, reusePort: false, ...serverLimits });
  kartu.card.readAhead().catch((error: unknown) => {
    if (!(error instanceof StoreUnavailable)) log.error("cards could not be read ahead", { error });
  });
  const bound = app.server?.port ?? port;
  kartu.useSettings(onPort(config, bound));
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    ...{ app, routes, advance },
    stop: async (timeoutSec, alongside = Promise.resolve()) => {
      isStopping = true;
      mounted.ending();
      const ended = Promise.all([app.stop(), jobs.stop(), alongside]);
      const patience = Promise.withResolvers<void>();
      const timer = setTimeout(patience.resolve, timeoutSec * 1000);
      await Promise.race([ended, patience.promise]);
      clearTimeout(timer);
      await app.server?.stop(true);
      await mounted.close();
      try {
        await kartu.audit.flushTallies(clock.nowMs(), true);
        await kartu.token.flushSeen();
      } finally {
        await kartu.close();
      }
    },
  };
}
