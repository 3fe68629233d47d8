/** `kartu settlement …`: what terminals took by day, closing days for good, and the files of both. */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { terminalIdMax } from "../../schema/bound.ts";
import { counted } from "../domain/settlement.ts";
import { type Context, contextOf, UsageError, wholeNumber } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import type { Column } from "./output.ts";
import { pagesDown } from "./page.ts";
import { perform } from "./perform.ts";

type Row = ResultOf<"settlement.show">[number]["row"];
type Run = ResultOf<"settlement.runs">[number];

interface RangeOptions {
  readonly from: string;
  readonly to: string;
  readonly terminal?: string;
}
interface FileOptions {
  readonly format: string;
  readonly out?: string;
}

const pageRows = 1_000;
const formats = ["json", "csv", "journal"] as const;

const rowColumns: readonly Column<Row>[] = [
  { title: "DATE", value: (r) => r.date },
  { title: "TERMINAL", value: (r) => r.terminalId },
  { title: "DEVICE", value: (r) => r.deviceId },
  ...(["debits", "debitAmount", "topups", "topupAmount", "refunds", "refundAmount"] as const).map(
    (column) => ({ title: column.toUpperCase(), value: (r: Row) => r[column] }),
  ),
  ...(["rejected", "flagged", "lateEvents"] as const).map((column) => ({
    title: column.toUpperCase(),
    value: (r: Row) => r[column],
  })),
];

const runColumns: readonly Column<Run>[] = [
  { title: "RUN", value: (r) => r.number },
  { title: "FROM", value: (r) => r.from },
  { title: "TO", value: (r) => r.to },
  { title: "TERMINAL", value: (r) => r.terminalId ?? "all" },
  { title: "ROWS", value: (r) => r.rows },
  { title: "DEBITAMOUNT", value: (r) => r.totals.debitAmount },
  { title: "TOPUPAMOUNT", value: (r) => r.totals.topupAmount },
  { title: "SHA256", value: (r) => r.sha256 },
  { title: "CLOSED", value: (r) => r.closedAt },
];

function argsOf({ from, to, terminal }: RangeOptions, { tenant }: Context) {
  return {
    ...{ from, to },
    ...(terminal !== undefined && {
      terminalId: wholeNumber(terminal, "--terminal", 1, terminalIdMax),
    }),
    ...(tenant !== undefined && { tenant }),
  };
}

function formatOf(text: string): (typeof formats)[number] {
  const format = formats.find((each) => each === text);
  if (format === undefined) throw new UsageError(`--format must be one of ${formats.join(", ")}`);
  return format;
}

async function* rows(context: Context, options: RangeOptions): AsyncGenerator<readonly Row[]> {
  const args = argsOf(options, context);
  for (let after: [number, number] | undefined; ; ) {
    const read = { ...args, limit: pageRows, ...(after !== undefined && { after }) };
    const found = await perform(context, "settlement.show", read);
    yield found.map(({ row }) => row);
    const last = found.at(-1);
    if (last === undefined || found.length < pageRows) return;
    const [day, deviceNo] = last.place;
    after = [day, deviceNo];
  }
}

/** The very bytes: to a file, or to stdout with nothing added. */
function give({ out }: Context, text: string, path: string | undefined, value: object): void {
  if (path !== undefined) {
    writeFileSync(path, text);
    out.result({ ...value, file: path }, `written: ${path}`);
  } else if (out.json) out.result({ ...value, text }, "");
  else process.stdout.write(text);
}

async function show(options: RangeOptions & FileOptions, command: Command): Promise<void> {
  const context = contextOf(command);
  const format = formatOf(options.format);
  if (format !== "json") {
    const args = { ...argsOf(options, context), format };
    const { text } = await perform(context, "settlement.file", args);
    give(context, text, options.out, { format });
    return;
  }
  if (options.out !== undefined) throw new UsageError("--out goes with --format csv or journal");
  await context.out.list(rows(context, options), rowColumns, "nothing in these days");
  if (context.out.json) return;
  const totals = await perform(context, "settlement.totals", argsOf(options, context));
  context.out.say(counted.map((column) => `${column} ${totals[column]}`).join(", "));
}

const ranged = (command: Command): Command =>
  command
    .requiredOption("--from <date>", "first day, YYYY-MM-DD, where the tenant is")
    .requiredOption("--to <date>", "last day")
    .option("--terminal <number>", "one terminal (all, and refunds)");

export function addSettlement(program: Command): void {
  const group = program
    .command("settlement")
    .description("what terminals took by day, and closing days for good");
  ranged(group.command("show"))
    .description("rows by day and terminal as they are now")
    .option("--format <word>", "json, csv, journal (hledger)", "json")
    .option("--out <file>", "write the CSV or journal there")
    .action(show);
  ranged(group.command("close"))
    .description("freeze days that are over under a number; what comes late goes to the next run")
    .action(async (options: RangeOptions, command: Command) => {
      const context = contextOf(command);
      const run = await perform(context, "settlement.close", argsOf(options, context));
      const words = `run ${run.number}: ${run.from} to ${run.to}, ${run.rows} rows, ${run.sha256}`;
      context.out.result(run, words);
    });
  group
    .command("runs")
    .description("every run, newest first")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const found = pagesDown(
        (below, limit) =>
          perform(context, "settlement.runs", { below, limit, ...(tenant && { tenant }) }),
        (run) => run.number,
        (run) => run,
      );
      await context.out.list(found, runColumns, "no runs");
    });
  group
    .command("export <number>")
    .description("a run as it was closed, byte for byte")
    .option("--format <word>", formats.join(", "), "csv")
    .option("--out <file>", "write it there")
    .action(async (text: string, options: FileOptions, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const number = wholeNumber(text, "the run's number", 1, Number.MAX_SAFE_INTEGER);
      const format = formatOf(options.format);
      const args = { number, format, ...(tenant !== undefined && { tenant }) };
      const run = await perform(context, "settlement.export", args);
      give(context, run.text, options.out, { number, format, sha256: run.sha256 });
    });
}
