/** One file of `--scale` with its server and the load that its cards write. */
import { checkCard } from "../check.ts";
import { cpuSecOf, rssMbOf } from "../http/gauge.ts";
import type { Grants } from "../http/grant.ts";
import { openLoop } from "../http/load.ts";
import { type Served, serveKartu } from "../http/process.ts";
import { leadMs } from "../http/read.ts";
import { connectionsFor, finishIngest, Ingest } from "../http/reconcile.ts";
import { bearer, ConnectionLost, once, requestBytes } from "../http/wire.ts";
import type { Sample } from "../stat.ts";
import { copyVenue, type Site } from "../workload.ts";
import type { ScaleFiles } from "./file.ts";
import { nameOf, type Size } from "./size.ts";

export const batchEvents = 500;
export const grantsPerSec = 500;
const grantConnectionsMax = 512;
/** Load before the server is killed. */
const killAfterMs = 1_000;
const endlessMs = 600_000;

/** One file, its server, and the load that its cards write. */
export class Scaled {
  private constructor(
    readonly site: Site,
    readonly dataDir: string,
    public served: Served,
    readonly ingest: Ingest,
    readonly before: number,
  ) {}

  static async open(site: Site, size: Size, files: ScaleFiles): Promise<Scaled> {
    const connections = connectionsFor(batchEvents);
    if (size.events === 0) {
      const dataDir = copyVenue(site, `scale-${nameOf(size)}`);
      const served = await serveKartu(dataDir, site.pins.server);
      const ingest = new Ingest(site, served.url, batchEvents, connections);
      return new Scaled(site, dataDir, served, ingest, size.cards);
    }
    const { dataDir, venue, cards, events } = await files.get(site, size);
    const served = await serveKartu(dataDir, site.pins.server);
    const own = { ...site, venue };
    const ingest = new Ingest(own, served.url, batchEvents, connections, cards);
    return new Scaled(own, dataDir, served, ingest, events);
  }

  /** Flat-out load; with what the server's threads spent on each event of it. */
  async load(windowMs: number): Promise<Sample> {
    const { ingest, served } = this;
    ingest.prepare(leadMs + windowMs);
    const before = { cpuSec: cpuSecOf(served.pid), taken: ingest.taken };
    const sample = await ingest.load(leadMs, windowMs);
    const cpuSec = cpuSecOf(served.pid);
    const rssMb = rssMbOf(served.pid);
    await ingest.settle(sample.value);
    const events = ingest.taken - before.taken;
    return {
      ...sample,
      rows: this.before + ingest.taken,
      ...(cpuSec === undefined || before.cpuSec === undefined || events === 0
        ? {}
        : { cpuUs: ((cpuSec - before.cpuSec) * 1_000_000) / events }),
      ...(rssMb === undefined ? {} : { rssMb }),
    };
  }

  /** The same beside grants at a fixed rate: the latencies are theirs. */
  async beside(grants: Grants, windowMs: number): Promise<Sample> {
    const { ingest, served } = this;
    ingest.prepare(leadMs + windowMs);
    const [taken, granted] = await Promise.all([
      ingest.load(leadMs, windowMs),
      openLoop({
        ...{ url: served.url, leadMs, windowMs },
        perSec: grantsPerSec,
        connectionsMax: grantConnectionsMax,
        next: () => grants.next(),
        check: (answer) => grants.check(answer),
      }),
    ]);
    const rssMb = rssMbOf(served.pid);
    await ingest.settle(taken.value);
    const { latenciesMs } = granted;
    return { value: taken.value, latenciesMs, ...(rssMb === undefined ? {} : { rssMb }) };
  }

  /** Kills the server under full load and starts it again. Returns ms until its first right answer. */
  async restart(): Promise<number> {
    const { ingest, site, served } = this;
    ingest.prepare(leadMs + killAfterMs);
    let killed = false;
    const lost = ingest.load(leadMs, endlessMs).then(
      () => {
        throw new Error("the load ended before the server was killed");
      },
      (reason: unknown) => {
        if (!killed || !(reason instanceof ConnectionLost)) throw reason;
      },
    );
    await Promise.race([Bun.sleep(leadMs + killAfterMs), lost]);
    killed = true;
    await Promise.all([served.kill(), lost]);
    const startMs = performance.now();
    this.served = await serveKartu(this.dataDir, site.pins.server, served.url.port);
    await this.#firstAnswer();
    const tookMs = performance.now() - startMs;
    await ingest.resend();
    return tookMs;
  }

  /** @throws unless a card is as it was last acknowledged, or later */
  async #firstAnswer(): Promise<void> {
    const { ingest, site, served } = this;
    const last = ingest.lastTaken;
    if (last === undefined) throw new Error("nothing was taken before the server was killed");
    const token = site.venue.devices[0]?.token ?? "";
    const path = `/api/cards/${last.cardId}`;
    const answer = await once(served.url, requestBytes(served.url, "GET", path, bearer(token)));
    const { counter } = JSON.parse(answer.body) as { counter?: number };
    // A later counter is an event of a batch that was under way: resending will tell.
    if (counter === undefined || counter <= last.counter) checkCard(answer, last);
  }

  finish(): Promise<void> {
    return finishIngest(this.ingest, this.served, this.dataDir, this.before);
  }
}
