/**
 * Where and when a seed plays: a time zone, a first second, one tenant or two with the same card ids. Chosen
 * so that many seeds cross a change of the clocks, a New Year or an ISO week.
 */
import { Random } from "../../../src/sim/random.ts";

export interface Place {
  /** Of the first tenant; the second is elsewhere. */
  readonly timezones: readonly [string, string];
  /** When the server was set up. */
  readonly startSec: number;
}

export interface Ground {
  readonly seed: number;
  readonly place: Place;
  /** Seconds after the set-up when it begins. */
  readonly laterSec: number;
  readonly tenants: 1 | 2;
  /** Cards kept in memory; absent: all. */
  readonly residentMax?: number;
}

const at = (text: string): number => Date.parse(text) / 1000;

const places: readonly Place[] = [
  { timezones: ["Asia/Jakarta", "Europe/Berlin"], startSec: at("2025-05-08T10:26:40Z") },
  // Clocks go on at 01:00 UTC the day after, and back at 01:00 UTC.
  { timezones: ["Europe/Berlin", "Asia/Jakarta"], startSec: at("2025-03-29T08:00:00Z") },
  { timezones: ["Europe/Berlin", "America/New_York"], startSec: at("2025-10-25T09:00:00Z") },
  // At 07:00 and 06:00 UTC.
  { timezones: ["America/New_York", "Europe/Berlin"], startSec: at("2025-03-08T15:00:00Z") },
  { timezones: ["America/New_York", "Asia/Jakarta"], startSec: at("2025-11-01T14:00:00Z") },
  // The last day of a year in its first week, and the first of one in its last.
  { timezones: ["Europe/Berlin", "Asia/Jakarta"], startSec: at("2025-12-30T12:00:00Z") },
  { timezones: ["Asia/Jakarta", "America/New_York"], startSec: at("2026-12-31T06:00:00Z") },
  { timezones: ["Asia/Jakarta", "Europe/Berlin"], startSec: at("2025-06-15T12:00:00Z") },
];

export function groundOf(seed: number): Ground {
  const random = new Random(`ground ${seed}`);
  const place = random.pick(places);
  const residentMax = random.pick([undefined, undefined, undefined, 0, 2]);
  return {
    seed,
    place,
    laterSec: random.int(0, 6 * 3600),
    tenants: random.chance(0.25) ? 2 : 1,
    ...(residentMax !== undefined && { residentMax }),
  };
}
