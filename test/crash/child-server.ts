/**
 * The server as `kartu serve` runs it, with how cards are kept in memory given as JSON: so that heads
 * are swept, and rounds end, within a few events. Directory and port come from the environment. Not a
 * test by itself.
 */
import { openKartu } from "../../src/app.ts";
import { stopSignal } from "../../src/command/serve.ts";
import { readConfig } from "../../src/config.ts";
import type { BookOptions } from "../../src/feature/card/service.ts";
import { serveKartu } from "../../src/serve.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createLog } from "../../src/system/log.ts";
import { systemRandom } from "../../src/system/random.ts";

const read = readConfig(process.env);
if ("faults" in read) throw new Error(read.faults.join("\n"));
const { config } = read;
const book = JSON.parse(process.argv[2] ?? "{}") as BookOptions;
const stopping = stopSignal();
const clock = systemClock();
const log = createLog({ level: config.logLevel, json: config.logJson, nowMs: () => clock.nowMs() });
const random = systemRandom();
const kartu = await openKartu({ dataDir: config.dataDir, config, clock, random, log, book });
const serving = await serveKartu(kartu, { host: config.host, port: config.port });
process.stdout.write(`${JSON.stringify({ url: serving.url })}\n`);
await stopping;
await serving.stop(config.shutdownTimeoutSec);
