/** `kartu keys …`: key versions of a tenant. No key is ever shown. */
import type { Command } from "commander";
import { keyVersionMax } from "../../schema/bound.ts";
import { contextOf, wholeNumber } from "./context.ts";
import type { ResultOf } from "./operation.ts";
import type { Column } from "./output.ts";
import { onePage } from "./page.ts";
import { perform } from "./perform.ts";

type Key = ResultOf<"keys.list">[number];

const columns: readonly Column<Key>[] = [
  { title: "VERSION", value: (k) => k.keyVersion },
  { title: "STATUS", value: (k) => (k.primary ? "primary" : k.status) },
  { title: "ACTIVE CARDS", value: (k) => k.activeCards },
  { title: "ACTIVATED", value: (k) => k.activatedAt },
  { title: "NOTE", value: (k) => k.note },
];

const words = (key: Key): string =>
  `key version ${key.keyVersion} is ${key.primary ? "active and primary" : key.status}`;

const versionOf = (text: string): number => wholeNumber(text, "the key version", 1, keyVersionMax);

export function addKeys(program: Command): void {
  const group = program
    .command("keys")
    .description("key versions; old and new are served side by side");
  group
    .command("list")
    .description("every version")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const found = perform(context, "keys.list", { ...(tenant && { tenant }) });
      await context.out.list(onePage(found), columns, "no key versions");
    });
  group
    .command("create")
    .description("a new version, not served yet")
    .option("--note <text>", "why")
    .action(async ({ note }: { note?: string }, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const args = { ...(note !== undefined && { note }), ...(tenant && { tenant }) };
      const key = await perform(context, "keys.create", args);
      context.out.result(key, words(key));
    });
  group
    .command("activate <version>")
    .description("make it the primary one; the others are still served on request")
    .action(async (version: string, _: unknown, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const args = { keyVersion: versionOf(version), ...(tenant && { tenant }) };
      const key = await perform(context, "keys.activate", args);
      context.out.result(key, words(key));
    });
  group
    .command("retire <version>")
    .description("end it for good")
    .option("--force", "also if active cards carry it")
    .action(async (version: string, options: { force?: boolean }, command: Command) => {
      const context = contextOf(command);
      const { tenant } = context;
      const force = options.force === true;
      const args = { keyVersion: versionOf(version), force, ...(tenant && { tenant }) };
      const key = await perform(context, "keys.retire", args);
      context.out.result(key, words(key));
    });
}
