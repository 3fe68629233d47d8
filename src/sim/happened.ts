/**
 * An event as a terminal's queue holds it: what goes over the wire, and what only the simulator knows
 * of where it came from, so that its model needs no hashing to say whether it fits.
 */
import { type EventType, hashHex } from "../domain/chain.ts";
import type { OpenCard } from "../domain/image.ts";
import { slotOf } from "../domain/plaintext.ts";
import type { Written } from "../domain/write.ts";

export interface WireEvent {
  readonly cardId: string;
  readonly counter: number;
  readonly type: EventType;
  readonly amount: number;
  readonly balanceAfter: number;
  readonly timestamp: number;
  readonly hash: string;
}

export interface Happened {
  readonly wire: WireEvent;
  /** Hash of the event before it on its chip; `noHash` for a chip's first. */
  readonly parent: string;
  /** startTime that went into its hash. */
  readonly start: number;
  /** The hash is really that of this content. */
  readonly intact: boolean;
}

/** What stands for the hash before a card's first event. */
export const noHash = "000000000000";

/** The event of a write: `before` is the card it was written on, null for a chip's first image. */
export function happened(type: EventType, before: OpenCard | null, written: Written): Happened {
  const { card, entry } = written;
  const last = before?.plain.log[slotOf(before.plain.counter)];
  return {
    wire: {
      cardId: card.image.subarray(6, 12).toHex(),
      counter: card.plain.counter,
      type,
      amount: entry.amount,
      balanceAfter: entry.balanceAfter,
      timestamp: card.plain.lastTimestamp,
      hash: hashHex(entry.hash),
    },
    parent: last ? hashHex(last.hash) : noHash,
    start: card.plain.startTime,
    intact: true,
  };
}
