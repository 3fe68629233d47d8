/**
 * What each terminal took, by the local day of its events: kept as the events come, so that a day's
 * figures are read and not summed. Closing a range is not here.
 */
import type { DayTotals } from "../../domain/batch.ts";
import { type Calendar, calendar } from "../../domain/calendar.ts";
import type { DeviceIdentity } from "../../domain/identity.ts";
import type { Writer } from "../../store/seam.ts";
import type { PolicyService } from "../policy/service.ts";
import { addDay } from "./store.ts";

type Place = Pick<DeviceIdentity, "tenantId" | "deviceNo" | "zoneNo">;

export type SettlementService = ReturnType<typeof settlementService>;

export function settlementService({
  policy,
}: {
  readonly policy: Pick<PolicyService, "effective">;
}) {
  async function calendarOf(tx: Writer, device: Place): Promise<Calendar> {
    const { tenantId, zoneNo, deviceNo } = device;
    return calendar((await policy.effective(tenantId, zoneNo, deviceNo, tx)).timezone);
  }

  /** Adds a batch's totals, day by day. */
  async function addBatch(
    tx: Writer,
    device: Place,
    days: ReadonlyMap<number, DayTotals>,
  ): Promise<void> {
    for (const [day, totals] of days)
      await addDay(tx, device.tenantId, day, device.deviceNo, totals, null);
  }

  /** Adds a debit that was let stand beside the chain. Whether it came late was counted on arrival. */
  async function addDebit(
    tx: Writer,
    device: Place,
    timestampSec: number,
    amount: number,
  ): Promise<void> {
    const day = (await calendarOf(tx, device)).dayOf(timestampSec);
    const totals = { debits: 1, debitAmount: amount };
    await addDay(tx, device.tenantId, day, device.deviceNo, totals, null);
  }

  /** Adds, or with negative numbers takes back, a top-up made at `timestampSec`. */
  async function addTopup(
    tx: Writer,
    device: Place,
    timestampSec: number,
    topups: number,
    topupAmount: number,
  ): Promise<void> {
    const day = (await calendarOf(tx, device)).dayOf(timestampSec);
    await addDay(tx, device.tenantId, day, device.deviceNo, null, { topups, topupAmount });
  }

  return { addBatch, addDebit, addTopup };
}
