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

/** Cards that are ACTIVE at `nowSec` and carry the version. */
export const keyActiveCards = statement<
  [tenantId: number, version: number, nowSec: number],
  { count: number }
>(
  "key.activeCards",
  `SELECT count(*) AS count FROM card
   WHERE tenant_id = ?1 AND key_version = ?2 AND status = 0
     AND (expires_at_sec IS NULL OR expires_at_sec > ?3)`,
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
