/**
 * Local days and ISO weeks of a tenant's time zone, as numbers: a day counts from 1970-01-01, a week
 * (Monday to Sunday) from the one that holds it. Offsets are the runtime's zone data, kept for each day
 * of UTC; no zone has ever changed its clocks twice within one.
 */
const daySec = 86_400;
const offsetsCachedMax = 10_000;
const zonesCachedMax = 1_000;

export interface Calendar {
  readonly timeZone: string;
  /** Local day number of a moment, UTC seconds. */
  dayOf(sec: number): number;
}

/** Week and weekday of a day number. 1970-01-01 was a Thursday. */
export const weekOf = (day: number): number => Math.floor((day + 3) / 7);
export const weekdayOf = (day: number): number => day + 3 - weekOf(day) * 7;

/** `YYYY-MM-DD` of a day number. */
export const dayText = (day: number): string =>
  new Date(day * daySec * 1000).toISOString().slice(0, 10);

/** The offset from UTC, in seconds, on one day of UTC: `before` until `changeSec`, then `after`. */
interface Offsets {
  readonly before: number;
  readonly changeSec: number;
  readonly after: number;
}

function readOffsets(timeZone: string, utcDay: number): Offsets {
  const at = (sec: number) =>
    Temporal.Instant.fromEpochMilliseconds(sec * 1000).toZonedDateTimeISO(timeZone);
  const offsetAt = (sec: number): number => at(sec).offsetNanoseconds / 1e9;
  const startSec = utcDay * daySec;
  const before = offsetAt(startSec);
  const after = offsetAt(startSec + daySec - 1);
  if (before === after) return { before, changeSec: startSec, after };
  const change = at(startSec).getTimeZoneTransition("next");
  return { before, changeSec: change === null ? startSec : change.epochMilliseconds / 1000, after };
}

const calendars = new Map<string, Calendar>();

/** @throws RangeError for a time zone that the runtime doesn't know. */
export function calendar(timeZone: string): Calendar {
  const known = calendars.get(timeZone);
  if (known !== undefined) return known;
  const days = new Map<number, Offsets>([[0, readOffsets(timeZone, 0)]]);
  const made: Calendar = {
    timeZone,
    dayOf(sec) {
      const utcDay = Math.floor(sec / daySec);
      let offsets = days.get(utcDay);
      if (offsets === undefined) {
        offsets = readOffsets(timeZone, utcDay);
        if (days.size >= offsetsCachedMax) days.clear();
        days.set(utcDay, offsets);
      }
      const offset = sec < offsets.changeSec ? offsets.before : offsets.after;
      return Math.floor((sec + offset) / daySec);
    },
  };
  if (calendars.size >= zonesCachedMax) calendars.clear();
  calendars.set(timeZone, made);
  return made;
}
