/**
 * What a peer's surface says besides the rules: refusals, who is calling, a card as JSON, and whether a
 * body is a batch. Each peer keeps its callers in memory, as Kartu does.
 */
import { hash } from "node:crypto";
import { batchEventsMax, safeIntegerMax, terminalIdMax, uint32Max } from "../../../schema/bound.ts";
import type { CardRow } from "../../../schema/query/card.ts";
import type { TokenRow } from "../../../schema/query/token.ts";
import { EVENT_CODE } from "../../../src/domain/chain.ts";
import type { DeviceIdentity } from "../../../src/domain/identity.ts";
import { STATE_NAME } from "../../../src/domain/state.ts";

/** Thrown where the answer is not 200. */
export class Refusal extends Error {
  constructor(
    readonly status: 400 | 401 | 404 | 409 | 501,
    readonly body: Readonly<Record<string, unknown>>,
  ) {
    super(String(body.error));
  }
}

export const refusal = (status: Refusal["status"], error: string): Refusal =>
  new Refusal(status, { error });

interface Caller {
  readonly identity: DeviceIdentity;
  readonly expiresAtSec: number;
}

/** Devices by the SHA-256 of their tokens; `read` asks the store the first time. */
export class Callers {
  readonly #known = new Map<string, Caller>();

  /** The token's digest in hex. @throws Refusal 401 */
  digest(authorization: string | null | undefined): string {
    if (authorization?.startsWith("Bearer kt_") !== true) throw refusal(401, "invalid_token");
    return hash("sha256", authorization.slice(7));
  }

  /** @throws Refusal 401 */
  known(digest: string, nowSec: number): DeviceIdentity | undefined {
    const caller = this.#known.get(digest);
    if (caller !== undefined && caller.expiresAtSec <= nowSec) throw refusal(401, "invalid_token");
    return caller?.identity;
  }

  /** @throws Refusal 401 */
  learn(digest: string, row: TokenRow | null | undefined, nowSec: number): DeviceIdentity {
    if (row === null || row === undefined || row.expires_at_sec <= nowSec) {
      throw refusal(401, "invalid_token");
    }
    const identity: DeviceIdentity = {
      tenantId: row.tenant_id,
      deviceNo: row.device_no,
      deviceId: row.device_id,
      terminalId: row.terminal_id,
      role: row.role,
      zoneNo: row.zone_no,
      memberNo: row.member_no,
      suspendedAtSec: row.suspended_at_sec,
      settlementWalletNo: row.settlement_wallet_no,
    };
    this.#known.set(digest, { identity, expiresAtSec: row.expires_at_sec });
    return identity;
  }
}

export interface WireEvent {
  readonly cardId: string;
  readonly counter: number;
  readonly type: keyof typeof EVENT_CODE;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly timestamp: number;
  readonly hash: string;
}

export interface WireBatch {
  readonly terminalId: number;
  readonly events: readonly WireEvent[];
}

const within = (value: unknown, min: number, max: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;

const hex12 = /^[0-9a-f]{12}$/;

function isEvent(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const e = value as Record<string, unknown>;
  return (
    typeof e.cardId === "string" &&
    hex12.test(e.cardId) &&
    within(e.counter, 1, safeIntegerMax) &&
    typeof e.type === "string" &&
    Object.hasOwn(EVENT_CODE, e.type) &&
    within(e.amount, 0, uint32Max) &&
    within(e.balanceAfter, 0, uint32Max) &&
    within(e.timestamp, 0, uint32Max) &&
    typeof e.hash === "string" &&
    hex12.test(e.hash) &&
    Object.keys(e).length === 7
  );
}

/** The contract of a batch by hand, for frameworks that bring no validator of their own. */
export function isBatch(value: unknown): value is WireBatch {
  if (typeof value !== "object" || value === null) return false;
  const { terminalId, events, ...rest } = value as Record<string, unknown>;
  return (
    within(terminalId, 0, terminalIdMax) &&
    Array.isArray(events) &&
    events.length <= batchEventsMax &&
    events.every(isEvent) &&
    Object.keys(rest).length === 0
  );
}

/** A card as a device sees it. @throws Refusal 404 */
export function shownCard(row: CardRow | null | undefined): Record<string, unknown> {
  if (row === null || row === undefined) throw refusal(404, "unknown_card");
  return {
    cardId: row.card_id,
    userId: row.user_id,
    counter: row.counter,
    chipBalance: row.chip_balance,
    balance: row.available + row.pending,
    lastActivity: row.timestamp_sec,
    state: STATE_NAME[row.shown_state as keyof typeof STATE_NAME],
  };
}
