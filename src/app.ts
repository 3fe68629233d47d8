/**
 * The composition root: opens a data directory, makes the features bottom-up, runs their jobs and
 * serves both surfaces. Constructor wiring alone; no rule and no statement stands here.
 */
import { join } from "node:path";
import { Elysia } from "elysia";
import { bucketsMax } from "../schema/bound.ts";
import { migrations, schemaVersion, tables } from "../schema/tables.ts";
import { type Config, onPort } from "./config.ts";
import { roles } from "./domain/identity.ts";
import { Refused } from "./domain/refused.ts";
import { auditService } from "./feature/audit/service.ts";
import { blocklistService } from "./feature/blocklist/service.ts";
import { cardService } from "./feature/card/service.ts";
import { deviceGuard } from "./feature/device/guard.ts";
import { deviceService } from "./feature/device/service.ts";
import { eventService } from "./feature/event/service.ts";
import { flagService } from "./feature/flag/service.ts";
import { type ClockDeps, clockRoutes } from "./feature/gateway/platform.ts";
import { iamService } from "./feature/iam/service.ts";
import { keyService } from "./feature/key/service.ts";
import { memberService } from "./feature/member/service.ts";
import { moneyService } from "./feature/money/service.ts";
import { policyService } from "./feature/policy/service.ts";
import { reconcileService } from "./feature/reconcile/service.ts";
import { reissueService } from "./feature/reissue/service.ts";
import { reportService } from "./feature/report/service.ts";
import { reviewService } from "./feature/review/service.ts";
import { sessionService } from "./feature/session/service.ts";
import { settlementService } from "./feature/settlement/service.ts";
import { signingService } from "./feature/signing/service.ts";
import { tokenService } from "./feature/token/service.ts";
import { topupService } from "./feature/topup/service.ts";
import { verifyService } from "./feature/verify/service.ts";
import { serverLimits } from "./http/body.ts";
import { purgeIdempotency } from "./http/idempotency.ts";
import { mountFallback, mountSurface } from "./http/mount.ts";
import { openapiDocument } from "./http/openapi.ts";
import { type DocumentPage, mountPages, type PagesDeps } from "./http/pages.ts";
import { Buckets } from "./http/rate.ts";
import type { DeviceAccess } from "./http/route.ts";
import type { Admit, SurfaceDeps } from "./http/surface.ts";
import { lockDirectory } from "./store/lock.ts";
import type { Store } from "./store/seam.ts";
import { openStore } from "./store/sqlite.ts";
import type { Clock } from "./system/clock.ts";
import { type Job, type Jobs, startJobs } from "./system/job.ts";
import type { Log } from "./system/log.ts";
import { readMasterKey } from "./system/masterkey.ts";
import { keepOffset } from "./system/offset.ts";
import type { Random } from "./system/random.ts";
import { kartuVersion } from "./system/version.ts";
import { terminalRoutes, terminalTags } from "./terminal.ts";

export const databaseName = "kartu.db";
export const schema = { tables, migrations, version: schemaVersion };
export const databasePath = (dataDir: string): string => join(dataDir, databaseName);

/** What the features are made of. */
export interface Parts {
  readonly store: Store;
  readonly masterKey: Uint8Array;
  readonly random: Random;
  readonly config: Config;
  /** Address that devices reach the server at; may change once a port is bound. */
  readonly publicUrl: () => string;
}

export type Services = ReturnType<typeof compose>;

