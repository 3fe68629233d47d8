/**
 * The things of a venue as the auditor knows them: devices, members, cards, events, top-ups, flags. No rule
 * decides here; what follows from one thing alone is told.
 */
import type { Role } from "./call.ts";

export const ACTIVE = 0;
export const TAMPER = 1;
export const FRAUD = 2;
const EXPIRED = 3;
export const ADMIN = 4;
export const statusNames = [
  "ACTIVE",
  "BLOCKED_TAMPER",
  "BLOCKED_FRAUD",
  "BLOCKED_EXPIRED",
  "BLOCKED_ADMIN",
] as const;

export const daySec = 86_400;
export const weekSec = 7 * daySec;
export const hardCeiling = 16_000_000;

export interface Secret {
  readonly text: string;
  readonly expiresSec: number;
  spent: boolean;
  dead: boolean;
}

export interface Token {
  readonly text: string;
  readonly expiresSec: number;
  readonly secret: Secret;
  dead: boolean;
}

export interface Grant {
  readonly issuedSec: number;
  readonly expiresSec: number;
  readonly ops: readonly string[];
}

export interface Device {
  /** Uuid. */
  readonly id: string;
  readonly deviceId: string;
  readonly terminalId: number;
  readonly role: Role;
  readonly memberId: string | null;
  zoneId: string | null;
  status: "active" | "suspended" | "retired";
  suspendedSec: number;
  readonly secrets: Secret[];
  readonly tokens: Token[];
  readonly grants: Grant[];
  /** When its reports blocked a card. */
  readonly blocksSec: number[];
}

export interface Member {
  readonly id: string;
  readonly userId: number;
  status: "active" | "suspended" | "closed";
}

export type EventType = "debit" | "credit" | "checkin" | "checkout" | "admin";

export interface WireEvent {
  readonly cardId: string;
  readonly counter: number;
  readonly type: EventType;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly timestamp: number;
  readonly hash: string;
}

/** An accepted event. */
export interface Recorded extends WireEvent {
  readonly device: Device;
  readonly receivedSec: number;
  /** Every reason that it was ever flagged with. */
  readonly flags: Set<string>;
  /** Of a credit: the top-up that it settled, or had been settled for it. */
  topup?: Topup;
  /** Of a credit without one. */
  parked?: "waiting" | "matched" | "approved" | "dismissed";
  /** Hashes that were tried, so that a chain is cheap to judge again. */
  readonly tried: Map<string, boolean>;
  /** The hole below it was told of. */
  holeFlagged: boolean;
  /** Since when its predecessor has been missing. */
  holeSinceSec: number | undefined;
}

export interface Topup {
  readonly card: Card;
  readonly device: Device;
  readonly amount: number;
  readonly timestamp: number;
  readonly counter: number | undefined;
  readonly madeSec: number;
  /** What the first answer said. */
  readonly balance: number;
  readonly highest: number;
  readonly topupId: string;
  status: "PENDING" | "COMPLETED" | "CANCELED";
  event?: Recorded;
  /** What the first answer to a cancellation said. */
  canceled?: Readonly<Record<string, unknown>>;
}

export interface Card {
  readonly cardId: string;
  readonly member: Member;
  readonly opening: number;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  status: number;
  blockedSec: number;
  keyVersion: number;
  needsValidation: boolean;
  readonly replaces: string | undefined;
  replacedBy: string | undefined;
  /** In order of arrival. */
  readonly events: Recorded[];
  readonly topups: Topup[];
  readonly account: { available: number; pending: number; frozen: number };
}

export interface Quarantined {
  readonly event: WireEvent;
  readonly device: Device;
  readonly receivedSec: number;
  readonly reason: string;
  status: "open" | "approved" | "dismissed";
  /** Approved as it stood, beside the chain. */
  side: boolean;
}

export type Severity = "low" | "medium" | "high";

export interface Flag {
  /** Uuid, once it was seen. */
  id?: string;
  readonly reason: string;
  readonly severity: Severity;
  readonly cardId: string;
  readonly counter: number | null;
  readonly amount: number | null;
  readonly terminalId: number;
  readonly event?: Recorded;
  readonly row?: Quarantined;
  readonly raisedSec: number;
  /** Of a limit: what it was and what it came to. */
  readonly evidence?: Readonly<Record<string, number>>;
  status: "open" | "approved" | "dismissed";
  /** When and with what note. */
  decided?: Readonly<Record<string, string>>;
}

export interface Report {
  readonly terminalId: number;
  readonly cardId: string | null;
  readonly eventType: string;
  readonly counter: number | null;
  readonly timestamp: number;
  readonly receivedSec: number;
}

/** The status as of a second: a card expires by itself. */
export function statusAt(card: Card, nowSec: number): number {
  const expired = card.expiresAt !== undefined && nowSec >= card.expiresAt;
  return card.status === ACTIVE && expired ? EXPIRED : card.status;
}

/** Since when a blocked card has been so. */
export const blockedAt = (card: Card): number =>
  card.status === ACTIVE ? (card.expiresAt ?? 0) : card.blockedSec;

/** The first block stays. Returns whether this was it. */
export function block(card: Card, status: number, nowSec: number): boolean {
  if (statusAt(card, nowSec) !== ACTIVE) return false;
  card.status = status;
  card.blockedSec = nowSec;
  return true;
}

export const balanceOf = ({ account }: Card): number => account.available + account.pending;

/** The accepted event with the highest counter. */
export function headOf(card: Card): Recorded | undefined {
  let head: Recorded | undefined;
  for (const event of card.events) {
    if (head === undefined || event.counter > head.counter) head = event;
  }
  return head;
}

export const pendingOf = (card: Card): Topup[] =>
  card.topups.filter(({ status }) => status === "PENDING");

export function giveSecret(device: Device, text: string, nowSec: number): void {
  for (const older of device.secrets) older.dead ||= !older.spent;
  device.secrets.push({ text, expiresSec: nowSec + weekSec, spent: false, dead: false });
}
