/**
 * A server as it is served, on a directory of its own, and how tests reach it: over a socket alone. Hashing
 * costs next to nothing, letters are files, limits are off unless asked for. Who is in it: `estate.ts`.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kartu, openKartu } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import type { Runner } from "../../src/feature/job/service.ts";
import type { PlatformRoute } from "../../src/http/platform/route.ts";
import { type Serving, serveKartu } from "../../src/serve.ts";
import { argon } from "../../src/system/argon.ts";
import { createLog } from "../../src/system/log.ts";
import { seededRandom } from "../../src/system/random.ts";
import { rowsOf } from "../books.ts";
import { type VenueClock, venueClock } from "../caller.ts";
import { Refusal } from "./refusal.ts";

export const password = "a long password";
export const rootEmail = "root@example.com";

const environment = {
  KARTU_MASTER_KEY: new Uint8Array(32).fill(5).toBase64(),
  // Answers are held against their contracts.
  KARTU_ENV: "staging",
  KARTU_RATE_PER_MIN: "0",
  KARTU_RATE_ADMIN_PER_MIN: "0",
  KARTU_RATE_IP_PER_MIN: "0",
  KARTU_RATE_AUTH_PER_MIN: "0",
  KARTU_RATE_REFRESH_PER_MIN: "0",
  KARTU_REGISTRATION: "open",
  KARTU_PROVIDERS: JSON.stringify([
    {
      ...{ id: "away", name: "Away", type: "oidc", clientId: "kartu" },
      // Nobody listens there.
      ...{ issuer: "http://127.0.0.1:1", redirectUris: ["https://app.example/in"] },
    },
    { id: "wallet", name: "Wallet", type: "wallet" },
  ]),
};

export interface ServedOptions {
  /** Variables of the environment. */
  readonly config?: Readonly<Record<string, string>>;
  readonly seed?: number;
  /** Gets every line of the log, down to `debug`. */
  readonly lines?: string[];
}

export interface Sent {
  readonly token?: string | null;
  /** Sent as JSON; text and bytes as they are. */
  readonly body?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

const logged = `SELECT 'audit ' || action AS name, count(*) AS count FROM audit GROUP BY action
  UNION ALL SELECT 'event ' || type, count(*) FROM published_event GROUP BY type`;

const isRaw = (body: unknown): body is Bun.BodyInit =>
  typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;

type Opened = ConstructorParameters<typeof Served>;

/** Opens a directory with the root tenant in it, and serves it. */
export async function openServed(options: ServedOptions = {}): Promise<Opened> {
  const dataDir = mkdtempSync(join(tmpdir(), "kartu-served-"));
  return await serveDirectory(dataDir, options, async (kartu, clock) => {
    const tenant = { name: "Kartu", slug: "kartu" };
    const owner = { ownerEmail: rootEmail, ownerPassword: password };
    const actor = { type: "system", id: "init" } as const;
    await kartu.tenant.initialise({ tenant, ...owner }, { actor }, clock.nowMs());
  });
}

/** Opens a directory as it is, made ready by `prepare`, and serves it. */
export async function serveDirectory(
  dataDir: string,
  { config = {}, seed = 11, lines }: ServedOptions = {},
  prepare: (kartu: Kartu, clock: VenueClock) => Promise<void> = async () => undefined,
): Promise<Opened> {
  const read = readConfig({ ...environment, ...config });
  if ("faults" in read) throw new Error(read.faults.join("\n"));
  const clock = venueClock();
  const faults: string[] = [];
  const write = (line: string): void => {
    lines?.push(line);
    if ((JSON.parse(line) as { level: string }).level === "error") faults.push(line);
  };
  const level = lines === undefined ? "error" : "debug";
  const kartu = await openKartu({
    ...{ dataDir, config: read.config, clock, random: seededRandom(seed) },
    log: createLog({ nowMs: clock.nowMs, level, write }),
    passwords: argon({ cost: { memoryKib: 1_024, passes: 1 } }),
  });
  await prepare(kartu, clock);
  kartu.job.register("wait", waiting());
  const serving = await serveKartu(kartu, { host: "127.0.0.1", port: 0 });
  return [kartu, serving, clock, dataDir, faults];
}

/** As many jobs run at once, less one. */
const waitingMax = 3;

/**
 * A job that waits until it is told to end, since what jobs are for is another feature's. Jobs whose tenant
 * a test has forgotten make room for those that follow: the eldest is done.
 */
function waiting(): Runner {
  const ends: (() => void)[] = [];
  return async ({ signal }) => {
    if (signal.aborted) return null;
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (ends.push(resolve) > waitingMax) ends.shift()?.();
    await promise;
    const at = ends.indexOf(resolve);
    if (at >= 0) ends.splice(at, 1);
    return null;
  };
}

/** What a test of the whole surface may look at besides the answers. */
export class Served {
  /** Things made so far: what keeps their names apart. */
  made = 0;
  #countSql: string | undefined;

