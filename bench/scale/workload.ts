/**
 * `--scale`: what an event costs on files of many cards and events, against the ordinary venue in the
 * same rounds; and on the largest of them grants beside full ingest, memory, and the restart after
 * `kill -9` under that load.
 */
import { Grants } from "../http/grant.ts";
import type { Options, ScaleOptions } from "../option.ts";
import type { Running, Site, Workload } from "../workload.ts";
import { ScaleFiles } from "./file.ts";
import { batchEvents, grantsPerSec, Scaled } from "./scaled.ts";
import { nameOf, type Size, sizesOf } from "./size.ts";

/** Until caches hold what a load of this kind uses; less before short repeats. */
const warmUpMsMax = 2_000;

/** One server for all workloads on a file; it stops with the last of them. */
class Shared {
  #opened: Promise<Scaled> | undefined;
  #users = 0;

  constructor(
    readonly size: Size,
    readonly files: ScaleFiles,
  ) {}

  take(site: Site): Promise<Scaled> {
    this.#users += 1;
    this.#opened ??= Scaled.open(site, this.size, this.files);
    return this.#opened;
  }

  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await (await this.#opened)?.finish();
  }
}

const wordsOf = ({ cards, events }: Size): string =>
  events === 0
    ? `${cards.toLocaleString("en-US")} cards, an empty file`
    : `${cards.toLocaleString("en-US")} cards, ${events.toLocaleString("en-US")} events in the file`;

const running = (
  shared: Shared,
  warmUp: Running["warmUp"],
  sample: Running["sample"],
): Running => ({
  warmUp,
  sample,
  finish: () => shared.leave(),
});

const nothing = async (): Promise<void> => undefined;

function costOf(shared: Shared, warmUpMs: number, over?: string): Workload {
  const { size } = shared;
  return {
    name: `scale-${nameOf(size)}`,
    unit: "events/s",
    about: `batches of ${batchEvents} as reconcile-${batchEvents}: ${wordsOf(size)}`,
    ...(over === undefined ? {} : { over }),
    curve: `${size.cards.toLocaleString("en-US")} cards`,
    start: async (site) => {
      const scaled = await shared.take(site);
      const warmUp = async (): Promise<void> => {
        await scaled.load(warmUpMs);
      };
      return running(shared, warmUp, (windowMs) => scaled.load(windowMs));
    },
  };
}

const grantsOf = (shared: Shared): Workload => ({
  name: `scale-grant-${nameOf(shared.size)}`,
  unit: "events/s",
  about: `the same beside ${grantsPerSec} grants/s, open loop; latencies are the grants'`,
  start: async (site) => {
    const scaled = await shared.take(site);
    const grants = await Grants.make(scaled.site, scaled.served.url);
    return running(shared, nothing, (windowMs) => scaled.beside(grants, windowMs));
  },
});

const restartOf = (shared: Shared): Workload => ({
  name: `scale-restart-${nameOf(shared.size)}`,
  unit: "ms",
  lessIsBetter: true,
  last: true,
  about: "kill -9 under that load, then from starting the program to its first right answer",
  start: async (site) => {
    const scaled = await shared.take(site);
    return running(shared, nothing, async () => {
      const tookMs = await scaled.restart();
      return { value: tookMs, latenciesMs: Float64Array.of(tookMs) };
    });
  },
});

/** The ordinary venue first: the others are held against it. */
export function scaleWorkloads(options: Options, scale: ScaleOptions): Workload[] {
  const sizes = sizesOf(options.cards, scale);
  const files = new ScaleFiles(
    sizes.filter(({ events }) => events > 0),
    options,
  );
  const servers = sizes.map((size) => new Shared(size, files));
  const [ordinary] = servers;
  const largest = servers.at(-1);
  if (ordinary === undefined || largest === undefined) return [];
  const warmUpMs = Math.min(warmUpMsMax, options.seconds * 1000);
  const yardstick = costOf(ordinary, warmUpMs);
  const costs = servers.slice(1).map((server) => costOf(server, warmUpMs, yardstick.name));
  return [yardstick, ...costs, grantsOf(largest), restartOf(largest)];
}
