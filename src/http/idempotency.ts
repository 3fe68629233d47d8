/**
 * Idempotency keys: the first 2xx answer under a key is kept in the transaction that made it and given
 * again for 24 h. Knows no route; what the scope is made of is handed in.
 */
import { idempotencyLifeSec } from "../../schema/bound.ts";
import { findKeptAnswer, keepAnswer, purgeLapsed } from "../../schema/query/idempotency.ts";
import { Refused } from "../domain/refused.ts";
import { seal, sealNonceBytes, unseal } from "../domain/seal.ts";
import type { Store, Writer } from "../store/seam.ts";
import { canonical } from "./value.ts";

const uuidV4OrV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

export const isIdempotencyKey = (key: string): boolean => uuidV4OrV7.test(key);

const sha256 = (text: string): Uint8Array => new Bun.CryptoHasher("sha256").update(text).digest();

export interface KeyScope {
  readonly tenantId: number;
  /** Number of the device, or uuid of the operators' caller. */
  readonly caller: number | string;
  readonly method: string;
  /** Without the base that stands for another. */
  readonly path: string;
  /** As sent; letter case does not tell keys apart. */
  readonly key: string;
}

export interface KeptAnswer {
  readonly status: number;
  readonly body: string;
}

/** The right to run the call of one key; nobody else has it until `release`. */
export interface Claim {
  /**
   * Keeps an answer, inside the transaction that makes it.
   * @param nowSec moment of completion.
   */
  keep(tx: Writer, status: number, body: string, nowSec: number): Promise<void>;
  release(): void;
}

/** What answers that carry a secret are sealed with. */
export interface Sealing {
  readonly masterKey: Uint8Array;
  readonly random: { bytes(length: number): Uint8Array };
}

const placeOf = (scope: Uint8Array) => ({
  table: "idempotency",
  row: scope.toHex(),
  column: "sealed",
});

export class IdempotencyKeys {
  /** Scopes of calls that run now; as many as there are requests in flight. */
  readonly #running = new Set<string>();

  /** @param sealing absent where no answer carries a secret. */
  constructor(
    private readonly store: Store,
    private readonly sealing?: Sealing,
  ) {}

  /**
   * The kept answer, or the claim to make one.
   * @param asked what the request asks by value: its body, and its query where it may have one.
   * @param secret the answer is kept sealed.
   * @throws Refused idempotency_in_flight · idempotency_key_conflict (another request under this key)
   */
  async begin(
    scope: KeyScope,
    asked: unknown,
    nowSec: number,
    secret = false,
  ): Promise<KeptAnswer | Claim> {
    const { tenantId, caller, method, path, key } = scope;
    const hash = sha256(JSON.stringify([tenantId, caller, method, path, key.toLowerCase()]));
    const running = hash.toHex();
    if (this.#running.has(running)) throw new Refused("idempotency_in_flight");
    // Claimed before looking: of two calls at once, the second can't miss the first one's answer.
    this.#running.add(running);
    const release = () => {
      this.#running.delete(running);
    };
    try {
      const digest = sha256(canonical(asked));
      const kept = await this.store.read((q) => q.get(findKeptAnswer, hash, nowSec));
      if (kept === undefined)
        return { keep: this.#keeper(hash, tenantId, digest, secret), release };
      if (!Buffer.from(kept.digest).equals(digest)) throw new Refused("idempotency_key_conflict");
      const body = kept.body ?? this.#open(hash, kept.sealed);
      release();
      return { status: kept.status, body };
    } catch (error) {
      release();
      throw error;
    }
  }

  #keeper(hash: Uint8Array, tenantId: number, digest: Uint8Array, secret: boolean): Claim["keep"] {
    return async (tx, status, body, nowSec) => {
      const sealed = secret ? this.#seal(hash, body) : null;
      const kept = await tx.run(
        keepAnswer,
        hash,
        tenantId,
        digest,
        status,
        secret ? null : body,
        sealed,
        nowSec + idempotencyLifeSec,
        nowSec,
      );
      if (kept !== 1) throw new Error("idempotency: an answer under this key is kept already");
    };
  }

  #seal(hash: Uint8Array, body: string): Uint8Array {
    const { masterKey, random } = this.#sealing();
    const nonce = random.bytes(sealNonceBytes);
    return seal(masterKey, nonce, placeOf(hash), new TextEncoder().encode(body));
  }

  #open(hash: Uint8Array, sealed: Uint8Array | null): string {
    if (sealed === null) throw new Error("idempotency: a kept answer without a body");
    return new TextDecoder().decode(unseal(this.#sealing().masterKey, placeOf(hash), sealed));
  }

  #sealing(): Sealing {
    if (this.sealing === undefined) throw new Error("idempotency: no key to seal with");
    return this.sealing;
  }
}

/**
 * Removes lapsed answers, at most `rowsMax`.
 * @returns the number removed; `rowsMax` means there may be more.
 */
export const purgeIdempotency = (tx: Writer, nowSec: number, rowsMax = 1_000): Promise<number> =>
  tx.run(purgeLapsed, nowSec, rowsMax);
