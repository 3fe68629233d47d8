/** `kartu policy …`: the limits of a tenant, a zone or a device. */
import type { Command } from "commander";
import { type Context, contextOf, UsageError } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import { table } from "./output.ts";
import { perform } from "./perform.ts";

interface Scope {
  readonly zone?: string;
  readonly device?: string;
}

type Shown = ResultOf<"policy.show">;

const scopeOf = ({ tenant }: Context, { zone, device }: Scope) => ({
  ...(tenant !== undefined && { tenant }),
  ...(zone !== undefined && { zone }),
  ...(device !== undefined && { device }),
});

const words = (value: unknown): string =>
  Array.isArray(value) ? (value.length === 0 ? "none" : value.join(",")) : String(value);

function showWords({ values, sources, policyVersion }: Shown): string {
  const rows = Object.entries(values).map(([field, value]) => ({
    field,
    value: words(value),
    source: Object.entries(sources).find(([name]) => name === field)?.[1],
  }));
  const text = table(rows, [
    { title: "FIELD", value: (row) => row.field },
    { title: "VALUE", value: (row) => row.value },
    { title: "FROM", value: (row) => row.source },
  ]);
  return `${text}\npolicy version ${policyVersion}`;
}

function changeOf(pairs: readonly string[]): Record<string, string> {
  const change: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new UsageError(`${pair}: write KEY=VALUE`);
    const key = pair.slice(0, at);
    if (Object.hasOwn(change, key)) throw new UsageError(`${key} is given twice`);
    change[key] = pair.slice(at + 1);
  }
  return change;
}

export function addPolicy(program: Command): void {
  const group = program.command("policy").description("limits of a tenant, a zone or a device");
  const scoped = (command: Command): Command =>
    command
      .option("--zone <zone>", "of this zone, by name")
      .option("--device <id>", "of this device");
  scoped(group.command("show"))
    .description("effective values, and where each comes from")
    .action(async (scope: Scope, command: Command) => {
      const context = contextOf(command);
      const shown = await perform(context, "policy.show", scopeOf(context, scope));
      const { values, ...rest } = shown;
      context.out.result({ ...values, ...rest }, showWords(shown));
    });
  scoped(group.command("clear"))
    .description("a zone or a device takes all its limits from the wider scope again")
    .action(async (scope: Scope, command: Command) => {
      const context = contextOf(command);
      const made = await perform(context, "policy.clear", scopeOf(context, scope));
      context.out.result(made, `policy version ${made.policyVersion}`);
    });
  scoped(group.command("set <KEY=VALUE...>"))
    .description("change fields; VALUE `inherit` goes back to the wider scope")
    .action(async (pairs: string[], scope: Scope, command: Command) => {
      const context = contextOf(command);
      const args = { ...scopeOf(context, scope), change: changeOf(pairs) };
      const made = await perform(context, "policy.set", args);
      context.out.result(made, `policy version ${made.policyVersion}`);
    });
}
