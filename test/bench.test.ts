/** That the benchmark runs and says what it promises to say; never how fast anything is. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { climbOf, reportOf, type SoakReport } from "../bench/soak/trend.ts";

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

const withReport = (run: (report: string) => void): void => {
  const report = mkdtempSync(join(tmpdir(), "kartu-bench-test-"));
  try {
    run(report);
  } finally {
    rmSync(report, { recursive: true, force: true });
  }
};

test("files of many events are held against the ordinary one, and survive kill -9", () => {
  withReport((report) => {
    const files = ["--scale", "--scale-cards", "400", "--scale-events", "20000"];
    const size = ["--seconds", "0.3", "--devices", "100", "--cards", "200", "--report", report];
    const ran = bench("--json", ...files, ...size);
    expect(`${ran.exitCode} ${ran.exitCode === 0 ? "" : ran.stderr}`).toBe("0 ");
    const { results, ratios } = JSON.parse(ran.stdout.toString());
    const names = (results as Figures[]).map(({ name }) => name);
    const files4 = ["scale-200-0", "scale-200-4k", "scale-400-4k", "scale-400-20k"];
    expect(names).toEqual([...files4, "scale-grant-400-20k", "scale-restart-400-20k"]);
    expect(Object.keys(ratios)).toEqual(files4.slice(1).map((name) => `${name}/scale-200-0`));
    expect(readFileSync(join(report, "index.html"), "utf8")).toContain("400 cards");
  });
}, 120_000);

test("a file that was made past the server is one that the server could have written", () => {
  withReport((folder) => {
    const dataDir = join(folder, "data");
    const run = (...args: readonly string[]): string => {
      const ran = Bun.spawnSync([process.execPath, ...args], { cwd: root });
      expect(`${ran.exitCode} ${ran.exitCode === 0 ? "" : ran.stderr}`).toBe("0 ");
      return ran.stdout.toString();
    };
    run("src/main.ts", "init", "--data", dataDir, "--json");
    const { openSec } = JSON.parse(run("bench/store/venue.ts", dataDir, "100", "0"));
    // Not a whole number of rounds: some cards have an event more than others.
    const numbers = ["2000", "99990", String(openSec), "1"];
    run("bench/scale/build.ts", dataDir, ...numbers, join(folder, "cards.bin"));
    const verdict = JSON.parse(run("src/main.ts", "verify", "--data", dataDir, "--json"));
    expect(verdict).toEqual({ ok: true, count: 0, faults: [] });
    const db = new Database(join(dataDir, "kartu.db"), { readonly: true });
    const sql = `SELECT count(*) AS events, count(DISTINCT card_no) AS cards, max(counter) AS depth,
       (SELECT count(*) FROM event_place) AS places, (SELECT count(*) FROM debit_week) AS weeks,
       (SELECT count(*) FROM flag) > 0 AS flags FROM event`;
    const facts = {
      events: 99_990,
      cards: 2_000,
      depth: 50,
      places: 2_000,
      weeks: 4_000,
      flags: 1,
    };
    expect(db.prepare<typeof facts, []>(sql).get()).toEqual(facts);
    db.close();
  });
}, 60_000);

test("a soak tells of every reading, and the file it leaves is proved", () => {
  withReport((report) => {
    const size = ["--seconds", "5", "--devices", "100", "--cards", "320", "--report", report];
    const ran = bench("--json", "--soak", ...size);
    expect(`${ran.exitCode} ${ran.exitCode === 0 ? "" : ran.stderr}`).toBe("0 ");
    const { results, soak } = JSON.parse(ran.stdout.toString());
    expect((results as Figures[])[0]).toMatchObject({ name: "soak", unit: "events/s" });
    expect(soak.gauges.length).toBeGreaterThan(1);
    const readings = (soak as SoakReport).trends.map(({ reading }) => reading);
    expect(readings).toEqual(["rssMb", "walMb", "openFiles", "p99Ms", "databaseMb"]);
    expect(soak.flat).toBeBoolean();
  });
}, 60_000);

test("a climb is the rise of the straight line through all points", () => {
  const at = (...ys: readonly number[]) => climbOf(ys.map((y, x) => [10 * x, y]));
  expect(at()).toBe(0);
  expect(at(5)).toBe(0);
  expect(at(5, 5, 5)).toBe(0);
  expect(at(1, 2, 3, 4)).toBeCloseTo(3);
  expect(at(4, 2, 0)).toBeCloseTo(-4);
  expect(at(0, 9, 0)).toBeCloseTo(0);
});

test("the first third of a soak is for caches to fill", () => {
  const gauge = (atSec: number, rssMb: number) => ({
    ...{ atSec, rssMb, walMb: 16, openFiles: 20, p99Ms: 5, databaseMb: atSec },
  });
  const memory = (...rss: readonly number[]) => {
    const report = reportOf(
      rss.length * 10,
      rss.map((mb, i) => gauge(10 * (i + 1), mb)),
    );
    return [report.flat, report.trends[0]?.climb];
  };
  expect(memory(50, 100, 200, 200, 200, 200)).toEqual([true, 0]);
  expect(memory(50, 100, 200, 220, 240, 260)).toEqual([false, 60]);
  // 10 % of the mean, or 32 MB.
  expect(memory(0, 0, 1000, 1030, 1060, 1090)).toEqual([true, 90]);
});

test("a workload that there is not is wrong usage, and says which there are", () => {
  const ran = bench("--only", "warp-speed");
  expect(ran.exitCode).toBe(2);
  expect(ran.stdout.toString()).toBe("");
  expect(ran.stderr.toString()).toContain("reconcile-500");
});

test("two runs of their own are not one", () => {
  const ran = bench("--scale", "--soak");
  expect(ran.exitCode).toBe(2);
  expect(ran.stderr.toString()).toContain("runs of their own");
});
