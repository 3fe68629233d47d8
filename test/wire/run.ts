/**
 * `bun run wire`: rounds of broken requests against a server, while a crowd of slow callers holds on to
 * it until they are all cut off. Exit code 1 on any finding.
 */
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { cutRound, wireRound } from "./round.ts";
import { openWireServer } from "./server.ts";
import { shapes } from "./shape.ts";
import { SlowCrowd, untilCut } from "./slow.ts";

const usage = `bun run wire [options]
  --rounds n  go through all shapes of broken requests this often (200)
  --seed n    of where they are broken into pieces in the first round (the time)
`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    help: { type: "boolean", default: false },
  },
});

const slowEach = 40;
/** Twice what a caller may take at least. */
const cutMaxMs = 150_000;
const lineMs = 5_000;

async function attack(rounds: number, firstSeed: number): Promise<void> {
  const server = await openWireServer();
  const findings: string[] = [];
  const { url } = server;
  await wireRound(firstSeed, url);
  const startBytes = await server.residentBytes();
  const crowd = await SlowCrowd.open(url, slowEach);
  const cut = untilCut(() => crowd.kept, cutMaxMs);
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: "{bar} {value}/{total} rounds, {told}" })
    : undefined;
  bar?.start(rounds, 0, { told: "" });
  let toldMs = performance.now();
  for (let done = 0; done < rounds; ) {
    findings.push(...(await wireRound(firstSeed + done, url)));
    done += 1;
    const told = `${findings.length} findings, ${crowd.kept.length} kinds of slow callers left`;
    bar?.update(done, { told });
    if (bar !== undefined || performance.now() - toldMs < lineMs) continue;
    toldMs = performance.now();
    process.stderr.write(`${done} of ${rounds} rounds, ${told}\n`);
  }
  bar?.stop();
  findings.push(...(await cutRound(url)));
  findings.push(...(await cut).map((what) => `a slow caller is kept: ${what}`));
  crowd.close();
  const endBytes = await server.residentBytes();
  await server.close().catch((error: unknown) => findings.push(String(error)));
  const tally = { rounds, requests: rounds * shapes.length * 4, slow: crowd.size };
  const memory = { startBytes, endBytes };
  process.stdout.write(`${JSON.stringify({ seed: firstSeed, ...tally, ...memory, findings })}\n`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}

async function main(): Promise<void> {
  const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
  const isRight = Number.isInteger(rounds) && rounds > 0 && Number.isInteger(seed);
  if (isRight && !values.help) return await attack(rounds, seed);
  process.stderr.write(usage);
  process.exitCode = values.help ? 0 : 2;
}

await main();
