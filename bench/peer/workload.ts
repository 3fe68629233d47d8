/**
 * `grant` and `reconcile-500` against peers: the same requests from the same venue with the same checks,
 * each against a server of its own that is started here and asked in the end what it holds. What the
 * peers are: README.md.
 */
import { Database } from "bun:sqlite";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkFile, rowsOf } from "../check.ts";
import type { Cards } from "../domain/card.ts";
import { Grants } from "../http/grant.ts";
import { closedLoop } from "../http/load.ts";
import { type Served, serve } from "../http/process.ts";
import { leadMs, smallConnections, warmUpMs } from "../http/read.ts";
import { connectionsFor, Ingest } from "../http/reconcile.ts";
import { copyVenue, type Site, type Workload } from "../workload.ts";
import { checkAsked, countGrants } from "./books.ts";
import { Cluster } from "./cluster.ts";
import { builtPath, type PeerName } from "./prepare.ts";
import { settingOf } from "./setting.ts";

/** A peer that serves, and what its store holds once it is stopped. */
interface Played {
  readonly served: Served;
  checkEvents(cards: Cards): void;
  grants(): number;
  /** After the checks. */
  close(): Promise<void>;
}

const viewNames = "SELECT name FROM sqlite_schema WHERE type = 'view'";

const node = Bun.which("node") ?? "node";

/** Writes the setting down for the time of the start: it holds keys. */
async function startNode(
  site: Site,
  folder: string,
  store: string,
  args: readonly string[],
): Promise<Served> {
  const path = join(site.folder, `${folder}.json`);
  writeFileSync(path, JSON.stringify(settingOf(site.template, store)), { mode: 0o600 });
  const [server = "", ...rest] = args;
  try {
    const env = { NODE_ENV: "production" };
    const served = await serve([server, path, ...rest], site.pins.server, env, node);
    // What it started would outlive it when it is killed: a run that breaks off leaves nothing behind.
    const endChildren = () => Bun.spawnSync(["pkill", "-KILL", "-P", String(served.pid)]);
    process.prependListener("exit", endChildren);
    const stop = async () => {
      await served.stop();
      process.off("exit", endChildren);
    };
    return { ...served, stop };
  } finally {
    rmSync(path);
  }
}

async function onSqlite(site: Site, folder: string, ...args: readonly string[]): Promise<Played> {
  const dataDir = copyVenue(site, folder);
  dropViews(join(dataDir, "kartu.db"));
  const served = await startNode(site, folder, join(dataDir, "kartu.db"), args);
  return {
    served,
    checkEvents: (cards) => checkFile(dataDir, cards),
    grants: () => rowsOf(dataDir, "session_grant"),
    close: async () => undefined,
  };
}

/** D1 takes at most five terms in a compound SELECT and refuses a file with a longer view. */
function dropViews(path: string): void {
  const db = new Database(path);
  for (const { name } of db.query<{ name: string }, []>(viewNames).all())
    db.run(`DROP VIEW ${name}`);
  db.close();
}

async function onPostgres(site: Site, folder: string): Promise<Played> {
  const cluster = await Cluster.start(join(site.folder, folder), site.pins.server);
  cluster.load(join(site.template, "kartu.db"));
  const { socketDir } = cluster;
  const served = await startNode(site, folder, socketDir, [builtPath("postgres")]);
  const ask = (query: string) => cluster.ask(query);
  return {
    served,
    checkEvents: (cards) => checkAsked(ask, cards),
    grants: () => countGrants(ask),
    close: () => cluster.stop(),
  };
}

function play(peer: PeerName, site: Site, folder: string): Promise<Played> {
  switch (peer) {
    case "hono-better-sqlite3":
      return onSqlite(site, folder, builtPath("better-sqlite3"));
    case "workerd-d1":
      return onSqlite(site, folder, builtPath("d1host"), builtPath("d1"));
    case "fastify-postgres":
      return onPostgres(site, folder);
  }
}

const grantOf = (peer: PeerName): Workload => ({
  name: `grant@${peer}`,
  unit: "grants/s",
  about: `the same grants by ${peer}`,
  start: async (site) => {
    const played = await play(peer, site, `grant-${peer}`);
    const { url, stop } = played.served;
    const grants = await Grants.make(site, url);
    const sample = (windowMs: number) =>
      closedLoop({
        ...{ url, connections: smallConnections, leadMs, windowMs },
        next: () => grants.next(),
        check: (answer) => {
          grants.check(answer);
          return 1;
        },
      });
    return {
      warmUp: async () => {
        await sample(warmUpMs);
      },
      sample,
      finish: async () => {
        await stop();
        const expected = site.venue.grants + grants.count;
        const rows = played.grants();
        if (rows !== expected) throw new Error(`${peer}: ${rows} rows for ${expected} grants`);
        await played.close();
      },
    };
  },
});

const batchEvents = 500;
const shortRuns = 3;
const shortMs = 100;

const reconcileOf = (peer: PeerName): Workload => ({
  name: `reconcile-${batchEvents}@${peer}`,
  unit: "events/s",
  about: `the same batches by ${peer}`,
  start: async (site) => {
    const played = await play(peer, site, `reconcile-${peer}`);
    const { url, stop } = played.served;
    const ingest = new Ingest(site, url, batchEvents, connectionsFor(batchEvents));
    return {
      warmUp: async () => {
        // The first batches are made for a pace that peers do not have: what is left is sent in the end.
        for (let i = 0; i < shortRuns; i++) await ingest.run(shortMs);
        await ingest.run(warmUpMs);
      },
      sample: async (windowMs) => ({ ...(await ingest.run(windowMs)), rows: ingest.taken }),
      finish: async () => {
        await ingest.drain();
        await stop();
        played.checkEvents(ingest.cards);
        await played.close();
      },
    };
  },
});

export const peerWorkloads = (peer: PeerName): Workload[] => [grantOf(peer), reconcileOf(peer)];
