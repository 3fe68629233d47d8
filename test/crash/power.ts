/**
 * What a power cut leaves of a WAL: all that was written before its last sync, and of what was written
 * since then any part. A kill leaves all of it, because the system goes on; so the part that may be lost
 * is taken from a trace of the calls, and lost. The database file is left as it is.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

interface Write {
  readonly at: number;
  readonly bytes: number;
}

/** `12 pwrite64(7</data/kartu.db-wal>, ""..., 24, 32) = 24`, `12 fsync(7</data/kartu.db-wal>) = 0`. */
const call = /^(\d+) +(\w+)\(\d+<([^>]*)>(?:, .*, (\d+), (\d+))?(.*)$/;
const resumed = /^(\d+) +<\.\.\. f(?:data)?sync resumed>.*= 0$/;

/** Writes to `file` that no sync came after, oldest first. */
export function unsynced(trace: string, file: string): Write[] {
  let writes: Write[] = [];
  /** By thread: a sync under way covers what was written before it began. */
  const syncing = new Map<string, number>();
  const synced = (count: number): void => {
    writes = writes.slice(count);
    for (const [thread, due] of syncing) syncing.set(thread, Math.max(0, due - count));
  };
  for (const line of trace.split("\n")) {
    const again = resumed.exec(line)?.[1];
    if (again !== undefined) synced(syncing.get(again) ?? 0);
    const [, thread = "", name, path, bytes, at, rest = ""] = call.exec(line) ?? [];
    if (path !== file) continue;
    if (name === "pwrite64") writes.push({ at: Number(at), bytes: Number(bytes) });
    else if (rest.endsWith("= 0")) synced(writes.length);
    else syncing.set(thread, writes.length);
  }
  return writes;
}

/** What the disk writes at once. */
const sectorBytes = 512;

/** Loses sectors of what was not synced, each or none by chance. Returns how many it looked at. */
export function cutPower(traceFile: string, file: string, roll: (max: number) => number): number {
  const lost = unsynced(readFileSync(traceFile, "utf8"), file);
  const handle = openSync(file, "r+");
  let sectors = 0;
  try {
    for (const { at, bytes } of lost) {
      for (let from = at; from < at + bytes; from += sectorBytes) {
        sectors += 1;
        const length = Math.min(sectorBytes, at + bytes - from);
        if (roll(2) === 0) writeSync(handle, new Uint8Array(length), 0, length, from);
      }
    }
  } finally {
    closeSync(handle);
  }
  return sectors;
}
