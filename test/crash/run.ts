/** `bun run crash`: kills the server as often as it is told, and says after each how far it is. */
import { parseArgs } from "node:util";
import { crash } from "./crash.ts";

const usage = `bun run crash [options]
  --kills n   kill -9 this often (1000)
  --seed n    of what the tills do (the time); when they are cut off is always random
`;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    help: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
  const [kills, seed] = [Number(values.kills), Number(values.seed)];
  const isRight = Number.isInteger(kills) && kills > 0 && Number.isInteger(seed);
  if (values.help || !isRight) {
    process.stderr.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const startMs = performance.now();
  let done = 0;
  const onKill = (more: number, told: string): void => {
    done += more;
    const seconds = Math.round((performance.now() - startMs) / 1000);
    const line = `${done} of ${kills} kills, ${seconds} s, ${told}`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  };
  const tally = await crash({ kills, seed, onKill });
  if (process.stderr.isTTY) process.stderr.write("\n");
  process.stdout.write(`${JSON.stringify({ seed, ...tally })}\n`);
}

await main();
