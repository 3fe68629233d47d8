/** Statements on `published_event`, the log of what happened. Card events are elsewhere. */
import { statement } from "./statement.ts";

export const publishedInsert = statement<
  [uuid: string, tenantId: number, type: string, data: string, atMs: number]
>(
  "published.insert",
  "INSERT INTO published_event (uuid, tenant_id, type, data, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
);

export interface PublishedRow {
  event_no: number;
  uuid: string;
  type: string;
  data: string;
  at_ms: number;
}

/** Of the tenant, behind a position, oldest first. */
export const publishedAfter = statement<
  [tenantId: number, after: number, limit: number],
  PublishedRow
>(
  "published.after",
  `SELECT event_no, uuid, type, data, at_ms FROM published_event
   WHERE tenant_id = ?1 AND event_no > ?2 ORDER BY event_no LIMIT ?3`,
);

/** Position of the tenant's newest; 0 where there is none. */
export const publishedNewest = statement<[tenantId: number], { event_no: number }>(
  "published.newest",
  "SELECT coalesce(max(event_no), 0) AS event_no FROM published_event WHERE tenant_id = ?1",
);

/** Position of the oldest on the whole server; positions below it are gone. */
export const publishedOldest = statement<[], { event_no: number | null }>(
  "published.oldest",
  "SELECT min(event_no) AS event_no FROM published_event",
);