/** Every feature, from the bottom up. */
export function compose({ store, masterKey, random, config, publicUrl }: Parts) {
  const audit = auditService({ store, random });
  const event = eventService({ random });
  const common = { store, random, audit, event };
  const signing = signingService({ store, random, masterKey });
  const key = keyService({ ...common, masterKey });
  const money = moneyService({ random });
  const member = memberService(common);
  const flag = flagService({ random, audit, event });
  const policy = policyService({
    ...common,
    onBlockedStatusesChanged: (tx, tenantId, mask) => blocklist.relist(tx, tenantId, mask),
  });
  const blocklist = blocklistService({ store, policy });
  const iam = iamService({
    ...common,
    openTenant: [policy.openTenant, key.openTenant],
    openServer: [(tx, nowMs) => signing.create(tx, "grt_", nowMs)],
  });
  const token = tokenService({
    ...common,
    tokenTtlSec: config.tokenTtlSec,
    buckets: new Buckets(bucketsMax),
    perMin: config.rateDeviceTokenPerMin,
  });
  const device = deviceService({ ...common, tokens: token, money, publicUrl });
  const session = sessionService({ store, policy, keys: key, signing });
  const card = cardService({ ...common, member, blocklist, key, flag });
  const settlement = settlementService({ policy });
  const topup = topupService({
    store,
    card,
    member,
    money,
    policy,
    settlement,
    flag,
  });
  const reissue = reissueService({ random, card, topup, member, money, blocklist, key, session });
  const reconcile = reconcileService({
    ...common,
    policy,
    session,
    card,
    topup,
    money,
    flag,
    settlement,
  });
  const report = reportService({ random, audit, event, card, flag });
  const review = reviewService({ store, money, card, flag, reconcile, settlement });
  return {
    audit,
    event,
    signing,
    key,
    money,
    member,
    flag,
    policy,
    blocklist,
    iam,
    token,
    device,
    session,
    card,
    settlement,
    topup,
    reissue,
    reconcile,
    report,
    review,
    verify: verifyService({ audit }),
  };
}

export interface KartuOptions {
  readonly dataDir: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** An open data directory that nobody else may write. */
export interface Kartu extends Services, KartuOptions {
  readonly store: Store;
  /** Settings with the address that is served under. */
  settings(): Config;
  /** Told once the port is known. */
  useSettings(config: Config): void;
  /** Finishes what is queued, checkpoints, lets go of the directory. */
  close(): Promise<void>;
}

/**
 * Opens a data directory, migrating its file; it must exist and have a key. The directory stays locked
 * until `close`.
 * @throws DirectoryLocked · MasterKeyMissing · ForeignDatabase · SchemaTooNew · SealBroken (the key is
 * not the one that sealed the data)
 */
export async function openKartu(options: KartuOptions): Promise<Kartu> {
  const { dataDir, random, log } = options;
  let config = options.config;
  const lock = lockDirectory(dataDir);
  let store: Store | undefined;
  try {
    const masterKey = readMasterKey(dataDir, config.masterKey);
    const opened = openStore({
      path: databasePath(dataDir),
      schema,
      log: (event, error) => log.error(event, { error }),
    });
    store = opened;
    const services = compose({
      store: opened,
      masterKey,
      random,
      config,
      publicUrl: () => config.publicUrl,
    });
    if ((await services.iam.tenantBySlug()) !== undefined) await services.signing.signer("grt_");
    return {
      ...services,
      ...options,
      store: opened,
      settings: () => config,
      useSettings: (next) => {
        config = next;
      },
      close: async () => {
        await opened.close();
        lock.release();
      },
    };
  } catch (error) {
    await store?.close();
    lock.release();
    throw error;
  }
}

type DocsAnswer = Awaited<ReturnType<PagesDeps["mayRead"]>>;

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
  { name: "card expiry", run: (nowMs) => untilDone(1, () => kartu.card.expireDue(nowMs)) },
  { name: "stale top-ups", run: (nowMs) => untilDone(1, () => kartu.topup.alertStale(nowMs)) },
  { name: "missing events", run: (nowMs) => untilDone(1, () => kartu.reconcile.flagHoles(nowMs)) },
];

/** The documents of what is served, by namespace. */
export function documentsOf(services: Services, publicUrl: string): readonly DocumentPage[] {
  const title = "Kartu terminal API";
  const document = openapiDocument(
    {
      title,
      version: kartuVersion,
      description: "What stations, gates, terminals and scouts call.",
      serverUrl: publicUrl,
      tags: terminalTags,
    },
    terminalRoutes(services),
  );
  return [
    {
      namespace: "terminal",
      title,
      summary: "Commissioning, grants, cards, reconciliation.",
      json: JSON.stringify(document),
    },
  ];
}

