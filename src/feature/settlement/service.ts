/**
 * What each terminal took, by the local day of its events: kept as the events come, so that a day's
 * figures are read and not summed. Closing days for good is `run.ts`.
 */
import { settlementRangeMaxDays } from "../../../schema/bound.ts";
import type { DayTotals } from "../../domain/batch.ts";
import { type By, recordedBy } from "../../domain/by.ts";
import { type Calendar, calendar, dayText } from "../../domain/calendar.ts";
import { houseNo, type Span } from "../../domain/closing.ts";
import type { DeviceIdentity } from "../../domain/identity.ts";
import { invalid, Problem } from "../../domain/problem.ts";
import {
  addTotals,
  type DayRange,
  noTotals,
  type ShownRow,
  shownRow,
  type Totals,
} from "../../domain/settlement.ts";
import type { Reader, Store, Writer } from "../../store/seam.ts";
import { nextTurn } from "../../system/turn.ts";
import type { PolicyService } from "../policy/service.ts";
import { Files, rowsAtOnce } from "./files.ts";
import { type ClosingDeps, closing, type SealingWrite } from "./run.ts";
import * as rows from "./store.ts";

export { type SealingWrite, shownRun } from "./run.ts";
export type { Run } from "./store.ts";

type Place = Pick<DeviceIdentity, "tenantId" | "deviceNo" | "zoneNo">;

export interface SettlementDeps extends ClosingDeps {
  readonly store: Store;
  readonly policy: Pick<PolicyService, "effective">;
}

/** A row with where it stands: what a list goes on from. */
export interface PlacedRow {
  readonly place: readonly [day: number, deviceNo: number];
  readonly row: ShownRow;
}

export type SettlementService = ReturnType<typeof settlementService>;

