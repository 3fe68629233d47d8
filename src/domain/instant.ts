/**
 * Moments and dates as people write them (ISO 8601, the extended form of RFC 3339 and the basic one),
 * read strictly: a moment has a zone, a day exists. Not calendars and not time zones by name.
 */
const moment =
  /^(\d{4})(-?)(\d{2})\2(\d{2})[Tt](\d{2})(?:(:?)(\d{2})(?:\6(\d{2})(?:[.,](\d{1,9}))?)?)?(Z|z|[+-]\d{2}(?::?\d{2})?)$/;
const day = /^(\d{4})-(\d{2})-(\d{2})$/;
const minuteMs = 60_000;

const daysIn = (year: number, month: number): number =>
  new Date(Date.UTC(year, month, 0)).getUTCDate();

const isDay = (year: number, month: number, date: number): boolean =>
  month >= 1 && month <= 12 && date >= 1 && date <= daysIn(year, month);

/** Years below 100 would be taken for the twentieth century. */
const yearMin = 1000;

/** Minutes east of Greenwich; undefined where the clock does not go so far. */
function zoneMinutes(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(":", "") || "0");
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

/** Milliseconds since 1970 of a moment with a zone; undefined when the text is none. */
export function instantMs(text: string): number | undefined {
  const match = moment.exec(text);
  if (match === null) return undefined;
  const part = (at: number): number => Number(match[at] ?? "0");
  const [year, month, date, hour, minute] = [part(1), part(3), part(4), part(5), part(7)];
  const second = part(8);
  const offset = zoneMinutes(match[10] ?? "Z");
  if (offset === undefined || year < yearMin || !isDay(year, month, date)) return undefined;
  // 24:00 is the end of a day; a 60th second is a leap second, which clocks here do not have.
  const isEndOfDay = hour === 24 && minute === 0 && second === 0;
  if ((hour > 23 && !isEndOfDay) || minute > 59 || second > 59) return undefined;
  const ms = Number((match[9] ?? "0").padEnd(3, "0").slice(0, 3));
  return Date.UTC(year, month - 1, date, hour, minute, second, ms) - offset * minuteMs;
}

/** Whether the text is a day, `YYYY-MM-DD`, that exists. */
export function isDate(text: string): boolean {
  const match = day.exec(text);
  if (match === null) return false;
  const [year, month, date] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return year >= yearMin && isDay(year, month, date);
}

/** As every answer writes a moment: `2026-11-21T16:33:00.000Z`. */
export const instantText = (ms: number): string => new Date(ms).toISOString();

/** The ends of a time filter in ms, as they were validated; null where there is none. */
export const spanMs = ({ from, to }: { readonly from?: string; readonly to?: string }) => ({
  fromMs: from === undefined ? null : (instantMs(from) ?? null),
  toMs: to === undefined ? null : (instantMs(to) ?? null),
});

/** The same as whole seconds of things that have no finer time; all of time where there is none. */
export function spanSec(given: { readonly from?: string; readonly to?: string }) {
  const { fromMs, toMs } = spanMs(given);
  return {
    fromSec: fromMs === null ? 0 : Math.max(0, Math.ceil(fromMs / 1000)),
    toSec: toMs === null ? Number.MAX_SAFE_INTEGER : Math.ceil(toMs / 1000),
  };
}
