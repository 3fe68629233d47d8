/**
 * One tenant of a venue under test: its devices as their own callers, its members and cards, and what
 * its books say. Looks go straight to the tables, so that no code under test vouches for itself.
 */
import { type Param, statement } from "../schema/query/statement.ts";
import type { Kartu } from "../src/app.ts";
import type { Role } from "../src/domain/identity.ts";
import { Chain, type WireEvent } from "./chip.ts";
import type { Answer, Call, CallOptions, VenueClock } from "./harness.ts";

const actor = { type: "user", id: "operator" } as const;

export interface DeviceOptions {
  readonly deviceId?: string;
  readonly zone?: string;
  /** Of a scout: the member whose cards alone it sees. */
  readonly userId?: number;
}

export interface BatchAnswer {
  readonly accepted: number;
  readonly rejected: number;
  readonly flags: readonly { counter: number; cardId: string; reason: string }[];
  readonly rejections: readonly {
    index: number;
    counter: number;
    cardId: string;
    reason: string;
  }[];
  readonly batchId: string;
}

/** A commissioned device and the calls it makes. */
export class DeviceUnderTest {
  constructor(
    readonly tenant: TenantUnderTest,
    readonly deviceId: string,
    readonly role: Role,
    readonly terminalId: number,
    public token: string,
  ) {}

  call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: CallOptions["headers"],
  ): Promise<Answer<T>> {
    const { token } = this;
    return this.tenant.call<T>(method, path, {
      token,
      ...(body !== undefined && { body }),
      ...(headers !== undefined && { headers }),
    });
  }

  /** Fetches a grant. */
  async grant(): Promise<Record<string, unknown>> {
    const { status, json } = await this.call("GET", "/api/session-grant");
    if (status !== 200) throw new Error(`no grant: ${status} ${JSON.stringify(json)}`);
    return json;
  }

  upload(...events: readonly WireEvent[]): Promise<Answer<BatchAnswer>> {
    const { terminalId } = this;
    return this.call<BatchAnswer>("POST", "/api/reconcile", { terminalId, events });
  }

  /** Uploads what must be taken whole. Returns the flags as `counter reason`. */
  async hand(...events: readonly WireEvent[]): Promise<string[]> {
    const { status, json } = await this.upload(...events);
    if (status !== 200 || json.accepted !== events.length) {
      throw new Error(`not taken: ${status} ${JSON.stringify(json)}`);
    }
    return json.flags.map(({ counter, reason }) => `${counter} ${reason}`);
  }

  report(report: Readonly<Record<string, unknown>>): Promise<Answer> {
    const { terminalId } = this;
    const timestamp = this.tenant.clock.nowSec();
    const rest = { cardId: null, details: "", counter: null, timestamp };
    return this.call("POST", "/api/terminal-report", { terminalId, ...rest, ...report });
  }

  topup(
    cardId: string,
    amount: number,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<Answer<{ topupId: string; balance: number; status: string; counter: number }>> {
    const timestamp = this.tenant.clock.nowSec();
    return this.call("POST", `/api/cards/${cardId}/topup`, {
      amount,
      operatorId: 7,
      timestamp,
      ...more,
    });
  }

  cancel(cardId: string, topupId: string) {
    return this.call("POST", `/api/cards/${cardId}/topup/${topupId}/cancel`);
  }

  block(cardId: string, reason = "lost") {
    const timestamp = this.tenant.clock.nowSec();
    const body = { reason, operatorId: 7, timestamp };
    return this.call("POST", `/api/cards/${cardId}/block`, body);
  }

  reissue(cardId: string, newCardId: string, more: Readonly<Record<string, unknown>> = {}) {
    const timestamp = this.tenant.clock.nowSec();
    return this.call("POST", `/api/cards/${cardId}/reissue`, {
      newCardId,
      keyVersion: 1,
      operatorId: 7,
      timestamp,
      ...more,
    });
  }

  read(cardId: string) {
    return this.call("GET", `/api/cards/${cardId}`);
  }
}

export interface Balances {
  readonly cash: number;
  readonly suspense: number;
  /** By terminalId. */
  readonly settlement: Readonly<Record<number, number>>;
  readonly cards: Readonly<
    Record<
      string,
      { readonly available: number; readonly pending: number; readonly frozen: number }
    >
  >;
}

export interface FlagSeen {
  readonly id: string;
  readonly kind: string;
  readonly reason: string;
  readonly severity: string;
  readonly status: string;
  readonly cardId: string;
  readonly counter: number | null;
  readonly amount: number | null;
  readonly note: string | null;
  readonly evidence: Record<string, unknown>;
}

export class TenantUnderTest {
  readonly tenantId: number;
  readonly slug: string;
  #devices = 0;
  #cards = 0;

