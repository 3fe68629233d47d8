/** That the benchmark runs and says what it promises to say; never how fast anything is. */
import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");

interface Figures {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

const bench = (...args: readonly string[]) =>
  Bun.spawnSync([process.execPath, join(root, "bench", "canonical.ts"), ...args]);

test("a small venue gives the promised JSON, a report, and a ratio", () => {
  const report = mkdtempSync(join(tmpdir(), "kartu-bench-test-"));
  try {
    const only = ["reconcile-50", "ceiling-sqlite"];
    const size = ["--seconds", "1", "--devices", "100", "--cards", "200"];
    const ran = bench("--json", "--only", only.join(), ...size, "--report", report);
    expect(`${ran.exitCode} ${ran.exitCode === 0 ? "" : ran.stderr}`).toBe("0 ");
    const lines = ran.stdout.toString().trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    const result = JSON.parse(lines[0] ?? "");
    expect(Object.keys(result)).toEqual(["machine", "settings", "results", "ratios"]);
    expect(result.settings).toMatchObject({ seconds: 1, devices: 100, cards: 200 });
    const figures: Figures[] = result.results;
    expect(figures.map(({ name }) => name)).toEqual(only);
    for (const { unit, min, median, max, p50Ms, p90Ms, p99Ms } of figures) {
      expect(unit).toBe("events/s");
      expect([0, min, median, max]).toEqual([0, min, median, max].toSorted((a, b) => a - b));
      expect([0, p50Ms, p90Ms, p99Ms]).toEqual([0, p50Ms, p90Ms, p99Ms].toSorted((a, b) => a - b));
      expect(median).toBeGreaterThan(0);
    }
    expect(result.ratios["reconcile-50/ceiling-sqlite"]).toBeNumber();
    expect(readFileSync(join(report, "index.html"), "utf8")).toContain("<svg");
    expect(existsSync(join(report, "result.json"))).toBe(true);
  } finally {
    rmSync(report, { recursive: true, force: true });
  }
}, 60_000);

test("a workload that there is not is wrong usage, and says which there are", () => {
  const ran = bench("--only", "warp-speed");
  expect(ran.exitCode).toBe(2);
  expect(ran.stdout.toString()).toBe("");
  expect(ran.stderr.toString()).toContain("reconcile-500");
});
