/**
 * Copies of a killed server's files with the end cut off, a bit turned, or beside a file of another
 * moment, as a failing disk or a hasty copy leaves them. Each opens to a prefix of what was acknowledged,
 * or is refused, or is found damaged by the proof; none passes for something else.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseName, openKartu } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { CHAIN } from "../../src/domain/flag.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createLog } from "../../src/system/log.ts";
import { systemRandom } from "../../src/system/random.ts";
import { environmentOf, serve } from "./process.ts";
import { copyOf, faultsIn } from "./proof.ts";
import { type CrashVenue, dice, openCrashVenue } from "./venue.ts";

const trials = 20;
const seed = Date.now() % 1_000_000;
const roll = dice(seed);
let venue: CrashVenue;
/** The database before it was worked on, and its WAL while it was. */
let earlier: string;

beforeAll(async () => {
  venue = await openCrashVenue({ seed: 1, tills: 4, cards: 3 });
  earlier = mkdtempSync(join(tmpdir(), "kartu-earlier-"));
  copyFileSync(join(venue.dataDir, databaseName), join(earlier, databaseName));
  const server = serve(venue.dataDir, { roundEventsMin: 100, stretchMin: 1 });
  const url = await server.url();
  if (url === undefined) throw new Error("no server");
  const working = Promise.all(
    venue.tills.map(async (till) => {
      while (await till.step(url));
    }),
  );
  await Bun.sleep(250);
  copyFileSync(walOf(venue.dataDir), walOf(earlier));
  await Bun.sleep(450);
  server.signal("SIGKILL");
  await server.ended();
  await working;
}, 30_000);

afterAll(() => {
  venue.remove();
  rmSync(earlier, { recursive: true, force: true });
});

/** What cards did, in the order in which it came, and with which batch. */
const appended: readonly string[] = [
  "SELECT batch_no, uuid, events, accepted FROM batch ORDER BY batch_no",
  "SELECT * FROM event ORDER BY event_id",
];

/**
 * What was spent and paid in, and what everybody has. A hash says nothing where what it names is not
 * known, or where it is flagged already, and of the time no more than 16 bits.
 */
const books: readonly string[] = [
  `SELECT e.event_id, e.tenant_id, e.card_no, e.batch_no, e.device_no, e.counter, e.type, e.amount,
     e.prev, e.late, e.booking, e.topup_no,
     CASE WHEN a.event_id IS NULL AND e.start_sec IS NOT NULL AND e.flags & ${CHAIN} = 0
       THEN json_array(e.hash, e.balance_after, e.timestamp_sec & 65535, e.start_sec, e.state) END AS proved
   FROM event e LEFT JOIN event_amend a ON a.event_id = e.event_id ORDER BY e.event_id`,
  "SELECT topup_no, card_no, amount, status, event_id FROM topup ORDER BY topup_no",
  "SELECT * FROM entry ORDER BY tenant_id, card_no, wallet_no, bucket, amount",
  "SELECT card_no, available, pending, frozen FROM head ORDER BY card_no",
  "SELECT wallet_no, available, pending, frozen FROM wallet ORDER BY wallet_no",
];

function linesOf(directory: string, queries: readonly string[]): string[][] {
  const db = new Database(join(directory, databaseName));
  try {
    return queries.map((sql) =>
      db
        .query(sql)
        .all()
        .map((row) => JSON.stringify(row)),
    );
  } finally {
    db.close(true);
  }
}

/** What the server makes of the files: it says no, or opens them, and then the proof has its say. */
async function open(directory: string): Promise<"refused" | "damaged" | "sound"> {
  const read = readConfig(environmentOf(directory));
  if ("faults" in read) throw new Error(read.faults.join("\n"));
  const { config } = read;
  const clock = systemClock();
  const log = createLog({ nowMs: () => clock.nowMs(), level: "error", write: () => undefined });
  try {
    const random = systemRandom();
    const kartu = await openKartu({ dataDir: directory, config, clock, random, log });
    await kartu.card.readAhead();
    await kartu.close();
  } catch {
    return "refused";
  }
  try {
    return (await faultsIn(directory)).length > 0 ? "damaged" : "sound";
  } catch {
    return "damaged";
  }
}

