/** `kartu card …`: one card, its timeline, and blocking it. */
import type { Command } from "commander";
import { uint32Max } from "../../schema/bound.ts";
import { STATUS_NAME } from "../domain/cardrecord.ts";
import { contextOf, UsageError, wholeNumber } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import { type Column, table } from "./output.ts";
import { pagesDown } from "./page.ts";
import { perform } from "./perform.ts";

type Shown = ResultOf<"card.show">;

interface RefundOptions {
  readonly reason: string;
  readonly amount?: string;
  readonly chipBalance?: string;
}

interface ListOptions {
  readonly status?: string;
  readonly member?: string;
  readonly q?: string;
}

const columns: readonly Column<ResultOf<"card.list">[number]["card"]>[] = [
  { title: "CARD", value: (c) => c.cardId },
  { title: "MEMBER", value: (c) => c.userId },
  { title: "NAME", value: (c) => c.name },
  { title: "STATUS", value: (c) => c.status },
  { title: "BALANCE", value: (c) => c.balance },
  { title: "COUNTER", value: (c) => c.counter },
  { title: "FLAGS", value: (c) => c.openFlags },
  { title: "LAST", value: (c) => c.lastActivityAt },
];

const entriesShown = 20;
const entriesMax = 100;

function showWords({ timeline, pendingTopups, ...record }: Shown): string {
  const rows = Object.entries(record).map(([field, value]) => ({ field, value: String(value) }));
  rows.push({ field: "pendingTopups", value: `${pendingTopups.count}, ${pendingTopups.amount}` });
  const facts = rows.map(({ field, value }) => `${field.padEnd(16)}${value}`).join("\n");
  return `${facts}\n\n${table(timeline, [
    { title: "AT", value: (e) => e.at },
    { title: "KIND", value: (e) => e.kind },
    { title: "TERMINAL", value: (e) => e.terminalId ?? "-" },
    { title: "ACTOR", value: (e) => e.actor },
    { title: "AMOUNT", value: (e) => e.amount ?? "-" },
    { title: "AFTER", value: (e) => e.balanceAfter ?? "-" },
    { title: "COUNTER", value: (e) => e.counter ?? "-" },
    { title: "DETAIL", value: (e) => JSON.stringify(e.detail) },
  ])}`;
}

export function addCard(program: Command): void {
  const group = program.command("card").description("cards: lists, record, timeline, blocking");
  group
    .command("list")
    .description("newest first")
    .option("--status <word>", STATUS_NAME.join(", "))
    .option("--member <userId>", "of this member alone")
    .option("--q <text>", "a part of the id or the name")
    .action(async (options: ListOptions, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const { member, q } = options;
      const status = STATUS_NAME.find((each) => each === options.status);
      if (options.status !== undefined && status === undefined) {
        throw new UsageError(`--status must be one of ${STATUS_NAME.join(", ")}`);
      }
      const filters = {
        ...(status && { status }),
        ...(member && { userId: wholeNumber(member, "--member", 1, uint32Max) }),
        ...(q && { q }),
        ...(tenant && { tenant }),
      };
      const rows = pagesDown(
        (below, limit) => perform(context, "card.list", { ...filters, below, limit }),
        (row) => row.cardNo,
        (row) => row.card,
      );
      await context.out.list(rows, columns, "no cards");
    });
  group
    .command("show <cardId>")
    .description("its record and its timeline, newest first")
    .option("--limit <number>", "entries of the timeline", String(entriesShown))
    .action(async (cardId: string, options: { limit: string }, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const limit = wholeNumber(options.limit, "--limit", 1, entriesMax);
      const args = { cardId, limit, ...(tenant && { tenant }) };
      const shown = await perform(context, "card.show", args);
      context.out.result(shown, showWords(shown));
    });
  group
    .command("refund <cardId>")
    .description("pay out in cash what it holds; the card is blocked")
    .requiredOption("--reason <text>", "why")
    .option("--amount <number>", "minor units (all)")
    .option("--chip-balance <number>", "what was read on the chip: no more is paid")
    .action(async (cardId: string, options: RefundOptions, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const { reason, amount, chipBalance } = options;
      const made = await perform(context, "card.refund", {
        ...{ cardId, reason },
        ...(amount && { amount: wholeNumber(amount, "--amount", 1, Number.MAX_SAFE_INTEGER) }),
        ...(chipBalance && {
          chipBalance: wholeNumber(chipBalance, "--chip-balance", 0, uint32Max),
        }),
        ...(tenant && { tenant }),
      });
      const words = `${made.cardId}: ${made.amount} ${made.currency} paid out, ${made.left} left; `;
      context.out.result(made, `${words}debits may come in until ${made.unseenUntil}`);
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
