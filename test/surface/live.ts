/**
 * A venue with one device of each role, a card with some history and a pending top-up, served on a
 * socket; and for each operation of the device surface a call that would succeed. For tests that knock
 * at every door in the same way.
 */
import { rmSync } from "node:fs";
import { connect } from "node:net";
import type { Elysia } from "elysia";
import type { Role } from "../../src/domain/identity.ts";
import type { Route } from "../../src/http/route.ts";
import { serveKartu } from "../../src/serve.ts";
import { terminalRoutes } from "../../src/terminal.ts";
import {
  type Chain,
  type DeviceUnderTest,
  openVenue,
  operator,
  type Venue,
  type VenueOptions,
} from "../harness.ts";
import { refusal } from "./http-fixture.ts";

export interface Knock {
  readonly method: string;
  /** With query, if any. */
  readonly path: string;
  readonly token?: string;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** What a knock is sent as: its own parts or others in their place; null takes one away. */
export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly token?: string | null;
  readonly body?: Bun.BodyInit | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Live {
  private constructor(
    readonly venue: Venue,
    readonly app: Elysia,
    readonly url: string,
    readonly devices: Readonly<Record<Role, DeviceUnderTest>>,
    readonly card: Chain,
    readonly topupId: string,
  ) {
    this.routes = terminalRoutes(venue.kartu);
  }

  readonly routes: readonly Route[];
  #made = 0;

  static async open(options?: VenueOptions): Promise<Live> {
    const venue = await openVenue(options);
    const { app, url } = await serveKartu(venue.kartu, { host: "127.0.0.1", port: 0 });
    const devices = {
      station: await venue.working("station"),
      gate: await venue.working("gate"),
      terminal: await venue.working("terminal"),
      scout: await venue.device("scout"),
    };
    const card = await venue.loaded(devices.station, devices.terminal, 100_000);
    const { json } = await devices.station.topup(card.cardId, 5_000);
    return new Live(venue, app, url, devices, card, json.topupId);
  }

  route(operationId: string): Route {
    const found = this.routes.find((route) => route.operationId === operationId);
    if (found === undefined) throw new Error(`no operation ${operationId}`);
    return found;
  }

  /** A call of the operation that would succeed, once. */
  async knock(route: Route): Promise<Knock> {
    const { method, path: pattern, operationId } = route;
    const path = pattern.replace(":cardId", this.card.cardId).replace(":topupId", this.topupId);
    const { token, terminalId } = this.devices.station;
    const body = {
      ...(route.examples.request as Record<string, unknown> | undefined),
      ...(route.terminalId && { terminalId }),
      ...(await this.#fresh(operationId)),
    };
    const isPublic = "public" in route.access;
    const asks = route.contract.body !== undefined;
    return { method, path, ...(!isPublic && { token }), ...(asks && { body }) };
  }

  /** The same call, made by another device of this venue. */
  static by(device: DeviceUnderTest, knock: Knock): Knock {
    const { token, terminalId } = device;
    const { body } = knock;
    if (body === undefined || !("terminalId" in body)) return { ...knock, token };
    // An event is taken once, whoever hands it in.
    const events = "events" in body && { events: [] };
    return { ...knock, token, body: { ...body, terminalId, ...events } };
  }

  /** What the operation must not be given twice, or must be of this venue. */
  async #fresh(operationId: string): Promise<Record<string, unknown>> {
    this.#made += 1;
    const { venue } = this;
    const createdAt = venue.clock.nowSec();
    const cardId = `beef${this.#made.toString(16).padStart(8, "0")}`;
    switch (operationId) {
      case "commissionDevice": {
        const draft = { deviceId: `fresh-${this.#made}`, role: "gate" } as const;
        const { device } = venue.kartu;
        const { secret } = await device.register(venue.tenantId, draft, operator, createdAt * 1000);
        return { ...draft, secret };
      }
      case "registerCard":
        return { cardId, userId: await venue.member(), createdAt };
      case "reissueCard":
        return { newCardId: cardId };
      case "reconcile":
        return { events: [this.card.fork().debit(1_000)] };
      case "rekeyCard":
        return { keyVersion: 1 };
      default:
        return {};
    }
  }

  /** Sends a knock over the socket. */
  send(knock: Knock, sent: Sent = {}): Promise<Response> {
    const method = sent.method ?? knock.method;
    const token = sent.token === null ? undefined : (sent.token ?? knock.token);
    const body = sent.body === undefined && knock.body ? JSON.stringify(knock.body) : sent.body;
    const headers = new Headers(body == null ? {} : { "content-type": "application/json" });
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    for (const [name, value] of Object.entries(sent.headers ?? {})) headers.set(name, value);
    const isRead = method === "GET" || method === "HEAD";
    return fetch(this.url + (sent.path ?? knock.path), {
      method,
      headers,
      redirect: "manual",
      ...(!isRead && body != null && { body }),
    });
  }

  /** The status of the answer, and of a refusal, after its shape is proved, the code. */
  async outcome(knock: Knock, sent?: Sent): Promise<string> {
    const response = await this.send(knock, sent);
    if (response.ok) {
      await response.body?.cancel();
      return String(response.status);
    }
    const { status, error } = await refusal(response);
    return `${status} ${error}`;
  }

  /** Bytes straight into the socket; what came back until the server, or a whole answer, closed it. */
  raw(text: string, isHalfOpen = false): Promise<string> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(this.url);
      const socket = connect(Number(port), hostname, () => {
        socket.write(text);
        if (isHalfOpen) socket.end();
      });
      let answer = "";
      socket.on("data", (bytes) => {
        answer += bytes;
        if (answer.endsWith("}")) socket.destroy();
      });
      socket.on("close", () => resolve(answer));
      socket.on("error", reject);
    });
  }

  /** Number of rows of every table. */
  async counts(): Promise<Record<string, number>> {
    this.#countSql ??= await this.#makeCountSql();
    const rows = await this.venue.rows<{ name: string; count: number }>(this.#countSql);
    return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
  }

  #countSql: string | undefined;

  async #makeCountSql(): Promise<string> {
    const tables = await this.venue.rows<{ name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    );
    return tables
      .map(({ name }) => `SELECT '${name}' AS name, count(*) AS count FROM ${name}`)
      .join(" UNION ALL ");
  }

  /** Every row of every table as text, to see that nothing at all was written. */
  async everything(): Promise<string> {
    const tables = Object.keys(await this.counts());
    const rows = await Promise.all(
      tables.map(async (name) => [name, await this.venue.rows(`SELECT * FROM ${name}`)]),
    );
    return Bun.SHA256.hash(
      JSON.stringify(rows, (_, value) =>
        value instanceof Uint8Array ? value.toHex() : (value as unknown),
      ),
      "hex",
    );
  }

  async close(): Promise<void> {
    await this.app.stop(true);
    try {
      await this.venue.close();
    } finally {
      rmSync(this.venue.dataDir, { recursive: true, force: true });
    }
  }
}
