/**
 * The server's own P-256 keys: making them, signing with the newest of a use, publishing the public
 * halves, putting new ones in place of old. The first four characters of a kid say what it signs
 * (`grt_` session grants, `tok_` access tokens, `aud_` audit checkpoints); a verifier accepts only the
 * prefix it knows.
 */
import { generateKeyPairSync } from "node:crypto";
import { accessTokenLifeSec, tokenKeyLifeSec } from "../../../schema/bound.ts";
import { type SealPlace, seal, sealNonceBytes, unseal, wipe } from "../../domain/seal.ts";
import type { Store, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import { insertKey, liveKeys, retireKey } from "./store.ts";

export type SigningUse = "grt_" | "tok_" | "aud_";

export interface SigningDeps {
  readonly store: Store;
  readonly random: Random;
  /** 32 bytes. */
  readonly masterKey: Uint8Array;
}

export interface PublicJwk {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly use: "sig";
  readonly alg: "ES256";
}

export interface Signer {
  readonly kid: string;
  /** Signs and can't be exported. */
  readonly key: CryptoKey;
  /** ECDSA P-256/SHA-256, raw r‖s (64 bytes), computed off the main thread. */
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

const kidRandomBytes = 12;
/** Answers that were being signed while a new key came. */
const signerHandoverSec = 60;
const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export type SigningService = ReturnType<typeof signingService>;

export function signingService({ store, random, masterKey }: SigningDeps) {
  const signers = new Map<SigningUse, Promise<Signer>>();
  const verifiers = new Map<string, CryptoKey>();
  let published: Promise<readonly PublicJwk[]> | undefined;

  /** A new key of a use, inside a transaction; it signs from the COMMIT on. Returns its kid. */
  async function create(tx: Writer, use: SigningUse, nowMs: number): Promise<string> {
    const pair = generateKeyPairSync("ec", { namedCurve: ecdsa.namedCurve });
    const kid = use + Buffer.from(random.bytes(kidRandomBytes)).toString("base64url");
    const { x, y } = pair.publicKey.export({ format: "jwk" });
    const jwk = { kty: "EC", crv: "P-256", x, y, kid, use: "sig", alg: "ES256" };
    const secret = pair.privateKey.export({ format: "der", type: "pkcs8" });
    const sealed = seal(masterKey, random.bytes(sealNonceBytes), place(kid), secret);
    wipe(secret);
    await insertKey(tx, kid, JSON.stringify(jwk), sealed, nowMs);
    forget(tx);
    return kid;
  }

  function forget(tx: Writer): void {
    tx.onCommit(() => {
      signers.clear();
      verifiers.clear();
      published = undefined;
    });
  }

  async function load(use: SigningUse): Promise<Signer> {
    const newest = (await store.read((q) => liveKeys(q, use))).at(-1);
    if (newest === undefined) throw new Error(`there is no signing key ${use}`);
    const { kid } = newest;
    const opened = unseal(masterKey, place(kid), newest.sealed_private);
    const secret = new Uint8Array(opened);
    wipe(opened);
    const key = await crypto.subtle.importKey("pkcs8", secret, ecdsa, false, ["sign"]);
    wipe(secret);
    return {
      kid,
      key,
      sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(ecdsa, key, bytes)),
    };
  }

  /**
   * The key that signs now.
   * @throws SealBroken the master key is not the one that sealed it
   */
  function signer(use: SigningUse): Promise<Signer> {
    const known = signers.get(use);
    if (known !== undefined) return known;
    const loading = load(use);
    signers.set(use, loading);
    loading.catch(() => signers.delete(use));
    return loading;
  }

  /** Public halves of every live key, oldest first. */
  function publicKeys(): Promise<readonly PublicJwk[]> {
    const known = published;
    if (known !== undefined) return known;
    const loading = store.read(async (q) =>
      (await liveKeys(q, "")).map((row) => JSON.parse(row.public_jwk) as PublicJwk),
    );
    published = loading;
    loading.catch(() => {
      published = undefined;
    });
    return loading;
  }

  /** The public half of a live key, from memory where it is known; undefined if there is none. */
  function verifier(kid: string): CryptoKey | Promise<CryptoKey | undefined> {
    return verifiers.get(kid) ?? loadVerifier(kid);
  }

  async function loadVerifier(kid: string): Promise<CryptoKey | undefined> {
    const keys = publicKeys();
    const jwk = (await keys).find((one) => one.kid === kid);
    if (jwk === undefined) return undefined;
    const key = await crypto.subtle.importKey("jwk", jwk, ecdsa, false, ["verify"]);
    // A key that was retired meanwhile is not to be kept.
    if (keys === published) verifiers.set(kid, key);
    return key;
  }

  /**
   * Sees to the keys of access tokens: makes one where there is none or the newest is 90 days old, and
   * takes an older one out of what is published when the last token that it signed has ended.
   */
  async function rotateTokenKeys(nowMs: number): Promise<void> {
    const isDue = (createdAtMs: number): boolean => nowMs - createdAtMs >= tokenKeyLifeSec * 1000;
    const isSpent = (successorMs: number): boolean =>
      nowMs - successorMs >= (accessTokenLifeSec + signerHandoverSec) * 1000;
    const work = (keys: readonly { kid: string; created_at_ms: number }[]) => {
      const newest = keys.at(-1);
      return {
        isNewDue: newest === undefined || isDue(newest.created_at_ms),
        spent: keys.filter((_, at) => {
          const successor = keys[at + 1];
          return successor !== undefined && isSpent(successor.created_at_ms);
        }),
      };
    };
    const { isNewDue, spent } = work(await store.read((q) => liveKeys(q, "tok_")));
    if (!isNewDue && spent.length === 0) return;
    await store.write(async (tx) => {
      const now = work(await liveKeys(tx, "tok_"));
      for (const { kid } of now.spent) await retireKey(tx, kid, nowMs);
      if (now.isNewDue) await create(tx, "tok_", nowMs);
      forget(tx);
    });
  }

  return { create, signer, publicKeys, verifier, rotateTokenKeys };
}

const place = (kid: string): SealPlace => ({
  table: "signing_key",
  row: kid,
  column: "sealed_private",
});
