/**
 * The drill that a venue should have done before it needs it: a backup while tills work flat out, put back
 * elsewhere, proved, and held against what had been acknowledged when the backup began. Then the tills
 * hand in to the restored server all that they ever had, as if the first one had burnt down.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databasePath } from "../../src/app.ts";
import type { Upload } from "./journal.ts";
import { type Child, command, serve } from "./process.ts";
import { type CrashVenue, openCrashVenue } from "./venue.ts";

const drills = 3;
const size = { tills: 8, cards: 4 };

interface Drill {
  readonly directory: string;
  /** Acknowledged before the backup began: the least that it holds. */
  readonly least: readonly Upload[];
  /** Sent before it ended: the most that it can hold. */
  readonly most: readonly Upload[];
}

let venue: CrashVenue;
let scratch: string;
const done: Drill[] = [];

const run = async (child: Child): Promise<number> => await child.ended();

/** A backup of the server at work, restored by the command that people use. */
async function drill(name: string): Promise<Drill> {
  const { journal, dataDir } = venue;
  const least = journal.uploads.filter(({ batchId }) => batchId !== undefined);
  const file = join(scratch, `${name}.backup`);
  expect(await run(command(dataDir, "backup", file, "--json"))).toBe(0);
  const most = [...journal.uploads];
  const directory = join(scratch, name);
  expect(await run(command(directory, "restore", file, "--json"))).toBe(0);
  return { directory, least, most };
}

const nameOf = (tenantId: number, cardId: string, counter: number): string =>
  `${tenantId} ${cardId} ${counter}`;
const namesOf = (uploads: readonly Upload[]): string[] =>
  uploads.flatMap(({ tenantId, events }) =>
    events.map(({ cardId, counter }) => nameOf(tenantId, cardId, counter)),
  );

/** Events of a file, but for those that were there before any till worked; each as often as it stands there. */
function eventsIn(directory: string): string[] {
  const db = new Database(databasePath(directory), { readonly: true });
  try {
    const rows = db
      .query<{ tenant_id: number; card_id: string; counter: number }, [number]>(
        `SELECT e.tenant_id, c.card_id, e.counter FROM event e JOIN card c ON c.card_no = e.card_no
         WHERE e.event_id > ? ORDER BY e.event_id`,
      )
      .all(venue.journal.lastId);
    return rows.map((row) => nameOf(row.tenant_id, row.card_id, row.counter));
  } finally {
    db.close(true);
  }
}

beforeAll(async () => {
  venue = await openCrashVenue({ ...size, seed: Date.now() % 1_000_000 });
  scratch = mkdtempSync(join(tmpdir(), "kartu-drill-"));
  const server = serve(venue.dataDir);
  const url = await server.url();
  if (url === undefined) throw new Error("no server");
  let isOver = false;
  const working = venue.tills.map(async (till) => {
    while (!isOver && (await till.step(url)));
  });
  for (let at = 0; at < drills; at += 1) {
    await Bun.sleep(300);
    done.push(await drill(`drill-${at}`));
  }
  isOver = true;
  await Promise.all(working);
  server.signal("SIGTERM");
  expect(await server.ended()).toBe(0);
}, 120_000);

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
  venue.remove();
});

test("each backup holds all that was acknowledged before it, whole batches, each event once", () => {
  for (const { directory, least, most } of done) {
    const found = eventsIn(directory);
    const there = new Set(found);
    expect(found.length).toBe(there.size);
    expect(least.length).toBeGreaterThan(0);
    expect(namesOf(least).filter((name) => !there.has(name))).toEqual([]);
    const sent = new Set(namesOf(most));
    expect(found.filter((name) => !sent.has(name))).toEqual([]);
    const halves = most.filter((upload) => {
      const has = namesOf([upload]).filter((name) => there.has(name)).length;
      return has !== 0 && has !== upload.events.length;
    });
    expect(halves).toEqual([]);
  }
});

test("a later backup holds more, and each is sound", async () => {
  const counts = done.map(({ directory }) => eventsIn(directory).length);
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
  expect(new Set(counts).size).toBe(drills);
  for (const { directory } of done) expect(await run(command(directory, "verify"))).toBe(0);
});

test("with what the tills still have, the restored server is whole again", async () => {
  const { directory } = done[0] as Drill;
  const before = new Set(eventsIn(directory));
  const server = serve(directory);
  const url = await server.url();
  let accepted = 0;
  const parked: string[] = [];
  for (const { body, token, tenantId } of venue.journal.uploads) {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${url}/api/reconcile`, { method: "POST", headers, body });
    const json = (await response.json()) as {
      accepted: number;
      rejections: readonly { cardId: string; counter: number; reason: string }[];
    };
    expect([200, 409]).toContain(response.status);
    accepted += json.accepted;
    if (response.status === 409) continue;
    // A card that took another's place after the backup is a stranger; its events are kept apart.
    for (const { cardId, counter, reason } of json.rejections) {
      if (reason === "unknown_card") parked.push(nameOf(tenantId, cardId, counter));
      else expect(reason).toBe("duplicate");
    }
  }
  server.signal("SIGTERM");
  expect(await server.ended()).toBe(0);
  const after = eventsIn(directory);
  expect(after.length).toBe(before.size + accepted);
  const all = new Set([...after, ...parked]);
  expect(namesOf(venue.journal.uploads).filter((name) => !all.has(name))).toEqual([]);
  expect(await run(command(directory, "verify"))).toBe(0);
}, 120_000);
