/**
 * The owner at a browser: signs in and makes zones, each under a key of its own, and knows which of them
 * must be there. A refusal must be a problem document that says when to come again.
 */
import { owner } from "./venue.ts";

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly isReplayed: boolean;
}

export class Desk {
  /** Others have made zones here before. */
  readonly #prefix = `zone ${crypto.randomUUID().slice(0, 8)}`;
  readonly #names: string[] = [];
  /** By their keys; what was answered. */
  readonly #kept = new Map<string, { readonly name: string; readonly text: string }>();
  #token = "";
  refusals = 0;

  constructor(readonly url: string) {}

  async signIn(): Promise<void> {
    const { status, text } = await this.#call("POST", "/auth/login", owner);
    if (status !== 200) throw new Error(`signing in: ${status} ${text}`);
    this.#token = (JSON.parse(text) as { accessToken: string }).accessToken;
  }

  /** Another zone; its key is good for a day. False: refused, for now. */
  async makeZone(isKept = true): Promise<boolean> {
    const key = crypto.randomUUID();
    const name = `${this.#prefix} ${key}`;
    const { status, text } = await this.#call("POST", "/fleet/zones", { name }, key);
    if (status === 503) return false;
    if (status !== 201) throw new Error(`a zone: ${status} ${text}`);
    this.#names.push(name);
    if (isKept) this.#kept.set(key, { name, text });
    return true;
  }

  /** The same calls again are answered as before, byte for byte. */
  async repeatAll(): Promise<void> {
    for (const [key, { name, text }] of this.#kept) {
      const again = await this.#call("POST", "/fleet/zones", { name }, key);
      if (again.status === 201 && again.text === text && again.isReplayed) continue;
      throw new Error(`a zone again: ${again.status} ${again.text}, it was ${text}`);
    }
  }

  /** Each zone that was made is there once, and no other. */
  async checkZones(): Promise<void> {
    const { status, text } = await this.#call("GET", "/fleet/zones?limit=100");
    if (status !== 200) throw new Error(`zones: ${status} ${text}`);
    const { data } = JSON.parse(text) as { data: readonly { name: string }[] };
    const own = data.filter(({ name }) => name.startsWith(this.#prefix));
    const found = own.map(({ name }) => name).sort();
    const due = this.#names.toSorted();
    if (found.join() !== due.join()) throw new Error(`zones are ${found}, due are ${due}`);
  }

  async #call(method: string, path: string, body?: unknown, key?: string): Promise<Answered> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(this.#token !== "" && { authorization: `Bearer ${this.#token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(key !== undefined && { "idempotency-key": key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const { status, headers } = response;
    const text = await response.text();
    if (status === 503) {
      this.refusals += 1;
      const { type, status: told } = JSON.parse(text) as { type: string; status: number };
      const isDue =
        headers.get("content-type") === "application/problem+json" &&
        told === 503 &&
        type.endsWith("/overloaded") &&
        Number(headers.get("retry-after")) >= 1;
      if (!isDue) throw new Error(`${method} ${path}: not the refusal that is due: ${text}`);
    }
    return { status, text, isReplayed: headers.get("idempotent-replayed") === "true" };
  }
}
