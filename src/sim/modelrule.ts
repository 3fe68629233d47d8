/**
 * The model's rules for one event of a batch, and the shape of a batch's answer: what is refused and
 * why, which top-up a credit settles, which operation a type of event needs.
 */
import type { Answer } from "./client.ts";
import type { WireEvent } from "./happened.ts";
import type { FlagReason, Known, ModelCard } from "./modelcard.ts";

export interface ModelPolicy {
  readonly maxBalance: number;
  readonly singleTxLimit: number;
  readonly dailyLimit: number;
  readonly weeklyLimit: number;
  readonly clockDriftAllowanceSec: number;
  readonly hardCeiling: number;
  readonly timezone: string;
  readonly sessionMaxSec: number;
}

interface ModelGrant {
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly ops: readonly string[];
}

export class ModelDevice {
  readonly grants: ModelGrant[] = [];
  policy: ModelPolicy | null = null;
  suspended = false;
  /** When a report of this device blocked a card. */
  readonly blocks: number[] = [];

  constructor(
    readonly deviceId: string,
    readonly terminalId: number,
    readonly role: string,
  ) {}
}

type RejectReason =
  | "unknown_card"
  | "invalid_amount"
  | "counter_leap"
  | "duplicate"
  | "counter_conflict";

export const opsOfType: Readonly<Record<string, readonly string[]>> = {
  debit: ["debit"],
  credit: ["topup"],
  checkin: ["checkin"],
  checkout: ["checkout"],
  admin: ["reissue", "block"],
};
const leapMax = 10_000;
const uint24Max = 16_777_215;

const sameContent = (a: WireEvent, b: WireEvent): boolean =>
  a.type === b.type &&
  a.amount === b.amount &&
  a.balanceAfter === b.balanceAfter &&
  a.timestamp === b.timestamp &&
  a.hash === b.hash;

export interface Outcome {
  readonly accepted: number;
  readonly rejected: number;
  readonly flags: { counter: number; cardId: string; reason: FlagReason }[];
  readonly rejections: { index: number; counter: number; cardId: string; reason: RejectReason }[];
}

export function addTo(sums: Map<number, number>, key: number, amount: number): number {
  const sum = (sums.get(key) ?? 0) + amount;
  sums.set(key, sum);
  return sum;
}

export function rejection(
  card: ModelCard | undefined,
  event: WireEvent,
  policy: ModelPolicy,
): RejectReason | null {
  if (!card) return "unknown_card";
  const { type, amount, balanceAfter, counter } = event;
  const moves = type === "debit" || type === "credit";
  if (moves ? amount === 0 || amount > uint24Max : amount !== 0) return "invalid_amount";
  if (type === "credit" && balanceAfter > policy.hardCeiling) return "invalid_amount";
  if (counter > (card.top?.event.wire.counter ?? 0) + leapMax) return "counter_leap";
  const known = card.get(counter);
  if (!known) return null;
  return sameContent(known.event.wire, event) ? "duplicate" : "counter_conflict";
}

/** Lets a credit settle a pending top-up of its amount; false: there is none, its money is parked. */
export function settles(
  device: ModelDevice,
  card: ModelCard,
  known: Known,
  policy: ModelPolicy,
): boolean {
  const { amount, counter, timestamp } = known.event.wire;
  const equal = card.pending().filter((topup) => topup.amount === amount);
  const latest = timestamp + policy.clockDriftAllowanceSec;
  const found =
    equal.find((topup) => topup.counter === counter) ??
    equal
      .filter((topup) => topup.timestamp <= latest)
      .reduce<(typeof equal)[number] | undefined>(
        (best, topup) => (best && best.timestamp >= topup.timestamp ? best : topup),
        undefined,
      ) ??
    equal[0];
  if (found) {
    found.status = "COMPLETED";
    return true;
  }
  const late = card.late.indexOf(amount);
  if (late >= 0) {
    card.late.splice(late, 1);
    return true;
  }
  card.parked.push({ amount, deviceId: device.deviceId });
  return false;
}

/** The answer that an outcome must give: 200, or 409 if there is nothing but repeats. */
export function shapeOf(outcome: Outcome): unknown {
  const { accepted, rejected, flags, rejections } = outcome;
  const repeat =
    rejected > 0 && accepted === 0 && rejections.every((r) => r.reason === "duplicate");
  return repeat
    ? { status: 409, error: "duplicate_counter", accepted, rejected }
    : { status: 200, accepted, rejected, flags, rejections };
}

/** The parts of an answer that are compared: fields may be added to any. */
export function partsOf(answer: Answer): unknown {
  const body = (answer.body ?? {}) as Record<string, unknown>;
  const { accepted, rejected } = body;
  if (answer.status === 409) return { status: 409, error: body.error, accepted, rejected };
  if (answer.status !== 200) return { status: answer.status, error: body.error };
  const { flags, rejections } = body;
  return { status: 200, accepted, rejected, flags, rejections };
}
