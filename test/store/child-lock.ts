/** Takes the lock of a directory, says how that went, and keeps it until it is ended. Not a test. */
import { lockDirectory } from "../../src/store/lock.ts";

try {
  lockDirectory(process.argv[2] ?? "");
  process.stdout.write("held");
  process.stdin.resume();
} catch (error) {
  process.stdout.write(error instanceof Error ? error.name : "unknown");
}
