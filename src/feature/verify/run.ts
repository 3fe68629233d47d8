/**
 * Closed settlement: each run's number follows the one before, its exports are the bytes that were
 * hashed, and what they say is what the rows in it say.
 */
import { dayText } from "../../domain/calendar.ts";
import { counted, isShown, type ShownRow, type Totals, totalsOf } from "../../domain/settlement.ts";
import type { Faults } from "./fault.ts";
import {
  readClosed,
  runs,
  type VerifyClosedRow,
  type VerifyRunRow,
  type Walkable,
} from "./store.ts";

const formats = ["csv", "journal", "json"];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const totalsOfRow = (row: VerifyClosedRow): Totals => ({
  ...{ checkins: row.checkins, checkouts: row.checkouts, debits: row.debits },
  ...{ debitAmount: row.debit_amount, credits: row.credits, creditAmount: row.credit_amount },
  ...{ topups: row.topups, topupAmount: row.topup_amount, rejected: row.rejected },
  ...{ flagged: row.flagged, lateEvents: row.late_events, refunds: row.refunds },
  refundAmount: row.refund_amount,
});

const numbers = (totals: Totals): string => counted.map((column) => totals[column]).join(" ");

/** A row by the day that it belongs to, its terminal and its numbers. */
const signOf = (day: string, terminal: number | null, totals: Totals): string =>
  `${day} ${terminal ?? "house"}: ${numbers(totals)}`;

/** The bytes of an export; undefined, and a fault, where they are not those that were hashed. */
function opened(row: VerifyRunRow, key: string, faults: Faults): Uint8Array | undefined {
  const { bytes, export_sha256: digest, format } = row;
  if (bytes === null || digest === null) return undefined;
  let plain: Uint8Array;
  try {
    plain = Bun.zstdDecompressSync(bytes);
  } catch {
    faults.add("settlement export", "settlement_export", `${key}, ${format}`, "zstd", "damaged");
    return undefined;
  }
  const found = Bun.SHA256.hash(plain, "hex");
  faults.same("settlement export", "settlement_export", `${key}, ${format}`, hex(digest), found);
  return plain;
}

type Told = Readonly<Record<string, unknown>> & { readonly data: readonly ShownRow[] };

/** A run's bytes of its CSV, as they were hashed; null while there are none. */
const sealOf = ({ sha256 }: VerifyRunRow): string | null => sha256 && hex(sha256);

/** What the JSON says is what the run and its rows say. */
async function compare(
  q: Walkable,
  run: VerifyRunRow,
  json: Uint8Array,
  key: string,
  faults: Faults,
): Promise<void> {
  const told = JSON.parse(new TextDecoder().decode(json)) as Told;
  const pairs: [string, unknown, unknown][] = [
    ["number", run.number, told.number],
    ["from", dayText(run.from_day), told.from],
    ["to", dayText(run.to_day), told.to],
    ["terminalId", run.terminal_id, told.terminalId],
    ["sha256", sealOf(run), told.sha256],
    ["rows", run.rows, told.data.length],
    ["totals", run.totals, JSON.stringify(told.totals)],
    ["sum of the rows", run.totals, JSON.stringify(totalsOf(told.data))],
  ];
  for (const [what, expected, found] of pairs) {
    faults.same("settlement run", "settlement_run", `${key}, ${what}`, expected, found);
  }
  const rows = (await readClosed(q, run))
    .map((row) => ({ day: dayText(row.day), terminal: row.terminal_id, totals: totalsOfRow(row) }))
    .filter(({ totals }) => isShown(totals))
    .map(({ day, terminal, totals }) => signOf(day, terminal, totals))
    .sort();
  const shown = told.data
    .map((row) => signOf(row.belongsTo ?? row.date, row.terminalId, row))
    .sort();
  const at = rows.findIndex((sign, each) => sign !== shown[each]);
  if (at >= 0 || rows.length !== shown.length) {
    const expected = rows[at < 0 ? rows.length : at] ?? "no row";
    const found = shown[at < 0 ? rows.length : at] ?? "no row";
    faults.add("settlement run", "settlement_export", `${key}, rows`, expected, found);
  }
}

interface Seen {
  readonly run: VerifyRunRow;
  readonly key: string;
  readonly found: string[];
}

/** A run has a file of each format, or, where a stop came before they were made, none. */
function verifyFormats({ run, key, found }: Seen, faults: Faults): void {
  const expected = run.sha256 === null ? [] : formats;
  faults.same("settlement run", "settlement_export", key, `${expected}`, `${found.sort()}`);
}

export async function verifyRuns(q: Walkable, faults: Faults): Promise<void> {
  const numbered = new Map<number, number>();
  let seen: Seen | undefined;
  for (const row of runs(q)) {
    const key = `tenant ${row.tenant_id}, run ${row.number}`;
    if (row.run_no !== seen?.run.run_no) {
      if (seen !== undefined) verifyFormats(seen, faults);
      seen = { run: row, key, found: [] };
      const expected = (numbered.get(row.tenant_id) ?? 0) + 1;
      faults.same("settlement run", "settlement_run", `${key}, number`, expected, row.number);
      numbered.set(row.tenant_id, row.number);
    }
    if (row.format === null) continue;
    seen.found.push(row.format);
    const plain = opened(row, key, faults);
    if (plain === undefined) continue;
    if (row.format === "csv") {
      const found = Bun.SHA256.hash(plain, "hex");
      faults.same("settlement run", "settlement_run", `${key}, sha256`, sealOf(row), found);
    } else if (row.format === "json") await compare(q, row, plain, key, faults);
  }
  if (seen !== undefined) verifyFormats(seen, faults);
}
