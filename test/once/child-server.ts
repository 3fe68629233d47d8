/**
 * The server as `kartu serve` runs it, but that hashing a password costs next to nothing. A fresh
 * directory gets its first tenant, whose owner's name and password are arguments; directory and port
 * come from the environment. Not a test by itself.
 */
import { openKartu } from "../../src/app.ts";
import { stopSignal } from "../../src/command/serve.ts";
import { readConfig } from "../../src/config.ts";
import { serveKartu } from "../../src/serve.ts";
import { argon } from "../../src/system/argon.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createLog } from "../../src/system/log.ts";
import { systemRandom } from "../../src/system/random.ts";

const read = readConfig(process.env);
if ("faults" in read) throw new Error(read.faults.join("\n"));
const { config } = read;
const stopping = stopSignal();
const clock = systemClock();
const log = createLog({ level: config.logLevel, json: config.logJson, nowMs: () => clock.nowMs() });
const random = systemRandom();
const passwords = argon({ cost: { memoryKib: 1_024, passes: 1 } });
const kartu = await openKartu({ dataDir: config.dataDir, config, clock, random, log, passwords });
if ((await kartu.tenant.tenantBySlug()) === undefined) {
  const [ownerEmail = "", ownerPassword = ""] = process.argv.slice(2);
  const actor = { type: "system", id: "init" } as const;
  const first = { tenant: { name: "Kantin Utama" }, ownerEmail, ownerPassword };
  await kartu.tenant.initialise(first, { actor }, clock.nowMs());
}
const serving = await serveKartu(kartu, { host: config.host, port: config.port });
process.stdout.write(`${JSON.stringify({ url: serving.url })}\n`);
await stopping;
await serving.stop(config.shutdownTimeoutSec);
// A timer that nobody waits for any more would keep it for seconds.
process.exit(0);
