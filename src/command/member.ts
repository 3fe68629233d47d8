/** `kartu member …`: the people who hold cards. */
import type { Command } from "commander";
import { membersAddedMax } from "../feature/member/service.ts";
import { contextOf, wholeNumber } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import { type Column, fields, table } from "./output.ts";
import { pages, pagesDown } from "./page.ts";
import { perform } from "./perform.ts";

interface AddOptions {
  readonly name: string;
  readonly email?: string;
  readonly count: string;
}

/** False: it is to be taken away. */
interface EditOptions {
  readonly name?: string;
  readonly email?: string | false;
}

const numbered = (text: string) => ({
  userId: wholeNumber(text, "the member's number", 1, 2 ** 32 - 1),
});

const columns: readonly Column<ResultOf<"member.list">[number]>[] = [
  { title: "USER", value: (m) => m.userId },
  { title: "STATUS", value: (m) => m.status },
  { title: "NAME", value: (m) => m.name },
  { title: "EMAIL", value: (m) => m.email },
];

const shownMax = 20;

async function add(options: AddOptions, command: Command): Promise<void> {
  const context = contextOf(command);
  const { out, tenant } = context;
  const { name, email } = options;
  const count = wholeNumber(options.count, "--count", 1, membersAddedMax);
  const progress = out.progress("members");
  const args = { name, count, ...(email !== undefined && { email }), ...(tenant && { tenant }) };
  const tell = count > 1 ? progress.at : undefined;
  const made = await perform(context, "member.add", args, tell).finally(() => progress.end());
  if (out.json) {
    for (const member of made) out.result(member, "");
    return;
  }
  out.say(table(made.slice(0, shownMax), columns));
  if (made.length > shownMax) {
    out.say(`… to ${made.at(-1)?.userId}: ${made.length} members`);
  }
}

const changes = {
  suspend: "no new card or top-up for now",
  resume: "take back a suspension",
  close: "for good; the number is never given again",
} as const;

export function addMember(program: Command): void {
  const group = program.command("member").description("the people who hold cards");
  group
    .command("add")
    .description("a new member, or several; numbers follow one another")
    .requiredOption("--name <name>", "name; several get a number behind it")
    .option("--email <email>")
    .option("--count <number>", "how many", "1")
    .action(add);
  group
    .command("list")
    .description("every member")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const found = pages(
        (after, limit) =>
          perform(context, "member.list", { after, limit, ...(tenant && { tenant }) }),
        (member) => member.userId,
      );
      await context.out.list(found, columns, "no members");
    });
  group
    .command("refund <userId>")
    .description("pay out in cash all that their cards hold; the card in use is blocked")
    .requiredOption("--reason <text>", "why")
    .action(async (text: string, { reason }: { reason: string }, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const userId = wholeNumber(text, "the member's number", 1, 2 ** 32 - 1);
      const args = { userId, reason, ...(tenant && { tenant }) };
      const made = await perform(context, "member.refund", args);
      const cards = made.refunds.map(({ cardId, amount }) => `${cardId}: ${amount}`).join("\n");
      context.out.result(made, `${cards}\n${made.total} paid out to ${userId}`);
    });
  group
    .command("find <text>")
    .description("members by a part of name or email, newest first")
    .action(async (q: string, _: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const found = pagesDown(
        (below, limit) =>
          perform(context, "member.find", { q, below, limit, ...(tenant && { tenant }) }),
        ({ memberNo }) => memberNo,
        ({ member }) => member,
      );
      await context.out.list(found, columns, "no members");
    });
  group
    .command("show <userId>")
    .description("one member")
    .action(async (text: string, _: unknown, command: Command) => {
      const context = contextOf(command);
      const args = { ...numbered(text), ...(context.tenant && { tenant: context.tenant }) };
      const member = await perform(context, "member.show", args);
      context.out.result(member, fields(member));
    });
  group
    .command("edit <userId>")
    .description("another name or address")
    .option("--name <name>")
    .option("--email <email>")
    .option("--no-email", "take the address away")
    .action(async (text: string, options: EditOptions, command: Command) => {
      const context = contextOf(command);
      const args = {
        ...numbered(text),
        ...(context.tenant && { tenant: context.tenant }),
        ...(options.name !== undefined && { name: options.name }),
        ...(options.email !== undefined && { email: options.email || null }),
      };
      const member = await perform(context, "member.edit", args);
      context.out.result(member, fields(member));
    });
  for (const change of ["suspend", "resume", "close"] as const) {
    group
      .command(`${change} <userId>`)
      .description(changes[change])
      .action(async (text: string, _: unknown, command: Command) => {
        const context = contextOf(command);
        const { tenant } = context;
        const args = { ...numbered(text), ...(tenant && { tenant }) };
        const member = await perform(context, `member.${change}`, args);
        context.out.result(member, `${member.userId} is ${member.status}`);
      });
  }
}
