/**
 * What proves something once: the token of a mailed link, of a tenant choice, of a redirect. Kept by
 * SHA-256 with what its holder may do; used up by a write, so that of two that come at once one wins.
 */
import {
  hashOf,
  isOpaque,
  type OpaquePrefix,
  opaqueBytes,
  opaqueToken,
} from "../../domain/opaque.ts";
import { Problem } from "../../domain/problem.ts";
import type { Reader, Writer } from "../../store/seam.ts";
import type { Random } from "../../system/random.ts";
import * as rows from "./store.ts";

const prefixes: Readonly<Record<rows.ProofKind, OpaquePrefix>> = {
  verify: "ev_",
  reset: "pr_",
  choice: "st_",
  login: "lc_",
  state: "os_",
};

export interface ProofDraft {
  readonly userNo: number | null;
  /** Values of JSON; what is secret in it is sealed by the caller. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly ttlSec: number;
}

export interface Proven {
  readonly userNo: number | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly expiresAtMs: number;
}

export function proofPart({ random }: { readonly random: Pick<Random, "bytes"> }) {
  /** A new one; it stands or falls with `tx`. Returns the token. */
  async function issue(
    tx: Writer,
    kind: rows.ProofKind,
    { userNo, data, ttlSec }: ProofDraft,
    nowMs: number,
  ): Promise<string> {
    const token = opaqueToken(prefixes[kind], random.bytes(opaqueBytes));
    const expiresAtMs = nowMs + ttlSec * 1000;
    const proof = { hash: hashOf(token), kind, userNo, data: JSON.stringify(data), expiresAtMs };
    await rows.insertProof(tx, proof, nowMs);
    return token;
  }

  /**
   * What a token proves, without using it up.
   * @throws Problem `token-invalid` (unknown, used) `token-expired`
   */
  async function find(
    q: Reader,
    kind: rows.ProofKind,
    token: string,
    nowMs: number,
  ): Promise<Proven> {
    const proof = isOpaque(prefixes[kind], token)
      ? await rows.findProof(q, kind, hashOf(token))
      : undefined;
    if (proof === undefined || proof.isUsed) throw new Problem("token-invalid");
    if (proof.expiresAtMs <= nowMs) throw new Problem("token-expired");
    const { userNo, data, expiresAtMs } = proof;
    return { userNo, data: JSON.parse(data) as Record<string, unknown>, expiresAtMs };
  }

  /** As `find`, and uses it up with `tx`. @throws Problem `token-invalid` `token-expired` */
  async function use(
    tx: Writer,
    kind: rows.ProofKind,
    token: string,
    nowMs: number,
  ): Promise<Proven> {
    const proven = await find(tx, kind, token, nowMs);
    if (!(await rows.spendProof(tx, kind, hashOf(token), nowMs))) {
      throw new Problem("token-invalid");
    }
    return proven;
  }

  /** Every open one of this kind that a person has is dead. */
  const end: (tx: Writer, kind: rows.ProofKind, userNo: number, nowMs: number) => Promise<void> =
    rows.endProofs;

  return { issue, find, use, end };
}
