/** Where the files of releases are, and how they are unpacked. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Story } from "./story.ts";

export const frozenPaths = (version: number): { packed: string; told: string } => ({
  packed: join(import.meta.dir, `schema-${version}.backup.zst`),
  told: join(import.meta.dir, `schema-${version}.json`),
});

export const storyOf = (version: number): Story =>
  JSON.parse(readFileSync(frozenPaths(version).told, "utf8")) as Story;

/** Writes the backup of a release to `file`. */
export function unpack(version: number, file: string): void {
  writeFileSync(file, Bun.zstdDecompressSync(readFileSync(frozenPaths(version).packed)));
}
