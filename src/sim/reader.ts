/**
 * What a terminal sees on a chip, found alone and in this order: blank → format → a grant for its key →
 * HMAC → GCM → not older than last seen here → clock → blocked → balance, chain, root. The first that
 * fails decides. Nothing is written or reported here.
 */
import type { CardKeys } from "../domain/cardkey.ts";
import { type OpenCard, openImage, peek } from "../domain/image.ts";
import { logFault, recoverImage } from "../domain/recover.ts";
import type { Chip } from "./chip.ts";
import type { KeyRing } from "./keyring.ts";

export type Reading =
  | { readonly kind: "blank" | "foreign" }
  /** No grant for the version that the card was written under. */
  | { readonly kind: "no_key"; readonly keyVersion: number }
  | { readonly kind: "tamper"; readonly cardId: string }
  | ({ readonly kind: "replay" | "future" | "blocked" | "torn" | "ok" } & Seen);

export interface Seen {
  readonly cardId: string;
  readonly card: OpenCard;
  readonly keys: CardKeys;
  /** Under which it was written. */
  readonly keyVersion: number;
}

export interface Knowledge {
  readonly ring: KeyRing;
  readonly now: number;
  readonly allowanceSec: number;
  /** Highest counter that this terminal saw on the card. */
  readonly seen: number;
  isBlocked(cardId: string): boolean;
}

interface Proof {
  readonly keys: CardKeys;
  readonly card: OpenCard;
}

export class Reader {
  /** Images proven before: the same bytes under the same keys need no second proof. */
  readonly #proofs = new WeakMap<Chip, Proof>();

  /** After a write that was read back: the writer has just made this image. */
  remember(chip: Chip, keys: CardKeys, card: OpenCard): void {
    this.#proofs.set(chip, { keys, card });
  }

  read(chip: Chip, known: Knowledge): Reading {
    const image = chip.read();
    const clear = peek(image);
    if (clear === "blank") return { kind: "blank" };
    if (typeof clear === "string") return { kind: "foreign" };
    const cardId = clear.cardId.toHex();
    const { keyVersion } = clear;
    const { ring, now } = known;
    const keys = ring.keys(keyVersion, cardId, now);
    if (!keys) return { kind: "no_key", keyVersion };
    const proof = this.#proofs.get(chip);
    const isProven = proof?.keys === keys && chip.holds(proof.card.image);
    const older = ring.older(keyVersion, cardId, now);
    const card = isProven ? proof.card : openImage(image, keys, older);
    if (typeof card === "string") return recovered(image, cardId, known);
    if (!isProven) this.remember(chip, keys, card);
    return judged({ cardId, card, keys, keyVersion }, known);
  }
}

function recovered(image: Uint8Array, cardId: string, known: Knowledge): Reading {
  const { ring, now } = known;
  let best: Seen | null = null;
  for (const keyVersion of ring.versions()) {
    const keys = ring.keys(keyVersion, cardId, now);
    const card = keys && recoverImage(image, keys);
    if (!keys || !card) continue;
    if (best && best.card.plain.counter > card.plain.counter) continue;
    best = { cardId, card, keys, keyVersion };
  }
  return best ? { kind: "torn", ...best } : { kind: "tamper", cardId };
}

function judged(found: Seen, known: Knowledge): Reading {
  const { plain, expiresAt } = found.card;
  const { now } = known;
  if (plain.counter < known.seen) return { kind: "replay", ...found };
  if (plain.lastTimestamp > now + known.allowanceSec) return { kind: "future", ...found };
  const isExpired = expiresAt !== 0 && now >= expiresAt;
  if (plain.status !== 0 || isExpired || known.isBlocked(found.cardId)) {
    return { kind: "blocked", ...found };
  }
  if (logFault(found.card)) return { kind: "tamper", cardId: found.cardId };
  return { kind: "ok", ...found };
}
