#!/usr/bin/env bun
/**
 * The command line: one program, `kartu`. What each command does stands in `command/`; here they come
 * together, and failures become exit codes: 0 done, 1 failed, 2 wrong usage or refused.
 */
import { Command, CommanderError } from "commander";
import { addApiKey } from "./command/apikey.ts";
import { addBackup } from "./command/backup.ts";
import { addCard } from "./command/card.ts";
import { endingOf } from "./command/context.ts";
import { addDemo } from "./command/demo.ts";
import { addDevice } from "./command/device.ts";
import { addDoctor } from "./command/doctor.ts";
import { tellFalls } from "./command/fall.ts";
import { addFlag } from "./command/flag.ts";
import { addInit } from "./command/init.ts";
import { addKeys } from "./command/keys.ts";
import { addMember } from "./command/member.ts";
import { addOpenapi } from "./command/openapi.ts";
import { addOverview } from "./command/overview.ts";
import { addPolicy } from "./command/policy.ts";
import { addRecord } from "./command/record.ts";
import { addServe } from "./command/serve.ts";
import { addSettlement } from "./command/settlement.ts";
import { addSimulate } from "./command/simulate.ts";
import { addTenant } from "./command/tenant.ts";
import { addUser } from "./command/user.ts";
import { addVerify } from "./command/verify.ts";
import { addVersion } from "./command/version.ts";
import { addZone } from "./command/zone.ts";

/** In the order in which the help shows them. */
const groups = [
  addServe,
  addInit,
  addDemo,
  addOverview,
  addDevice,
  addZone,
  addMember,
  addCard,
  addFlag,
  addRecord,
  addSettlement,
  addPolicy,
  addKeys,
  addTenant,
  addUser,
  addApiKey,
  addBackup,
  addVerify,
  addDoctor,
  addSimulate,
  addOpenapi,
  addVersion,
];

function programOf(): Command {
  const program = new Command("kartu")
    .description("The backend of offline NFC wallets, in one program.")
    .option("--data <dir>", "data directory (KARTU_DATA, ./kartu-data)")
    .option("--json", "one JSON object or line on stdout, words for people on stderr")
    .option("--tenant <slug>", "the tenant, where there are several (the first)")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(withoutValues(text)) })
    .exitOverride();
  for (const add of groups) add(program);
  return program;
}

/** What was typed may be a password under a misspelt name: the parser's words keep the name alone. */
const withoutValues = (text: string): string =>
  text
    .replace(/^(error: unknown option '[^'=]*)=.*'/s, "$1'")
    .replace(/^(error: too many arguments.* but got \d+): .*\./s, "$1.");

/** Help that was asked for is done; everything else that the parser throws is wrong usage. */
const codeOf = ({ exitCode, code }: CommanderError): number =>
  exitCode === 0 && code !== "commander.help" ? 0 : 2;

async function main(): Promise<number> {
  process.umask(0o077);
  tellFalls({ json: false, nowMs: Date.now });
  try {
    await programOf().parseAsync();
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return codeOf(error);
    const { code, text } = endingOf(error);
    if (text !== "") process.stderr.write(`kartu: ${text}\n`);
    return code;
  }
}

/** Ends a stream; resolves when all that was written to it is out. */
const ended = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    stream.end(() => resolve());
  });

main().then(async (code) => {
  // A pipe takes what is written in its own time, and an exit does not wait for it.
  await Promise.all([ended(process.stdout), ended(process.stderr)]);
  process.exit(code);
});
