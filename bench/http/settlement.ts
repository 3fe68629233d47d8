/**
 * `settlement`: a day on which a million events happened is closed for good, while devices ask for grants
 * at a fixed rate, open loop. The figure is the time of that one call; the latencies are the grants', from
 * when each was due. A day can be closed once, so each repeat has a server on a fresh copy of the file.
 */
import { Database } from "bun:sqlite";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { dayText } from "../../src/domain/calendar.ts";
import { openedBeforeSec } from "../domain/card.ts";
import type { Built } from "../scale/build.ts";
import type { Sample } from "../stat.ts";
import { makeVenue } from "../store/make.ts";
import type { Operator } from "../store/operator.ts";
import type { Site, Workload } from "../workload.ts";
import { Grants } from "./grant.ts";
import { openLoop } from "./load.ts";
import { runScript, serve, serverEnv } from "./process.ts";
import { type Answer, bearer, once, requestBytes } from "./wire.ts";

const cards = 20_000;
/** On three days, a third on each; the first two are over. */
const events = 3_000_000;
const grantsPerSec = 500;
const grantConnectionsMax = 512;
/** Tokens are made before the server has an address. */
const settings = { KARTU_ISSUER: "https://bench.kartu.invalid" };
/** A server that has just started reads its cards ahead. */
const startLeadMs = 3_000;
const dataFiles = ["kartu.db", "master.key"];

/** The first day of the history, and what is known of it past the server. */
interface Day {
  readonly day: number;
  readonly date: string;
  readonly rows: number;
  readonly debitAmount: number;
  readonly events: number;
}

function firstDay(dataDir: string): Day {
  const db = new Database(join(dataDir, "kartu.db"), { readonly: true });
  const days = db
    .query<{ day: number; rows: number; debitAmount: number; events: number }, []>(
      `SELECT day, count(*) AS rows, sum(debit_amount) AS debitAmount,
         sum(checkins + checkouts + debits + credits) AS events
       FROM settlement GROUP BY day ORDER BY events DESC LIMIT 2`,
    )
    .all();
  db.close(true);
  const [first] = days.sort((a, b) => a.day - b.day);
  if (first === undefined) throw new Error("settlement: the history has no day");
  return { ...first, date: dayText(first.day) };
}

async function makeHistory(site: Site) {
  const folder = join(site.folder, "settlement");
  const { devices } = site.venue;
  const base = await makeVenue(folder, devices.length, 0);
  const numbers = [cards, events, base.openSec, site.seed].map(String);
  const known = join(site.folder, "settlement-cards.bin");
  (await runScript(["bench/scale/build.ts", folder, ...numbers, known])) as Built;
  rmSync(known, { force: true });
  const day = firstDay(folder);
  const hoursAgo = (Date.now() / 1000 - base.openSec - openedBeforeSec) / 3_600;
  if (hoursAgo > 12) throw new Error("settlement: the history is too old");
  return { folder, venue: { ...base, cards }, day };
}

/** @throws unless the day was closed, with the figures that the tables had */
function checkRun({ status, body }: Answer, day: Day): string {
  if (status !== 201) throw new Error(`settlement: ${status} ${body}`);
  const run = JSON.parse(body) as { id: string; rows: number; totals: { debitAmount: number } };
  if (run.rows !== day.rows || run.totals.debitAmount !== day.debitAmount) {
    throw new Error(`settlement: ${body} for ${JSON.stringify(day)}`);
  }
  return run.id;
}

export const settlementWorkload: Workload = {
  name: "settlement",
  unit: "ms",
  lessIsBetter: true,
  last: true,
  about: `POST /api/v1/fleet/settlement/runs: a day of a million events closed beside ${grantsPerSec} grants/s; latencies are the grants'`,
  start: async (site) => {
    const { folder, venue, day } = await makeHistory(site);
    const own = { ...site, venue };
    let repeat = 0;
    let readMs = 0;
    const sample = async (windowMs: number): Promise<Sample> => {
      repeat += 1;
      const dataDir = join(site.folder, `settlement-${repeat}`);
      mkdirSync(dataDir, { mode: 0o700 });
      for (const file of dataFiles) cpSync(join(folder, file), join(dataDir, file));
      const script = ["bench/store/operator.ts", dataDir];
      const { accessToken } = (await runScript(script, settings)) as Operator;
      const served = await serve(
        ["src/main.ts", "serve", "--data", dataDir, "--port", "0", "--json"],
        site.pins.server,
        { ...serverEnv, ...settings },
      );
      const { url } = served;
      const call = (method: "GET" | "POST", path: string, body = "") =>
        once(
          url,
          requestBytes(url, method, `/api/v1/fleet/settlement${path}`, bearer(accessToken), body),
        );
      const grants = await Grants.make(own, url);
      const begunMs = performance.now();
      const granted = openLoop({
        ...{
          url,
          leadMs: startLeadMs,
          windowMs,
          perSec: grantsPerSec,
          connectionsMax: grantConnectionsMax,
        },
        next: () => grants.next(),
        check: (answer) => grants.check(answer),
      });
      // A server that runs for days has closed others before this one.
      for (let back = 1; back <= 5; back++) {
        const date = dayText(day.day - back);
        await call("POST", "/runs", JSON.stringify({ from: date, to: date }));
        await call("GET", `?from=${day.date}&to=${day.date}&format=csv`);
      }
      const restMs = startLeadMs + windowMs / 4 - (performance.now() - begunMs);
      if (restMs > 0) await Bun.sleep(restMs);
      const startMs = performance.now();
      const closed = await call("POST", "/runs", JSON.stringify({ from: day.date, to: day.date }));
      const tookMs = performance.now() - startMs;
      const id = checkRun(closed, day);
      const { latenciesMs } = await granted;
      // A large answer would keep the load busy, which shares a thread with whoever reads it.
      const readStartMs = performance.now();
      const { status } = await call("GET", `/runs/${id}`);
      readMs = performance.now() - readStartMs;
      if (status !== 200) throw new Error(`settlement: the run is read back with ${status}`);
      await served.stop();
      rmSync(dataDir, { recursive: true });
      return { value: tookMs, latenciesMs, rows: day.events };
    };
    return {
      // Each repeat has a server of its own.
      warmUp: async () => undefined,
      sample,
      finish: async () => {
        site.note(
          `settlement: ${day.events} events of ${day.rows} terminals on ${day.date}; ` +
            `the run read back in ${readMs.toFixed(1)} ms`,
        );
      },
    };
  },
};
