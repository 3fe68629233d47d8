/**
 * What a workload is to the run: a name, a unit, and how to start it. Which ones there are stands in
 * `canonical.ts`; what each does, in its own file.
 */
import { closeSync, copyFileSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Pins } from "./http/process.ts";
import type { Sample } from "./stat.ts";
import type { Venue } from "./store/venue.ts";

/** What all workloads share. */
export interface Site {
  readonly venue: Venue;
  readonly pins: Pins;
  /** Folder of the venue as it was made; never served from. */
  readonly template: string;
  /** Folder for copies. */
  readonly folder: string;
  readonly seed: number;
  warn(text: string): void;
  /** Something that belongs to the figures: stands below the table. */
  note(text: string): void;
}

export interface Running {
  /** Load that is not measured: compilers and caches settle. */
  warmUp(): Promise<void>;
  /** One repeat; what it needs is made before its clock starts. */
  sample(windowMs: number): Promise<Sample>;
  /** Ends its processes and checks what they left behind. @throws when a check fails */
  finish(): Promise<void>;
}

export interface Workload {
  readonly name: string;
  readonly unit: string;
  /** True where a smaller figure is the better one. */
  readonly lessIsBetter?: true;
  /** Name of the workload that its figure is held against. */
  readonly over?: string;
  /** Line that its median is a point of, in the chart of costs over rows. */
  readonly curve?: string;
  /** Measured once all others are done, because it disturbs what they share. */
  readonly last?: true;
  /** Measured in one piece, by itself. */
  readonly whole?: true;
  /** In a chart of its own: nothing else is of its size. */
  readonly apart?: true;
  /** One line for readers of the report. */
  readonly about: string;
  start(site: Site): Promise<Running>;
}

const dataFiles = ["kartu.db", "master.key"];

/** A data directory of its own, on the disk before this returns: no write-back disturbs a clock. */
export function copyVenue(site: Site, name: string): string {
  const dataDir = join(site.folder, name);
  mkdirSync(dataDir, { mode: 0o700 });
  for (const file of dataFiles) {
    const to = join(dataDir, file);
    copyFileSync(join(site.template, file), to);
    const handle = openSync(to, "r+");
    fsyncSync(handle);
    closeSync(handle);
  }
  return dataDir;
}
