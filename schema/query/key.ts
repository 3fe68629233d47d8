/** Statements on `key_version`, and the cards that carry one. Signing keys are in `signing.ts`. */
import { statement } from "./statement.ts";

export interface KeyVersionRow {
  key_version: number;
  status: "created" | "active" | "retired";
  sealed_secret: Uint8Array;
  note: string | null;
  created_at_ms: number;
  activated_at_ms: number | null;
  retired_at_ms: number | null;
}

export const keyTenant = statement<[tenantId: number], { uuid: string }>(
  "key.tenant",
  "SELECT uuid FROM tenant WHERE tenant_id = ?1",
);

export const keyVersions = statement<[tenantId: number], KeyVersionRow>(
  "key.versions",
  `SELECT key_version, status, sealed_secret, note, created_at_ms, activated_at_ms, retired_at_ms
   FROM key_version WHERE tenant_id = ?1 ORDER BY key_version`,
);

export const keyVersionStatus = statement<[tenantId: number, version: number], { status: string }>(
  "key.versionStatus",
  "SELECT status FROM key_version WHERE tenant_id = ?1 AND key_version = ?2",
);

export const keyVersionInsert = statement<
  [
    tenantId: number,
    version: number,
    sealedSecret: Uint8Array,
    note: string | null,
    createdAtMs: number,
  ]
>(
  "key.versionInsert",
  `INSERT INTO key_version (tenant_id, key_version, status, sealed_secret, note, created_at_ms)
   VALUES (?1, ?2, 'created', ?3, ?4, ?5)`,
);

export const keyVersionActivate = statement<[tenantId: number, version: number, atMs: number]>(
  "key.versionActivate",
  `UPDATE key_version SET status = 'active', activated_at_ms = ?3
   WHERE tenant_id = ?1 AND key_version = ?2 AND status <> 'retired'`,
);

export const keyVersionRetire = statement<[tenantId: number, version: number, atMs: number]>(
  "key.versionRetire",
  `UPDATE key_version SET status = 'retired', retired_at_ms = ?3
   WHERE tenant_id = ?1 AND key_version = ?2 AND status <> 'retired'`,
);

/** Cards that are ACTIVE at `nowSec`, by the version that they carry. */
export const keyActiveCards = statement<
  [tenantId: number, nowSec: number],
  { key_version: number; cards: number }
>(
  "key.activeCards",
  `SELECT key_version, total(cards) - (SELECT count(*) FROM card c
       WHERE c.status = 0 AND c.expires_at_sec IS NOT NULL AND c.expires_at_sec <= ?2
         AND c.tenant_id = ?1 AND c.key_version = card_count.key_version) AS cards
   FROM card_count WHERE tenant_id = ?1 AND status = 0 GROUP BY key_version`,
);

export const keyCarried = statement<
  [tenantId: number, version: number, nowSec: number],
  { card_no: number }
>(
  "key.carried",
  `SELECT card_no FROM card
   WHERE tenant_id = ?1 AND key_version = ?2 AND status = 0
     AND (expires_at_sec IS NULL OR expires_at_sec > ?3) LIMIT 1`,
);