export interface Listen {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

export interface Serving {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly app: Elysia;
  /** Takes no more, finishes what runs (`alongside` too) within `timeoutSec`, closes the directory. */
  stop(timeoutSec: number, alongside?: Promise<void>): Promise<void>;
}

/** What calls are served with; addresses are read as late as possible, since they follow the port. */
function surfaceDeps(kartu: Kartu): SurfaceDeps {
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
    served: (line) => log.info("served", { ...line }),
    get problemBase() {
      return kartu.settings().problemBase;
    },
    proxyHops: config.trustProxyHops,
    bodyMaxBytes: config.bodyLimitBytes,
    addressPerMin: { all: config.rateIpPerMin, token: config.rateDeviceTokenIpPerMin },
    checkAnswers: config.env !== "production",
  };
}

const anyDevice: DeviceAccess = { roles, suspended: true, bucket: "device" };

/** Whether the documents are shown to the sender of a request. */
async function mayReadDocs(kartu: Kartu, admit: Admit, request: Request): Promise<DocsAnswer> {
  const { docs } = kartu.config;
  if (docs !== "auth") return docs === "public" ? "yes" : "off";
  try {
    await admit(request, anyDevice, kartu.clock.nowMs());
    return "yes";
  } catch (error) {
    if (error instanceof Refused && error.code === "invalid_token") return "unauthorized";
    throw error;
  }
}

function mount(kartu: Kartu, jobs: Jobs): Elysia {
  // Else a Host of one to three letters moves where Elysia takes the path to begin.
  const handler = { standardHostname: false };
  const app = new Elysia({ strictPath: true, handler });
  const deps = surfaceDeps(kartu);
  const routes = [...terminalRoutes(kartu)];
  if (kartu.config.env === "development") routes.push(...clockRoutes(movingClock(kartu, jobs)));
  mountFallback(app, deps);
  mountSurface(app, deps, routes);
  const pages: PagesDeps = {
    newRequestId: deps.newRequestId,
    reportFault: deps.reportFault,
    get problemBase() {
      return deps.problemBase;
    },
    product: "Kartu",
    lead: "The backend for offline NFC wallets.",
    mayRead: (request) => mayReadDocs(kartu, deps.admit, request),
    links: [
      {
        href: "/.well-known/jwks.json",
        title: "Public keys",
        summary: "What session grants are signed with, as a JWK set.",
      },
    ],
  };
  mountPages(app, pages, documentsOf(kartu, ""));
  return app;
}

const movingClock = (kartu: Kartu, jobs: Jobs): ClockDeps => ({
  advance: async (sec) => {
    kartu.clock.advance(sec);
    keepOffset(kartu.dataDir, kartu.clock.nowMs());
    await jobs.idle();
    return kartu.clock.nowMs();
  },
  get problemBase() {
    return kartu.settings().problemBase;
  },
});

/** Serves an open directory and runs its jobs. @throws when the address can't be listened on */
export function serveKartu(kartu: Kartu, { host, port }: Listen): Serving {
  const { clock, log, config } = kartu;
  const jobs = startJobs(clock, log, jobPeriodMs, minuteJobs(kartu));
  const app = mount(kartu, jobs);
  // Else a second server on the port would silently take half of the calls.
  app.listen({ hostname: host, port, reusePort: false, ...serverLimits });
  const bound = app.server?.port ?? port;
  kartu.useSettings(onPort(config, bound));
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    app,
    stop: async (timeoutSec, alongside = Promise.resolve()) => {
      const ended = Promise.all([app.stop(), jobs.stop(), alongside]);
      await Promise.race([ended, Bun.sleep(timeoutSec * 1000)]);
      await app.server?.stop(true);
      await kartu.audit.flushTallies(clock.nowMs(), true);
      await kartu.token.flushSeen();
      await kartu.close();
    },
  };
}
