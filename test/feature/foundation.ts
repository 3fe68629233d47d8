/**
 * The services of the device world's foundations on a real store in a temporary directory, with a
 * clock that only tests move and random that repeats. Not the server: no HTTP.
 */
import { afterEach } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bucketsMax } from "../../schema/bound.ts";
import { migrations, schemaVersion, tables } from "../../schema/tables.ts";
import type { Actor } from "../../src/domain/audit.ts";
import type { DeviceIdentity } from "../../src/domain/identity.ts";
import type { Role } from "../../src/domain/identity.ts";
import { auditService } from "../../src/feature/audit/service.ts";
import { deviceService } from "../../src/feature/device/service.ts";
import { eventService } from "../../src/feature/event/service.ts";
import { iamService } from "../../src/feature/iam/service.ts";
import { keyService } from "../../src/feature/key/service.ts";
import { memberService } from "../../src/feature/member/service.ts";
import { moneyService } from "../../src/feature/money/service.ts";
import { policyService } from "../../src/feature/policy/service.ts";
import { sessionService } from "../../src/feature/session/service.ts";
import { signingService } from "../../src/feature/signing/service.ts";
import { tokenService } from "../../src/feature/token/service.ts";
import { Buckets } from "../../src/http/rate.ts";
import { openStore } from "../../src/store/sqlite.ts";
import { manualClock } from "../../src/system/clock.ts";
import { seededRandom } from "../../src/system/random.ts";

export const startMs = 1_746_700_000_000;
export const operator: Actor = { type: "system", id: "test" };
export const tokenTtlSec = 31_536_000;

export interface FoundationOptions {
  readonly directory?: string;
  readonly masterKey?: Uint8Array;
  /** Commissioning calls a minute of one device. */
  readonly perMin?: number;
  readonly initialise?: boolean;
}

export type Foundation = Awaited<ReturnType<typeof build>>;

async function build(directory: string, options: FoundationOptions) {
  const clock = manualClock(startMs);
  const random = seededRandom(7);
  const schema = { tables, migrations, version: schemaVersion };
  const path = join(directory, "kartu.db");
  const store = await openStore({ path, schema });
  const masterKey = options.masterKey ?? new Uint8Array(32).fill(5);
  const base = { store, random };
  const audit = auditService(base);
  const event = eventService({ random });
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
    money: moneyService({ random }),
    publicUrl: () => "https://kartu.example",
  });
  const session = sessionService({ store, policy, keys, signing });
  const iam = iamService({
    ...told,
    openTenant: [policy.openTenant, keys.openTenant],
    openServer: [(tx, nowMs) => signing.create(tx, "grt_", nowMs)],
  });
  const owner = { ownerEmail: "owner@example.com", ownerPassword: "a long password" };
  if (options.initialise !== false) {
    await iam.initialise({ tenant: { name: "Kantin Utama" }, ...owner }, operator, startMs);
  }
  return {
    ...{ clock, random, store, path, masterKey, audit, event, keys, signing, policy, member, tokens },
    ...{ devices, session, iam, relisted },
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
    const world = await build(directory, options);
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

/** What a promise was rejected with. */
export async function rejection(pending: Promise<unknown>): Promise<unknown> {
  try {
    await pending;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}
