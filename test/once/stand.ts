/**
 * A server in a process of its own with a venue in it, all of it made by calls over sockets: an owner, a
 * station and a till at work, cards with money on them. It can be stopped, killed and started again; what
 * it recorded is read from its file. What is sent to it at once is not here.
 */
import { Database, type SQLQueryBindings } from "bun:sqlite";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseName } from "../../src/app.ts";
import { Chain } from "../chip.ts";
import { Child } from "../crash/process.ts";
import { faultsIn } from "../crash/proof.ts";

const program = join(import.meta.dir, "child-server.ts");
export const password = "a long password";
const rootEmail = "owner@example.com";
const limits = ["PER_MIN", "ADMIN_PER_MIN", "AUTH_PER_MIN", "REFRESH_PER_MIN"];
const env = {
  ...Object.fromEntries(limits.map((name) => [`KARTU_RATE_${name}`, "0"])),
  // Tokens name it, and each start listens on another port.
  KARTU_PUBLIC_URL: "https://kartu.example",
};

/** Before an access token lapses, which is after 15 minutes. */
const signInMs = 8 * 60_000;
const letterMaxMs = 20_000;

export interface Ask {
  readonly token?: string;
  readonly body?: object;
  readonly form?: Readonly<Record<string, string>>;
  readonly key?: string;
}

export interface Post {
  readonly deviceId: string;
  readonly terminalId: number;
  readonly token: string;
}

export interface Held {
  readonly cardId: string;
  readonly memberId: string;
  readonly userId: number;
  readonly chain: Chain;
}

type Json = Record<string, unknown>;

/** Those whose server may run: it must not outlive the process that started it. */
const open = new Set<Stand>();
process.on("exit", () => {
  for (const stand of open) stand.remove();
});

export const nowSec = (): number => Math.floor(Date.now() / 1000);

export class Stand {
  readonly dataDir = mkdtempSync(join(tmpdir(), "kartu-once-"));
  #server: Child | undefined;
  #url = "";
  #made = 0;
  #station: Promise<Post> | undefined;
  #till: Promise<Post> | undefined;
  readonly #tokens = new Map<string, { token: string; userId: string; sinceMs: number }>();

  static async open(): Promise<Stand> {
    const stand = new Stand();
    open.add(stand);
    await stand.start();
    // Cards are of version 1, until they move.
    const { keyVersion } = await stand.made<{ keyVersion: number }>("/fleet/key-versions");
    await stand.made(`/fleet/key-versions/${keyVersion}/activate`);
    return stand;
  }

  get url(): string {
    return this.#url;
  }

  async start(): Promise<void> {
    const server = new Child([program, rootEmail, password], this.dataDir, { env });
    this.#server = server;
    const url = await server.url();
    if (url === undefined) throw new Error(`a server ended at once: ${await server.ended()}`);
    this.#url = url;
  }

  /** Resolves when the server has ended. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#server?.signal(signal);
    await this.#server?.ended();
    this.#server = undefined;
  }

  /** A number that nothing here has had. */
  next(): number {
    this.#made += 1;
    return this.#made;
  }

  name(prefix: string): string {
    return `${prefix}-${this.next()}`;
  }

  cardId(): string {
    return `fe${this.next().toString(16).padStart(10, "0")}`;
  }

