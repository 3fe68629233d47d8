/**
 * A venue's backend in a few lines and in memory: enough of the device surface for the fleet to live on,
 * with repeats told apart from news. It flags and blocks nothing, and proves nothing about the server.
 */
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { grantBytes, type Op } from "../../src/domain/grant.ts";
import type { WireEvent } from "../../src/sim/happened.ts";
import type { DeviceSpec } from "../../src/sim/world.ts";

const opsOf: Record<string, Op[]> = {
  terminal: ["read", "debit", "checkin", "checkout"],
  gate: ["read", "checkin", "checkout"],
  station: ["read", "checkout", "topup", "reissue", "block"],
};
export const policy = {
  maxBalance: 5_000_000,
  singleTxLimit: 1_000_000,
  dailyLimit: 2_000_000,
  weeklyLimit: 5_000_000,
  blockedStatuses: [1, 2, 3, 4],
  clockDriftAllowanceSec: 3_600,
  hardCeiling: 16_000_000,
  currency: "IDR",
  timezone: "Asia/Jakarta",
  sessionMaxSec: 86_400,
  policyVersion: 1,
};

type Body = {
  cardId: string;
  userId: number;
  createdAt: number;
  keyVersion: number;
  amount: number;
  events: WireEvent[];
};

/** Where nobody answers: the work was done, but no client gets the reply. */
const deadEnd = "http://127.0.0.1:1/";

interface Card {
  userId: number;
  createdAt: number;
  balance: number;
  pending: Map<string, number>;
  events: Map<number, WireEvent>;
}

const lastOf = (card: Card): WireEvent | undefined =>
  card.events.get(Math.max(...card.events.keys()));
const stateOf = (card: Card): string => {
  const counters = [...card.events.keys()].sort((a, b) => b - a);
  const move = counters
    .map((counter) => card.events.get(counter)?.type)
    .find((type) => type === "checkin" || type === "checkout");
  return move === undefined ? "IDLE" : move === "checkin" ? "CHECKED_IN" : "CHECKED_OUT";
};

export class Venue {
  readonly cards = new Map<string, Card>();
  readonly devices: DeviceSpec[];
  readonly reports: unknown[] = [];
  /** Called before each answer; may answer in its place. */
  intercept: (request: Request, path: string) => Response | null = () => null;
  /** Path whose replies break off, though the work was done. */
  breakReply = "";
  primary = 1;
  readonly #sessionKeys = new Map<number, string>();
  readonly #replays = new Map<string, { status: number; body: unknown }>();
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  readonly #server = Bun.serve({ port: 0, fetch: (request) => this.#answer(request) });

  constructor(roles: readonly DeviceSpec["role"][]) {
    this.devices = roles.map((role, i) => {
      return { deviceId: `d${i}`, role, terminalId: i + 1, token: `kt_${i}` };
    });
  }

  get url(): string {
    return this.#server.url.href;
  }

  stop(): Promise<void> {
    return this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const taken = this.intercept(request, pathname);
    if (taken) return taken;
    if (pathname === "/.well-known/jwks.json") {
      const jwk = this.#keys.publicKey.export({ format: "jwk" });
      return Response.json({ keys: [{ ...jwk, kid: "grt_1" }] });
    }
    const token = request.headers.get("authorization")?.slice(7);
    const device = this.devices.find((spec) => spec.token === token);
    if (!device) return refuse(401, "invalid_token");
    const text = await request.text();
    const key = `${token} ${request.headers.get("idempotency-key")}`;
    const kept = this.#replays.get(key);
    if (kept) {
      const headers = { "Idempotent-Replayed": "true" };
      return Response.json(kept.body, { status: kept.status, headers });
    }
    const body = JSON.parse(text === "" ? "{}" : text) as Body;
    const answer = this.#route(device, request.method, pathname, searchParams, body);
    if (request.headers.has("idempotency-key") && answer.status < 300) {
      this.#replays.set(key, { status: answer.status, body: await answer.clone().json() });
    }
    if (pathname === this.breakReply) return Response.redirect(deadEnd);
    return answer;
  }

