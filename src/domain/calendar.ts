/**
 * Local days and ISO weeks of a tenant's time zone, as numbers: a day counts from 1970-01-01, a week
 * (Monday to Sunday) from the one that holds it. Offsets come from the runtime's zone data, once a
 * quarter of an hour, since no zone changes within one.
 */
const quarterSec = 900;
const daySec = 86_400;
const offsetsCachedMax = 10_000;


export interface Calendar {
  readonly timeZone: string;
  /** Local day number of a moment, UTC seconds. */
  dayOf(sec: number): number;
}

/** Week and weekday of a day number. 1970-01-01 was a Thursday. */
export const weekOf = (day: number): number => Math.floor((day + 3) / 7);
export const weekdayOf = (day: number): number => day + 3 - weekOf(day) * 7;

/** `YYYY-MM-DD` of a day number. */
export const dayText = (day: number): string => {
  const [year, month, date] = civil(day);
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(date).padStart(2, "0")}`;
};

/** Proleptic Gregorian date of a day number (days-from-civil, inverted). */
function civil(day: number): [year: number, month: number, date: number] {
  const z = day + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor(
    (doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365,
  );
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  const date = doy - Math.floor((153 * mp + 2) / 5) + 1;
  return [yoe + era * 400 + (month <= 2 ? 1 : 0), month, date];
}

const calendars = new Map<string, Calendar>();

/** @throws RangeError for a time zone that the runtime doesn't know. */
export function calendar(timeZone: string): Calendar {
  const known = calendars.get(timeZone);
  if (known !== undefined) return known;
  const offsets = new Map<number, number>();
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const offsetAt = (sec: number): number => {
    const quarter = Math.floor(sec / quarterSec);
    let offset = offsets.get(quarter);
    if (offset === undefined) {
      const at = quarter * quarterSec;
      const part: Record<string, number> = {};
      for (const { type, value } of format.formatToParts(at * 1000)) part[type] = Number(value);
      const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
      offset = Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - at;
      if (offsets.size >= offsetsCachedMax) offsets.clear();
      offsets.set(quarter, offset);
    }
    return offset;
  };
  const made: Calendar = {
    timeZone,
    dayOf: (sec) => Math.floor((sec + offsetAt(sec)) / daySec),
  };
  calendars.set(timeZone, made);
  return made;
}
