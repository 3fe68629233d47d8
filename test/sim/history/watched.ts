/**
 * A venue with the auditor at its side: every call of its devices and operators is judged as it is made, and
 * kept on a tape, so that another auditor can be told the same, or nearly the same, without a server.
 */
import { holdsAll } from "../../../src/domain/by.ts";
import { Chain, operator, type Venue, type WireEvent } from "../../harness.ts";
import { Auditor, type Start } from "../auditor/auditor.ts";
import type { Row, Tape, Told } from "./tape.ts";

type Json = Record<string, unknown>;
interface Sent {
  readonly body?: object;
  readonly key?: string;
  readonly etag?: string;
}

/** Tokens live for fifteen minutes of the venue's clock. */
const freshSec = 600;

type Role = "station" | "gate" | "terminal" | "scout";

export interface Actor {
  readonly id: string;
  readonly deviceId: string;
  readonly role: Role;
  readonly secret: string;
  readonly terminalId: number;
  token: string;
}

export class Watched {
  readonly auditor: Auditor;
  #apiKey = "";
  #token = "";
  #tokenSec = Number.NEGATIVE_INFINITY;
  #made = 0;
  readonly #start: Start;
  readonly #told: Told[] = [];

  private constructor(
    readonly venue: Venue,
    timezone: string,
  ) {
    const { clock, tenantId } = venue;
    this.#start = { nowSec: clock.nowSec(), tenantId, timezone, currency: "IDR" };
    this.auditor = new Auditor(this.#start);
  }

  static async open(venue: Venue): Promise<Watched> {
    const [tenant] = await venue.rows<{ timezone: string }>(
      `SELECT timezone FROM tenant WHERE tenant_id = ${venue.tenantId}`,
    );
    const at = new Watched(venue, tenant?.timezone ?? "");
    const { kartu, tenantId, clock } = venue;
    const draft = { name: "desk", roles: ["admin"] };
    const by = { actor: operator };
    const { key } = await kartu.store.write((tx) =>
      kartu.apikey.create(tx, tenantId, draft, holdsAll, by, clock.nowMs()),
    );
    at.#apiKey = key;
    return at;
  }

  get nowSec(): number {
    return this.venue.clock.nowSec();
  }

  async #operatorToken(): Promise<string> {
    if (this.nowSec - this.#tokenSec > freshSec) {
      const sent = { body: { apiKey: this.#apiKey } };
      const { json } = await this.venue.call("POST", "/api/v1/auth/exchange", sent);
      this.#token = String(json.accessToken);
      this.#tokenSec = this.nowSec;
    }
    return this.#token;
  }

  /** As whoever runs the venue. */
  async desk(method: string, path: string, body?: object, key?: string): Promise<Json> {
    const sent = { ...(body && { body }), ...(key !== undefined && { key }) };
    return this.#send("operator", await this.#operatorToken(), method, `/api/v1${path}`, sent);
  }

  /** As a device, or nobody. */
  call(actor: Actor | undefined, method: string, path: string, sent: Sent = {}): Promise<Json> {
    return this.#send(actor?.deviceId ?? "nobody", actor?.token, method, path, sent);
  }

  /** The answer's body, with its ETag. */
  async #send(
    by: string,
    token: string | undefined,
    method: string,
    path: string,
    { body, key, etag }: Sent,
  ): Promise<Json> {
    const headers = {
      ...(key && { "idempotency-key": key }),
      ...(etag && { "if-none-match": etag }),
    };
    const given = { ...(token !== undefined && { token }), ...(body && { body }) };
    const answer = await this.venue.call(method, path, { headers, ...given });
    const call = { by, method, path, ...given, ...(key && { key }), ...(etag && { etag }) };
    this.#told.push({ call, answer, nowSec: this.nowSec });
    this.auditor.judge(call, answer, this.nowSec);
    const seen = answer.headers.get("etag");
    return { ...answer.json, ...(seen !== null && { etag: seen }) };
  }

  async device(role: Role, more: Json = {}): Promise<Actor> {
    this.#made += 1;
    const deviceId = `${role}-${this.#made}`;
    const made = await this.desk("POST", "/fleet/devices", { deviceId, role, ...more });
    const actor = { deviceId, role, token: "", id: String(made.id), secret: String(made.secret) };
    const whole = { ...actor, terminalId: Number(made.terminalId) };
    await this.commission(whole);
    return whole;
  }

  async commission(actor: Actor, secret = actor.secret): Promise<void> {
    const { deviceId, role } = actor;
    const body = { deviceId, secret, role };
    const { token } = await this.call(undefined, "POST", "/api/auth/token", { body });
    if (typeof token === "string") actor.token = token;
  }

  async working(role: Role): Promise<Actor> {
    const actor = await this.device(role);
    await this.call(actor, "GET", "/api/session-grant");
    return actor;
  }

  async member(): Promise<{ id: string; userId: number }> {
    const { id, userId } = await this.desk("POST", "/fleet/members", { name: "Siti" });
    return { id: String(id), userId: Number(userId) };
  }

  /** A card of a new member; its chip is blank. */
  async card(station: Actor, more: Json = {}): Promise<Chain> {
    this.#made += 1;
    const cardId = this.#made.toString(16).padStart(12, "c");
    const createdAt = this.nowSec;
    const userId = (await this.member()).userId;
    const body = { cardId, userId, name: "Siti", createdAt, keyVersion: 1, ...more };
    await this.call(station, "POST", "/api/cards", { body });
    return new Chain(cardId, { timestamp: createdAt });
  }

  upload(actor: Actor, ...events: readonly WireEvent[]): Promise<Json> {
    const { terminalId } = actor;
    return this.call(actor, "POST", "/api/reconcile", { body: { terminalId, events } });
  }

  topup(actor: Actor, cardId: string, amount: number, more: Json = {}): Promise<Json> {
    const body = { amount, operatorId: 7, timestamp: this.nowSec, ...more };
    return this.call(actor, "POST", `/api/cards/${cardId}/topup`, { body });
  }

  report(actor: Actor, eventType: string, cardId: string | null, more: Json = {}): Promise<Json> {
    const rest = { details: "", counter: null, timestamp: this.nowSec };
    const body = { terminalId: actor.terminalId, cardId, eventType, ...rest, ...more };
    return this.call(actor, "POST", "/api/terminal-report", { body });
  }

  /** The open flags; the auditor learns their ids. */
  async flags(reason?: string): Promise<string[]> {
    const query = reason === undefined ? "" : `&reason=${reason}`;
    const { data } = await this.desk("GET", `/fleet/flags?limit=100${query}`);
    return (data as { id: string }[]).map(({ id }) => id);
  }

  async pass(sec: number): Promise<void> {
    this.venue.clock.advance(sec);
    await this.venue.clock.minute();
    this.#told.push({ tick: this.nowSec });
    this.auditor.tick(this.nowSec);
  }

  /** The last look, and everything that the auditor was told. */
  async audit(): Promise<Tape> {
    const { venue, nowSec } = this;
    const looks = new Map<string, Row[]>();
    const rows = async <R>(sql: string): Promise<R[]> => {
      const found = await venue.rows<R & Row>(sql);
      looks.set(sql, found);
      return found;
    };
    await this.auditor.audit({ rows }, nowSec);
    return { start: this.#start, told: this.#told, looks, nowSec };
  }
}
