/** `kartu tenant …`: venues on one server. */
import type { Command } from "commander";
import { contextOf } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import type { Column } from "./output.ts";
import { onePage } from "./page.ts";
import { perform } from "./perform.ts";

const columns: readonly Column<ResultOf<"tenant.list">[number]>[] = [
  { title: "SLUG", value: (t) => t.slug },
  { title: "NAME", value: (t) => t.name },
  { title: "TYPE", value: (t) => t.type },
  { title: "STATUS", value: (t) => t.status },
  { title: "CURRENCY", value: (t) => t.currency },
  { title: "TIME ZONE", value: (t) => t.timezone },
];

interface AddOptions {
  readonly name: string;
  readonly ownerEmail?: string;
}

const changes = {
  block: "stop its people, not its devices",
  unblock: "take a block back",
} as const;

export function addTenant(program: Command): void {
  const group = program.command("tenant").description("venues on one server");
  group
    .command("add")
    .description("a further tenant; its slug is its name in lower case")
    .requiredOption("--name <name>", "its name")
    .option("--owner-email <email>", "who is asked by mail to own it")
    .action(async ({ name, ownerEmail }: AddOptions, command: Command) => {
      const context = contextOf(command);
      const owner = ownerEmail === undefined ? {} : { ownerEmail };
      const made = await perform(context, "tenant.add", { name, ...owner });
      context.out.result(made, `tenant ${made.slug} (${made.tenantId})`);
    });
  group
    .command("list")
    .description("every tenant, the first one first")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      await context.out.list(onePage(perform(context, "tenant.list", {})), columns, "no tenants");
    });
  for (const change of ["block", "unblock"] as const) {
    group
      .command(`${change} <slug>`)
      .description(changes[change])
      .option("--reason <text>", "for the record")
      .action(async (slug: string, { reason }: { reason?: string }, command: Command) => {
        const context = contextOf(command);
        const args = { slug, ...(reason !== undefined && { reason }) };
        const tenant = await perform(context, `tenant.${change}`, args);
        context.out.result(tenant, `${tenant.slug} is ${tenant.status}`);
      });
  }
}
