/** `kartu overview`: the venue's figures of now and today. */
import type { Command } from "commander";
import { contextOf } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import { table } from "./output.ts";
import { perform } from "./perform.ts";

type Overview = ResultOf<"overview">;

const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");

function words(now: Overview): string {
  const { today, pendingTopups, staleTopups, overdrawn } = now;
  const rows: [string, string][] = [
    ["devices", listed(now.devices)],
    ["cards", listed(now.cards)],
    ["open flags", String(now.openFlags)],
    ["today", `${today.debits} debits of ${today.debitAmount}`],
    ["", `${today.topups} top-ups of ${today.topupAmount}`],
    ["pending", `${pendingTopups.count} top-ups of ${pendingTopups.amount}`],
    ["stale", `${staleTopups.count} top-ups of ${staleTopups.amount}`],
    ["overdrawn", `${overdrawn.count} cards by ${overdrawn.amount}`],
    ["exposure", String(now.exposure.amount)],
  ];
  return table(rows, [
    { title: "WHAT", value: ([what]) => what },
    { title: "NOW", value: ([, value]) => value },
  ]);
}

export function addOverview(program: Command): void {
  program
    .command("overview")
    .description("the venue at a glance")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const now = await perform(context, "overview", { ...(tenant && { tenant }) });
      context.out.result(now, words(now));
    });
}
