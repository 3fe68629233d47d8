/**
 * What each terminal took, by the local day of its events: kept as the events come, so that a day's
 * figures are read and not summed. Closing a range is not here.
 */
import type { DayTotals } from "../../domain/batch.ts";
import { calendar } from "../../domain/calendar.ts";
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
  /** Adds a batch's totals, day by day. */
  async function addBatch(
    tx: Writer,
    device: Place,
    days: ReadonlyMap<number, DayTotals>,
  ): Promise<void> {
    for (const [day, totals] of days)
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
    const { timezone } = await policy.effective(
      device.tenantId,
      device.zoneNo,
      device.deviceNo,
      tx,
    );
    const day = calendar(timezone).dayOf(timestampSec);
    await addDay(tx, device.tenantId, day, device.deviceNo, null, { topups, topupAmount });
  }

  return { addBatch, addTopup };
}
