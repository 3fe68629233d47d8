/**
 * An operator at a venue under test: signed in as somebody of the first tenant, and answers as they came,
 * so that files can be looked at byte by byte.
 */
import type { Venue } from "../harness.ts";

export interface Heard {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty where the answer was no JSON. */
  readonly json: Record<string, unknown>;
  /** `201`, or of a refusal `409 wrong-state`. */
  readonly outcome: string;
}

const owner = { email: "owner@example.com", password: "a long password" };
/** Tokens live for fifteen minutes of the venue's clock. */
const freshSec = 600;

/** A key of its own for each call. */
export const newKey = (): { "idempotency-key": string } => ({
  "idempotency-key": crypto.randomUUID(),
});

export class Desk {
  #token = "";
  #atSec = Number.NEGATIVE_INFINITY;

  constructor(
    readonly venue: Venue,
    private readonly who: { readonly email: string; readonly password: string } = owner,
  ) {}

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Heard> {
    const given = new Headers(headers);
    if (path !== "/auth/login") given.set("authorization", `Bearer ${await this.token()}`);
    if (body !== undefined) given.set("content-type", "application/json");
    const init = { method, headers: given, ...(body !== undefined && { body: textOf(body) }) };
    const request = new Request(`http://localhost/api/v1${path}`, init);
    const response = await this.venue.serving.app.handle(request);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
    const slug = String(json.type ?? "").replace(/^.*\//, "");
    const outcome = response.status < 400 ? `${response.status}` : `${response.status} ${slug}`;
    return { status: response.status, headers: response.headers, text, json, outcome };
  }

  get(path: string): Promise<Heard> {
    return this.send("GET", path);
  }

  /** With a key of its own. */
  post(path: string, body: unknown): Promise<Heard> {
    return this.send("POST", path, body, newKey());
  }

  async token(): Promise<string> {
    const nowSec = this.venue.clock.nowSec();
    if (Math.abs(nowSec - this.#atSec) > freshSec) {
      const { json } = await this.send("POST", "/auth/login", this.who);
      this.#token = String(json.accessToken);
      this.#atSec = nowSec;
    }
    return this.#token;
  }

  /** Somebody else of the tenant, who holds these permissions alone. */
  async colleague(email: string, permissions: readonly string[]): Promise<Desk> {
    const name = email.replace(/@.*$/, "");
    const role = await this.post("/roles", { name, permissions });
    if (role.status !== 201) throw new Error(`no role: ${role.text}`);
    const who = { email, password: "a password of theirs" };
    const made = await this.post("/users", { ...who, roles: [name] });
    if (made.status !== 201) throw new Error(`no user: ${made.text}`);
    return new Desk(this.venue, who);
  }
}

const textOf = (body: unknown): string => (typeof body === "string" ? body : JSON.stringify(body));

/** The rows of a list, or of a run. */
export const dataOf = ({ json }: Heard): Record<string, unknown>[] =>
  json.data as Record<string, unknown>[];
