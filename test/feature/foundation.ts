/**
 * The services of the device world's foundations on a real store in a temporary directory, with a
 * clock that only tests move and random that repeats, and their routes behind the real guard. What
 * stands on them (cards, batches) is not here.
 */
import { afterEach } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Elysia } from "elysia";
import { bucketsMax } from "../../schema/bound.ts";
import { migrations, schemaVersion, tables } from "../../schema/tables.ts";
import type { Actor } from "../../src/domain/audit.ts";
import type { DeviceIdentity, Role } from "../../src/domain/identity.ts";
import { auditService } from "../../src/feature/audit/service.ts";
import { deviceGuard } from "../../src/feature/device/guard.ts";
import { deviceService } from "../../src/feature/device/service.ts";
import { eventService } from "../../src/feature/event/service.ts";
import { keyService } from "../../src/feature/key/service.ts";
import { memberService } from "../../src/feature/member/service.ts";
import { moneyService } from "../../src/feature/money/service.ts";
import { policyService } from "../../src/feature/policy/service.ts";
import { policyRoutes } from "../../src/feature/policy/terminal.ts";
import { sessionService } from "../../src/feature/session/service.ts";
import { sessionRoutes } from "../../src/feature/session/terminal.ts";
import { signingService } from "../../src/feature/signing/service.ts";
import { signingRoutes } from "../../src/feature/signing/terminal.ts";
import { tenantService } from "../../src/feature/tenant/service.ts";
import { tokenService } from "../../src/feature/token/service.ts";
import { tokenRoutes } from "../../src/feature/token/terminal.ts";
import { mountFallback, mountSurface } from "../../src/http/mount.ts";
import { Buckets } from "../../src/http/rate.ts";
import { openStore } from "../../src/store/sqlite.ts";
import { manualClock } from "../../src/system/clock.ts";
import { seededRandom } from "../../src/system/random.ts";
import { peopleServices } from "./people.ts";

export const startMs = 1_746_700_000_000;
export const operator: Actor = { type: "system", id: "test" };
export const tokenTtlSec = 31_536_000;

const masterKeyDefault = new Uint8Array(32).fill(5);
const template = join(mkdtempSync(join(tmpdir(), "kartu-template-")), "kartu.db");
process.on("exit", () => rmSync(dirname(template), { recursive: true, force: true }));
let templateMade: Promise<void> | undefined;

/** Hashing the owner's password takes its time, so one initialised file is copied for each test. */
async function makeTemplate(): Promise<void> {
  const { tenant, store } = build(dirname(template), { seed: 1 });
  const owner = { ownerEmail: "owner@example.com", ownerPassword: "a long password" };
  await tenant.initialise(
    { tenant: { name: "Kantin Utama" }, ...owner },
    { actor: operator },
    startMs,
  );
  await store.close();
}

export interface FoundationOptions {
  readonly directory?: string;
  readonly masterKey?: Uint8Array;
  /** Commissioning calls a minute of one device. */
  readonly perMin?: number;
  readonly initialise?: boolean;
  readonly seed?: number;
}

export type Foundation = ReturnType<typeof build>;

function build(directory: string, options: FoundationOptions) {
  const clock = manualClock(startMs);
  const random = seededRandom(options.seed ?? 7);
  const schema = { tables, migrations, version: schemaVersion };
  const path = join(directory, "kartu.db");
  const store = openStore({ path, schema });
  const masterKey = options.masterKey ?? masterKeyDefault;
  const base = { store, random };
  const audit = auditService(base);
  const event = eventService({ random, store });
  const told = { ...base, audit, event };
  const keys = keyService({ ...told, masterKey });
  const signing = signingService({ ...base, masterKey });
  const relisted: [tenantId: number, mask: number][] = [];
  const policy = policyService({
    ...told,
    onBlockedStatusesChanged: async (_tx, tenantId, mask) => {
      relisted.push([tenantId, mask]);
    },
  });
  const member = memberService(told);
  const tokens = tokenService({
    ...told,
    tokenTtlSec,
    buckets: new Buckets(bucketsMax),
    perMin: options.perMin ?? 5,
  });
  const devices = deviceService({
    ...told,
    tokens,
    policy,
    money: moneyService({ random }),
    publicUrl: () => "https://kartu.example",
  });
  const session = sessionService({ store, policy, keys, signing });
  const people = peopleServices({ ...told, masterKey, publicUrl: "https://kartu.example" });
  const tenant = tenantService({
    ...{ ...told, ...people, closeTenant: [], settingsChanged: [policy.forget] },
    openTenant: [people.role.openTenant, policy.openTenant, keys.openTenant],
    openServer: [(tx, nowMs) => signing.create(tx, "grt_", nowMs)],
  });
  return {
    ...{
      directory,
      clock,
      random,
      store,
      path,
      masterKey,
      audit,
      event,
      keys,
      signing,
      policy,
      member,
      tokens,
    },
    ...{ devices, session, tenant, people, relisted },
  };
}

