/**
 * Who runs a venue, by HTTP alone: the owner of a tenant on a development server in a process of its own,
 * whose clock only the owner moves. Signs in again when the day has outlived the token.
 */
import type { DeviceSpec, SimClock } from "../../src/sim/world.ts";

export type Json = Record<string, unknown>;
export type Credentials = Readonly<Record<"email" | "password", string>>;

interface Qr {
  readonly v: number;
  readonly url: string;
  readonly deviceId: string;
  readonly role: string;
  readonly secret: string;
}

export class Manager {
  #token: string | null = null;
  #aheadMs = 0;

  constructor(
    /** Of the server. */
    readonly url: string,
    private readonly credentials: Credentials,
  ) {}

  async #send(method: string, path: string, body: unknown, key: string | null) {
    const headers = new Headers({ "content-type": "application/json" });
    if (this.#token !== null) headers.set("authorization", `Bearer ${this.#token}`);
    if (key !== null) headers.set("idempotency-key", key);
    const sent = body === undefined ? null : JSON.stringify(body);
    const response = await fetch(`${this.url}/api/v1${path}`, { method, headers, body: sent });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** A call as the owner, whatever comes of it. */
  async call(method: string, path: string, body?: unknown, key: string | null = null) {
    for (let tries = 0; ; tries++) {
      if (this.#token === null) await this.#signIn();
      const answer = await this.#send(method, path, body, key);
      if (answer.status !== 401 || tries > 0) return answer;
      this.#token = null;
    }
  }

  async #signIn(): Promise<void> {
    const { status, text } = await this.#send("POST", "/auth/login", this.credentials, null);
    if (status !== 200) throw new Error(`no sign-in: ${status} ${text}`);
    this.#token = String((JSON.parse(text) as Json).accessToken);
  }

  /** The text of a call that must succeed. */
  async text(method: string, path: string, body?: unknown, key?: string): Promise<string> {
    const { status, text } = await this.call(method, path, body, key);
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`);
    return text;
  }

  async get<T = Json>(path: string): Promise<T> {
    return JSON.parse(await this.text("GET", path)) as T;
  }

  async post<T = Json>(path: string, body: unknown = {}, key?: string): Promise<T> {
    return JSON.parse(await this.text("POST", path, body, key)) as T;
  }

  async patch<T = Json>(path: string, body: unknown): Promise<T> {
    return JSON.parse(await this.text("PATCH", path, body)) as T;
  }

  /** The slug of a call that must be refused. */
  async refusal(method: string, path: string, body?: unknown, key?: string): Promise<string> {
    const { status, text } = await this.call(method, path, body, key);
    const { type } = JSON.parse(text) as Json;
    return `${status} ${String(type).replace(/^.*\//, "")}`;
  }

  /** A whole list, page by page. */
  async list<T = Json>(path: string): Promise<T[]> {
    const all: T[] = [];
    let cursor = "";
    do {
      const page = await this.get<{ data: T[]; meta: { cursor: string | null } }>(
        `${path}${path.includes("?") ? "&" : "?"}limit=100${cursor}`,
      );
      all.push(...page.data);
      cursor = page.meta.cursor === null ? "" : `&cursor=${encodeURIComponent(page.meta.cursor)}`;
    } while (cursor !== "");
    return all;
  }

  get clock(): SimClock & Required<Pick<SimClock, "advance">> {
    return {
      now: () => Math.floor((Date.now() + this.#aheadMs) / 1000),
      advance: async (advanceSec) => {
        const { now } = await this.post("/gateway/clock", { advanceSec });
        this.#aheadMs = Date.parse(String(now)) - Date.now();
      },
    };
  }

  /** Registers a device, and commissions it as a phone would: with what the QR code says and no more. */
  async device(deviceId: string, role: DeviceSpec["role"], zoneId: string) {
    const made = await this.post<{ id: string; terminalId: number; qr: { payload: string } }>(
      "/fleet/devices",
      { deviceId, role, zoneId },
    );
    const { v, url, ...secret } = JSON.parse(made.qr.payload) as Qr;
    if (v !== 1) throw new Error(`a QR code of version ${v}`);
    const response = await fetch(`${url}/auth/token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(secret),
    });
    const { token } = (await response.json()) as { token?: string };
    if (token === undefined) throw new Error(`not commissioned: ${response.status}`);
    const { id, terminalId } = made;
    return { id, spec: { deviceId, role, terminalId, token } satisfies DeviceSpec };
  }

  /** Works a list of flags off, a hundred in a call; how many were refused, by slug. */
  async decide(ids: readonly string[], decision: "approve" | "dismiss"): Promise<string[]> {
    const refused: string[] = [];
    for (let at = 0; at < ids.length; at += 100) {
      const body = { ids: ids.slice(at, at + 100), decision, note: `${decision}, by the lot` };
      const { data } = await this.post<{ data: { status: number; problem?: Json }[] }>(
        "/fleet/flags/decide",
        body,
      );
      const failed = data.filter(({ status }) => status >= 400);
      refused.push(...failed.map(({ problem }) => String(problem?.type).replace(/^.*\//, "")));
    }
    return refused;
  }

  /** Every account that is not zero, in minor units, as the trial balance has it; sums must be zero. */
  async books(): Promise<Record<string, number>> {
    interface Line {
      readonly kind: string;
      readonly systemKey: string | null;
      readonly available: number;
      readonly pending: number;
      readonly frozen: number;
    }
    const trial = await this.get<{ data: { sum: number; accounts: Line[] }[] }>(
      "/money/trial-balance",
    );
    const books: Record<string, number> = {};
    for (const { sum, accounts } of trial.data) {
      if (sum !== 0) throw new Error(`the books are out by ${sum}`);
      for (const { kind, systemKey, available, pending, frozen } of accounts) {
        const amount = available + pending + frozen;
        if (amount !== 0) books[systemKey ?? `${kind}s`] = amount;
      }
    }
    return books;
  }
}
