/**
 * The traffic of a soak on one server, and the gauges that are read meanwhile. Batches are the first
 * half of the connections', bursts the second half's; top-ups go to cards of their own, so that every
 * answer is known.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { checkFile, checkTaken, rowsOf } from "../check.ts";
import { Random } from "../domain/random.ts";
import { openFilesOf, rssMbOf } from "../http/gauge.ts";
import { Grants } from "../http/grant.ts";
import { closedLoop, type OpenLoop, openLoop } from "../http/load.ts";
import { runScript, type Served, serveKartu } from "../http/process.ts";
import { judgePolicy, leadMs, unchanged } from "../http/read.ts";
import { Ingest } from "../http/reconcile.ts";
import { Topups, topupsBefore } from "../http/topup.ts";
import { once } from "../http/wire.ts";
import { percentile, type Sample } from "../stat.ts";
import { copyVenue, type Site } from "../workload.ts";
import { keptBatches, Reads, Replays } from "./traffic.ts";
import type { Gauge } from "./trend.ts";

export const batchEvents = 250;
/** Of batches: as many for the steady ones and for the bursts. */
const connectionsEach = 16;
export const perSec = {
  batch: 20,
  grant: 100,
  read: 200,
  topup: 20,
  replay: 2,
  unchanged: 100,
} as const;
/** Flat-out batches for so long, so many times in all; never oftener than this. */
export const burstMs = 3_000;
const burstsMax = 30;
const burstEveryMinMs = 15_000;
/** After a burst the load gives its connections up; gauges are read between bursts. */
const calmAfterMs = 6_000;
const gaugeEveryMs = 10_000;
/** In a short run there are as many gauges as this. */
const gaugesMin = 20;

export type Kind = keyof typeof perSec | "burst";

type Traffic = Pick<OpenLoop, "next" | "check">;

/** The whole of it: one server, its traffic, its gauges. */
export class Soak {
  readonly samples = new Map<Kind, Sample>();
  readonly gauges: Gauge[] = [];
  /** Latencies of reads since the last gauge. */
  #readMs: number[] = [];
  #bursts = 0;
  #bursting = false;
  #calmFromMs = 0;

  private constructor(
    readonly site: Site,
    readonly dataDir: string,
    readonly served: Served,
    readonly ingest: Ingest,
    readonly topups: Topups,
    readonly grants: Grants,
    readonly reads: Reads,
    readonly replays: Replays,
  ) {}

  static async open(site: Site): Promise<Soak> {
    const dataDir = copyVenue(site, "soak");
    const served = await serveKartu(dataDir, site.pins.server);
    const { url } = served;
    const ingested = Math.floor(site.venue.cards * 0.8);
    const own = { ...site, venue: { ...site.venue, cards: ingested } };
    const ingest = new Ingest(own, url, batchEvents, 2 * connectionsEach);
    const topups = new Topups(site, ingested);
    const grants = await Grants.make(site, url);
    const [reads, replays] = [new Reads(site, url), new Replays()];
    for (let batch = 0; batch < keptBatches; batch++) {
      const ready = ingest.make(batch % ingest.connections);
      checkTaken(await once(url, ready.request), ready.events, ready.overLimit);
      replays.keep(ready.request, ready.events);
    }
    return new Soak(site, dataDir, served, ingest, topups, grants, reads, replays);
  }

