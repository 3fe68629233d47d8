/** Yardsticks: orders a bare loop of its own process about, and counts its rows in the end. */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { Lines, spawnBun } from "../http/process.ts";
import { warmUpMs } from "../http/read.ts";
import { copyVenue, type Site, type Workload } from "../workload.ts";
import type { CeilingAnswer } from "./ceiling.ts";

interface Bare {
  readonly name: string;
  readonly unit: string;
  readonly about: string;
  /** The loop. It gets the data directory as its argument. */
  readonly script: string;
  /** What it adds rows to, one for each unit of work. */
  readonly table: "event" | "txn";
  /** Makes what it needs in the closed file. */
  prepare(dataDir: string, site: Site): Promise<void>;
}

function rowsIn(dataDir: string, table: Bare["table"]): number {
  const db = new Database(join(dataDir, "kartu.db"), { readonly: true });
  const row = db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${table}`).get();
  db.close();
  return row?.n ?? 0;
}

export const bareWorkload = ({ name, unit, about, script, table, prepare }: Bare): Workload => ({
  name,
  unit,
  about,
  start: async (site) => {
    const dataDir = copyVenue(site, name);
    await prepare(dataDir, site);
    let rows = rowsIn(dataDir, table);
    const child = spawnBun([script, dataDir], site.pins.server, {}, "pipe");
    const said = new Response(child.stderr).text();
    const lines = new Lines(child.stdout);
    const order = async (ms: number): Promise<CeilingAnswer> => {
      if (typeof child.stdin === "number" || child.stdin === undefined) throw new Error("no stdin");
      child.stdin.write(`${JSON.stringify({ ms })}\n`);
      await child.stdin.flush();
      const line = await lines.next();
      if (line === undefined) throw new Error(`${name} ended:\n${await said}`);
      const answer = JSON.parse(line) as CeilingAnswer;
      rows += answer.events;
      return answer;
    };
    return {
      warmUp: async () => {
        await order(warmUpMs);
      },
      sample: async (windowMs) => {
        const { events: done, ms, groupsMs } = await order(windowMs);
        const value = (done * 1000) / ms;
        return { value, latenciesMs: Float64Array.from(groupsMs), rows };
      },
      finish: async () => {
        if (typeof child.stdin !== "number") await child.stdin?.end();
        if ((await child.exited) !== 0) throw new Error(`${name} failed:\n${await said}`);
        const found = rowsIn(dataDir, table);
        if (found !== rows) throw new Error(`${name}: ${found} rows for ${rows}`);
      },
    };
  },
});

export const ceilingSqlite = bareWorkload({
  name: "ceiling-sqlite",
  unit: "events/s",
  about: "yardstick: our statements in a bare loop, the server's group size, nothing else",
  script: "bench/store/ceiling.ts",
  table: "event",
  prepare: async () => undefined,
});
