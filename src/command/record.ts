/** `kartu batch|event|report list` and `kartu blocklist …`: what devices handed in, and what they refuse. */
import type { Command } from "commander";
import { terminalIdMax } from "../../schema/bound.ts";
import { type Context, contextOf, UsageError, wholeNumber } from "./context.ts";
import type { ArgsOf, ResultOf } from "./operation.ts";
import type { Column } from "./output.ts";
import { pagesDown } from "./page.ts";
import { perform } from "./perform.ts";

const pageRows = 1_000;
const outcomes = ["accepted", "flagged", "rejected"] as const;

interface Filters {
  readonly card?: string;
  readonly terminal?: string;
  readonly outcome?: string;
}

type Batch = ResultOf<"batch.list">[number]["batch"];
type Event = ResultOf<"event.list">[number]["event"];
type Report = ResultOf<"report.list">[number]["report"];
type Listed = ResultOf<"blocklist.list">[number]["listed"];

const batchColumns: readonly Column<Batch>[] = [
  { title: "ID", value: (b) => b.id },
  { title: "TERMINAL", value: (b) => b.terminalId },
  { title: "RECEIVED", value: (b) => b.receivedAt },
  { title: "EVENTS", value: (b) => b.events },
  { title: "REJECTED", value: (b) => b.rejected },
  { title: "FLAGGED", value: (b) => b.flagged },
  { title: "DEBITS", value: (b) => b.debitAmount },
];
const eventColumns: readonly Column<Event>[] = [
  { title: "ID", value: (e) => e.id },
  { title: "AT", value: (e) => e.timestamp },
  { title: "TERMINAL", value: (e) => e.terminalId },
  { title: "CARD", value: (e) => e.cardId },
  { title: "COUNTER", value: (e) => e.counter },
  { title: "TYPE", value: (e) => e.type },
  { title: "AMOUNT", value: (e) => e.amount },
  { title: "OUTCOME", value: (e) => e.outcome },
  { title: "REASONS", value: (e) => e.reasons.join(" ") || "-" },
];
const reportColumns: readonly Column<Report>[] = [
  { title: "ID", value: (r) => r.id },
  { title: "AT", value: (r) => r.timestamp },
  { title: "TERMINAL", value: (r) => r.terminalId },
  { title: "CARD", value: (r) => r.cardId ?? "-" },
  { title: "TYPE", value: (r) => r.eventType },
  { title: "ACTION", value: (r) => r.action },
];
const listedColumns: readonly Column<Listed>[] = [
  { title: "CARD", value: (l) => l.cardId },
  { title: "STATUS", value: (l) => l.status },
  { title: "REGISTERED", value: (l) => (l.registered ? "yes" : "no") },
  { title: "SINCE", value: (l) => l.blockedAt },
  { title: "REASON", value: (l) => l.reason ?? "-" },
];

/** Events page after page, each behind the place of the last one before. */
async function* events(
  context: Context,
  first: Omit<ArgsOf<"event.list">, "place">,
): AsyncGenerator<Event[]> {
  for (let args: ArgsOf<"event.list"> = first; ; ) {
    const rows = await perform(context, "event.list", args);
    yield rows.map(({ event }) => event);
    const last = rows.at(-1);
    if (last === undefined || rows.length < first.limit) return;
    args = { ...first, place: last.place };
  }
}

function filtersOf({ card, terminal }: Filters, { tenant }: Context) {
  return {
    ...(card !== undefined && { cardId: card }),
    ...(terminal !== undefined && {
      terminalId: wholeNumber(terminal, "--terminal", 1, terminalIdMax),
    }),
    ...(tenant !== undefined && { tenant }),
  };
}

function outcomeOf(word: string | undefined): { outcome?: (typeof outcomes)[number] } {
  if (word === undefined) return {};
  const outcome = outcomes.find((each) => each === word);
  if (outcome === undefined)
    throw new UsageError(`--outcome must be one of ${outcomes.join(", ")}`);
  return { outcome };
}

export function addRecord(program: Command): void {
  const listing = (noun: string, what: string): Command =>
    program.command(noun).description(what).command("list").description("newest first");
  listing("batch", "what devices handed in")
    .option("--terminal <id>", "of this terminal alone")
    .action(async (options: Filters, command: Command) => {
      const context = contextOf(command);
      const filters = filtersOf(options, context);
      const rows = pagesDown(
        (below, limit) => perform(context, "batch.list", { ...filters, below, limit }),
        (row) => row.batchNo,
        (row) => row.batch,
      );
      await context.out.list(rows, batchColumns, "no batches");
    });
  listing("event", "the events in it, refused ones too")
    .option("--card <cardId>", "of this card alone")
    .option("--terminal <id>", "of this terminal alone")
    .option("--outcome <word>", outcomes.join(", "))
    .action(async (options: Filters, command: Command) => {
      const context = contextOf(command);
      const filters = { ...filtersOf(options, context), ...outcomeOf(options.outcome) };
      const rows = events(context, { limit: pageRows, ...filters });
      await context.out.list(rows, eventColumns, "no events");
    });
  listing("report", "what devices saw and could not settle")
    .option("--card <cardId>", "of this card alone")
    .option("--terminal <id>", "of this terminal alone")
    .action(async (options: Filters, command: Command) => {
      const context = contextOf(command);
      const filters = filtersOf(options, context);
      const rows = pagesDown(
        (below, limit) => perform(context, "report.list", { ...filters, below, limit }),
        (row) => row.reportNo,
        (row) => row.report,
      );
      await context.out.list(rows, reportColumns, "no reports");
    });
  addBlocklist(program);
}

function addBlocklist(program: Command): void {
  const group = program.command("blocklist").description("cards that devices refuse offline");
  group
    .command("list")
    .description("the last that was listed first")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const own = { ...(tenant && { tenant }) };
      const rows = pagesDown(
        (below, limit) => perform(context, "blocklist.list", { ...own, below, limit }),
        (row) => row.version,
        (row) => row.listed,
      );
      await context.out.list(rows, listedColumns, "no cards");
    });
  group
    .command("add <cardId>")
    .description("list an id that is not registered here")
    .requiredOption("--reason <text>", "why")
    .action(async (cardId: string, { reason }: { reason: string }, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const args = { cardId, reason, ...(tenant && { tenant }) };
      const made = await perform(context, "blocklist.add", args);
      context.out.result(made, `${made.cardId} is on the blocklist`);
    });
  group
    .command("remove <cardId>")
    .description("take an id off that was listed by hand")
    .action(async (cardId: string, _: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const made = await perform(context, "blocklist.remove", {
        cardId,
        ...(tenant && { tenant }),
      });
      context.out.result(made, `${made.cardId} is off the blocklist`);
    });
}
