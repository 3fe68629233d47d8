import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { integrityFaults } from "../../src/store/integrity.ts";
import { temporaryDirectories } from "./fixture.ts";

const directory = temporaryDirectories();
const rounds = 10;

/** Ids on the writer's complete lines; a last line without its end was never handed over whole. */
function acknowledged(output: string): number[] {
  return output.split("\n").slice(0, -1).map(Number);
}

test("kill -9 at any instant loses nothing acknowledged and leaves no half job", async () => {
  const path = join(directory(), "kartu.db");
  const known: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const child = Bun.spawn(
      [process.execPath, join(import.meta.dir, "child-writer.ts"), path, String(round * 100_000)],
      { stdout: "pipe", stderr: "inherit" },
    );
    const decoder = new TextDecoder();
    const killAfter = 200 + Math.floor(Math.random() * 6000);
    let output = "";
    for await (const chunk of child.stdout) {
      output += decoder.decode(chunk, { stream: true });
      if (output.length > killAfter) child.kill("SIGKILL");
    }
    expect(await child.exited).not.toBe(0);
    known.push(...acknowledged(output));

    const db = new Database(path, { strict: true });
    const rows = db.query<{ id: number; label: string }, []>("SELECT id, label FROM item").all();
    const found = new Set(rows.map((row) => row.id));
    expect(known.filter((id) => !found.has(id))).toEqual([]);
    for (const id of found) expect(found.has(id ^ 1)).toBe(true);
    expect(integrityFaults(db)).toEqual([]);
    db.close();
  }
  expect(known.length).toBeGreaterThan(rounds);
}, 30_000);
