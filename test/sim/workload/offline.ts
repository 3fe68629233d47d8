/**
 * What a device does alone with a chip: reads it, decides by its own grant, policy and memory, writes it and
 * queues what happened; torn writes and their mending are the real ones. A rogue breaks rules on purpose.
 */
import type { EventType } from "../../../src/domain/chain.ts";
import type { Op } from "../../../src/domain/grant.ts";
import { isLawful } from "../../../src/domain/state.ts";
import { nextCounter, type Written, writeImage } from "../../../src/domain/write.ts";
import { happened, type WireEvent } from "../../../src/sim/happened.ts";
import type { Reading, Seen } from "../../../src/sim/reader.ts";
import { type Hold, program, tookEffect, writeCard } from "../../../src/sim/writer.ts";
import type { Amount, Moment, Tap } from "./act.ts";
import type { Device, Tag } from "./device.ts";
import type { Tenancy } from "./tenancy.ts";

const opsOf: Readonly<Record<EventType, readonly Op[]>> = {
  debit: ["debit"],
  credit: ["topup"],
  checkin: ["checkin"],
  checkout: ["checkout"],
  admin: ["reissue", "block"],
};
const uint24Max = 16_777_215;
const uint32Max = 4_294_967_295;

/** How a write went that a station made: what it wrote, or that the card went away. */
export type Writing =
  | { readonly done: true; readonly event: WireEvent }
  | { readonly done: false; readonly why: string };

const refuse = (why: string): Writing => ({ done: false, why });

/** What an amount comes to, for whom and on what; null where it makes no sense. */
export function amountOf(
  tenancy: Tenancy,
  device: Device,
  amount: Amount,
  { cardId, balance, timestamp }: { cardId: string; balance: number; timestamp: number },
): number | null {
  if (typeof amount === "number") return amount;
  const { limits } = device;
  if (limits === null) return null;
  const spent = (span: "day" | "week") => tenancy.spentIn(cardId, span, timestamp);
  const whole = {
    single: () => limits.singleTxLimit,
    daily: () => limits.dailyLimit - spent("day"),
    weekly: () => limits.weeklyLimit - spent("week"),
    max: () => limits.maxBalance - balance,
    ceiling: () => limits.hardCeiling - balance,
    balance: () => balance,
    server: () => limits.maxBalance - balance,
  }[amount.of]();
  const found = whole + amount.off;
  return found >= 1 && found <= uint24Max ? found : null;
}

/** The second that is meant, or null where there is none. */
function momentOf(
  tenancy: Tenancy,
  { grants, suspendedSec, limits }: Device,
  cardId: string,
  at: Moment | undefined,
): number | null {
  if (at === undefined) return null;
  const allowanceSec = limits?.clockDriftAllowanceSec ?? 0;
  const last = grants.at(-1);
  const [first] = grants;
  const blockedSec = tenancy.blockedSec.get(cardId);
  const found: Record<Moment["of"], number | undefined> = {
    grantEnd: last && last.to + allowanceSec,
    grantStart: first && first.from - allowanceSec,
    block: blockedSec === undefined ? undefined : blockedSec - allowanceSec,
    suspend: suspendedSec === null ? undefined : suspendedSec - allowanceSec,
    expiry: tenancy.card(cardId)?.expiresAt || undefined,
    drift: tenancy.nowSec + allowanceSec,
  };
  const sec = found[at.of];
  return sec === undefined ? null : Math.max(0, sec + at.off);
}

/** What may be read, with what an interrupted write of this device left settled. */
export function look(device: Device, tag: Tag, now: number, isRogue = false): Reading {
  const reading = device.read(tag.chip, now, isRogue);
  if (isRogue) return reading;
  if (reading.kind === "tamper") device.report("tamper", reading.cardId, null, now);
  if (reading.kind === "replay") {
    device.report("replay", reading.cardId, reading.card.plain.counter, now);
  }
  return reading;
}