  #route(
    device: DeviceSpec,
    method: string,
    path: string,
    query: URLSearchParams,
    body: Body,
  ): Response {
    const [, , noun, cardId = "", verb, topupId, cancel] = path.split("/");
    if (noun === "session-grant") return this.#grant(device, query);
    if (noun === "policy") return Response.json(policy, { headers: { ETag: '"1"' } });
    if (noun === "blocklist") {
      return Response.json({ version: 1, full: !query.has("since"), add: [], remove: [] });
    }
    if (noun === "reconcile") return this.#reconcile(body);
    if (noun === "terminal-report") {
      this.reports.push(body);
      return new Response(null, { status: 204 });
    }
    if (noun === "cards" && method === "POST" && cardId === "") return this.#register(body);
    const card = this.cards.get(cardId);
    if (noun !== "cards" || !card) return refuse(404, "card_not_found");
    if (method === "GET") return this.#read(cardId, card, verb === "events");
    if (verb === "rekey") {
      const { keyVersion } = body;
      return Response.json({ cardId, keyVersion });
    }
    if (cancel === "cancel" && topupId !== undefined) return this.#cancel(cardId, card, topupId);
    return verb === "topup" ? this.#topup(cardId, card, body) : refuse(404, "not_found");
  }

  #grant(device: DeviceSpec, query: URLSearchParams): Response {
    const keyVersion = Number(query.get("keyVersion") ?? this.primary);
    let sessionKey = this.#sessionKeys.get(keyVersion);
    if (sessionKey === undefined) {
      sessionKey = crypto.getRandomValues(new Uint8Array(32)).toBase64();
      this.#sessionKeys.set(keyVersion, sessionKey);
    }
    const expiresAt = Math.floor(Date.now() / 1_000) + 28_800;
    const grant = { allowedOps: opsOf[device.role] ?? [], expiresAt, keyVersion, sessionKey };
    const key = { key: this.#keys.privateKey, dsaEncoding: "ieee-p1363" } as const;
    const signature = sign("sha256", grantBytes(grant), key).toString("base64");
    return Response.json({ ...grant, signature }, { headers: { "Kartu-Key-Id": "grt_1" } });
  }

  #register(body: Body): Response {
    const { cardId, userId, createdAt } = body;
    const rest = { balance: 0, pending: new Map(), events: new Map() };
    this.cards.set(cardId, { userId, createdAt, ...rest });
    const answer = { cardId, userId, status: "ACTIVE", balance: 0, createdAt };
    return Response.json(answer, { status: 201 });
  }

  #topup(cardId: string, card: Card, { amount }: Body): Response {
    const topupId = randomUUID();
    card.pending.set(topupId, amount);
    card.balance += amount;
    const counter = lastOf(card)?.counter ?? 0;
    const { balance } = card;
    return Response.json({ cardId, topupId, amount, balance, counter, status: "PENDING" });
  }

  #cancel(cardId: string, card: Card, topupId: string): Response {
    const amount = card.pending.get(topupId) ?? 0;
    card.pending.delete(topupId);
    card.balance -= amount;
    const { balance } = card;
    return Response.json({ cardId, topupId, amount, balance, status: "CANCELED" });
  }

  #reconcile(body: Body): Response {
    const rejections: unknown[] = [];
    for (const [index, event] of body.events.entries()) {
      const { cardId, counter, type, amount } = event;
      const card = this.cards.get(cardId);
      if (!card) throw new Error("the fleet made up a card");
      const known = card.events.get(counter);
      if (known) {
        const reason = Bun.deepEquals(known, event) ? "duplicate" : "counter_conflict";
        rejections.push({ index, counter, cardId, reason });
        continue;
      }
      card.events.set(counter, event);
      if (type === "debit") card.balance -= amount;
      const settled = [...card.pending].find(([, pending]) => pending === amount);
      if (type === "credit" && settled) card.pending.delete(settled[0]);
    }
    const rejected = rejections.length;
    const accepted = body.events.length - rejected;
    if (accepted === 0 && rejected > 0) {
      return refuse(409, "duplicate_counter", { accepted, rejected });
    }
    return Response.json({ accepted, rejected, flags: [], rejections, batchId: randomUUID() });
  }

  #read(cardId: string, card: Card, isEvents: boolean): Response {
    const newest = [...card.events.values()].sort((a, b) => b.counter - a.counter);
    if (isEvents) {
      return Response.json({ events: newest.slice(0, 100).map((e) => ({ ...e, flags: [] })) });
    }
    const { userId, createdAt, balance, pending } = card;
    const last = lastOf(card);
    const amount = [...pending.values()].reduce((sum, one) => sum + one, 0);
    return Response.json({
      ...{ cardId, userId, status: "ACTIVE", balance, createdAt, needsValidation: false },
      counter: last?.counter ?? 0,
      lastActivity: last?.timestamp ?? createdAt,
      chipBalance: last?.balanceAfter ?? 0,
      state: stateOf(card),
      pendingTopups: { count: pending.size, amount },
      expiresAt: null,
    });
  }
}

function refuse(status: number, error: string, more: object = {}): Response {
  const headers = { "X-Request-ID": "r", "WWW-Authenticate": "Bearer" };
  return Response.json({ error, message: error, ...more }, { status, headers });
}
