/** A venue at a glance, as rows. */
import {
  type FleetBatchRow,
  type FleetDeviceRow,
  fleetActive,
  fleetBatches,
  fleetCards,
  fleetCardsOfEvents,
  fleetDevices,
  fleetExpired,
  fleetOpenFlags,
  fleetOverdrawn,
  fleetOverdrawnLately,
  fleetTopups,
} from "../../../schema/query/fleet.ts";
import { ACTIVE, BLOCKED_EXPIRED, STATUS_NAME, type StatusName } from "../../domain/cardrecord.ts";
import type { Reader } from "../../store/seam.ts";

export type { FleetBatchRow, FleetDeviceRow };

export const pageDevices = (
  q: Reader,
  tenantId: number,
  afterTerminalId: number,
  limit: number,
): Promise<FleetDeviceRow[]> => q.all(fleetDevices, tenantId, afterTerminalId, limit);

/** Cards by status at a moment; every status is there. */
export async function countCards(
  q: Reader,
  tenantId: number,
  nowSec: number,
): Promise<Record<StatusName, number>> {
  const counts = STATUS_NAME.map(() => 0);
  for (const { status, cards } of await q.all(fleetCards, tenantId)) {
    counts[status] = (counts[status] ?? 0) + cards;
  }
  const expired = (await q.get(fleetExpired, tenantId, nowSec))?.count ?? 0;
  counts[ACTIVE] = (counts[ACTIVE] ?? 0) - expired;
  counts[BLOCKED_EXPIRED] = (counts[BLOCKED_EXPIRED] ?? 0) + expired;
  const named = STATUS_NAME.map((name, status) => [name, counts[status] ?? 0] as const);
  return Object.fromEntries(named) as Record<StatusName, number>;
}

export const countOpenFlags = async (q: Reader, tenantId: number): Promise<number> =>
  (await q.get(fleetOpenFlags, tenantId))?.count ?? 0;

/** Of pending top-ups made at or before a moment. */
export const pendingTopups = async (
  q: Reader,
  tenantId: number,
  untilMs: number,
): Promise<{ count: number; amount: number }> =>
  (await q.get(fleetTopups, tenantId, untilMs)) ?? { count: 0, amount: 0 };

export interface CardRef {
  readonly cardNo: number;
  readonly cardId: string;
}

/** Cards that may be overdrawn by their row, from the one after a number. */
export const overdrawnByRow = async (
  q: Reader,
  tenantId: number,
  afterNo: number,
  limit: number,
): Promise<CardRef[]> =>
  (await q.all(fleetOverdrawn, tenantId, afterNo, limit)).map((row) => ({
    cardNo: row.card_no,
    cardId: row.card_id,
  }));

/** Cards that may be overdrawn by what their row does not have yet; some may be there twice. */
export const overdrawnLately = async (q: Reader, tenantId: number): Promise<CardRef[]> =>
  (await q.all(fleetOverdrawnLately, tenantId)).map((row) => ({
    cardNo: row.card_no,
    cardId: row.card_id,
  }));

/** Newest first, below a number. */
export const batchesOf = (
  q: Reader,
  tenantId: number,
  deviceNo: number,
  belowNo: number,
  limit: number,
): Promise<FleetBatchRow[]> => q.all(fleetBatches, tenantId, deviceNo, belowNo, limit);

export const cardsOfBatch = async (
  q: Reader,
  tenantId: number,
  { first_event: first, accepted }: FleetBatchRow,
): Promise<number[]> => {
  if (accepted === 0) return [];
  const rows = await q.all(fleetCardsOfEvents, tenantId, first, first + accepted - 1);
  return rows.map((row) => row.card_no);
};

export const countActive = async (
  q: Reader,
  tenantId: number,
  cardNos: readonly number[],
  nowSec: number,
): Promise<number> =>
  (await q.get(fleetActive, tenantId, JSON.stringify(cardNos), nowSec))?.count ?? 0;