/** Someone holds a card to a device. */
export function tap(tenancy: Tenancy, device: Device, tag: Tag, act: Tap): Writing {
  const now = Math.max(0, tenancy.nowSec + device.skewSec);
  const reading = look(device, tag, now, act.rogue);
  if (!("card" in reading)) return refuse(reading.kind);
  const { cardId, card } = reading;
  const broken = device.broken.get(cardId);
  if (reading.kind === "torn" && broken === undefined) {
    if (act.rogue !== true) device.report("write_failure", cardId, card.plain.counter, now);
    return refuse("torn");
  }
  if (broken !== undefined) {
    device.broken.delete(cardId);
    const landed = tookEffect(broken, card);
    if (landed !== null) noted(tenancy, device, happened(broken.type, broken.before, landed).wire);
  }
  device.seen.set(cardId, Math.max(device.seen.get(cardId) ?? 0, card.plain.counter));
  const timestamp = momentOf(tenancy, device, cardId, act.at) ?? Math.max(0, now + (act.off ?? 0));
  const { balance } = card.plain;
  const money = act.type === "debit" || act.type === "credit";
  const where = { cardId, balance: balance + (act.extra ?? 0), timestamp };
  const amount = money ? amountOf(tenancy, device, act.amount ?? 1, where) : 0;
  if (amount === null) return refuse("amount");
  const wrong =
    act.rogue === true ? null : lawless(tenancy, device, reading, act.type, amount, now);
  const after = where.balance + (act.type === "debit" ? -amount : amount);
  if (wrong !== null || after < 0 || after > uint32Max) return refuse(wrong ?? "balance");
  return write(tenancy, device, tag, reading, {
    ...{ act, amount, timestamp, expiresAt: broken?.before.expiresAt ?? 0 },
  });
}

/** Why an honest device does not write, or null. */
function lawless(
  tenancy: Tenancy,
  device: Device,
  reading: Seen & { readonly kind: string },
  type: EventType,
  amount: number,
  now: number,
): string | null {
  const { card, keyVersion, cardId } = reading;
  const { plain } = card;
  const { limits, ring } = device;
  if (reading.kind !== "ok" && reading.kind !== "torn") return reading.kind;
  if (limits === null) return "no policy";
  if (!opsOf[type].some((op) => ring.allows(keyVersion, op, now))) return "op";
  if (plain.status !== 0 || device.blocked.has(cardId)) return "blocked";
  const { sessionMaxSec } = limits;
  if (!isLawful(plain.state, type, { timestamp: now, startTime: plain.startTime, sessionMaxSec })) {
    return "state";
  }
  if (type === "debit") {
    if (amount > plain.balance) return "balance";
    if (amount > limits.singleTxLimit) return "single";
    if (tenancy.spentIn(cardId, "day", now) + amount > limits.dailyLimit) return "daily";
  }
  return type === "credit" && plain.balance + amount > limits.maxBalance ? "max" : null;
}

interface Wanted {
  readonly act: Pick<Tap, "type" | "torn" | "retried" | "extra" | "skip">;
  readonly amount: number;
  readonly timestamp: number;
  /** Of a torn card, whose own is not proven. */
  readonly expiresAt: number;
}

/** Writes one event and queues it, or remembers what broke off. */
export function write(
  tenancy: Tenancy,
  device: Device,
  tag: Tag,
  { card, keys, keyVersion, cardId }: Seen,
  { act, amount, timestamp, expiresAt }: Wanted,
): Writing {
  const wanted = {
    ...{ type: act.type, amount, timestamp, offline: device.role !== "station" },
    terminalId: device.terminalId,
    ...(card.torn && { expiresAt, keyVersion, suspect: true }),
  };
  const { extra = 0, skip = 0 } = act;
  if (extra !== 0 || skip !== 0) {
    const { plain } = card;
    const rich = { ...card, plain: { ...plain, balance: plain.balance + extra } };
    const counter = nextCounter(card) + skip;
    const written = writeImage(rich, keys, { ...wanted, counter });
    program(tag.chip, written);
    return { done: true, event: noted(tenancy, device, happened(act.type, card, written).wire) };
  }
  const result = writeCard(tag.chip, card, keys, wanted, holdOf(act));
  if (!result.done) {
    device.broken.set(cardId, result.interrupted);
    return refuse("torn");
  }
  return queued(tenancy, device, act.type, card, result.written);
}

const holdOf = ({ torn, retried }: Pick<Tap, "torn" | "retried">): Hold | undefined =>
  torn === undefined
    ? undefined
    : { pagesMax: torn, ...(retried !== undefined && { retryPagesMax: retried }) };

const queued = (
  tenancy: Tenancy,
  device: Device,
  type: EventType,
  before: Seen["card"],
  written: Written,
): Writing => ({
  done: true,
  event: noted(tenancy, device, happened(type, before, written).wire),
});

/** Into the queue; what was spent is remembered, so that limits can be met to the unit. */
export function noted(tenancy: Tenancy, device: Device, event: WireEvent): WireEvent {
  device.push(event);
  const { cardId, amount, timestamp } = event;
  if (event.type === "debit") tenancy.spent.push({ cardId, amount, timestamp });
  return event;
}