  constructor(
    readonly kartu: Kartu,
    readonly call: Call,
    readonly clock: VenueClock,
    { tenantId, slug }: { tenantId: number; slug: string },
  ) {
    this.tenantId = tenantId;
    this.slug = slug;
  }

  /** A registered device with the token of its first commissioning. */
  async device(role: Role, options: DeviceOptions = {}): Promise<DeviceUnderTest> {
    this.#devices += 1;
    const deviceId = options.deviceId ?? `${this.slug}-${role}-${this.#devices}`;
    const { zone, userId } = options;
    const draft = { deviceId, role, ...(zone && { zone }), ...(userId && { userId }) };
    const { device } = this.kartu;
    const made = await device.register(this.tenantId, draft, actor, this.clock.nowMs());
    const { token, terminalId } = await this.commission(deviceId, role, made.secret);
    return new DeviceUnderTest(this, deviceId, role, terminalId, token);
  }

  /** A device with a grant from now on. */
  async working(role: Role, options?: DeviceOptions): Promise<DeviceUnderTest> {
    const device = await this.device(role, options);
    await device.grant();
    return device;
  }

  async commission(deviceId: string, role: Role, secret: string) {
    const body = { deviceId, secret, role };
    const { status, json } = await this.call<{ token: string; terminalId: number }>(
      "POST",
      "/api/auth/token",
      { body },
    );
    if (status !== 200) throw new Error(`not commissioned: ${status} ${JSON.stringify(json)}`);
    return json;
  }

  /** The number of a new member. */
  async member(name = "Siti Rahayu"): Promise<number> {
    const { member } = this.kartu;
    return (await member.add(this.tenantId, { name }, actor, this.clock.nowMs())).userId;
  }

