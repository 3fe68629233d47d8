/**
 * What a card has spent: sums of its accepted debits by local day, kept a week at a time. The newest
 * week stands in the head, the others in rows of their own.
 */
import { weekdayOf, weekOf } from "./calendar.ts";
import { type Head, noDays } from "./cardrecord.ts";

export type Weeks = ReadonlyMap<number, readonly number[]>;

export interface Spent {
  readonly daySum: number;
  readonly weekSum: number;
  /** Week and days of the head after the debit. */
  readonly week: number;
  readonly days: readonly number[];
  /** A week of its own row that changed: the debit's, or the one that left the head. */
  readonly stored: { readonly week: number; readonly days: readonly number[] } | null;
}

/** Adds a debit of `amount` on local day `day`; `weeks` holds the rows of the weeks outside the head. */
export function spend(
  head: Pick<Head, "week" | "days">,
  weeks: Weeks,
  day: number,
  amount: number,
): Spent {
  const week = weekOf(day);
  const weekday = weekdayOf(day);
  const before = week === head.week ? head.days : (weeks.get(week) ?? noDays);
  const daySum = (before[weekday] ?? 0) + amount;
  const days = before.with(weekday, daySum);
  const weekSum = days.reduce((sum, each) => sum + each, 0);
  if (week === head.week) return { daySum, weekSum, week, days, stored: null };
  if (week < head.week) {
    return { daySum, weekSum, week: head.week, days: head.days, stored: { week, days } };
  }
  const leaves = head.days.some((each) => each !== 0);
  const stored = leaves ? { week: head.week, days: head.days } : null;
  return { daySum, weekSum, week, days, stored };
}
