/** Debian's hledger as a second opinion on a journal: whether it is one, and what it comes to. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Balances by account in minor units, those at zero left out; null where there is no hledger.
 * @throws Error it refuses the journal; or there is none where the suite must run whole
 */
export function hledgerBalances(journal: string): Record<string, number> | null {
  if (Bun.which("hledger") === null) {
    if (process.env.CI !== undefined) throw new Error("hledger is due");
    process.stderr.write("not run: no hledger\n");
    return null;
  }
  const folder = mkdtempSync(join(tmpdir(), "kartu-journal-"));
  const file = join(folder, "settlement.journal");
  writeFileSync(file, journal);
  const run = (...args: string[]): string => {
    const done = Bun.spawnSync(["hledger", "-f", file, ...args], {
      env: { ...process.env, LANG: "C.UTF-8" },
    });
    if (done.exitCode !== 0) throw new Error(`hledger ${args.join(" ")}: ${done.stderr}`);
    return done.stdout.toString();
  };
  try {
    run("check", "--strict");
    const lines = run("balance", "--flat", "--no-total", "-O", "csv").trim().split("\n").slice(1);
    const cells = lines.map((line) => /^"(.+)","\w{3} (-?\d+)"$/.exec(line));
    return Object.fromEntries(cells.map((cell) => [cell?.[1] ?? "?", Number(cell?.[2])]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
