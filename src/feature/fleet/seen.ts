/**
 * Which cards each device has handed in events of within seven days, kept in memory and completed by
 * the batches that are new. Bounded: devices that were not asked about for longest are forgotten, and
 * read anew when they are.
 */
import { seenCardsMax, seenCardsSec } from "../../../schema/bound.ts";
import type { Reader } from "../../store/seam.ts";
import { nextTurn } from "../../system/turn.ts";
import { batchesOf, cardsOfBatch, countActive, type FleetBatchRow } from "./store.ts";

interface Seen {
  /** Cards by number, with when an event of theirs came in last. */
  readonly cards: Map<number, number>;
  /** Batches up to this one are in. */
  through: number;
}

/** Batches read before others have their turn. */
const batchesAtOnce = 16;
/** Cards looked up by one statement. */
const cardsAtOnce = 2_000;

export class SeenCards {
  readonly #devices = new Map<number, Seen>();
  #cards = 0;

  constructor(readonly cardsMax: number = seenCardsMax) {}

  /** Cards of the device's last seven days that are ACTIVE now. Not for use inside a write. */
  async countActive(q: Reader, tenantId: number, deviceNo: number, nowMs: number): Promise<number> {
    const seen = await this.#complete(q, tenantId, deviceNo, nowMs);
    const cards = [...seen.cards.keys()];
    let count = 0;
    for (let at = 0; at < cards.length; at += cardsAtOnce) {
      if (at > 0) await nextTurn();
      const some = cards.slice(at, at + cardsAtOnce);
      count += await countActive(q, tenantId, some, Math.floor(nowMs / 1000));
    }
    return count;
  }

  async #complete(q: Reader, tenantId: number, deviceNo: number, nowMs: number): Promise<Seen> {
    const sinceMs = nowMs - seenCardsSec * 1000;
    const seen = this.#devices.get(deviceNo) ?? { cards: new Map(), through: 0 };
    const before = seen.cards.size;
    const fresh = await newBatches(q, tenantId, deviceNo, seen.through, sinceMs);
    for (const [at, batch] of fresh.entries()) {
      if (at % batchesAtOnce === batchesAtOnce - 1) await nextTurn();
      for (const cardNo of await cardsOfBatch(q, tenantId, batch)) {
        const atMs = Math.max(seen.cards.get(cardNo) ?? 0, batch.received_at_ms);
        seen.cards.set(cardNo, atMs);
      }
    }
    seen.through = Math.max(seen.through, fresh[0]?.batch_no ?? 0);
    for (const [cardNo, atMs] of seen.cards) if (atMs < sinceMs) seen.cards.delete(cardNo);
    this.#keep(deviceNo, seen, before);
    return seen;
  }

  #keep(deviceNo: number, seen: Seen, before: number): void {
    if (this.#devices.delete(deviceNo)) this.#cards -= before;
    this.#devices.set(deviceNo, seen);
    this.#cards += seen.cards.size;
    for (const [eldest, { cards }] of this.#devices) {
      if (this.#cards <= this.cardsMax || eldest === deviceNo) return;
      this.#devices.delete(eldest);
      this.#cards -= cards.size;
    }
  }
}

/** Batches of a device above a number that came in since a moment, newest first. */
async function newBatches(
  q: Reader,
  tenantId: number,
  deviceNo: number,
  through: number,
  sinceMs: number,
): Promise<FleetBatchRow[]> {
  const found: FleetBatchRow[] = [];
  for (let below = Number.MAX_SAFE_INTEGER; ; ) {
    const rows = await batchesOf(q, tenantId, deviceNo, below, cardsAtOnce);
    for (const row of rows) {
      if (row.batch_no <= through || row.received_at_ms < sinceMs) return found;
      found.push(row);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < cardsAtOnce) return found;
    below = last.batch_no;
  }
}
