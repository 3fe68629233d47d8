/** Statements on `published_event`, the log of what happened. Card events are elsewhere. */
import { statement } from "./statement.ts";

export const publishedInsert = statement<
  [uuid: string, tenantId: number, type: string, data: string, atMs: number]
>(
  "published.insert",
  "INSERT INTO published_event (uuid, tenant_id, type, data, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
);
