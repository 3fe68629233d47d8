/**
 * The last resort: an error that nobody caught ends the process, with one record of it in the log. The
 * runtime's own report is not used, because it shows an error's fields and lines of source.
 */
import { writeSync } from "node:fs";
import type { Log, LogOptions } from "../system/log.ts";
import { createLog } from "../system/log.ts";

let log: Log | undefined;

/** Written before it returns, since the process ends behind it. Whoever reads it may be gone. */
function writeNow(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    process.exitCode = 1;
  }
}

function fall(error: unknown): never {
  log?.error("ended by an error that nobody caught", { error });
  process.exit(1);
}

/** From now on such an error is told in this form of log. */
export function tellFalls(options: LogOptions): void {
  if (log === undefined) {
    process.on("uncaughtException", fall);
    process.on("unhandledRejection", fall);
  }
  log = createLog({ ...options, write: writeNow });
}
