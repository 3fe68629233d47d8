/** Closing days as the one who runs a venue does, and reading what was closed in every format there is. */
import { expect } from "bun:test";
import { counted, type ShownRow, type Totals, totalsOf } from "../../src/domain/settlement.ts";
import { hledgerBalances } from "../hledger.ts";
import type { Manager } from "./manager.ts";

interface Run {
  readonly id: string;
  readonly number: number;
  readonly rows: number;
  readonly totals: Totals;
  readonly sha256: string;
}

/** The bytes of a range or run. */
interface Exports {
  readonly json: string;
  readonly csv: string;
  readonly journal: string;
}

/** A range or a run in every format; `where` ends with `?` or `&`. */
export async function exportsOf(manager: Manager, where: string): Promise<Exports> {
  const [json = "", csv = "", journal = ""] = await Promise.all(
    ["json", "csv", "journal"].map((format) => manager.text("GET", `${where}format=${format}`)),
  );
  return { json, csv, journal };
}

/** Closes days with a run that says the same in each format. */
export async function close(
  manager: Manager,
  range: Readonly<Record<"from" | "to", string>>,
): Promise<{ run: Run; files: Exports }> {
  const run = await manager.post<Run>("/fleet/settlement/runs", range);
  const files = await exportsOf(manager, `/fleet/settlement/runs/${run.id}?`);
  const whole = JSON.parse(files.json) as Run & { data: ShownRow[] };
  expect(whole).toMatchObject({ ...run });
  expect(totalsOf(whole.data)).toEqual(run.totals);
  expect(whole.data.length).toBe(run.rows);
  const [head = "", ...lines] = files.csv.trimEnd().split("\r\n");
  expect(lines.length).toBe(run.rows);
  const names = head.split(",");
  const sumOf = (name: string) =>
    lines.reduce((sum, line) => sum + Number(line.split(",")[names.indexOf(name)]), 0);
  expect(Object.fromEntries(counted.map((name) => [name, sumOf(name)]))).toEqual(run.totals);
  expect(new Bun.CryptoHasher("sha256").update(files.csv).digest("hex")).toBe(run.sha256);
  const balances = hledgerBalances(files.journal);
  if (balances !== null) {
    const tills = Object.entries(balances).filter(([name]) => name.startsWith("settlement:"));
    const taken = tills.reduce((sum, [, amount]) => sum + amount, 0);
    expect(taken).toBe(run.totals.debitAmount);
  }
  return { run, files };
}