export function settlementService({ policy, ...deps }: SettlementDeps) {
  const { store, audit } = deps;
  const { closings, close: closeSpan, finishLeft } = closing(deps);

  async function calendarOf(tx: Writer, device: Place): Promise<Calendar> {
    const { tenantId, zoneNo, deviceNo } = device;
    return calendar((await policy.effective(tenantId, zoneNo, deviceNo, tx)).timezone);
  }

  async function addDay(
    tx: Writer,
    { tenantId, deviceNo }: Omit<Place, "zoneNo">,
    day: number,
    totals: Partial<DayTotals> | null,
    topup: rows.TopupTotals | null = null,
  ): Promise<void> {
    const layer = (await closings(tx, tenantId)).layerOf(day, deviceNo);
    await rows.addDay(tx, tenantId, day, deviceNo, layer, totals, topup);
  }

  async function addMoney(
    tx: Writer,
    { tenantId, deviceNo }: Omit<Place, "zoneNo">,
    day: number,
    money: rows.MoneyTotals,
  ): Promise<void> {
    const layer = (await closings(tx, tenantId)).layerOf(day, deviceNo);
    await rows.addMoney(tx, tenantId, day, deviceNo, layer, money);
  }

  /** Adds a batch's totals, day by day. */
  async function addBatch(
    tx: Writer,
    device: Omit<Place, "zoneNo">,
    days: ReadonlyMap<number, DayTotals>,
  ): Promise<void> {
    for (const [day, totals] of days) {
      await addDay(tx, device, day, totals);
      const { parkedAmount } = totals;
      if (parkedAmount !== 0) await addMoney(tx, device, day, { parkedAmount });
    }
  }

  /** Adds a debit that was let stand beside the chain. Whether it came late was counted on arrival. */
  async function addDebit(
    tx: Writer,
    device: Place,
    timestampSec: number,
    amount: number,
  ): Promise<void> {
    const day = (await calendarOf(tx, device)).dayOf(timestampSec);
    await addDay(tx, device, day, { debits: 1, debitAmount: amount });
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
    await addDay(tx, device, day, null, { topups, topupAmount });
  }

  /** Adds what the house did now: refunds, and money of parked credits that was moved on. */
  async function addHouse(
    tx: Writer,
    tenantId: number,
    nowMs: number,
    money: rows.MoneyTotals,
  ): Promise<void> {
    const { timezone } = await rows.readBooks(tx, tenantId);
    const day = calendar(timezone).dayOf(Math.floor(nowMs / 1000));
    await addMoney(tx, { tenantId, deviceNo: houseNo }, day, money);
  }

  const addRefund = (tx: Writer, tenantId: number, amount: number, nowMs: number): Promise<void> =>
    addHouse(tx, tenantId, nowMs, { refunds: 1, refundAmount: amount });

  /** A parked credit is let stand: suspense to the card. */
  const addReleased = (
    tx: Writer,
    tenantId: number,
    amount: number,
    nowMs: number,
  ): Promise<void> => addHouse(tx, tenantId, nowMs, { releasedAmount: amount });

  /** A parked credit is given back: suspense to cash. */
  const addReturned = (
    tx: Writer,
    tenantId: number,
    amount: number,
    nowMs: number,
  ): Promise<void> => addHouse(tx, tenantId, nowMs, { returnedAmount: amount });

  /** The range as the tables know it; undefined where there is no such terminal. */
  async function spanOf(
    q: Reader,
    tenantId: number,
    { from, to, terminalId }: DayRange,
  ): Promise<Span | undefined> {
    if (terminalId === null) return { from, to, deviceNo: null };
    const deviceNo = await rows.findDevice(q, tenantId, terminalId);
    return deviceNo === undefined ? undefined : { from, to, deviceNo };
  }

  /** Rows by date and terminal behind a place, whatever run they are in. */
  const page = (
    tenantId: number,
    range: DayRange,
    after: PlacedRow["place"] | undefined,
    limit: number,
  ): Promise<PlacedRow[]> =>
    store.read(async (q) => {
      const span = await spanOf(q, tenantId, range);
      if (span === undefined) return [];
      const [day, deviceNo] = after ?? [span.from, -1];
      const { currency } = await rows.readBooks(q, tenantId);
      const found = await rows.readPage(q, tenantId, span, { day, deviceNo }, false, limit);
      return found.map((row) => ({
        place: [row.day, row.deviceNo],
        row: shownRow(row, currency),
      }));
    });

  /** How many rows the range has, and what they come to; day by day, with a turn for others between. */
  async function summary(
    tenantId: number,
    range: DayRange,
  ): Promise<{ readonly count: number; readonly totals: Totals }> {
    const totals = noTotals();
    let count = 0;
    const span = await store.read((q) => spanOf(q, tenantId, range));
    if (span === undefined) return { count, totals };
    for (let day = span.from; day <= span.to; day++) {
      const found = await store.read((q) => rows.readTotals(q, tenantId, day, span.deviceNo));
      if (found.count === 0) continue;
      count += found.count;
      addTotals(totals, found.totals);
      await nextTurn();
    }
    return { count, totals };
  }

  /** The whole range as a file, as it is now; told of in the audit record. */
  async function taken(
    tenantId: number,
    range: DayRange,
    format: "csv" | "journal",
    by: By,
    nowMs: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { from, to, terminalId } = range;
    const { name: tenant, currency } = await store.read((q) => rows.readBooks(q, tenantId));
    const span = await store.read((q) => spanOf(q, tenantId, range));
    const files = new Files(currency);
    let after: rows.Place | undefined = span && { day: from, deviceNo: -1 };
    while (span !== undefined && after !== undefined) {
      const behind: rows.Place = after;
      const found = await store.read((q) =>
        rows.readPage(q, tenantId, span, behind, true, rowsAtOnce),
      );
      await files.add(found);
      after = found.length < rowsAtOnce ? undefined : found.at(-1);
    }
    const what = { from: dayText(from), to: dayText(to), terminalId, format };
    await store.write((tx) => tellTaken(tx, tenantId, "", what, by, nowMs));
    return format === "csv" ? files.csv() : files.journal({ tenant, from, to, run: null });
  }

  async function tellTaken(
    tx: Writer,
    tenantId: number,
    runId: string,
    metadata: Readonly<Record<string, unknown>>,
    by: By,
    atMs: number,
  ): Promise<void> {
    const { metadata: acting, ...who } = recordedBy(by);
    await audit.append(tx, {
      ...{ tenantId, atMs, action: "fleet.settlement.exported", entityType: "settlementRun" },
      ...{ entityId: runId, ...who },
      metadata: { ...metadata, ...acting },
    });
  }

  /**
   * Closes the days of a range, all of them over, under the tenant's next number, with what came in late
   * for days that other runs have closed.
   * @param write has the run's files kept; default: a turn of the writer
   * @throws Problem validation-error (range, no such terminal) · already-exists · wrong-state
   */
  async function close(
    tenantId: number,
    range: DayRange,
    by: By,
    nowMs: number,
    write: SealingWrite = (work) => store.write(work),
  ): Promise<rows.Run> {
    checkRange(range, "body");
    const span = await store.read((q) => spanOf(q, tenantId, range));
    if (span === undefined) {
      const message = "Must be the number of a terminal";
      throw invalid([{ field: "terminalId", message, code: "NOT_ALLOWED" }]);
    }
    const run = await closeSpan(tenantId, span, by, nowMs, write);
    await finishLeft(tenantId, nowMs);
    return run;
  }

  /** Newest first, below a number. */
  const runs = (tenantId: number, belowNumber: number, limit: number): Promise<rows.Run[]> =>
    store.read((q) => rows.pageRuns(q, tenantId, belowNumber, limit));

  /** Numbers have no gaps. */
  const countRuns = (tenantId: number): Promise<number> =>
    store.read(async (q) => {
      const open = await rows.readOpen(q, tenantId);
      return (await rows.lastNumber(q, tenantId)) - open.length;
    });

  /** The bytes that a run was closed as; files are told of in the audit record. @throws Problem not-found */
  async function frozen(
    tenantId: number,
    id: rows.RunId,
    format: rows.Format,
    by: By,
    nowMs: number,
  ): Promise<{ readonly run: rows.Run; readonly bytes: Uint8Array<ArrayBuffer> }> {
    const found = await store.read(async (q) => {
      const run = await rows.findRun(q, tenantId, id);
      if (run === undefined) return undefined;
      return { run, kept: await rows.readExport(q, tenantId, run.runNo, format) };
    });
    if (found === undefined) throw new Problem("not-found", "There is no such settlement run.");
    const { run, kept } = found;
    if (format !== "json") {
      const what = { number: run.number, format };
      await store.write((tx) => tellTaken(tx, tenantId, run.uuid, what, by, nowMs));
    }
    return { run, bytes: new Uint8Array(await Bun.zstdDecompress(kept)) };
  }

  return {
    ...{ addBatch, addDebit, addTopup, addRefund, addReleased, addReturned },
    ...{ page, summary, taken, close, runs, countRuns, frozen },
  };
}

const dayMs = 86_400_000;

/** Number of the day `YYYY-MM-DD`, from 1970-01-01. */
export const dayNumber = (date: string): number => Date.parse(`${date}T00:00:00Z`) / dayMs;

/** @throws Problem validation-error: the end lies before the beginning, or too far behind it */
export function checkRange({ from, to }: DayRange, part: "body" | "query"): void {
  if (to < from) {
    const message = "Must not be before from";
    throw invalid([{ field: "to", message, code: "TOO_SMALL" }], part);
  }
  if (to - from < settlementRangeMaxDays) return;
  const message = `Must be at most ${settlementRangeMaxDays} days from from`;
  throw invalid([{ field: "to", message, code: "TOO_LARGE" }], part);
}