  /** A card of a new member, registered by `station`; its chip is blank. */
  async card(
    station: DeviceUnderTest,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<Chain> {
    this.#cards += 1;
    const cardId = `ca${this.tenantId.toString(16).padStart(2, "0")}${this.#cards.toString(16).padStart(8, "0")}`;
    const userId = more.userId ?? (await this.member());
    const createdAt = this.clock.nowSec();
    const body = { cardId, userId, name: "Siti Rahayu", createdAt, keyVersion: 1, ...more };
    const { status, json } = await station.call("POST", "/api/cards", body);
    if (status !== 201) throw new Error(`no card: ${status} ${JSON.stringify(json)}`);
    return new Chain(body.cardId, { timestamp: createdAt });
  }

  /** A card whose chip and wallet hold `amount`, checked in: four events are behind it (none flagged). */
  async loaded(
    station: DeviceUnderTest,
    terminal: DeviceUnderTest,
    amount: number,
  ): Promise<Chain> {
    const chain = await this.card(station);
    const first = chain.admin();
    const { status } = await station.topup(chain.cardId, amount);
    if (status !== 200) throw new Error(`no top-up: ${status}`);
    const flags = await station.hand(first, chain.credit(amount));
    flags.push(...(await terminal.hand(chain.checkin())));
    if (flags.length > 0) throw new Error(`flagged: ${flags}`);
    return chain;
  }

  /** Rows of a query of the test's own. */
  rows<R>(sql: string, ...params: Param[]): Promise<R[]> {
    return this.kartu.store.read((q) =>
      q.all(statement<Param[], R>(`test ${sql}`, sql), ...params),
    );
  }

  /**
   * Every account of the tenant. Before it answers, the ledger is proved: entries sum to zero, each
   * balance is the sum of its entries, nothing is below zero that may not be.
   */
  async balances(): Promise<Balances> {
    const { tenantId } = this;
    const wallets = await this.rows<Account & { wallet_no: number; key: string }>(
      `SELECT wallet_no, system_key AS key, available, pending, frozen FROM wallet WHERE tenant_id = ?1`,
      tenantId,
    );
    const cards = await this.rows<Account & { card_no: number; card_id: string }>(
      `SELECT c.card_no, c.card_id, h.available, h.pending, h.frozen FROM card c
       JOIN head h ON h.card_no = c.card_no WHERE c.tenant_id = ?1 ORDER BY c.card_id`,
      tenantId,
    );
    const sums = await this.entrySums();
    for (const w of wallets) held(sums, `wallet ${w.wallet_no}`, w, w.key);
    for (const c of cards) held(sums, `card ${c.card_no}`, c, c.card_id);
    const left = Object.entries(sums).filter(([, sum]) => sum !== 0);
    if (left.length > 0) throw new Error(`entries of no account: ${JSON.stringify(left)}`);

    const of = (key: string): number => wallets.find((w) => w.key === key)?.available ?? 0;
    const settlement: Record<number, number> = {};
    for (const { key, available } of wallets) {
      const terminalId = /^settlement:(\d+)$/.exec(key)?.[1];
      if (terminalId !== undefined) settlement[Number(terminalId)] = available;
    }
    const byId = cards.map(({ card_id: id, available, pending, frozen }) => {
      return [id, { available, pending, frozen }] as const;
    });
    return {
      cash: of("cash"),
      suspense: of("suspense"),
      settlement,
      cards: Object.fromEntries(byId),
    };
  }

  /** Every account that is not zero, a line each: what a test compares the books with. */
  async books(): Promise<Record<string, number>> {
    const { cash, suspense, settlement, cards } = await this.balances();
    const books: Record<string, number> = { cash, suspense };
    for (const [terminalId, sum] of Object.entries(settlement))
      books[`settlement ${terminalId}`] = sum;
    for (const [cardId, { available, pending, frozen }] of Object.entries(cards)) {
      Object.assign(books, {
        [`${cardId} available`]: available,
        [`${cardId} pending`]: pending,
        [`${cardId} frozen`]: frozen,
      });
    }
    return Object.fromEntries(Object.entries(books).filter(([, sum]) => sum !== 0));
  }

  /** Sum of all entries: 0 at every commit. */
  async entriesSum(): Promise<number> {
    return Object.values(await this.entrySums()).reduce((total, sum) => total + sum, 0);
  }

  private async entrySums(): Promise<Record<string, number>> {
    const rows = await this.rows<{ account: string; bucket: number; sum: number }>(
      `SELECT coalesce('wallet ' || wallet_no, 'card ' || card_no) AS account, bucket, sum(amount) AS sum
       FROM entry WHERE tenant_id = ?1 GROUP BY account, bucket`,
      this.tenantId,
    );
    return Object.fromEntries(rows.map((r) => [`${r.account} ${r.bucket}`, r.sum]));
  }

  /** The review queue, oldest first. */
  async flags(status?: "open" | "approved" | "dismissed"): Promise<FlagSeen[]> {
    const rows = await this.rows<Omit<FlagSeen, "evidence"> & { evidence: string }>(
      `SELECT uuid AS id, kind, reason, severity, status, card_id AS cardId, counter, amount, note, evidence
       FROM flag WHERE tenant_id = ?1 AND (?2 IS NULL OR status = ?2) ORDER BY flag_no`,
      this.tenantId,
      status ?? null,
    );
    return rows.map((row) => ({ ...row, evidence: JSON.parse(row.evidence) }));
  }

  /** The open flags, each as `counter reason severity`. */
  async queue(): Promise<string[]> {
    const open = await this.flags("open");
    return open.map(
      ({ counter, reason, severity }) => `${counter ?? "card"} ${reason} ${severity}`,
    );
  }

  /** The one open flag of a reason. */
  async flag(reason: string): Promise<FlagSeen> {
    const found = (await this.flags("open")).filter((each) => each.reason === reason);
    const [only] = found;
    if (only === undefined || found.length > 1) {
      throw new Error(`${found.length} open flags ${reason}`);
    }
    return only;
  }

  approve(flagId: string, note = "seen") {
    return this.kartu.review.approve(this.tenantId, flagId, { note, actor }, this.clock.nowMs());
  }

  dismiss(flagId: string, block?: boolean, note = "seen") {
    const decision = { note, actor, ...(block !== undefined && { block }) };
    return this.kartu.review.dismiss(this.tenantId, flagId, decision, this.clock.nowMs());
  }

  alerts(): Promise<{ severity: string; reason: string; cardId: string; terminalId: number }[]> {
    return this.rows(
      `SELECT severity, reason, card_id AS cardId, terminal_id AS terminalId FROM alert
       WHERE tenant_id = ?1 ORDER BY alert_no`,
      this.tenantId,
    );
  }

  /** Faults of the audit chain; none is right. */
  auditFaults() {
    return this.kartu.store.read((q) => this.kartu.audit.verify(q, this.tenantId));
  }

  /** Actions of the audit record, oldest first. */
  async actions(like = "%"): Promise<string[]> {
    const rows = await this.rows<{ action: string }>(
      `SELECT action FROM audit WHERE tenant_id = ?1 AND action LIKE ?2 ORDER BY seq`,
      this.tenantId,
      like,
    );
    return rows.map((row) => row.action);
  }
}

interface Account {
  available: number;
  pending: number;
  frozen: number;
}

/** Takes an account's entries out of `sums`. @throws unless they are what the account says it holds */
function held(sums: Record<string, number>, account: string, has: Account, name: string): void {
  for (const [bucket, amount] of [has.available, has.pending, has.frozen].entries()) {
    const key = `${account} ${bucket}`;
    const sum = sums[key] ?? 0;
    if (sum !== amount)
      throw new Error(`${name} bucket ${bucket}: holds ${amount}, entries ${sum}`);
    delete sums[key];
  }
}
