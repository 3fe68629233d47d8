/** The rows that a proof walks through. */

import type { Param, Statement } from "../../../schema/query/statement.ts";
import {
  type AccountRow,
  type VerifyArrivalRow,
  type VerifyBatchRow,
  type VerifyClosedRow,
  type VerifyEventRow,
  type VerifyHeadRow,
  type VerifyPlaceRow,
  type VerifyRunRow,
  type VerifySettlementRow,
  type VerifyWeekRow,
  verifyAmends,
  verifyArrivals,
  verifyBatches,
  verifyCardBalances,
  verifyCardEntries,
  verifyCardRest,
  verifyClosed,
  verifyCounts,
  verifyCredits,
  verifyEvents,
  verifyHeads,
  verifyHoles,
  verifyIntegrity,
  verifyPlaces,
  verifyQuarantine,
  verifyReferences,
  verifyRefunds,
  verifyReleases,
  verifyRuns,
  verifySettlement,
  verifyTenants,
  verifyThrough,
  verifyTopups,
  verifyWalletBalances,
  verifyWalletEntries,
  verifyWalletLinks,
  verifyWalletTips,
  verifyWeeks,
} from "../../../schema/query/verify.ts";
import type { Reader } from "../../store/seam.ts";

export type {
  AccountRow,
  VerifyArrivalRow,
  VerifyBatchRow,
  VerifyClosedRow,
  VerifyEventRow,
  VerifyHeadRow,
  VerifyPlaceRow,
  VerifyRunRow,
  VerifySettlementRow,
  VerifyWeekRow,
};

/** A snapshot that can be walked row by row, several walks side by side. */
export interface Walkable extends Reader {
  each<P extends readonly Param[], R>(statement: Statement<P, R>, ...params: P): Iterable<R>;
}

export async function readIntegrity(q: Walkable): Promise<string[]> {
  const rows = await q.all(verifyIntegrity);
  return rows.map((row) => row.integrity_check).filter((line) => line !== "ok");
}

export const readReferences = (q: Walkable, limit: number) => q.all(verifyReferences, limit);
export const readAmends = (q: Walkable, limit: number) => q.all(verifyAmends, limit);
export const readCredits = (q: Walkable, limit: number) => q.all(verifyCredits, limit);
export const readCounts = (q: Walkable, limit: number) => q.all(verifyCounts, limit);

/** Time zone of each tenant. */
export async function readZones(q: Walkable): Promise<Map<number, string>> {
  return new Map((await q.all(verifyTenants)).map((row) => [row.tenant_id, row.timezone]));
}

export const cardEntries = (q: Walkable) => q.each(verifyCardEntries);
export const cardRest = (q: Walkable) => q.each(verifyCardRest);
export const cardBalances = (q: Walkable) => q.each(verifyCardBalances);
export const walletEntries = (q: Walkable) => q.each(verifyWalletEntries);
export const walletBalances = (q: Walkable) => q.each(verifyWalletBalances);
export const walletTips = (q: Walkable) => q.each(verifyWalletTips);
export const walletLinks = (q: Walkable) => q.each(verifyWalletLinks);
/** The event that no head's row may lack. */
export const readThrough = async (q: Walkable): Promise<number> =>
  (await q.get(verifyThrough))?.through ?? 0;
export const heads = (q: Walkable) => q.each(verifyHeads);
export const events = (q: Walkable) => q.each(verifyEvents);
export const places = (q: Walkable) => q.each(verifyPlaces);
export const holes = (q: Walkable) => q.each(verifyHoles);
export const weeks = (q: Walkable) => q.each(verifyWeeks);
export const arrivals = (q: Walkable) => q.each(verifyArrivals);
export const batches = (q: Walkable) => q.each(verifyBatches);
export const quarantined = (q: Walkable) => q.each(verifyQuarantine);
export const topups = (q: Walkable) => q.each(verifyTopups);
export const settlement = (q: Walkable) => q.each(verifySettlement);
export const refunds = (q: Walkable) => q.each(verifyRefunds);
export const releases = (q: Walkable) => q.each(verifyReleases);
export const runs = (q: Walkable) => q.each(verifyRuns);
export const readClosed = (q: Walkable, { tenant_id: tenant, number, ...run }: VerifyRunRow) =>
  q.all(verifyClosed, tenant, number, run.from_day, run.to_day, run.device_no);
