/** Statements on `signing_key`, the P-256 keys of the whole server. */
import { statement } from "./statement.ts";

export interface SigningKeyRow {
  kid: string;
  public_jwk: string;
  sealed_private: Uint8Array;
  created_at_ms: number;
}

/** Signing keys with this prefix that still sign or are still published, oldest first. */
export const signingKeys = statement<[kidFrom: string, kidBelow: string], SigningKeyRow>(
  "signing.keys",
  `SELECT kid, public_jwk, sealed_private, created_at_ms FROM signing_key
   WHERE kid >= ?1 AND kid < ?2 AND retired_at_ms IS NULL ORDER BY created_at_ms, kid`,
);

export const signingKeyInsert = statement<
  [kid: string, publicJwk: string, sealedPrivate: Uint8Array, createdAtMs: number]
>(
  "signing.insert",
  `INSERT INTO signing_key (kid, public_jwk, sealed_private, created_at_ms)
   VALUES (?1, ?2, ?3, ?4)`,
);

/** Taken out of what is published; nothing that it signed lives any more. */
export const signingKeyRetire = statement<[kid: string, atMs: number]>(
  "signing.retire",
  "UPDATE signing_key SET retired_at_ms = ?2 WHERE kid = ?1 AND retired_at_ms IS NULL",
);
