/** The log of published events as rows. */
import { publishedInsert } from "../../../schema/query/published.ts";
import type { Writer } from "../../store/seam.ts";

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
