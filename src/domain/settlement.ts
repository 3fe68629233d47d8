/**
 * What a terminal did on a day as others see it: one row a day and terminal, and what rows come to. How
 * rows are counted is `tally.ts`; how they are written down, `settlementtext.ts` and `journal.ts`.
 */
import { dayText } from "./calendar.ts";

/** Columns that are counted and added up, in the order in which a row shows them. */
export const counted = [
  "checkins",
  "checkouts",
  "debits",
  "debitAmount",
  "credits",
  "creditAmount",
  "topups",
  "topupAmount",
  "rejected",
  "flagged",
  "lateEvents",
  "refunds",
  "refundAmount",
] as const;
export type Counted = (typeof counted)[number];

/** Counts, and amounts in minor units. Below zero where something was taken back later. */
export type Totals = { [K in Counted]: number };

/** Money that moved beside the columns that rows show, in minor units; the journal has it. */
export interface ParkedMoney {
  /** Credits without a top-up: cash to suspense. */
  readonly parkedAmount: number;
  /** Those let stand: suspense to the cards. */
  readonly releasedAmount: number;
  /** Those given back: suspense to cash. */
  readonly returnedAmount: number;
}

/** A day of a terminal, or of the house, which has no number and no name. */
export interface DayRow extends Readonly<Totals>, ParkedMoney {
  /** Local day by which it is booked. */
  readonly day: number;
  /** The local day that it belongs to, where that was closed before it came in. */
  readonly belongsTo: number | null;
  readonly terminalId: number | null;
  readonly deviceId: string | null;
  readonly name: string | null;
}

/** Days, both in it. `terminalId` null: all terminals, and the house. */
export interface DayRange {
  readonly from: number;
  readonly to: number;
  readonly terminalId: number | null;
}

/** A row as answers and files show it. */
export type ShownRow = {
  date: string;
  terminalId: number | null;
  deviceId: string | null;
  name: string | null;
  currency: string;
} & Totals & { belongsTo: string | null };

export const noTotals = (): Totals => ({
  checkins: 0,
  checkouts: 0,
  debits: 0,
  debitAmount: 0,
  credits: 0,
  creditAmount: 0,
  topups: 0,
  topupAmount: 0,
  rejected: 0,
  flagged: 0,
  lateEvents: 0,
  refunds: 0,
  refundAmount: 0,
});

/** Whether there is anything to show; days with nothing give no row. */
export const isShown = (row: Readonly<Totals>): boolean =>
  counted.some((column) => row[column] !== 0);

export function totalsOf(rows: Iterable<Readonly<Totals>>): Totals {
  const totals = noTotals();
  for (const row of rows) for (const column of counted) totals[column] += row[column];
  return totals;
}

export function shownRow(row: DayRow, currency: string): ShownRow {
  const totals = noTotals();
  for (const column of counted) totals[column] = row[column];
  const { terminalId, deviceId, name, belongsTo } = row;
  return {
    ...{ date: dayText(row.day), terminalId, deviceId, name, currency },
    ...totals,
    belongsTo: belongsTo === null ? null : dayText(belongsTo),
  };
}

/** The house stands behind the terminals of a day. */
const placeOf = ({ terminalId }: DayRow): number => terminalId ?? Number.MAX_SAFE_INTEGER;

/** Order of rows: date, terminal, and what belongs to another day behind what does not. */
export const byPlace = (a: DayRow, b: DayRow): number =>
  a.day - b.day ||
  placeOf(a) - placeOf(b) ||
  (a.belongsTo ?? Number.NEGATIVE_INFINITY) - (b.belongsTo ?? Number.NEGATIVE_INFINITY) ||
  0;
