/** `kartu card …`: one card, its timeline, and blocking it. */
import type { Command } from "commander";
import { contextOf, wholeNumber } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import { table } from "./output.ts";
import { perform } from "./perform.ts";
import { isoOfSec } from "./view.ts";

type Shown = ResultOf<"card.show">;

const eventsShown = 20;
const eventsMax = 100;

function showWords({ events, pendingTopups, ...record }: Shown): string {
  const rows = Object.entries(record).map(([field, value]) => ({ field, value: String(value) }));
  rows.push({ field: "pendingTopups", value: `${pendingTopups.count}, ${pendingTopups.amount}` });
  const facts = rows.map(({ field, value }) => `${field.padEnd(16)}${value}`).join("\n");
  if (events.length === 0) return `${facts}\nno events`;
  return `${facts}\n\n${table(events, [
    { title: "COUNTER", value: (e) => e.counter },
    { title: "TYPE", value: (e) => e.type },
    { title: "AMOUNT", value: (e) => e.amount },
    { title: "AFTER", value: (e) => e.balanceAfter },
    { title: "TIME", value: (e) => isoOfSec(e.timestamp) },
    { title: "FLAGS", value: (e) => e.flags.join(" ") || "-" },
  ])}`;
}

export function addCard(program: Command): void {
  const group = program.command("card").description("one card: record, timeline, blocking");
  group
    .command("show <cardId>")
    .description("its record and its newest events")
    .option("--events <number>", "how many of them", String(eventsShown))
    .action(async (cardId: string, options: { events: string }, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const events = wholeNumber(options.events, "--events", 1, eventsMax);
      const args = { cardId, events, ...(tenant && { tenant }) };
      const shown = await perform(context, "card.show", args);
      context.out.result(shown, showWords(shown));
    });
  group
    .command("block <cardId>")
    .description("block it; an id not registered here goes on the blocklist")
    .requiredOption("--reason <text>", "why")
    .action(async (cardId: string, { reason }: { reason: string }, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const made = await perform(context, "card.block", {
        cardId,
        reason,
        ...(tenant && { tenant }),
      });
      const how = made.registered ? "" : " (not registered here: on the blocklist)";
      context.out.result(made, `${made.cardId} is ${made.status}${how}`);
    });
}
