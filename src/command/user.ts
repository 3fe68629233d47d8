/** `kartu user …`: the people who run a venue. */
import type { Command } from "commander";
import { type Context, contextOf, UsageError } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import type { Column } from "./output.ts";
import { pagesDown } from "./page.ts";
import { perform } from "./perform.ts";

type User = ResultOf<"user.list">[number]["user"];

const statuses = ["active", "invited", "blocked", "deleted"] as const;

const columns: readonly Column<User>[] = [
  { title: "EMAIL", value: (u) => u.email },
  { title: "NAME", value: (u) => u.name },
  { title: "STATUS", value: (u) => u.status },
  { title: "ROLES", value: (u) => u.roles.join(",") },
  { title: "LAST LOGIN", value: (u) => u.lastLoginAt },
];

interface ListOptions {
  readonly status?: string;
  readonly q?: string;
}

async function list({ status, q }: ListOptions, command: Command): Promise<void> {
  const context = contextOf(command);
  const wanted = statuses.find((word) => word === status);
  if (status !== undefined && wanted === undefined) {
    throw new UsageError(`--status must be one of ${statuses.join(", ")}`);
  }
  const filter = { ...inTenant(context), ...(wanted && { status: wanted }), ...(q && { q }) };
  const found = pagesDown(
    (below, limit) => perform(context, "user.list", { below, limit, ...filter }),
    ({ userNo }) => userNo,
    ({ user }) => user,
  );
  await context.out.list(found, columns, "no users");
}

interface AddOptions {
  readonly email: string;
  readonly name?: string;
  readonly role: readonly string[];
  readonly password?: string;
}

async function add({ email, name, role, password }: AddOptions, command: Command): Promise<void> {
  const context = contextOf(command);
  const user = await perform(context, "user.add", {
    ...{ ...inTenant(context), email, roles: [...role] },
    ...(name !== undefined && { name }),
    ...(password !== undefined && { password }),
  });
  const mailed = user.status === "invited" ? "; a link to come in is on its way by mail" : "";
  context.out.result(user, `${user.email} is ${user.status} as ${user.roles.join(", ")}${mailed}`);
}

async function reset(
  email: string,
  { password }: { password?: string },
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const made = await perform(context, "user.resetPassword", {
    ...{ ...inTenant(context), email },
    ...(password !== undefined && { password }),
  });
  const shown =
    made.password === undefined ? "" : `\npassword  ${made.password}   (shown this once)`;
  context.out.result(made, `${made.email} is signed out everywhere${shown}`);
}

const inTenant = ({ tenant }: Context) => (tenant === undefined ? {} : { tenant });

const changes = {
  block: "sign out, and let in no more",
  unblock: "take a block back",
} as const;

export function addUser(program: Command): void {
  const group = program.command("user").description("the people who run a venue");
  group
    .command("list")
    .description("every user, newest first")
    .option("--status <word>", statuses.join(", "))
    .option("--q <text>", "a part of email or name")
    .action(list);
  group
    .command("add")
    .description("a user; without a password, and for one known already, a link is mailed")
    .requiredOption("--email <email>")
    .option("--name <name>")
    .option("--role <names...>", "roles", ["member"])
    .option("--password <password>", "12 to 128 characters")
    .action(add);
  for (const change of ["block", "unblock"] as const) {
    group
      .command(`${change} <email>`)
      .description(changes[change])
      .action(async (email: string, _: unknown, command: Command) => {
        const context = contextOf(command);
        const user = await perform(context, `user.${change}`, { ...inTenant(context), email });
        context.out.result(user, `${user.email} is ${user.status}`);
      });
  }
  group
    .command("reset-password <email>")
    .description("a new password; made and shown once where none is given")
    .option("--password <password>", "12 to 128 characters")
    .action(reset);
  group
    .command("roles <email> <role...>")
    .description("replace a user's roles")
    .action(async (email: string, roles: string[], _: unknown, command: Command) => {
      const context = contextOf(command);
      const user = await perform(context, "user.roles", { ...inTenant(context), email, roles });
      context.out.result(user, `${user.email} is ${user.roles.join(", ")}`);
    });
}
