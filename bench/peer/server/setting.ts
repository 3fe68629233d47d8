/**
 * What a peer is told when it starts, as one JSON file: the venue's keys and limits, and where its
 * store is. Kartu keeps the same in memory while they do not change.
 */
import type { Policy } from "../../../src/domain/policy.ts";

export interface Setting {
  readonly tenantId: number;
  readonly tenantUuid: string;
  readonly policy: Policy;
  readonly keyVersion: number;
  /** Of the key version; base64. */
  readonly secret: string;
  readonly kid: string;
  /** PKCS #8 of the key that signs grants; base64. */
  readonly signingKey: string;
  /** Public keys as they are published. */
  readonly jwks: unknown;
  /** A file, or a folder of sockets: what each peer makes of it stands there. */
  readonly store: string;
}

/** Tells the benchmark where the peer listens. */
export const announce = (port: number): void => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
};
