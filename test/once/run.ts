/** `npm run once`: rounds of every call at once, and how far it is. Exit 1 on any finding. */
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { once } from "./once.ts";

const usage = `npm run once -- [options]
  --rounds n    of each call in each way, of which there are four to seven (50)
  --clients n   that make it at once (64)
  --stands n    servers at a time (2)
  --only text   calls whose name contains it
  --seed n      of the plan (the time); what happens at one instant is always random
`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "50" },
    clients: { type: "string", default: "64" },
    stands: { type: "string", default: "2" },
    only: { type: "string", default: "" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    help: { type: "boolean", default: false },
  },
});

const tellEveryMs = 5_000;

function progress(): { tell(done: number, all: number, told: string): void; end(): void } {
  const { stderr } = process;
  if (stderr.isTTY) {
    const format = "{bar} {value} of {total} rounds, {duration_formatted}, {told}";
    const bar = new SingleBar({ format, stream: stderr, hideCursor: true });
    let isOn = false;
    return {
      tell: (done, all, told) => {
        if (!isOn) bar.start(all, 0, { told });
        isOn = true;
        bar.update(done, { told });
      },
      end: () => bar.stop(),
    };
  }
  const startMs = performance.now();
  let lastMs = 0;
  return {
    tell: (done, all, told) => {
      const nowMs = performance.now();
      if (nowMs - lastMs < tellEveryMs && done < all) return;
      lastMs = nowMs;
      stderr.write(
        `${done} of ${all} rounds, ${Math.round((nowMs - startMs) / 1000)} s, ${told}\n`,
      );
    },
    end: () => undefined,
  };
}

async function main(): Promise<void> {
  const { only } = values;
  const [rounds, clients, stands, seed] = [
    ...[values.rounds, values.clients, values.stands, values.seed].map(Number),
  ] as [number, number, number, number];
  const isRight = [rounds, clients, stands].every((n) => Number.isInteger(n) && n > 0);
  if (values.help || !isRight || clients < 16 || !Number.isInteger(seed)) {
    process.stderr.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const { tell, end } = progress();
  const startMs = performance.now();
  const tally = await once({ rounds, clients, stands, seed, only, onRounds: tell });
  end();
  const seconds = Math.round((performance.now() - startMs) / 1000);
  process.stdout.write(`${JSON.stringify({ seed, clients, seconds, ...tally })}\n`);
  if (tally.faults.length > 0) process.exitCode = 1;
}

// Ends by way of what clears up.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
await main();
