/** `ceiling-sqlite`: orders the bare loop of `ceiling.ts` about, and counts its rows in the end. */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { Lines, spawnBun } from "../http/process.ts";
import { warmUpMs } from "../http/read.ts";
import { copyVenue, type Workload } from "../workload.ts";
import type { CeilingAnswer } from "./ceiling.ts";

export const ceilingSqlite: Workload = {
  name: "ceiling-sqlite",
  unit: "events/s",
  about: "yardstick: our statements in a bare loop, the server's group size, nothing else",
  start: async (site) => {
    const dataDir = copyVenue(site, "ceiling-sqlite");
    const child = spawnBun(["bench/store/ceiling.ts", dataDir], site.pins.server, {}, "pipe");
    const said = new Response(child.stderr).text();
    const lines = new Lines(child.stdout);
    let events = site.venue.cards;
    const order = async (ms: number): Promise<CeilingAnswer> => {
      if (typeof child.stdin === "number" || child.stdin === undefined) throw new Error("no stdin");
      child.stdin.write(`${JSON.stringify({ ms })}\n`);
      await child.stdin.flush();
      const line = await lines.next();
      if (line === undefined) throw new Error(`ceiling-sqlite ended:\n${await said}`);
      const answer = JSON.parse(line) as CeilingAnswer;
      events += answer.events;
      return answer;
    };
    return {
      warmUp: async () => {
        await order(warmUpMs);
      },
      sample: async (windowMs) => {
        const { events: done, ms, groupsMs } = await order(windowMs);
        const value = (done * 1000) / ms;
        return { value, latenciesMs: Float64Array.from(groupsMs), rows: events };
      },
      finish: async () => {
        if (typeof child.stdin !== "number") await child.stdin?.end();
        if ((await child.exited) !== 0) throw new Error(`ceiling-sqlite failed:\n${await said}`);
        const db = new Database(join(dataDir, "kartu.db"), { readonly: true });
        const row = db.query<{ n: number }, []>("SELECT count(*) AS n FROM event").get();
        db.close();
        if (row?.n !== events) throw new Error(`ceiling-sqlite: ${row?.n} rows for ${events}`);
      },
    };
  },
};
