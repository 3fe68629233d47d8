/** What the benchmark runs on: written beside every figure, because none means much without it. */
import { Database } from "bun:sqlite";
import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { percentile } from "./stat.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly os: string;
  readonly bun: string;
  readonly sqlite: string;
  readonly fileSystem: string;
  /** Median of writing 4 KiB and fdatasync, in the folder that the servers use. */
  readonly syncMs: number;
}

const fileSystems = new Map<number, string>([
  [0xef53, "ext4"],
  [0x01021994, "tmpfs"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0x794c7630, "overlayfs"],
  [0x2fc12fc1, "zfs"],
]);

export function fileSystemOf(folder: string): string {
  const { type } = statfsSync(folder);
  return fileSystems.get(type) ?? `0x${type.toString(16)}`;
}

const syncs = 41;

function measureSyncMs(folder: string): number {
  const path = join(folder, "sync.tmp");
  const file = openSync(path, "w");
  const page = new Uint8Array(4096).fill(7);
  const tookMs = new Float64Array(syncs);
  for (let i = 0; i < syncs; i++) {
    const startMs = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    tookMs[i] = performance.now() - startMs;
  }
  closeSync(file);
  rmSync(path);
  return percentile(tookMs.sort(), 0.5);
}

function sqliteVersion(): string {
  const db = new Database(":memory:");
  const row = db.query<{ version: string }, []>("SELECT sqlite_version() AS version").get();
  db.close();
  return row?.version ?? "";
}

export const describeMachine = (folder: string): Machine => ({
  cpu: cpus()[0]?.model ?? arch(),
  cores: availableParallelism(),
  memoryGb: Math.round(totalmem() / 2 ** 30),
  os: `${platform()} ${release()} ${arch()}`,
  bun: Bun.version,
  sqlite: sqliteVersion(),
  fileSystem: fileSystemOf(folder),
  syncMs: Math.round(measureSyncMs(folder) * 100) / 100,
});
