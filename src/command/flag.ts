/** `kartu flag …`: the review queue. */
import type { Command } from "commander";
import type { Context } from "./context.ts";
import { contextOf, UsageError } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import type { Column } from "./output.ts";
import { perform } from "./perform.ts";

type Flag = ResultOf<"flag.list">[number]["flag"];
type Status = "open" | "approved" | "dismissed";

const statuses: readonly Status[] = ["open", "approved", "dismissed"];
const pageRows = 1_000;

const columns: readonly Column<Flag>[] = [
  { title: "ID", value: (f) => f.id },
  { title: "SEVERITY", value: (f) => f.severity },
  { title: "REASON", value: (f) => f.reason },
  { title: "CARD", value: (f) => f.cardId },
  { title: "COUNTER", value: (f) => f.counter },
  { title: "AMOUNT", value: (f) => f.amount },
  { title: "TERMINAL", value: (f) => f.terminalId },
  { title: "RAISED", value: (f) => f.raisedAt },
];

/** Newest first. */
async function* flags(context: Context, status: Status): AsyncGenerator<Flag[]> {
  const { tenant } = context;
  for (let below = Number.MAX_SAFE_INTEGER; ; ) {
    const args = { status, below, limit: pageRows, ...(tenant && { tenant }) };
    const rows = await perform(context, "flag.list", args);
    yield rows.map(({ flag }) => flag);
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    below = last.flagNo;
  }
}

const decisions = {
  approve: "the event stands; waiting money goes to the card",
  dismiss: "close the matter; waiting money goes back to cash and its card is blocked",
} as const;

export function addFlag(program: Command): void {
  const group = program.command("flag").description("the review queue");
  group
    .command("list")
    .description("what waits, newest first")
    .option("--status <word>", statuses.join(", "), "open")
    .action(async (options: { status: string }, command: Command) => {
      const context = contextOf(command);
      const status = statuses.find((each) => each === options.status);
      if (status === undefined) {
        throw new UsageError(`--status must be one of ${statuses.join(", ")}`);
      }
      await context.out.list(flags(context, status), columns, "no flags");
    });
  for (const decide of ["approve", "dismiss"] as const) {
    group
      .command(`${decide} <id>`)
      .description(decisions[decide])
      .requiredOption("--note <text>", "why; kept with the decision")
      .action(async (flagId: string, { note }: { note: string }, command: Command) => {
        const context = contextOf(command);
        const { tenant } = context;
        const args = { flagId, note, ...(tenant && { tenant }) };
        const flag = await perform(context, `flag.${decide}`, args);
        context.out.result(flag, `${flag.id} is ${flag.status}`);
      });
  }
}
