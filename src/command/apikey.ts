/** `kartu apikey …`: keys that programs sign in with. */
import type { Command } from "commander";
import { type Context, contextOf } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import type { Column } from "./output.ts";
import { pagesDown } from "./page.ts";
import { perform } from "./perform.ts";

const columns: readonly Column<ResultOf<"apikey.list">[number]["key"]>[] = [
  { title: "ID", value: (k) => k.id },
  { title: "NAME", value: (k) => k.name },
  { title: "KEY", value: (k) => `${k.prefix}…` },
  { title: "ROLES", value: (k) => k.roles.join(",") },
  { title: "EXPIRES", value: (k) => k.expiresAt },
  { title: "LAST USED", value: (k) => k.lastUsedAt },
];

interface AddOptions {
  readonly name: string;
  readonly role: readonly string[];
  readonly expires?: string;
  readonly ip: readonly string[];
}

const inTenant = ({ tenant }: Context) => (tenant === undefined ? {} : { tenant });

async function add({ name, role, expires, ip }: AddOptions, command: Command): Promise<void> {
  const context = contextOf(command);
  const made = await perform(context, "apikey.add", {
    ...{ ...inTenant(context), name, roles: [...role], allowedIps: [...ip] },
    ...(expires !== undefined && { expiresAt: expires }),
  });
  context.out.result(made, `key  ${made.key}   (shown this once)\nid   ${made.id}`);
}

export function addApiKey(program: Command): void {
  const group = program.command("apikey").description("keys that programs sign in with");
  group
    .command("add")
    .description("a key; shown once")
    .requiredOption("--name <name>", "what it is for")
    .requiredOption("--role <names...>", "roles")
    .option("--expires <time>", "such as 2030-01-01T00:00:00Z; absent: until it is revoked")
    .option("--ip <ranges...>", "CIDR ranges it may be used from", [])
    .action(add);
  group
    .command("list")
    .description("every key that is not revoked, newest first")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      const found = pagesDown(
        (below, limit) => perform(context, "apikey.list", { below, limit, ...inTenant(context) }),
        ({ keyNo }) => keyNo,
        ({ key }) => key,
      );
      await context.out.list(found, columns, "no API keys");
    });
  group
    .command("revoke <id>")
    .description("for good; its tokens die at once")
    .action(async (id: string, _: unknown, command: Command) => {
      const context = contextOf(command);
      const key = await perform(context, "apikey.revoke", { id, ...inTenant(context) });
      context.out.result(key, `${key.name} is revoked`);
    });
}
