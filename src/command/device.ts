/** `kartu device …`: registering stations, gates, terminals and scouts, and their states. */
import type { Command } from "commander";
import { renderUnicodeCompact } from "uqr";
import { roles } from "../domain/identity.ts";
import { type Context, contextOf, UsageError, wholeNumber } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import { type Column, fields } from "./output.ts";
import { pages } from "./page.ts";
import { perform } from "./perform.ts";

interface AddOptions {
  readonly id: string;
  readonly role: string;
  readonly name?: string;
  readonly zone?: string;
  readonly member?: string;
}

/** False: it is to be taken away. */
interface EditOptions {
  readonly name?: string | false;
  readonly zone?: string | false;
}

type Device = ResultOf<"device.list">[number];

const columns: readonly Column<Device>[] = [
  { title: "ID", value: (d) => d.deviceId },
  { title: "TERMINAL", value: (d) => d.terminalId },
  { title: "ROLE", value: (d) => d.role },
  { title: "STATUS", value: (d) => d.status },
  { title: "COMMISSIONED", value: (d) => (d.commissioned ? "yes" : "no") },
  { title: "ZONE", value: (d) => d.zone },
  { title: "LAST SEEN", value: (d) => d.lastSeenAt },
  { title: "NAME", value: (d) => d.name },
];

function secretWords(made: ResultOf<"device.add">): string {
  const lines = [
    `device    ${made.deviceId} (${made.role})`,
    `terminal  ${made.terminalId}`,
    `secret    ${made.secret}   (shown this once, good until ${made.secretExpiresAt})`,
  ];
  if (process.stdout.isTTY) lines.push("", renderUnicodeCompact(made.qr.payload, { ecc: "M" }));
  return lines.join("\n");
}

async function add(context: Context, { id, role: word, name, zone, member }: AddOptions) {
  const role = roles.find((each) => each === word);
  if (role === undefined) throw new UsageError(`--role must be one of ${roles.join(", ")}`);
  const { tenant } = context;
  const made = await perform(context, "device.add", {
    deviceId: id,
    role,
    ...(tenant !== undefined && { tenant }),
    ...(name !== undefined && { name }),
    ...(zone !== undefined && { zone }),
    ...(member !== undefined && { userId: wholeNumber(member, "--member", 1, 2 ** 32 - 1) }),
  });
  context.out.result(made, secretWords(made));
}

const changes = {
  suspend: "it keeps its token; grants and card management are refused",
  resume: "take back a suspension",
  revoke: "kill its tokens and an unspent secret at once",
  retire: "for good: token and secret dead, the record kept",
} as const;

export function addDevice(program: Command): void {
  const group = program.command("device").description("stations, gates, terminals and scouts");
  group
    .command("add")
    .description("register a device; its one-time secret is shown once")
    .requiredOption("--id <id>", "the device's own id, unique on the whole server")
    .requiredOption("--role <role>", roles.join(", "))
    .option("--name <name>", "a name for people")
    .option("--zone <zone>", "its zone by name; an unknown one is made")
    .option("--member <userId>", "of a scout: the member whose cards alone it sees")
    .action((options: AddOptions, command: Command) => add(contextOf(command), options));
  group
    .command("list")
    .description("every device")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const found = pages(
        (after, limit) =>
          perform(context, "device.list", { after, limit, ...(tenant && { tenant }) }),
        (device) => device.terminalId,
      );
      await context.out.list(found, columns, "no devices");
    });
  group
    .command("show <id>")
    .description("one device, and what it may have taken that is not uploaded yet")
    .action(async (deviceId: string, _: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const device = await perform(context, "device.show", { deviceId, ...(tenant && { tenant }) });
      context.out.result(device, fields(device));
    });
  group
    .command("edit <id>")
    .description("another name or zone")
    .option("--name <name>", "a name for people")
    .option("--no-name", "take its name away")
    .option("--zone <zone>", "its zone by name; an unknown one is made")
    .option("--no-zone", "out of its zone")
    .action(async (deviceId: string, options: EditOptions, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const args = {
        deviceId,
        ...(tenant && { tenant }),
        ...(options.name !== undefined && { name: options.name || null }),
        ...(options.zone !== undefined && { zone: options.zone || null }),
      };
      const device = await perform(context, "device.edit", args);
      context.out.result(device, fields(device));
    });
  for (const change of ["suspend", "resume", "revoke", "retire"] as const) {
    group
      .command(`${change} <id>`)
      .description(changes[change])
      .action(async (deviceId: string, _: unknown, command: Command) => {
        const context = contextOf(command);
        const { tenant } = context;
        const args = { deviceId, ...(tenant && { tenant }) };
        const device = await perform(context, `device.${change}`, args);
        context.out.result(device, `${device.deviceId} is ${device.status}`);
      });
  }
  group
    .command("secret <id>")
    .description("a new one-time secret; the older one and the tokens die")
    .option("--keep-token", "the tokens stay")
    .action(async (deviceId: string, options: { keepToken?: boolean }, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const keepToken = options.keepToken === true;
      const args = { deviceId, keepToken, ...(tenant && { tenant }) };
      const made = await perform(context, "device.secret", args);
      context.out.result(made, secretWords(made));
    });
}
