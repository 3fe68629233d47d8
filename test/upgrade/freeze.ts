/**
 * Freezes the schema that this program has: writes a backup made by it, packed, and what it said of it.
 * Run once for each release that changes the schema, before it is out; never again for a released one.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { frozenPaths } from "./frozen.ts";
import { tell } from "./story.ts";

const scratch = mkdtempSync(join(tmpdir(), "kartu-freeze-"));
try {
  const file = join(scratch, "backup");
  const story = await tell(file);
  const { packed, told } = frozenPaths(story.schemaVersion);
  writeFileSync(packed, Bun.zstdCompressSync(readFileSync(file), { level: 19 }));
  writeFileSync(told, `${JSON.stringify(story, null, 1)}\n`);
  process.stdout.write(`${packed}\n${told}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
