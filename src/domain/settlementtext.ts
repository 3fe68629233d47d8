/**
 * Settlement as CSV (RFC 4180): a header line, then the rows in their order, each with CRLF, that a
 * spreadsheet opens without running any of it: a cell of words that begins as a formula does gets an
 * apostrophe in front. Numbers stay numbers, also negative ones, so that they can be summed.
 */
import { counted, type ShownRow } from "./settlement.ts";

const columns = [
  ...(["date", "terminalId", "deviceId", "name", "currency"] as const),
  ...counted,
  "belongsTo",
] as const satisfies readonly (keyof ShownRow)[];

/** Tab and CR too: some programs skip them in front of a formula. */
const formula = /^[=+\-@\t\r]/;

/** One cell: null is empty. */
function csvCell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const line = (cells: readonly (string | number | null)[]): string =>
  `${cells.map(csvCell).join(",")}\r\n`;

/** The header line. */
export const csvHead: string = line(columns);

/** A row as its line. */
export const csvLine = (row: ShownRow): string => line(columns.map((column) => row[column]));
