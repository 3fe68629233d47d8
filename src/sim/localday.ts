/**
 * Local days and ISO weeks of UTC seconds, by Intl alone. Cached by the quarter of an hour, the finest
 * step of any time zone.
 */
const quarterSec = 900;
const daySec = 86_400;

export class LocalDays {
  readonly #format: Intl.DateTimeFormat;
  readonly #days = new Map<number, number>();

  constructor(timezone: string) {
    this.#format = new Intl.DateTimeFormat("en-CA", {
      timeZone: timezone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    });
  }

  /** Days since 1970-01-01 of the local date. */
  day(timestamp: number): number {
    const quarter = Math.floor(timestamp / quarterSec);
    let day = this.#days.get(quarter);
    if (day === undefined) {
      const date = this.#format.format(quarter * quarterSec * 1_000);
      day = Date.parse(`${date}T00:00:00Z`) / 1_000 / daySec;
      this.#days.set(quarter, day);
    }
    return day;
  }

  /** Weeks since Monday 1969-12-29, as ISO weeks begin. */
  week(timestamp: number): number {
    return Math.floor((this.day(timestamp) + 3) / 7);
  }
}
