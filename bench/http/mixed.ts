/**
 * `mixed`: while terminals hand in batches flat out, devices ask for grants at a fixed rate, open loop.
 * The figure is what ingest still does; the latencies are those of the grants, from when each was due.
 */
import type { Sample } from "../stat.ts";
import { copyVenue, type Workload } from "../workload.ts";
import { Grants } from "./grant.ts";
import { openLoop } from "./load.ts";
import { serveKartu } from "./process.ts";
import { leadMs, warmUpMs } from "./read.ts";
import { finishIngest, Ingest } from "./reconcile.ts";

const batchEvents = 500;
const ingestConnections = 32;
const grantsPerSec = 500;
const grantConnectionsMax = 512;

export const mixedWorkload: Workload = {
  name: "mixed",
  unit: "events/s",
  about: `reconcile-500 flat out beside ${grantsPerSec} grants/s, open loop; latencies are the grants'`,
  start: async (site) => {
    const dataDir = copyVenue(site, "mixed");
    const served = await serveKartu(dataDir, site.pins.server);
    const { url } = served;
    const ingest = new Ingest(site, url, batchEvents, ingestConnections);
    const grants = await Grants.make(site, url);
    const sample = async (windowMs: number): Promise<Sample> => {
      ingest.prepare(leadMs + windowMs);
      const span = { url, leadMs, windowMs };
      const [taken, granted] = await Promise.all([
        ingest.load(leadMs, windowMs),
        openLoop({
          ...span,
          perSec: grantsPerSec,
          connectionsMax: grantConnectionsMax,
          next: () => grants.next(),
          check: (answer) => grants.check(answer),
        }),
      ]);
      await ingest.settle(taken.value);
      return { value: taken.value, latenciesMs: granted.latenciesMs, rows: ingest.taken };
    };
    return {
      warmUp: async () => {
        await sample(warmUpMs);
      },
      sample,
      finish: () => finishIngest(ingest, served, dataDir),
    };
  },
};
