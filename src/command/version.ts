/** `kartu version`: what this program is made of. */
import { Database } from "bun:sqlite";
import type { Command } from "commander";
import { kartuCommit, kartuVersion } from "../system/version.ts";
import type { GlobalOptions } from "./context.ts";
import { Output } from "./output.ts";

export function sqliteVersion(): string {
  const db = new Database(":memory:");
  try {
    const row = db.prepare<{ version: string }, []>("SELECT sqlite_version() AS version").get();
    return row?.version ?? "unknown";
  } finally {
    db.close(true);
  }
}

export function addVersion(program: Command): void {
  program
    .command("version")
    .description("version, commit, Bun, SQLite")
    .action((_: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const versions = {
        version: kartuVersion,
        commit: kartuCommit,
        bun: Bun.version,
        sqlite: sqliteVersion(),
      };
      const { version, commit, bun, sqlite } = versions;
      const text = `kartu ${version} (${commit}), Bun ${bun}, SQLite ${sqlite}`;
      new Output(json === true).result(versions, text);
    });
}
