/**
 * What the staff of a station do, always online: make cards, take money in, block, move a card to a new key,
 * replace it, mend a torn one. A device of another role may try; that is what refusals are for.
 */
import { recoverImage } from "../../../src/domain/recover.ts";
import { firstImage, nextCounter, writeImage } from "../../../src/domain/write.ts";
import { happened } from "../../../src/sim/happened.ts";
import type { Seen } from "../../../src/sim/reader.ts";
import { program, tookEffect } from "../../../src/sim/writer.ts";
import type { ActOf, Topup } from "./act.ts";
import type { Device, Tag } from "./device.ts";
import { amountOf, look, noted, write } from "./offline.ts";
import type { Card, Member, Tenancy } from "./tenancy.ts";
import { post } from "./wire.ts";

const operatorId = 7;

const localSec = (tenancy: Tenancy, device: Device): number =>
  Math.max(0, tenancy.nowSec + device.skewSec);

const versionOf = (device: Device): number => Math.max(1, device.ring.primary);

/** A chip's first image: type admin, amount 0. Nothing where the device holds no grant for the key. */
function firstWrite(
  tenancy: Tenancy,
  device: Device,
  card: Card,
  opening: number,
  now: number,
): void {
  const tag = tenancy.newTag(card.cardId);
  const keyVersion = versionOf(device);
  const keys = device.ring.keys(keyVersion, card.cardId, now);
  if (keys === null) return;
  const holder = { name: "Siti Rahayu", userId: card.userId, gender: 0, createdAt: now };
  const written = firstImage(keys, {
    ...{ type: "admin", amount: 0, timestamp: now, counter: 1, offline: false },
    ...{ holder, openingBalance: opening, expiresAt: card.expiresAt, keyVersion },
  });
  program(tag.chip, written);
  noted(tenancy, device, happened("admin", null, written).wire);
}

/** Registers a card and makes its first image. */
export async function make(
  tenancy: Tenancy,
  device: Device,
  member: Member,
  act: ActOf<"make">,
): Promise<void> {
  const now = localSec(tenancy, device);
  const { cards } = tenancy;
  const taken = act.card === undefined ? undefined : cards[act.card % Math.max(1, cards.length)];
  const cardId = taken?.cardId ?? tenancy.newCardId();
  const expiresAt = act.lifeSec === undefined ? 0 : now + act.lifeSec;
  const keyVersion = act.version ?? versionOf(device);
  const { userId } = member;
  const answer = await post(
    tenancy,
    device,
    "/api/cards",
    {
      ...{ cardId, userId, name: "Siti Rahayu", createdAt: now, keyVersion },
      ...(expiresAt > 0 && { expiresAt }),
    },
    act,
  );
  if (answer?.status !== 201 || taken !== undefined) return;
  const card = { cardId, userId, expiresAt };
  cards.push(card);
  firstWrite(tenancy, device, card, 0, now);
}

/** Money in: the call, then the write; what the chip did not take is given back, or is not. */
export async function topup(tenancy: Tenancy, device: Device, tag: Tag, act: Topup): Promise<void> {
  const now = localSec(tenancy, device);
  const reading = look(device, tag, now);
  if (!("card" in reading)) return;
  const { card, cardId } = reading;
  const { balance } = card.plain;
  const amount = amountOf(tenancy, device, act.amount, { cardId, balance, timestamp: now });
  if (amount === null) return;
  const counter = act.counter === true ? nextCounter(card) : undefined;
  const body = { amount, operatorId, timestamp: now, ...(counter !== undefined && { counter }) };
  const answer = await post(tenancy, device, `/api/cards/${cardId}/topup`, body, act);
  if (answer?.status !== 200) return;
  const { topupId, status } = answer.json as { topupId: string; status: string };
  tenancy.topups.push({ cardId, topupId });
  if (act.then === "leave" || status !== "PENDING") return;
  const isWritable = reading.kind === "ok" && device.ring.allows(reading.keyVersion, "topup", now);
  const torn = act.then === "tear" || act.then === "walk" ? { torn: act.torn ?? 30 } : {};
  const wanted = { act: { type: "credit", ...torn }, amount, timestamp: now } as const;
  const isWritten =
    act.then !== "cancel" &&
    isWritable &&
    write(tenancy, device, tag, reading, { ...wanted, expiresAt: card.expiresAt }).done;
  if (isWritten || act.then === "walk") return;
  // The card still lies on the reader: did the write land after all?
  if (isWritable && landed(tenancy, device, tag, reading, now)) return;
  await post(tenancy, device, `/api/cards/${cardId}/topup/${topupId}/cancel`, {});
}

/** Looks at a card that a write was torn from, and mends it. True if the write is on it. */
function landed(tenancy: Tenancy, device: Device, tag: Tag, seen: Seen, now: number): boolean {
  const { cardId, keys, card: before, keyVersion } = seen;
  const broken = device.broken.get(cardId);
  const card = recoverImage(tag.chip.read(), keys);
  if (broken === undefined || card === null) return false;
  device.broken.delete(cardId);
  const found = tookEffect(broken, card);
  if (found !== null) noted(tenancy, device, happened("credit", before, found).wire);
  mend(tenancy, device, tag, { cardId, keys, card, keyVersion }, before.expiresAt, now);
  return found !== null;
}

