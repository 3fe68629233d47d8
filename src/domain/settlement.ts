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
  /** Row of the device; the house stands behind all of them. */
  readonly deviceNo: number;
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

/** Rows come day by day: the day before last is seldom asked for again. */
let lastDay = 0;
let lastText = dayText(0);

function textOf(day: number): string {
  if (day !== lastDay) {
    lastDay = day;
    lastText = dayText(day);
  }
  return lastText;
}

export const shownRow = (row: DayRow, currency: string): ShownRow => ({
  date: textOf(row.day),
  terminalId: row.terminalId,
  deviceId: row.deviceId,
  name: row.name,
  currency,
  checkins: row.checkins,
  checkouts: row.checkouts,
  debits: row.debits,
  debitAmount: row.debitAmount,
  credits: row.credits,
  creditAmount: row.creditAmount,
  topups: row.topups,
  topupAmount: row.topupAmount,
  rejected: row.rejected,
  flagged: row.flagged,
  lateEvents: row.lateEvents,
  refunds: row.refunds,
  refundAmount: row.refundAmount,
  belongsTo: row.belongsTo === null ? null : dayText(row.belongsTo),
});

/** Adds `more` to what is in `totals`. */
export function addTotals(totals: Totals, more: Readonly<Totals>): void {
  for (const column of counted) totals[column] += more[column];
}

const sumOf = (a: DayRow, b: DayRow): DayRow => {
  const totals = totalsOf([a, b]);
  return {
    ...{ ...a, ...totals, parkedAmount: a.parkedAmount + b.parkedAmount },
    releasedAmount: a.releasedAmount + b.releasedAmount,
    returnedAmount: a.returnedAmount + b.returnedAmount,
  };
};

/**
 * What came late, one row a day and device, in the order of rows: booked on the last day of the run that
 * it came into, with the day that it belongs to.
 */
export function bookedLate(rows: readonly DayRow[], to: number): DayRow[] {
  const byDay = new Map<string, DayRow>();
  for (const row of rows) {
    const key = `${row.day} ${row.deviceNo}`;
    const known = byDay.get(key);
    byDay.set(key, known === undefined ? row : sumOf(known, row));
  }
  return [...byDay.values()]
    .sort((a, b) => a.deviceNo - b.deviceNo || a.day - b.day)
    .map((row) => ({ ...row, day: to, belongsTo: row.day }));
}

/** Rows of a run's own days with those that are booked on its last day among them. */
export function* merged(own: readonly DayRow[], late: DayRow[], isLast: boolean): Iterable<DayRow> {
  for (const row of own) {
    // A terminal's own row of the day stands before what belongs to other days.
    for (let next = late[0]; next !== undefined; next = late[0]) {
      const isBefore = next.day < row.day || (next.day === row.day && next.deviceNo < row.deviceNo);
      if (!isBefore) break;
      yield next;
      late.shift();
    }
    yield row;
  }
  if (isLast) yield* late;
}
