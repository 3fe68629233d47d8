/** Statements over the blocklist. */
import { statement } from "./statement.ts";

export interface ListingRow {
  card_id: string;
  version: number;
  listed: number;
  status: number;
  by_hand: number;
  reason: string | null;
  at_sec: number;
}

const columns = "card_id, version, listed, status, by_hand, reason, at_sec";

export const listingGet = statement<[tenantId: number, cardId: string], ListingRow>(
  "listing.get",
  `SELECT ${columns} FROM listing WHERE tenant_id = ?1 AND card_id = ?2`,
);

/** Words spoken since a version, oldest first. */
export const listingSince = statement<[tenantId: number, since: number, limit: number], ListingRow>(
  "listing.since",
  `SELECT ${columns} FROM listing WHERE tenant_id = ?1 AND version > ?2 ORDER BY version LIMIT ?3`,
);

/** Cards listed now, in the order in which they came. */
export const listingListed = statement<
  [tenantId: number, after: number, limit: number],
  ListingRow
>(
  "listing.listed",
  `SELECT ${columns} FROM listing WHERE tenant_id = ?1 AND version > ?2 AND listed = 1 ORDER BY version LIMIT ?3`,
);

export const listingPut = statement<
  [
    tenantId: number,
    cardId: string,
    version: number,
    listed: number,
    status: number,
    byHand: number,
    reason: string | null,
    atSec: number,
  ]
>(
  "listing.put",
  `INSERT INTO listing (tenant_id, card_id, version, listed, status, by_hand, reason, at_sec)
   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
   ON CONFLICT (tenant_id, card_id) DO UPDATE SET version = excluded.version, listed = excluded.listed,
     status = excluded.status, by_hand = excluded.by_hand, reason = excluded.reason, at_sec = excluded.at_sec`,
);

/** Takes the next version of the tenant's blocklist. */
export const blocklistNext = statement<[tenantId: number], { version: number }>(
  "blocklist.next",
  `UPDATE tenant SET blocklist_version = blocklist_version + 1 WHERE tenant_id = ?1
   RETURNING blocklist_version AS version`,
);

export const blocklistVersion = statement<[tenantId: number], { version: number }>(
  "blocklist.version",
  "SELECT blocklist_version AS version FROM tenant WHERE tenant_id = ?1",
);

/** Cards listed now, newest first, below a version. */
export const listingPage = statement<[tenantId: number, below: number, limit: number], ListingRow>(
  "listing.page",
  `SELECT ${columns} FROM listing WHERE tenant_id = ?1 AND version < ?2 AND listed = 1
   ORDER BY version DESC LIMIT ?3`,
);

export const listingCount = statement<[tenantId: number], { count: number }>(
  "listing.count",
  "SELECT count(*) AS count FROM listing WHERE tenant_id = ?1 AND listed = 1",
);

/** 1 where the id is that of a card of the tenant. */
export const listingRegistered = statement<
  [tenantId: number, cardId: string],
  { registered: number }
>(
  "listing.registered",
  `SELECT EXISTS (SELECT 1 FROM card WHERE tenant_id = ?1 AND card_id = ?2) AS registered`,
);
