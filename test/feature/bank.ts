/**
 * A venue whose operators move money by the operator surface: its owner signed in, keys with a few
 * permissions, and calls that carry an Idempotency-Key of their own.
 */
import { randomUUID } from "node:crypto";
import type { Answer } from "../caller.ts";
import { openVenue, type Venue, type VenueOptions } from "../harness.ts";

export const nobody = "01936d7a-0000-7000-8000-00000000dead";

export interface BankCall {
  readonly token?: string;
  readonly body?: unknown;
  /** Idempotency-Key; null: none. Default: a new one for each POST. */
  readonly key?: string | null;
}

export interface Money {
  readonly available: number;
  readonly pending: number;
  readonly frozen: number;
}

export interface TransactionSeen {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly amount: number;
  readonly walletId: string;
  readonly counterWalletId: string | null;
  readonly balanceAfter: Money;
  readonly reversed: boolean;
  readonly entries: readonly { walletId: string; bucket: string; amount: number; at: string }[];
}

// Answers are looked at by tests alone, member by member.
type Json = Record<string, never> & { readonly [name: string]: never };

interface Claims {
  readonly sub: string;
}

const claimsOf = (token: string): Claims =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Claims;

export class Bank {
  /** Access token of the owner. */
  owner = "";

  private constructor(readonly venue: Venue) {}

  static async open(venue: Venue): Promise<Bank> {
    const bank = new Bank(venue);
    await bank.signIn();
    return bank;
  }

  /** Anew: a token lives for a quarter of an hour of the venue's clock. */
  async signIn(): Promise<void> {
    const body = { email: "owner@example.com", password: "a long password" };
    const answer = await this.venue.call<{ accessToken: string }>("POST", "/api/v1/auth/login", {
      body,
    });
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.json));
    this.owner = answer.json.accessToken;
  }

  /** Uuid of the owner. */
  get ownerId(): string {
    return claimsOf(this.owner).sub;
  }

  call<T = Json>(method: string, path: string, sent: BankCall = {}): Promise<Answer<T>> {
    const { token = this.owner, body, key } = sent;
    const made = key === undefined && method === "POST" ? randomUUID() : key;
    return this.venue.call<T>(method, `/api/v1${path}`, {
      token,
      ...(body !== undefined && { body }),
      ...(typeof made === "string" && { headers: { "idempotency-key": made } }),
    });
  }

  /** A call that must succeed. */
  async get<T = Json>(path: string, token?: string): Promise<T> {
    return succeeded(await this.call<T>("GET", path, { ...(token !== undefined && { token }) }));
  }

  async post<T = Json>(path: string, body?: unknown, sent: BankCall = {}): Promise<T> {
    return succeeded(await this.call<T>("POST", path, { ...sent, body }));
  }

  /** Id of a new wallet of the owner, with so much in it. */
  async wallet(amount = 0, currency = "IDR"): Promise<string> {
    const body = { userId: this.ownerId, currency };
    const { id } = await this.post<{ id: string }>("/wallets", body);
    for (let left = amount; left > 0; left -= 10_000_000) {
      await this.post(`/wallets/${id}/credit`, { amount: Math.min(left, 10_000_000) });
    }
    return id;
  }

  /** What a wallet holds, as `available pending frozen`. */
  async holds(id: string): Promise<string> {
    const { available, pending, frozen } = await this.get<Money>(`/wallets/${id}/balance`);
    return `${available} ${pending} ${frozen}`;
  }

  /** Id of an account of the house. */
  async house(key: string, currency = "IDR"): Promise<string> {
    const path = `/wallets?kind=system&limit=100&currency=${currency}`;
    const { data } = await this.get<{ data: { id: string; systemKey: string }[] }>(path);
    const found = data.find(({ systemKey }) => systemKey === key);
    if (found === undefined) throw new Error(`no account ${key}`);
    return found.id;
  }

  walletOfCard = async (cardId: string): Promise<string> => {
    const { data } = await this.get<{ data: { id: string }[] }>(`/wallets?cardId=${cardId}`);
    return data[0]?.id ?? "";
  };

  transaction = (id: string): Promise<TransactionSeen> =>
    this.get<TransactionSeen>(`/transactions/${id}`);

  /** Token of a program with these permissions and no others. */
  async holder(...permissions: string[]): Promise<string> {
    const name = `r-${randomUUID().slice(0, 8)}`;
    await this.post("/roles", { name, permissions });
    const { key } = await this.post<{ key: string }>("/api-keys", { name, roles: [name] });
    const body = { apiKey: key };
    const { json } = await this.venue.call<{ accessToken: string }>(
      "POST",
      "/api/v1/auth/exchange",
      {
        body,
      },
    );
    return json.accessToken;
  }

  /** Holds that the worker finds over, and ends. */
  kartuHoldsLeft = (nowMs: number): Promise<number> => this.venue.kartu.wallet.expireHolds(nowMs);

  /** Published events that name something, as `type`. */
  async told(member: string, value: string): Promise<string[]> {
    const rows = await this.venue.rows<{ type: string; data: string }>(
      "SELECT type, data FROM published_event ORDER BY event_no",
    );
    return rows.filter(({ data }) => JSON.parse(data)[member] === value).map(({ type }) => type);
  }

  /** Audit records of something, as their action and what they say. */
  async recorded(entityId: string): Promise<{ action: string; detail: Record<string, unknown> }[]> {
    const rows = await this.venue.rows<{ action: string; detail: string }>(
      `SELECT a.action, d.detail FROM audit a JOIN audit_detail d ON d.tenant_id = a.tenant_id AND d.seq = a.seq
       WHERE a.entity_id = ?1 ORDER BY a.seq`,
      entityId,
    );
    return rows.map(({ action, detail }) => ({ action, detail: JSON.parse(detail) }));
  }
}

function succeeded<T>({ status, json }: Answer<T>): T {
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(json)}`);
  return json;
}

/** Status, and slug of a refusal. */
export const verdict = ({ status, json }: Answer): string => {
  const type = (json as { type?: string } | undefined)?.type;
  return status < 400 ? String(status) : `${status} ${String(type).replace(/^.*\//, "")}`;
};

/** Limits of calls a minute are off. */
const unlimited = {
  KARTU_RATE_PER_MIN: "0",
  KARTU_RATE_ADMIN_PER_MIN: "0",
  KARTU_RATE_AUTH_PER_MIN: "0",
};

/** A bank of its own, to be closed by whoever opened it. */
export async function openBank(options: VenueOptions = {}): Promise<Bank> {
  const venue = await openVenue({ ...options, config: { ...unlimited, ...options.config } });
  return await Bank.open(venue);
}
