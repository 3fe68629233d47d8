/**
 * How far a development server's clock was moved, kept beside the data so that a restart does not turn
 * time back under grants and events that were made since. In production there is no such file and
 * nobody reads one.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const fileName = "clock-offset";

/** Seconds; 0 where nothing was kept, or nothing that is a number. */
export function readOffset(dataDir: string): number {
  try {
    const text = readFileSync(join(dataDir, fileName), "utf8").trim();
    return /^-?[0-9]{1,10}$/.test(text) ? Number(text) : 0;
  } catch {
    return 0;
  }
}

/** Keeps the distance of `nowMs` from the machine's own clock. */
export function keepOffset(dataDir: string, nowMs: number): void {
  const offsetSec = Math.round((nowMs - Date.now()) / 1000);
  writeFileSync(join(dataDir, fileName), `${offsetSec}\n`, { mode: 0o600 });
}