  constructor(
    readonly kartu: Kartu,
    readonly serving: Serving,
    readonly clock: VenueClock,
    readonly dataDir: string,
    /** What went wrong inside, as log lines; a test that expects some takes them out. */
    readonly faults: string[],
  ) {}

  /** Every call that is served, but for what a development server alone has. */
  get routes(): readonly PlatformRoute[] {
    return this.serving.routes;
  }

  /** Over the socket. `path` is below `/api/v1`, or whole with `isWhole`. */
  send(method: string, path: string, sent: Sent = {}, isWhole = false): Promise<Response> {
    const { token, body, form } = sent;
    const headers = new Headers(sent.headers);
    const hasBody = body !== undefined && body !== null;
    if (token != null) headers.set("authorization", `Bearer ${token}`);
    if (hasBody && !headers.has("content-type")) headers.set("content-type", "application/json");
    const text = hasBody ? (isRaw(body) ? body : JSON.stringify(body)) : undefined;
    return fetch(`${this.serving.url}${isWhole ? "" : "/api/v1"}${path}`, {
      ...{ method, headers, redirect: "manual" },
      ...(text !== undefined && { body: text }),
      ...(form !== undefined && { body: new URLSearchParams(form) }),
    });
  }

  /** The JSON of a success. @throws on any other answer, with its text */
  async ok<T = Record<string, unknown>>(method: string, path: string, sent?: Sent): Promise<T> {
    const response = await this.send(method, path, sent);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** `201`, or of a refusal, once its shape is proved, `403 forbidden`. */
  async outcome(method: string, path: string, sent?: Sent, isWhole = false): Promise<string> {
    const response = await this.send(method, path, sent, isWhole);
    if (response.status < 400) {
      await response.body?.cancel();
      return String(response.status);
    }
    return (await Refusal.of(response)).outcome;
  }

  /** Everything in the newest letter to an address, soft line breaks taken out. */
  async letterTo(email: string): Promise<string> {
    await this.kartu.mail.idle();
    const directory = join(this.dataDir, "mail");
    const names = readdirSync(directory).sort();
    const letters = names.map((name) => readFileSync(join(directory, name), "utf8"));
    const found = letters.filter((text) => text.includes(`To: ${email}`)).at(-1);
    if (found === undefined) throw new Error(`no letter to ${email}`);
    return found.replaceAll(/=\r?\n/g, "").replaceAll("=3D", "=");
  }

  /** The token of the link in the newest letter to an address. */
  async linkTo(email: string, prefix: "ev_" | "pr_" | "in_"): Promise<string> {
    const token = new RegExp(`token=(${prefix}[\\w-]{43})`).exec(await this.letterTo(email))?.[1];
    if (token === undefined) throw new Error(`no ${prefix} link in the letter to ${email}`);
    return token;
  }

  rows<R>(sql: string): Promise<R[]> {
    return rowsOf<R>(this.kartu.store, sql);
  }

  /** Number of rows of every table. */
  async counts(): Promise<Record<string, number>> {
    await this.kartu.mail.idle();
    this.#countSql ??= (await this.tables())
      .map((name) => `SELECT '${name}' AS name, count(*) AS count FROM ${name}`)
      .join(" UNION ALL ");
    const rows = await this.rows<{ name: string; count: number }>(this.#countSql);
    return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
  }

  /** What has been told since a look before, as `audit auth.user.created`, in the order of names. */
  async told(before: Readonly<Record<string, number>> = {}): Promise<string[]> {
    const after = await this.toldCounts();
    return Object.keys(after)
      .filter((name) => after[name] !== before[name])
      .sort();
  }

  async toldCounts(): Promise<Record<string, number>> {
    const rows = await this.rows<{ name: string; count: number }>(logged);
    return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
  }

  async tables(): Promise<string[]> {
    const rows = await this.rows<{ name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    );
    return rows.map(({ name }) => name);
  }

  /** Every row of every table, by table, each as a digest: to see that nothing at all was written. */
  async everything(): Promise<Record<string, string>> {
    await this.kartu.mail.idle();
    const all: Record<string, string> = {};
    for (const name of await this.tables()) {
      const rows = await this.rows(`SELECT * FROM ${name}`);
      const text = JSON.stringify(rows, (_, value) =>
        value instanceof Uint8Array ? value.toHex() : (value as unknown),
      );
      all[name] = Bun.SHA256.hash(text, "hex");
    }
    return all;
  }

  /** Stops the server. @throws if anything went wrong inside */
  async close(): Promise<void> {
    try {
      await this.serving.stop(5);
    } finally {
      rmSync(this.dataDir, { recursive: true, force: true });
    }
    if (this.faults.length > 0) throw new Error(`faults inside:\n${this.faults.join("")}`);
  }
}
