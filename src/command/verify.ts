/** `kartu verify`: proves the whole file, at rest or as a snapshot beside the live server. */
import type { Command } from "commander";
import { CommandFailed, contextOf } from "./context.ts";
import { table } from "./output.ts";
import { assertInitialised } from "./perform.ts";
import { reading } from "./reading.ts";

const words = (value: unknown): string =>
  typeof value === "object" ? JSON.stringify(value) : String(value);

export function addVerify(program: Command): void {
  program
    .command("verify")
    .description("prove every sum, chain and copy in the data; exit 1 and a list if one is wrong")
    .action(async (_: unknown, command: Command) => {
      const context = contextOf(command);
      assertInitialised(context);
      const { out } = context;
      const progress = out.progress("verify");
      const verdict = await reading(context, (host) =>
        host.store.scan((q) => host.verify.verify(q, (_name, at, of) => progress.at(at, of))),
      ).finally(() => progress.end());
      const { count, faults } = verdict;
      const listed = table(faults, [
        { title: "CHECK", value: (f) => f.check },
        { title: "TABLE", value: (f) => f.table },
        { title: "ROW", value: (f) => f.key },
        { title: "EXPECTED", value: (f) => words(f.expected) },
        { title: "FOUND", value: (f) => words(f.found) },
      ]);
      out.result({ ok: count === 0, count, faults }, count === 0 ? "everything holds" : listed);
      if (count > 0) throw new CommandFailed(`${count} faults`);
    });
}
