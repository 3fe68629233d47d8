/**
 * The grants that a terminal holds in memory, one a key version, and the card keys derived from them.
 * Derived keys are shared by all terminals of a run: same session key, same card, same keys.
 */
import type { KeyObject } from "node:crypto";
import { type CardKeys, deriveCardKeys } from "../domain/cardkey.ts";
import {
  type GrantJwk,
  grantKey,
  type Op,
  type SignedGrant,
  verifyGrant,
} from "../domain/grant.ts";

/** Card keys by session key and card; bounded by cards × key versions of a run. */
export class KeyCache {
  readonly #bySession = new Map<string, Map<string, CardKeys>>();

  keys(sessionKey: string, cardId: string): CardKeys {
    let cards = this.#bySession.get(sessionKey);
    if (!cards) {
      cards = new Map();
      this.#bySession.set(sessionKey, cards);
    }
    let keys = cards.get(cardId);
    if (!keys) {
      keys = deriveCardKeys(Uint8Array.fromBase64(sessionKey), Uint8Array.fromHex(cardId));
      cards.set(cardId, keys);
    }
    return keys;
  }
}

/** The signers that a terminal believes: keys of the JWKS whose kid starts `grt_`. */
export function grantSigners(jwks: unknown): Map<string, KeyObject> {
  const signers = new Map<string, KeyObject>();
  const keys = (jwks as { keys?: GrantJwk[] } | null)?.keys ?? [];
  for (const jwk of keys) {
    if (jwk.kid?.startsWith("grt_")) signers.set(jwk.kid, grantKey(jwk));
  }
  return signers;
}

interface Held {
  readonly grant: SignedGrant;
  readonly renewAt: number;
}

export class KeyRing {
  readonly #held = new Map<number, Held>();
  readonly #cache: KeyCache;
  /** The version that cards are made under; 0 before the first grant. */
  primary = 0;

  constructor(cache: KeyCache) {
    this.#cache = cache;
  }

  /** Takes a grant that `signer` signed; false (and nothing kept) if it did not. */
  take(grant: SignedGrant, signer: KeyObject, isPrimary: boolean, renewAt: number): boolean {
    if (!verifyGrant(grant, signer)) return false;
    this.#held.set(grant.keyVersion, { grant, renewAt });
    if (isPrimary) this.primary = grant.keyVersion;
    return true;
  }

  versions(): number[] {
    return [...this.#held.keys()];
  }

  /** The primary version's grant is held and has not ended. */
  isUsable(now: number): boolean {
    return this.grant(this.primary, now) !== null;
  }

  /** Held and not yet to be renewed. */
  isFresh(keyVersion: number, now: number): boolean {
    const held = this.#held.get(keyVersion);
    return held !== undefined && now < held.renewAt;
  }

  /** An unexpired grant of the version, if one is held. */
  grant(keyVersion: number, now: number): SignedGrant | null {
    const held = this.#held.get(keyVersion);
    return held && now < held.grant.expiresAt ? held.grant : null;
  }

  allows(keyVersion: number, op: Op, now: number): boolean {
    return this.grant(keyVersion, now)?.allowedOps.includes(op) ?? false;
  }

  /** The card's keys under a version, or null without an unexpired grant of it. */
  keys(keyVersion: number, cardId: string, now: number): CardKeys | null {
    const grant = this.grant(keyVersion, now);
    return grant && this.#cache.keys(grant.sessionKey, cardId);
  }

  /** The card's keys under all other versions held: for what lies there from before a rekey. */
  older(keyVersion: number, cardId: string, now: number): CardKeys[] {
    return this.versions()
      .filter((version) => version !== keyVersion)
      .map((version) => this.keys(version, cardId, now))
      .filter((keys) => keys !== null);
  }

  /** A restart: grants live in memory only. */
  forget(): void {
    this.#held.clear();
    this.primary = 0;
  }
}
