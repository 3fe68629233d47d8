/** Statements over the kept answers of calls made under an Idempotency-Key. */
import { statement } from "./statement.ts";

export interface KeptAnswerRow {
  readonly digest: Uint8Array;
  readonly status: number;
  /** Null where the answer is sealed. */
  readonly body: string | null;
  readonly sealed: Uint8Array | null;
}

/** A kept answer that has not lapsed. */
export const findKeptAnswer = statement<[scope: Uint8Array, nowSec: number], KeptAnswerRow>(
  "idempotency.find",
  "SELECT digest, status, body, sealed FROM idempotency WHERE scope = ?1 AND expires_at > ?2",
);

/** Over a row of the same scope only when that one has lapsed; one that lives stops the write. */
export const keepAnswer = statement<
  [
    scope: Uint8Array,
    tenantId: number,
    digest: Uint8Array,
    status: number,
    body: string | null,
    sealed: Uint8Array | null,
    expiresAtSec: number,
    nowSec: number,
  ]
>(
  "idempotency.keep",
  `INSERT INTO idempotency (scope, tenant_id, digest, status, body, sealed, expires_at)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
   ON CONFLICT (scope) DO UPDATE SET key_no = (SELECT max(key_no) + 1 FROM idempotency),
     tenant_id = excluded.tenant_id, digest = excluded.digest, status = excluded.status,
     body = excluded.body, sealed = excluded.sealed, expires_at = excluded.expires_at
   WHERE idempotency.expires_at <= ?8`,
);

/** Lapsed ones among the oldest rows, so many at a time that the writer is not held up. */
export const purgeLapsed = statement<[nowSec: number, rowsMax: number]>(
  "idempotency.purge",
  `DELETE FROM idempotency WHERE expires_at <= ?1
     AND key_no <= (SELECT min(key_no) FROM idempotency) + ?2 - 1`,
);
