/** Rows of the blocklist. */
import {
  blocklistNext,
  blocklistVersion,
  type ListingRow,
  listingCount,
  listingGet,
  listingListed,
  listingPage,
  listingPut,
  listingRegistered,
  listingSince,
} from "../../../schema/query/blocklist.ts";
import type { Reader, Writer } from "../../store/seam.ts";

export type { ListingRow };

export const readListing = (
  q: Reader,
  tenantId: number,
  cardId: string,
): Promise<ListingRow | undefined> => q.get(listingGet, tenantId, cardId);

export const readSince = (
  q: Reader,
  tenantId: number,
  since: number,
  limit: number,
): Promise<ListingRow[]> => q.all(listingSince, tenantId, since, limit);

export const readListed = (
  q: Reader,
  tenantId: number,
  after: number,
  limit: number,
): Promise<ListingRow[]> => q.all(listingListed, tenantId, after, limit);

/** Newest first, below a version. */
export const readPage = (
  q: Reader,
  tenantId: number,
  below: number,
  limit: number,
): Promise<ListingRow[]> => q.all(listingPage, tenantId, below, limit);

export const countListed = async (q: Reader, tenantId: number): Promise<number> =>
  (await q.get(listingCount, tenantId))?.count ?? 0;

export const isRegistered = async (q: Reader, tenantId: number, cardId: string): Promise<boolean> =>
  (await q.get(listingRegistered, tenantId, cardId))?.registered === 1;

export const readVersion = async (q: Reader, tenantId: number): Promise<number> =>
  (await q.get(blocklistVersion, tenantId))?.version ?? 0;

export interface Word {
  readonly cardId: string;
  readonly listed: boolean;
  readonly status: number;
  readonly byHand: boolean;
  readonly reason: string | null;
  readonly atSec: number;
}

/** Speaks the last word on a card, under the tenant's next version. */
export async function putWord(tx: Writer, tenantId: number, word: Word): Promise<void> {
  const next = await tx.get(blocklistNext, tenantId);
  if (next === undefined) throw new RangeError("no such tenant");
  const { cardId, listed, status, byHand, reason, atSec } = word;
  await tx.run(
    listingPut,
    tenantId,
    cardId,
    next.version,
    listed ? 1 : 0,
    status,
    byHand ? 1 : 0,
    reason,
    atSec,
  );
}
