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
  { title: "CURRENCY", value: (t) => t.currency },
  { title: "TIME ZONE", value: (t) => t.timezone },
];

export function addTenant(program: Command): void {
  const group = program.command("tenant").description("venues on one server");
  group
    .command("add")
    .description("a further tenant; its slug is its name in lower case")
    .requiredOption("--name <name>", "its name")
    .action(async ({ name }: { name: string }, command: Command) => {
      const context = contextOf(command);
      const made = await perform(context, "tenant.add", { name });
      context.out.result(made, `tenant ${made.slug} (${made.tenantId})`);
    });
  group
    .command("list")
    .description("every tenant, the first one first")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      await context.out.list(onePage(perform(context, "tenant.list", {})), columns, "no tenants");
    });
}
