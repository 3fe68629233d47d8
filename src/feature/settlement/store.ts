/** Rows of what terminals took, by local day. */
import { settlementAdd } from "../../../schema/query/settlement.ts";
import type { DayTotals } from "../../domain/batch.ts";
import type { Writer } from "../../store/seam.ts";

export interface TopupTotals {
  readonly topups: number;
  readonly topupAmount: number;
}

/** Adds to the row of a day and device that no settlement run has closed. */
export async function addDay(
  tx: Writer,
  tenantId: number,
  day: number,
  deviceNo: number,
  totals: Partial<DayTotals> | null,
  topup: TopupTotals | null,
): Promise<void> {
  await tx.run(
    settlementAdd,
    tenantId,
    day,
    deviceNo,
    totals?.checkins ?? 0,
    totals?.checkouts ?? 0,
    totals?.debits ?? 0,
    totals?.debitAmount ?? 0,
    totals?.credits ?? 0,
    totals?.creditAmount ?? 0,
    topup?.topups ?? 0,
    topup?.topupAmount ?? 0,
    totals?.rejected ?? 0,
    totals?.flagged ?? 0,
    totals?.lateEvents ?? 0,
  );
}