const walOf = (directory: string): string => join(directory, `${databaseName}-wal`);

function turnBit(file: string, from = 0, to?: number): void {
  const bytes = readFileSync(file);
  const at = from + roll((to ?? bytes.length) - from);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << roll(8));
  writeFileSync(file, bytes);
}

/** SQLite's file format, §4.1: a header of 32 bytes, then frames of 24 bytes and a page. */
const framesIn = (wal: string): number => Math.floor((statSync(wal).size - 32) / (24 + 4096));
const cutAtFrame = (wal: string): void =>
  truncateSync(wal, 32 + roll(framesIn(wal) + 1) * (24 + 4096));

type Damage = readonly [name: string, (directory: string) => void, times: number];

const ofWal: readonly Damage[] = [
  [
    "the WAL's end is cut off",
    (at) => truncateSync(walOf(at), roll(statSync(walOf(at)).size)),
    trials,
  ],
  ["the WAL is cut off between two frames", (at) => cutAtFrame(walOf(at)), trials],
  ["a bit of the WAL is turned", (at) => turnBit(walOf(at)), trials],
  ["a bit of the WAL's header is turned", (at) => turnBit(walOf(at), 0, 32), trials],
  ["the WAL is empty", (at) => truncateSync(walOf(at), 0), 1],
  ["the WAL is gone", (at) => rmSync(walOf(at)), 1],
  ["the WAL is an earlier one", (at) => copyFileSync(walOf(earlier), walOf(at)), 1],
  [
    "the database is an earlier one",
    (at) => copyFileSync(join(earlier, databaseName), join(at, databaseName)),
    1,
  ],
];

test.each(ofWal)(
  "%s: what is left is a prefix",
  async (_, damage, times) => {
    const whole = copyOf(venue.dataDir);
    const due = linesOf(whole, appended);
    rmSync(whole, { recursive: true, force: true });
    for (let trial = 0; trial < times; trial += 1) {
      const directory = copyOf(venue.dataDir);
      damage(directory);
      const verdict = await open(directory);
      if (verdict === "sound") {
        const found = linesOf(directory, appended);
        expect(found).toEqual(due.map((lines, i) => lines.slice(0, found[i]?.length)));
      }
      rmSync(directory, { recursive: true, force: true });
    }
  },
  60_000,
);

test("the index of the WAL is rubbish, or of another time: it is made anew", async () => {
  const whole = copyOf(venue.dataDir);
  const due = linesOf(whole, appended);
  rmSync(whole, { recursive: true, force: true });
  for (const size of [0, 1, 136, 32_768]) {
    const directory = copyOf(venue.dataDir);
    const bytes = crypto.getRandomValues(new Uint8Array(size));
    writeFileSync(join(directory, `${databaseName}-shm`), bytes);
    expect(await open(directory)).toBe("sound");
    expect(linesOf(directory, appended)).toEqual(due);
    rmSync(directory, { recursive: true, force: true });
  }
}, 60_000);

const ofDatabase: readonly Damage[] = [
  [
    "its end is cut off",
    (at) => {
      const path = join(at, databaseName);
      truncateSync(path, roll(readFileSync(path).length));
    },
    trials,
  ],
  ["a bit is turned", (at) => turnBit(join(at, databaseName)), trials],
];

test.each(ofDatabase)(
  "the database at rest, %s: nothing else is taken for sound",
  async (_, damage, times) => {
    const whole = copyOf(venue.dataDir);
    // At rest: no WAL, and no row of a head behind.
    expect(await open(whole)).toBe("sound");
    const due = linesOf(whole, books);
    for (let trial = 0; trial < times; trial += 1) {
      const directory = copyOf(whole);
      damage(directory);
      const verdict = await open(directory);
      if (verdict === "sound") expect(linesOf(directory, books)).toEqual(due);
      rmSync(directory, { recursive: true, force: true });
    }
    rmSync(whole, { recursive: true, force: true });
  },
  60_000,
);
