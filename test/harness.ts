/**
 * A whole venue under test: the server as it is served, on a real file in a temporary directory, with a
 * clock that only tests move and random that repeats. Every look at the money proves the ledger too.
 */
import { afterAll, afterEach } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseName, type Kartu, openKartu } from "../src/app.ts";
import { type Config, readConfig } from "../src/config.ts";
import type { Actor } from "../src/domain/audit.ts";
import type { BookOptions } from "../src/feature/card/service.ts";
import { type Serving, serveKartu } from "../src/serve.ts";
import { openReader } from "../src/store/reader.ts";
import { createLog } from "../src/system/log.ts";
import { seededRandom } from "../src/system/random.ts";
import { proveHeads } from "./books.ts";
import { type Call, callOf, type VenueClock, venueClock } from "./caller.ts";
import { TenantUnderTest } from "./tenant.ts";

export { outcome, startSec } from "./caller.ts";
export { Chain, OFFLINE, SUSPECT, type WireEvent } from "./chip.ts";
export { DeviceUnderTest } from "./device.ts";
export { TenantUnderTest } from "./tenant.ts";

export const operator: Actor = { type: "user", id: "operator" };

/** Rate limits are off unless a test sets them; answers are held against the contract. */
const baseEnvironment = {
  KARTU_MASTER_KEY: new Uint8Array(32).fill(5).toBase64(),
  KARTU_ENV: "staging",
  KARTU_RATE_IP_PER_MIN: "0",
  KARTU_RATE_DEVICE_TOKEN_PER_MIN: "0",
  KARTU_RATE_DEVICE_TOKEN_IP_PER_MIN: "0",
  KARTU_RATE_GRANT_PER_MIN: "0",
  KARTU_RATE_DEVICE_PER_MIN: "0",
  KARTU_RATE_REPORT_PER_MIN: "0",
};

function configOf(env: Readonly<Record<string, string>>): Config {
  const read = readConfig({ ...baseEnvironment, ...env });
  if ("faults" in read) throw new Error(read.faults.join("\n"));
  return read.config;
}

const fresh = (): string => mkdtempSync(join(tmpdir(), "kartu-venue-"));

/** A directory with one tenant, made once: its owner's password takes a tenth of a second to hash. */
let template: Promise<string> | undefined;

async function makeTemplate(): Promise<string> {
  const dataDir = fresh();
  const clock = venueClock();
  const log = createLog({ nowMs: clock.nowMs, level: "error" });
  const kartu = await openKartu({
    dataDir,
    config: configOf({}),
    clock,
    random: seededRandom(1),
    log,
  });
  const ownerPassword = "a long password";
  await kartu.tenant.initialise(
    { tenant: { name: "Kantin Utama" }, ownerEmail: "owner@example.com", ownerPassword },
    { actor: operator },
    clock.nowMs(),
  );
  await kartu.close();
  return dataDir;
}

export interface VenueOptions {
  readonly seed?: number;
  /** Variables of the environment. */
  readonly config?: Readonly<Record<string, string>>;
  /** A directory to open again instead of a fresh one; the caller removes it. */
  readonly dataDir?: string;
  /** How cards are kept in memory. */
  readonly book?: BookOptions;
}

/** The first tenant's venue, with what belongs to the whole server. */
export class Venue extends TenantUnderTest {
  #stopped = false;

  constructor(
    kartu: Kartu,
    call: Call,
    clock: VenueClock,
    tenant: { tenantId: number; slug: string },
    readonly dataDir: string,
    /** What went wrong inside: internal errors and failed jobs, as log lines. */
    readonly faults: string[],
    private readonly end: () => Promise<void>,
    readonly serving: Serving,
  ) {
    super(kartu, call, clock, tenant);
  }

  /** Stops the server; its directory can be opened again. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.end();
  }

  async addTenant(name = "Kantin Kedua"): Promise<TenantUnderTest> {
    const { kartu, call, clock } = this;
    const tenant = await kartu.tenant.addTenant({ name }, { actor: operator }, clock.nowMs());
    return new TenantUnderTest(kartu, call, clock, tenant);
  }

  /** Proves ledgers, heads and audit chains, and stops the server. @throws if anything went wrong inside */
  async close(): Promise<void> {
    if (!this.#stopped) await this.prove();
    await this.stop();
    if (this.faults.length > 0) throw new Error(`faults inside:\n${this.faults.join("")}`);
  }

  async prove(): Promise<void> {
    const { kartu, call, clock, dataDir } = this;
    await proveHeads(kartu.store);
    const file = openReader(join(dataDir, databaseName));
    const { faults } = await file.scan((q) => kartu.verify.verify(q));
    await file.close();
    if (faults.length > 0) throw new Error(`verify: ${JSON.stringify(faults)}`);
    for (const tenant of await kartu.tenant.listTenants()) {
      const each = new TenantUnderTest(kartu, call, clock, tenant);
      await each.balances();
      const broken = await each.auditFaults();
      if (broken.length > 0) throw new Error(`audit: ${JSON.stringify(broken)}`);
    }
  }
}

/** A venue that is served. Tests take it from `venues`, which closes it. */
export async function openVenue(options: VenueOptions = {}): Promise<Venue> {
  template ??= makeTemplate();
  const dataDir = options.dataDir ?? fresh();
  if (options.dataDir === undefined) {
    copyFileSync(join(await template, databaseName), join(dataDir, databaseName));
  }
  const clock = venueClock();
  const faults: string[] = [];
  const log = createLog({
    nowMs: clock.nowMs,
    level: "error",
    write: (line) => void faults.push(line),
  });
  const kartu = await openKartu({
    dataDir,
    config: configOf(options.config ?? {}),
    clock,
    random: seededRandom(options.seed ?? 7),
    log,
    ...(options.book && { book: options.book }),
  });
  const serving = await serveKartu(kartu, { host: "127.0.0.1", port: 0 });
  const tenant = await kartu.tenant.tenantBySlug();
  if (tenant === undefined) throw new Error("a venue has a tenant");
  const end = (): Promise<void> => serving.stop(5);
  return new Venue(kartu, callOf(serving), clock, tenant, dataDir, faults, end, serving);
}

/** To be called once in each test file, at its top: venues and their directories go after each test. */
export function venues(): (options?: VenueOptions) => Promise<Venue> {
  const open: Venue[] = [];
  afterEach(async () => {
    for (const venue of open.splice(0).reverse()) {
      try {
        await venue.close();
      } finally {
        rmSync(venue.dataDir, { recursive: true, force: true });
      }
    }
  });
  afterAll(async () => {
    const made = template;
    template = undefined;
    if (made !== undefined) rmSync(await made, { recursive: true, force: true });
  });
  return async (options) => {
    const venue = await openVenue(options);
    open.push(venue);
    return venue;
  };
}