/** To be called once in each test file, at its top; stores and directories go after each test. */
export function foundations(): (options?: FoundationOptions) => Promise<Foundation> {
  const undo: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });
  return async (options = {}) => {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), "kartu-feature-"));
    if (options.directory === undefined) {
      undo.push(() => rmSync(directory, { recursive: true, force: true }));
    }
    if (options.initialise !== false) {
      templateMade ??= makeTemplate();
      await templateMade;
      copyFileSync(template, join(directory, "kartu.db"));
    }
    const world = build(directory, options);
    undo.push(() => world.store.close());
    return world;
  };
}

/** A registered and commissioned device of the first tenant, with its token. */
export async function commissioned(
  world: Foundation,
  deviceId: string,
  role: Role,
  zone?: string,
): Promise<{ token: string; identity: DeviceIdentity }> {
  const nowMs = world.clock.nowMs();
  const draft = { deviceId, role, ...(zone !== undefined && { zone }) };
  const { secret } = await world.devices.register(1, draft, operator, nowMs);
  const { token } = await world.tokens.commission({ deviceId, secret, role }, "::1", nowMs);
  const identity = await findBy(world, token);
  if (identity === null) throw new Error("a fresh token was not found");
  return { token, identity };
}

export const findBy = (world: Foundation, token: string): Promise<DeviceIdentity | null> =>
  world.tokens.find(Bun.SHA256.hash(token, "hex"), Math.floor(world.clock.nowMs() / 1000));

export interface Call {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The routes of the foundations; grants at most `grantPerMin` a minute. */
export function surfaceOf(world: Foundation, grantPerMin = 0) {
  const { store, clock, random, session, tokens, policy, signing } = world;
  const faults: unknown[] = [];
  const deps = {
    ...{ store, clock, problemBase: "https://kartu.example/problems", proxyHops: 0 },
    newRequestId: () => random.uuid(clock.nowMs()),
    admit: deviceGuard(
      { find: tokens.find, hasOp: session.hasOp },
      { grant: grantPerMin, device: 0, report: 0 },
    ),
    reportFault: (error: unknown) => faults.push(error),
    bodyMaxBytes: 1_048_576,
    addressPerMin: { all: 0, token: 30 },
    checkAnswers: true,
  };
  const app = new Elysia({ strictPath: true });
  mountFallback(app, deps);
  const groups = [
    tokenRoutes(tokens),
    sessionRoutes(session),
    policyRoutes(policy),
    signingRoutes(signing),
  ];
  mountSurface(app, deps, groups.flat());
  return async ({ method = "GET", path, token, body, headers = {} }: Call) => {
    const all = new Headers(headers);
    if (token !== undefined) all.set("authorization", `Bearer ${token}`);
    if (body !== undefined) all.set("content-type", "application/json");
    const text = body === undefined ? null : JSON.stringify(body);
    const request = new Request(`http://kartu.example${path}`, {
      method,
      headers: all,
      body: text,
    });
    const response = await app.handle(request);
    if (faults.length > 0) throw faults[0];
    const answer = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      json: answer === "" ? null : JSON.parse(answer),
    };
  };
}

/** What a promise was rejected with. */
export async function rejection(pending: Promise<unknown>): Promise<unknown> {
  try {
    await pending;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}
