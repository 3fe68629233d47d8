/**
 * Local days and ISO weeks of a time zone, from the runtime's own calendar. A day is a number that counts
 * up; a week is its Monday.
 */
const daySec = 86_400;
const quarterSec = 900;

export class Calendar {
  readonly #format: Intl.DateTimeFormat;
  /** Zones change their offset on a quarter of an hour, so one look serves it. */
  readonly #known = new Map<number, number>();

  constructor(timeZone: string) {
    const numeric = "2-digit";
    const date = { year: "numeric", month: numeric, day: numeric } as const;
    this.#format = new Intl.DateTimeFormat("en-GB", { timeZone, ...date });
  }

  /** Days since 1 January 1970 of the local date. */
  day(sec: number): number {
    const quarter = Math.floor(sec / quarterSec);
    const known = this.#known.get(quarter);
    if (known !== undefined) return known;
    const [day = 1, month = 1, year = 1970] = this.#format
      .format(quarter * quarterSec * 1000)
      .split("/")
      .map(Number);
    const found = Date.UTC(year, month - 1, day) / 1000 / daySec;
    this.#known.set(quarter, found);
    return found;
  }

  /** The Monday of its week. 1 January 1970 was a Thursday. */
  week(sec: number): number {
    const day = this.day(sec);
    return day - ((((day + 3) % 7) + 7) % 7);
  }

  /** `2025-05-08`. */
  date(sec: number): string {
    return new Date(this.day(sec) * daySec * 1000).toISOString().slice(0, 10);
  }
}
