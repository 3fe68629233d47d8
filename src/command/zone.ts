/** `kartu zone …`: the parts of a venue that devices stand in. */
import type { Command } from "commander";
import { contextOf } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import type { Column } from "./output.ts";
import { onePage } from "./page.ts";
import { perform } from "./perform.ts";

const columns: readonly Column<ResultOf<"zone.list">[number]>[] = [
  { title: "NAME", value: (z) => z.name },
  { title: "DEVICES", value: (z) => z.devices },
];

export function addZone(program: Command): void {
  const group = program.command("zone").description("parts of the venue that devices stand in");
  group
    .command("add <name>")
    .description("a new zone")
    .action(async (name: string, _: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const zone = await perform(context, "zone.add", { name, ...(tenant && { tenant }) });
      context.out.result(zone, `zone ${zone.name}`);
    });
  group
    .command("list")
    .description("every zone, by name")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const found = perform(context, "zone.list", { ...(tenant && { tenant }) });
      await context.out.list(onePage(found), columns, "no zones");
    });
  group
    .command("rename <name> <to>")
    .description("give it another name")
    .action(async (name: string, to: string, _: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const zone = await perform(context, "zone.rename", { name, to, ...(tenant && { tenant }) });
      context.out.result(zone, `${name} is ${zone.name} now`);
    });
  group
    .command("remove <name>")
    .description("take it away; it must be empty and without limits of its own")
    .action(async (name: string, _: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const done = await perform(context, "zone.remove", { name, ...(tenant && { tenant }) });
      context.out.result(done, `${name} is gone`);
    });
}
