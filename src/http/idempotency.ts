/**
 * Idempotency keys: the first 2xx answer under a key is kept in the transaction that made it and given
 * again for 24 h. Knows no route; what the scope is made of is handed in.
 */
import { idempotencyLifeSec } from "../../schema/bound.ts";
import { findKeptAnswer, keepAnswer, purgeLapsed } from "../../schema/query/idempotency.ts";
import { Refused } from "../domain/refused.ts";
import type { Store, Writer } from "../store/seam.ts";

const uuidV4OrV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

export const isIdempotencyKey = (key: string): boolean => uuidV4OrV7.test(key);

const sha256 = (text: string): Uint8Array => new Bun.CryptoHasher("sha256").update(text).digest();

/** JSON with the members of every object in the order of their names: equal values, equal text. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`).join(",")}}`;
}

export interface KeyScope {
  readonly tenantId: number;
  readonly deviceNo: number;
  readonly method: string;
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
  /** Keeps an answer, inside the transaction that makes it. */
  keep(tx: Writer, status: number, body: string): Promise<void>;
  release(): void;
}

export class IdempotencyKeys {
  readonly #store: Store;
  /** Scopes of calls that run now; as many as there are requests in flight. */
  readonly #running = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * The kept answer, or the claim to make one.
   * @param body the request's body by value.
   * @throws Refused idempotency_in_flight · idempotency_key_conflict (another body under this key)
   */
  async begin(scope: KeyScope, body: unknown, nowSec: number): Promise<KeptAnswer | Claim> {
    const { tenantId, deviceNo, method, path, key } = scope;
    const hash = sha256(JSON.stringify([tenantId, deviceNo, method, path, key.toLowerCase()]));
    const running = hash.toHex();
    if (this.#running.has(running)) throw new Refused("idempotency_in_flight");
    // Claimed before looking: of two calls at once, the second can't miss the first one's answer.
    this.#running.add(running);
    const release = () => {
      this.#running.delete(running);
    };
    try {
      const digest = sha256(canonical(body));
      const kept = await this.#store.read((q) => q.get(findKeptAnswer, hash, nowSec));
      if (kept === undefined) return { keep: keeper(hash, tenantId, digest, nowSec), release };
      if (!Buffer.from(kept.digest).equals(digest)) throw new Refused("idempotency_key_conflict");
      release();
      return { status: kept.status, body: kept.body };
    } catch (error) {
      release();
      throw error;
    }
  }
}

const keeper =
  (scope: Uint8Array, tenantId: number, digest: Uint8Array, nowSec: number): Claim["keep"] =>
  async (tx, status, body) => {
    const expiresAtSec = nowSec + idempotencyLifeSec;
    const kept = await tx.run(
      keepAnswer,
      scope,
      tenantId,
      digest,
      status,
      body,
      expiresAtSec,
      nowSec,
    );
    if (kept !== 1) throw new Error("idempotency: an answer under this key is kept already");
  };

/**
 * Removes lapsed answers, at most `rowsMax`.
 * @returns the number removed; `rowsMax` means there may be more.
 */
export const purgeIdempotency = (tx: Writer, nowSec: number, rowsMax = 1_000): Promise<number> =>
  tx.run(purgeLapsed, nowSec, rowsMax);