  /** All of the traffic for `windowMs`. */
  async run(windowMs: number): Promise<void> {
    const { ingest, topups, grants, reads, replays, site } = this;
    const { url } = this.served;
    const same = await unchanged(site, url, "/api/policy", judgePolicy);
    const random = new Random(site.seed);
    const span = { url, leadMs: 0, windowMs };
    const open = async (kind: keyof typeof perSec, load: Partial<OpenLoop> & Traffic) => {
      const most = kind === "batch" ? connectionsEach : 64;
      const sample = await openLoop({
        ...{ ...span, perSec: perSec[kind], connectionsMax: most },
        ...load,
      });
      this.samples.set(kind, sample);
    };
    const taken = { before: ingest.taken };
    await Promise.all([
      open("batch", {
        next: (connection) => ingest.next(connection),
        check: (answer, connection) => {
          ingest.check(answer, connection);
        },
      }),
      open("grant", { next: () => grants.next(), check: (answer) => grants.check(answer) }),
      open("read", {
        next: (connection) => reads.next(connection),
        check: (answer, connection) => reads.check(answer, connection),
        onLatency: (ms) => {
          if (!this.#bursting) this.#readMs.push(ms);
        },
      }),
      open("topup", {
        next: (connection) => topups.next(url, connection),
        check: (answer, connection) => topups.check(answer, connection),
      }),
      open("replay", {
        next: (connection) => replays.next(connection),
        check: (answer, connection) => replays.check(answer, connection),
      }),
      open("unchanged", {
        next: () => same.requests[random.below(same.requests.length)] ?? new Uint8Array(0),
        check: (answer) => same.check(answer, 0),
      }),
      this.#burst(windowMs),
      this.#watch(windowMs),
    ]);
    const value = ((ingest.taken - taken.before) * 1000) / windowMs;
    const latenciesMs = this.samples.get("batch")?.latenciesMs ?? new Float64Array(0);
    this.samples.set("batch", { value, latenciesMs, rows: ingest.taken });
  }

  /** Every now and then as many batches as the server takes. */
  async #burst(windowMs: number): Promise<void> {
    const { ingest, served } = this;
    const everyMs = Math.max(burstEveryMinMs, windowMs / burstsMax);
    const startMs = performance.now();
    const rates: number[] = [];
    const latencies: Float64Array[] = [];
    for (let dueMs = everyMs / 2; dueMs + burstMs < windowMs; dueMs += everyMs) {
      await Bun.sleep(Math.max(0, startMs + dueMs - performance.now()));
      this.#bursting = true;
      const sample = await closedLoop({
        url: served.url,
        connections: connectionsEach,
        leadMs,
        windowMs: burstMs,
        next: (connection) => ingest.next(connectionsEach + connection),
        check: (answer, connection) => ingest.check(answer, connectionsEach + connection),
      });
      this.#bursting = false;
      this.#calmFromMs = performance.now() + calmAfterMs;
      this.#bursts += 1;
      rates.push(sample.value);
      latencies.push(sample.latenciesMs);
    }
    const value = rates.reduce((sum, rate) => sum + rate, 0) / Math.max(1, rates.length);
    const all = latencies.flatMap((some) => [...some]);
    this.samples.set("burst", { value, latenciesMs: Float64Array.from(all) });
  }

  async #watch(windowMs: number): Promise<void> {
    const everyMs = Math.max(1_000, Math.min(gaugeEveryMs, windowMs / gaugesMin));
    const startMs = performance.now();
    for (let dueMs = everyMs; dueMs <= windowMs; ) {
      const nowMs = performance.now();
      const calm = !this.#bursting && nowMs >= this.#calmFromMs;
      if (calm && nowMs >= startMs + dueMs) {
        this.gauges.push(this.#gauge((nowMs - startMs) / 1000));
        while (startMs + dueMs <= nowMs) dueMs += everyMs;
      } else await Bun.sleep(100);
    }
  }

  #gauge(atSec: number): Gauge {
    const { pid } = this.served;
    const mb = (file: string): number => {
      const stat = statSync(join(this.dataDir, file), { throwIfNoEntry: false });
      return (stat?.size ?? 0) / 2 ** 20;
    };
    const p99Ms = percentile(Float64Array.from(this.#readMs).sort(), 0.99);
    this.#readMs = [];
    const sizes = { walMb: mb("kartu.db-wal"), databaseMb: mb("kartu.db") };
    return {
      ...{ atSec, p99Ms, ...sizes },
      rssMb: rssMbOf(pid) ?? 0,
      openFiles: openFilesOf(pid) ?? 0,
    };
  }

  /** @throws unless the file holds what was answered, and `kartu verify` finds nothing */
  async finish(): Promise<void> {
    const { ingest, served, dataDir, site, topups, grants } = this;
    await served.stop();
    checkFile(dataDir, ingest.cards, site.venue.cards);
    const expected = {
      topup: topupsBefore(site.venue.cards) + topups.count,
      session_grant: site.venue.grants + grants.count,
    };
    for (const table of ["topup", "session_grant"] as const) {
      const rows = rowsOf(dataDir, table);
      if (rows !== expected[table]) {
        throw new Error(`soak: ${rows} rows of ${table} for ${expected[table]}`);
      }
    }
    const verdict = await runScript(["src/main.ts", "verify", "--data", dataDir, "--json"]);
    const { ok } = verdict as { ok: boolean };
    if (!ok) throw new Error(`soak: kartu verify: ${JSON.stringify(verdict)}`);
    site.note(
      `soak: ${ingest.taken.toLocaleString("en-US")} events, ${topups.count} top-ups, ` +
        `${grants.count} grants, ${this.#bursts} bursts; kartu verify: everything holds`,
    );
  }
}