function mend(
  tenancy: Tenancy,
  device: Device,
  tag: Tag,
  { card, keys, keyVersion }: Seen,
  expiresAt: number,
  now: number,
): void {
  const written = writeImage(card, keys, {
    ...{ type: "admin", amount: 0, timestamp: now, counter: nextCounter(card) },
    ...{ offline: false, suspect: true, expiresAt, keyVersion },
  });
  program(tag.chip, written);
  noted(tenancy, device, happened("admin", card, written).wire);
}

/** Mends a torn card if the backend knows of nothing newer than what was recovered. */
export async function repair(tenancy: Tenancy, device: Device, tag: Tag): Promise<void> {
  const now = localSec(tenancy, device);
  const reading = look(device, tag, now);
  if (reading.kind !== "torn") return;
  const { cardId, card } = reading;
  const answer = await tenancy.call(device, "GET", `/api/cards/${cardId}`);
  const known = (answer?.json ?? {}) as { counter?: number; expiresAt?: number | null };
  if (answer?.status !== 200 || card.plain.counter < (known.counter ?? Number.MAX_SAFE_INTEGER)) {
    device.report("write_failure", cardId, card.plain.counter, now);
    return;
  }
  mend(tenancy, device, tag, reading, known.expiresAt ?? 0, now);
  tenancy.tally.count("repaired");
}

export async function cancel(
  tenancy: Tenancy,
  device: Device,
  { nth, keyed }: ActOf<"cancel">,
): Promise<void> {
  const made = tenancy.topups[nth % Math.max(1, tenancy.topups.length)];
  if (made === undefined) return;
  const path = `/api/cards/${made.cardId}/topup/${made.topupId}/cancel`;
  await post(tenancy, device, path, {}, keyed === true ? { keyed } : {});
}

export async function block(
  tenancy: Tenancy,
  device: Device,
  { cardId }: Card,
  act: ActOf<"block">,
): Promise<void> {
  const timestamp = localSec(tenancy, device);
  const body = { reason: "lost", operatorId, timestamp };
  const answer = await post(tenancy, device, `/api/cards/${cardId}/block`, body, act);
  if (answer?.status === 200) tenancy.noteBlock(cardId);
}

/** Rewrites a card under the primary version and tells; or tells alone. */
export async function rekey(
  tenancy: Tenancy,
  device: Device,
  tag: Tag,
  act: ActOf<"rekey">,
): Promise<void> {
  const now = localSec(tenancy, device);
  const keyVersion = act.version ?? versionOf(device);
  if (act.version === undefined && !rewritten(tenancy, device, tag, keyVersion, now)) return;
  const body = { keyVersion, operatorId, timestamp: now };
  await post(tenancy, device, `/api/cards/${tag.cardId}/rekey`, body, act);
}

function rewritten(
  tenancy: Tenancy,
  device: Device,
  tag: Tag,
  keyVersion: number,
  now: number,
): boolean {
  const reading = look(device, tag, now);
  if (reading.kind !== "ok" || reading.keyVersion === keyVersion) return false;
  const { cardId, card } = reading;
  const keys = device.ring.keys(keyVersion, cardId, now);
  if (keys === null || !device.ring.allows(keyVersion, "reissue", now)) return false;
  const written = writeImage(card, keys, {
    ...{ type: "admin", amount: 0, timestamp: now, counter: nextCounter(card) },
    ...{ offline: false, keyVersion },
  });
  program(tag.chip, written);
  noted(tenancy, device, happened("admin", card, written).wire);
  return true;
}

/** A new card in the place of an old one, whose chip is read where it is at hand. */
export async function reissue(
  tenancy: Tenancy,
  device: Device,
  card: Card,
  act: ActOf<"reissue">,
): Promise<void> {
  const now = localSec(tenancy, device);
  const { cards } = tenancy;
  const taken = act.to === undefined ? undefined : cards[act.to % cards.length];
  const newCardId = taken?.cardId ?? tenancy.newCardId();
  const tag = tenancy.tags.find(({ cardId }) => cardId === card.cardId);
  const reading = act.reads && tag !== undefined ? look(device, tag, now) : undefined;
  const read = reading !== undefined && "card" in reading ? reading.card.plain.balance : undefined;
  const expiresAt = act.lifeSec === undefined ? 0 : now + act.lifeSec;
  const body = {
    ...{ newCardId, keyVersion: act.version ?? versionOf(device), operatorId, timestamp: now },
    ...(read !== undefined && { chipBalance: read }),
    ...(expiresAt > 0 && { expiresAt }),
  };
  const answer = await post(tenancy, device, `/api/cards/${card.cardId}/reissue`, body, act);
  if (answer?.status !== 201 || taken !== undefined) return;
  const { balance } = answer.json as { balance: number };
  const next = { cardId: newCardId, userId: card.userId, expiresAt };
  cards.push(next);
  firstWrite(tenancy, device, next, balance, now);
}
