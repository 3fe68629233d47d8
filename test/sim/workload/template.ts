/**
 * What seeds begin with, made once for each place: a directory with two tenants, each with members and with
 * devices that wait to be commissioned. Opening a tenant, hashing a password and drawing a secret's QR code
 * cost more than the rest of a seed.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kartu, openKartu } from "../../../src/app.ts";
import { type Config, readConfig } from "../../../src/config.ts";
import { holdsAll } from "../../../src/domain/by.ts";
import type { Role } from "../../../src/domain/identity.ts";
import { serveKartu } from "../../../src/serve.ts";
import { argon } from "../../../src/system/argon.ts";
import { createLog } from "../../../src/system/log.ts";
import { seededRandom } from "../../../src/system/random.ts";
import { type Answer, type Call, callOf, venueClock } from "../../caller.ts";
import type { Place } from "./ground.ts";

function makeConfig(environment: "staging" | "production"): Config {
  const limits = ["RATE", "RATE_ADMIN", "RATE_IP", "RATE_AUTH", "RATE_REFRESH", "RATE_GRANT"];
  limits.push("RATE_DEVICE", "RATE_DEVICE_TOKEN", "RATE_DEVICE_TOKEN_IP", "RATE_REPORT");
  const rates = limits.map((name) => [`KARTU_${name}_PER_MIN`, "0"]);
  const key = new Uint8Array(32).fill(5).toBase64();
  const rest = {
    KARTU_MASTER_KEY: key,
    KARTU_ENV: environment,
    // Stays as it is when a port does not.
    KARTU_PUBLIC_URL: "http://kartu.example",
  };
  const read = readConfig({ ...Object.fromEntries(rates), ...rest });
  if ("faults" in read) throw new Error(read.faults.join("\n"));
  return read.config;
}
/** In `staging` answers are held against their contracts, which a server takes long to make ready. */
export const configs = { staging: makeConfig("staging"), production: makeConfig("production") };

/** Nothing runs when a server is stopped; one that waits longer is kept in memory for as long. */
export const stopSec = 0.02;

const shm = "/dev/shm";
/** In memory where the system has a place for it. */
export const fresh = (): string =>
  mkdtempSync(join(existsSync(shm) ? shm : tmpdir(), "kartu-seed-"));
export const remove = (dir: string): void => rmSync(dir, { recursive: true, force: true });

/** A call of an operator that was made before a seed begins. */
export interface Earlier {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly answer: Answer;
}

export interface TenantSeat {
  readonly tenantId: number;
  readonly slug: string;
  readonly timezone: string;
  /** An API key of the role `admin`. */
  readonly apiKey: string;
  /** In order; when: the start of the place. */
  readonly earlier: readonly Earlier[];
}

interface Template {
  readonly dir: string;
  readonly seats: readonly TenantSeat[];
}

const templates = new Map<Place, Promise<Template>>();

export async function templateOf(place: Place): Promise<Template> {
  let made = templates.get(place);
  if (made === undefined) {
    made = makeTemplate(place);
    templates.set(place, made);
  }
  return await made;
}

/** To be called when no more seeds are played. */
export async function removeTemplates(): Promise<void> {
  const made = [...templates.values()];
  templates.clear();
  for (const { dir } of await Promise.all(made)) remove(dir);
}

async function makeTemplate({ timezones, startSec }: Place): Promise<Template> {
  const dir = fresh();
  const clock = venueClock();
  clock.set(startSec);
  const log = createLog({ nowMs: clock.nowMs, level: "error" });
  const passwords = argon({ cost: { memoryKib: 1_024, passes: 1 } });
  const random = seededRandom(1);
  const config = configs.staging;
  const kartu = await openKartu({ dataDir: dir, config, clock, random, log, passwords });
  const by = { actor: { type: "user", id: "operator" } } as const;
  const owner = { ownerEmail: "owner@example.com", ownerPassword: "a long password" };
  const first = { name: "Kantin Utama", timezone: timezones[0] };
  await kartu.tenant.initialise({ tenant: first, ...owner }, by, clock.nowMs());
  const second = { name: "Kantin Kedua", timezone: timezones[1] };
  await kartu.tenant.addTenant(second, by, clock.nowMs());
  const serving = await serveKartu(kartu, { host: "127.0.0.1", port: 0 });
  const call = callOf(serving);
  const seats: TenantSeat[] = [];
  for (const [at, { tenantId, slug }] of (await kartu.tenant.listTenants()).entries()) {
    const apiKey = await keyOf(kartu, tenantId);
    const earlier = await furnish(call, apiKey, slug);
    seats.push({ tenantId, slug, timezone: timezones[at] ?? "UTC", apiKey, earlier });
  }
  await serving.stop(stopSec);
  return { dir, seats };
}

async function keyOf(kartu: Kartu, tenantId: number): Promise<string> {
  const draft = { name: "Office", roles: ["admin"] };
  const by = { actor: { type: "user", id: "operator" } } as const;
  const { apikey, clock, store } = kartu;
  const made = await store.write((tx) =>
    apikey.create(tx, tenantId, draft, holdsAll, by, clock.nowMs()),
  );
  return made.key;
}

const fleet: readonly (readonly [Role, "zone" | "member" | ""])[] = [
  ["station", ""],
  ["station", "zone"],
  ["terminal", ""],
  ["terminal", "zone"],
  ["terminal", ""],
  ["gate", ""],
  ["scout", "member"],
  ["scout", ""],
];
const membersCount = 6;

/** A zone, members and devices. */
async function furnish(call: Call, apiKey: string, slug: string): Promise<Earlier[]> {
  const entered = await call<{ accessToken: string }>("POST", "/api/v1/auth/exchange", {
    body: { apiKey },
  });
  const token = entered.json.accessToken;
  const earlier: Earlier[] = [];
  const make = async (noun: string, body: object): Promise<string> => {
    const path = `/api/v1/fleet/${noun}`;
    const answer = await call<{ id: string }>("POST", path, { token, body });
    earlier.push({ method: "POST", path, body, answer });
    return answer.json.id;
  };
  const zoneId = await make("zones", { name: "Hall 1" });
  const members: string[] = [];
  for (let i = 1; i <= membersCount; i += 1) {
    members.push(await make("members", { name: `Siti ${i}` }));
  }
  for (const [at, [role, where]] of fleet.entries()) {
    await make("devices", {
      ...{ deviceId: `${slug}-${role}-${at + 1}`, role },
      ...(where === "zone" && { zoneId }),
      ...(where === "member" && { memberId: members[0] }),
    });
  }
  return earlier;
}
