/**
 * Writing one event onto a chip: the other buffer, read back, then the trailer upward; once more with
 * the counter after it if the field was lost. What was tried and did not end stays in memory, for only
 * who was interrupted may mend the card without asking the backend.
 */
import type { CardKeys } from "../domain/cardkey.ts";
import type { OpenCard } from "../domain/image.ts";
import {
  type CardWrite,
  nextCounter,
  pageOrder,
  type Written,
  writeImage,
} from "../domain/write.ts";
import type { Chip } from "./chip.ts";

const trailerPages = 16;

/** How well the card is held: pages written before the field is lost, at each try. */
export interface Hold {
  readonly pagesMax: number;
  /** Of the retry; absent: the card was taken away, there is none. */
  readonly retryPagesMax?: number;
}

/** A write that did not end. */
export interface Interrupted {
  readonly before: OpenCard;
  readonly keys: CardKeys;
  readonly keyVersion: number;
  readonly attempts: readonly Written[];
  readonly type: CardWrite["type"];
}

export type WriteResult =
  | { readonly done: true; readonly written: Written }
  | { readonly done: false; readonly interrupted: Interrupted };

/** Programs an image; false as soon as the field is lost or the buffer does not read back. */
export function program(chip: Chip, written: Written, pagesMax?: number): boolean {
  const { image, active } = written.card;
  const order = pageOrder(active);
  const buffer = order.slice(0, -trailerPages);
  const max = pagesMax ?? order.length;
  if (!chip.program(image, buffer, max)) return false;
  const read = chip.read();
  for (const page of buffer) {
    for (let at = page * 4; at < page * 4 + 4; at += 1) if (read[at] !== image[at]) return false;
  }
  return chip.program(image, order.slice(-trailerPages), max - buffer.length) && chip.holds(image);
}

/**
 * @param write everything but the counter, which the card decides.
 * @throws RangeError if the event can't be laid out; the caller has refused such before.
 */
export function writeCard(
  chip: Chip,
  before: OpenCard,
  keys: CardKeys,
  write: Omit<CardWrite, "counter">,
  hold?: Hold,
): WriteResult {
  const counter = nextCounter(before);
  const first = writeImage(before, keys, { ...write, counter });
  if (program(chip, first, hold?.pagesMax)) return { done: true, written: first };
  const attempts = [first];
  if (hold?.retryPagesMax !== undefined) {
    // Never twice with one nonce: the retry takes the counter after it.
    const second = writeImage(before, keys, { ...write, counter: counter + 1 });
    if (program(chip, second, hold.retryPagesMax)) return { done: true, written: second };
    attempts.push(second);
  }
  const keyVersion = write.keyVersion ?? before.keyVersion;
  return { done: false, interrupted: { before, keys, keyVersion, attempts, type: write.type } };
}

/** Which of the attempts the chip holds after all, or null: the card is as it was before. */
export function tookEffect(interrupted: Interrupted, card: OpenCard): Written | null {
  const { counter } = card.plain;
  const found = interrupted.attempts.find(({ card: tried }) => tried.plain.counter === counter);
  return found && found.entry.hash === card.rootHash ? found : null;
}
