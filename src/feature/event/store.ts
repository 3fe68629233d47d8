/** The log of published events as rows. */
import {
  type PublishedRow,
  publishedAfter,
  publishedInsert,
  publishedNewest,
  publishedOldest,
} from "../../../schema/query/published.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export type { PublishedRow };

export interface PublishedEvent {
  readonly uuid: string;
  readonly tenantId: number;
  readonly type: string;
  /** JSON text. */
  readonly data: string;
  readonly atMs: number;
}

export async function insertEvent(tx: Writer, e: PublishedEvent): Promise<void> {
  await tx.run(publishedInsert, e.uuid, e.tenantId, e.type, e.data, e.atMs);
}

export const insertEvents = (tx: Writer, all: readonly PublishedEvent[]): Promise<void> =>
  tx.many(
    publishedInsert,
    all.map((e): [string, number, string, string, number] => [
      e.uuid,
      e.tenantId,
      e.type,
      e.data,
      e.atMs,
    ]),
  );

export const readAfter = (
  q: Reader,
  tenantId: number,
  after: number,
  limit: number,
): Promise<PublishedRow[]> => q.all(publishedAfter, tenantId, after, limit);

export const readNewest = async (q: Reader, tenantId: number): Promise<number> =>
  (await q.get(publishedNewest, tenantId))?.event_no ?? 0;

/** One past the newest where the log is empty. */
export const readOldest = async (q: Reader): Promise<number> =>
  (await q.get(publishedOldest))?.event_no ?? 1;
