/**
 * One tenant of a venue under test: its devices as their own callers, its members and cards, and what
 * its books say. Looks go straight to the tables, so that no code under test vouches for itself.
 */
import type { Param } from "../schema/query/statement.ts";
import type { Kartu } from "../src/app.ts";
import type { Role } from "../src/domain/identity.ts";
import type { PolicyChange } from "../src/domain/policy.ts";
import { type Balances, balancesOf, booksOf, entrySums, rowsOf } from "./books.ts";
import type { Call, VenueClock } from "./caller.ts";
import { Chain } from "./chip.ts";
import { DeviceUnderTest } from "./device.ts";

const actor = { type: "user", id: "operator" } as const;

export interface DeviceOptions {
  readonly deviceId?: string;
  readonly zone?: string;
  /** Of a scout: the member whose cards alone it sees. */
  readonly userId?: number;
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
    return new DeviceUnderTest(this.call, this.clock, deviceId, role, terminalId, token);
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
    return rowsOf<R>(this.kartu.store, sql, ...params);
  }

  /** Changes the tenant's policy. */
  async policy(change: PolicyChange): Promise<void> {
    const { policy } = this.kartu;
    await policy.set(this.tenantId, { scope: "tenant" }, change, actor, this.clock.nowMs());
  }

  /** Every account; the ledger is proved before it answers. */
  balances(): Promise<Balances> {
    return balancesOf(this.kartu.store, this.tenantId);
  }

  /** Every account that is not zero, a line each: what a test compares the books with. */
  async books(): Promise<Record<string, number>> {
    return booksOf(await this.balances());
  }

  /** Sum of all entries: 0 at every commit. */
  async entriesSum(): Promise<number> {
    const sums = await entrySums(this.kartu.store, this.tenantId);
    return [...sums.values()].reduce((total, sum) => total + sum, 0);
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