  /** A call by itself, whose path is whole; its answer must be a success. */
  async ok<T = Json>(method: string, path: string, ask: Ask = {}): Promise<T> {
    const { token, body, form, key } = ask;
    const headers = new Headers();
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    if (key !== undefined) headers.set("idempotency-key", key);
    if (body !== undefined) headers.set("content-type", "application/json");
    const sent = form === undefined ? JSON.stringify(body) : new URLSearchParams(form);
    const response = await fetch(this.#url + path, {
      ...{ method, headers, redirect: "manual" },
      ...(sent !== undefined && { body: sent }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return (isJson ? JSON.parse(text) : text) as T;
  }

  /** The access token of somebody who signs in with the password of everybody here. */
  async signedIn(email = rootEmail): Promise<{ token: string; userId: string }> {
    const known = this.#tokens.get(email);
    if (known !== undefined && performance.now() - known.sinceMs < signInMs) return known;
    const body = { email, password };
    const pair = await this.ok<{ accessToken: string; user: { id: string } }>(
      ...(["POST", "/api/v1/auth/login", { body }] as const),
    );
    const now = { token: pair.accessToken, userId: pair.user.id, sinceMs: performance.now() };
    this.#tokens.set(email, now);
    return now;
  }

  /** What the owner makes or asks by a POST below `/api/v1`. */
  async made<T = Json & { id: string }>(path: string, body: object = {}): Promise<T> {
    const { token } = await this.signedIn();
    return await this.ok<T>("POST", `/api/v1${path}`, { token, body, key: crypto.randomUUID() });
  }

  /** A device of a role, commissioned, with a grant. */
  async post(role: "station" | "terminal"): Promise<Post> {
    const deviceId = this.name(role);
    const { secret } = await this.made<{ secret: string }>("/fleet/devices", { deviceId, role });
    const { token, terminalId } = await this.ok<Post>("POST", "/api/auth/token", {
      body: { deviceId, secret, role },
    });
    await this.ok("GET", "/api/session-grant", { token });
    return { deviceId, terminalId, token };
  }

  station(): Promise<Post> {
    this.#station ??= this.post("station");
    return this.#station;
  }

  till(): Promise<Post> {
    this.#till ??= this.post("terminal");
    return this.#till;
  }

  async member(): Promise<{ id: string; userId: number }> {
    return await this.made("/fleet/members", { name: this.name("Siti") });
  }

  /** A member's card that the station registers; its chip is blank. */
  async card(): Promise<Held> {
    const cardId = this.cardId();
    const { id: memberId, userId } = await this.member();
    const { token } = await this.station();
    const createdAt = nowSec() - 600;
    const body = { cardId, userId, name: "Siti", createdAt, keyVersion: 1 };
    await this.ok("POST", "/api/cards", { token, body });
    return { cardId, memberId, userId, chain: new Chain(cardId, { timestamp: createdAt }) };
  }

  async topup({ cardId }: Held, amount: number): Promise<string> {
    const { token } = await this.station();
    const body = { amount, operatorId: 7, timestamp: nowSec() - this.next() };
    const path = `/api/cards/${cardId}/topup`;
    const { topupId } = await this.ok<{ topupId: string }>("POST", path, { token, body });
    return topupId;
  }

  async hand({ token, terminalId }: Post, events: readonly object[]): Promise<void> {
    await this.ok("POST", "/api/reconcile", { token, body: { terminalId, events } });
  }

  /** A card whose chip and wallet hold `amount`, checked in. */
  async loaded(amount: number): Promise<Held> {
    const held = await this.card();
    const { chain } = held;
    const first = chain.admin();
    await this.topup(held, amount);
    await this.hand(await this.station(), [first, chain.credit(amount)]);
    await this.hand(await this.till(), [chain.checkin()]);
    return held;
  }

  /** A wallet of the owner that holds so much; its id. */
  async wallet(amount = 0): Promise<string> {
    const { userId } = await this.signedIn();
    const { id } = await this.made("/wallets", { userId, currency: "IDR" });
    if (amount > 0) await this.made(`/wallets/${id}/credit`, { amount });
    return id;
  }

  /** A user with the password of everybody; its address. */
  async person(roles: readonly string[] = ["member"]): Promise<string> {
    const email = `${this.name("person")}@example.com`;
    await this.made("/users", { email, roles, password });
    return email;
  }

  /** Token of the link in the newest letter to an address. */
  async linkTo(email: string, prefix: "in_" | "pr_" | "ev_"): Promise<string> {
    const directory = join(this.dataDir, "mail");
    for (const untilMs = performance.now() + letterMaxMs; performance.now() < untilMs; ) {
      const names = existsSync(directory) ? readdirSync(directory) : [];
      const letters = names.filter((name) => name.endsWith(".eml"));
      for (const name of letters.sort().reverse()) {
        const text = readFileSync(join(directory, name), "utf8").replaceAll(/=\r?\n/g, "");
        if (!text.includes(`To: ${email}`)) continue;
        const found = new RegExp(`token=(?:3D)?(${prefix}[\\w-]{43})`).exec(text)?.[1];
        if (found !== undefined) return found;
      }
      await Bun.sleep(5);
    }
    throw new Error(`no ${prefix} letter to ${email}`);
  }

  /** Rows of the file as it is now; heads of cards may be behind. */
  rows<R>(sql: string, ...params: SQLQueryBindings[]): R[] {
    const db = new Database(join(this.dataDir, databaseName), { readonly: true });
    try {
      return db.query<R, SQLQueryBindings[]>(sql).all(...params);
    } finally {
      db.close(true);
    }
  }

  /** Resolves as soon as something is written to the file, or after `maxMs`. */
  async written(maxMs: number): Promise<void> {
    const log = join(this.dataDir, `${databaseName}-wal`);
    const look = (): bigint =>
      statSync(log, { bigint: true, throwIfNoEntry: false })?.mtimeNs ?? 0n;
    const before = look();
    const untilMs = performance.now() + maxMs;
    while (look() === before && performance.now() < untilMs) await Bun.sleep(0);
  }

  /** Stops the server and proves what it leaves. @throws Error what is wrong with it */
  async close(): Promise<void> {
    try {
      await this.end("SIGTERM");
      const faults = await faultsIn(this.dataDir);
      if (faults.length > 0) throw new Error(`verify: ${faults.join("\n")}`);
    } finally {
      this.remove();
    }
  }

  /** Whatever state it is in. */
  remove(): void {
    open.delete(this);
    this.#server?.signal("SIGKILL");
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
