/**
 * Proving a file: a venue with everything in it holds, also while it is served, and each fault planted
 * in a copy of its file is found, named by the check that is there for it.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databasePath, schema } from "../../src/app.ts";
import { auditService } from "../../src/feature/audit/service.ts";
import { type Verdict, verifyService } from "../../src/feature/verify/service.ts";
import { openReader } from "../../src/store/reader.ts";
import { seededRandom } from "../../src/system/random.ts";
import { openVenue, startSec, type Venue } from "../harness.ts";

const directory = mkdtempSync(join(tmpdir(), "kartu-verify-"));
const template = join(directory, "template.db");
const daySec = 86_400;
const weekSec = 7 * daySec;

async function verifyFile(path: string): Promise<Verdict> {
  const store = openReader(path, schema);
  const { verify } = verifyService({ audit: auditService({ store, random: seededRandom(1) }) });
  try {
    return await store.scan((q) => verify(q));
  } finally {
    await store.close();
  }
}

/** Cards with a long chain, late events, holes, weeks, parked and settled credits, and rejected events. */
async function fill(venue: Venue): Promise<void> {
  const station = await venue.working("station");
  const terminal = await venue.working("terminal");
  const other = await venue.working("terminal");
  const long = await venue.loaded(station, terminal, 400_000);
  const events = Array.from({ length: 70 }, (_, i) => long.debit(100 + i));
  await terminal.hand(...events);

  const late = await venue.loaded(station, terminal, 90_000);
  const [first, second, third, fourth] = [1, 2, 3, 4].map((amount) => late.debit(amount));
  if (first && second && third && fourth) {
    await terminal.hand(first, fourth);
    await other.hand(third);
  }
  await other.hand(late.debit(5, { at: startSec + weekSec }), late.debit(6, { at: startSec + 60 }));

  const parked = await venue.card(station);
  await station.hand(parked.admin(), parked.credit(7_000));
  const canceled = (await station.topup(parked.cardId, 2_500)).json.topupId;
  await station.cancel(parked.cardId, canceled);
  await station.topup(parked.cardId, 1_500);
  await station.reissue(long.cardId, "ab0000000001", { chipBalance: long.balance });
  const fork = late.fork();
  await other.hand(late.debit(8));
  await terminal.upload(fork.debit(9), { ...fork.debit(1), cardId: "00000000beef" });
  const fresh = await venue.addTenant();
  await fresh.loaded(await fresh.working("station"), await fresh.working("terminal"), 1_000);
}

beforeAll(async () => {
  const venue = await openVenue();
  await fill(venue);
  const live = await verifyFile(databasePath(venue.dataDir));
  expect(live).toEqual({ count: 0, faults: [] });
  await venue.close();
  copyFileSync(databasePath(venue.dataDir), template);
  rmSync(venue.dataDir, { recursive: true });
});

afterAll(() => rmSync(directory, { recursive: true }));

let copies = 0;

/** Faults of a copy of the file after `plant`, as `check table key`. */
async function faultsAfter(...plant: readonly string[]): Promise<string[]> {
  copies += 1;
  const path = join(directory, `${copies}.db`);
  copyFileSync(template, path);
  const db = new Database(path, { readwrite: true });
  db.run("PRAGMA foreign_keys = OFF");
  db.run("PRAGMA ignore_check_constraints = ON");
  const triggers = db
    .prepare<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    .all();
  for (const { name } of triggers) db.run(`DROP TRIGGER ${name}`);
  for (const sql of plant) {
    const { changes } = db.run(sql);
    if (changes !== 1) throw new Error(`${changes} rows changed by ${sql}`);
  }
  db.close(true);
  const { faults } = await verifyFile(path);
  return faults.map(({ check, table, key }) => `${check} | ${table} | ${key}`);
}

test("a file at rest holds", async () => {
  expect(await verifyFile(template)).toEqual({ count: 0, faults: [] });
});

type Case = readonly [what: string, plant: readonly string[], found: readonly string[]];

const headColumns = ["counter", "depth", "late", "chip_balance", "shown_counter", "flags", "hash"];
const settlementColumns = [
  "debits",
  "debit_amount",
  "rejected",
  "late_events",
  "topups",
  "flagged",
  "refunds",
  "refund_amount",
  "parked_amount",
  "released_amount",
  "returned_amount",
];
const firstSettlement = `(tenant_id, layer, day, device_no) =
  (SELECT tenant_id, layer, day, device_no FROM settlement LIMIT 1)`;

/** What to find: at least these, as beginnings of `check | table | key`. */
const cases: readonly Case[] = [
  [
    "a kept number of cards",
    ["UPDATE card_count SET cards = cards + 1 WHERE tenant_id = 1 AND status = 0"],
    ["kept number | card_count | tenant 1, 0 1 "],
  ],
  [
    "a kept number of members",
    ["DELETE FROM member_count WHERE tenant_id = 1"],
    ["kept number | member_count | tenant 1, active"],
  ],
  [
    "a card's balance",
    ["UPDATE head SET available = available + 1 WHERE card_no = 2"],
    ["balance | head | 2", "balances sum to zero | wallet, head | tenant 1"],
  ],
  [
    "a wallet's balance",
    ["UPDATE wallet SET available = available - 1 WHERE system_key = 'cash' AND tenant_id = 1"],
    ["balance | wallet | ", "balances sum to zero | wallet, head | tenant 1"],
  ],
  [
    "a posting",
    ["UPDATE posting SET amount = amount + 1 WHERE posting_no = 1"],
    ["entries sum to zero | entry | tenant 1", "balance | "],
  ],
  [
    "a posting of another tenant",
    ["UPDATE posting SET tenant_id = 2 WHERE posting_no = 1"],
    ["entries sum to zero | entry | tenant 1", "entries sum to zero | entry | tenant 2"],
  ],
  [
    "the amount of a debit",
    ["UPDATE event SET amount = amount + 1 WHERE event_id = 20"],
    [
      "balance | head | 1",
      "balance | wallet | ",
      "week of debits | head | card 1",
      "batch | batch | ",
      "settlement | settlement | tenant 1, 2025-05-08",
    ],
  ],
  [
    "a counter twice",
    ["UPDATE event SET counter = 20 WHERE card_no = 1 AND counter = 21"],
    ["counter once | event | card 1, counter 20"],
  ],
  [
    "a chain that skips an event",
    ["UPDATE event SET prev = prev - 1 WHERE card_no = 1 AND counter = 30"],
    ["chain | event | card 1, counter 30"],
  ],
  [
    "a chain that does not fall",
    ["UPDATE event SET prev = event_id WHERE card_no = 1 AND counter = 30"],
    ["chain | event | card 1, counter 30"],
  ],
  [
    "an event that is gone",
    ["DELETE FROM event WHERE card_no = 1 AND counter = 40"],
    [
      "chain | event | card 1, counter 41",
      "head | head | card 1, depth",
      "events of a batch | event | ",
      "place | event_place | card 1, late 0",
    ],
  ],
  [
    "an event of no card",
    ["UPDATE event SET card_no = 999 WHERE card_no = 1 AND counter = 40"],
    ["event of a card | event | event "],
  ],
  [
    "an event of no batch",
    ["UPDATE event SET batch_no = 999 WHERE card_no = 1 AND counter = 73"],
    ["events of a batch | event | ", "batch | batch | "],
  ],
  [
    "an event of another tenant",
    ["UPDATE event SET tenant_id = 2 WHERE card_no = 1 AND counter = 40"],
    ["event of the card's tenant | event | card 1, counter 40"],
  ],
  [
    "a place that is gone",
    ["DELETE FROM event_place WHERE card_no = 1 AND counter = 32"],
    ["place | event_place | card 1, counter 32"],
  ],
  [
    "a place of a late event that is gone",
    ["DELETE FROM event_place WHERE card_no = 2 AND late = 1"],
    ["place | event_place | card 2, counter "],
  ],
  [
    "a place too many",
    ["INSERT INTO event_place VALUES (1, 0, 33, 33, 1)"],
    ["place | event_place | card 1, late 0, counter 33"],
  ],
  [
    "a late event on the chain",
    ["UPDATE event SET prev = 5 WHERE card_no = 2 AND late = 1"],
    ["late event off the chain | event | card 2"],
  ],
  [
    "a hole that is gone",
    ["DELETE FROM event_hole WHERE card_no = 2"],
    ["hole | event_hole | card 2, counter "],
  ],
  [
    "a hole too many",
    ["INSERT INTO event_hole VALUES (1, 33, 1, 33, 0, 0)"],
    ["hole | event_hole | card 1, counter 33"],
  ],
  [
    "what is known of no event",
    ["INSERT INTO event_amend VALUES (99999, 1, 0, 1, 0, 0)"],
    ["amended event | event_amend | event 99999"],
  ],
  [
    "a day of debits in the head",
    ["UPDATE head SET d3 = d3 + 1 WHERE card_no = 1"],
    ["week of debits | head | card 1"],
  ],
  [
    "a day of debits of another week",
    ["UPDATE debit_week SET d3 = d3 + 1 WHERE card_no = 2"],
    ["week of debits | debit_week | card 2"],
  ],
  [
    "a week of debits that is gone",
    ["DELETE FROM debit_week WHERE card_no = 2"],
    ["week of debits | debit_week | card 2"],
  ],
  ...headColumns.map(
    (column): Case => [
      `${column} of a head`,
      [`UPDATE head SET ${column} = ${column} + 1 WHERE card_no = 2`],
      [`head | head | card 2, ${column}`],
    ],
  ),
  [
    "a head that is gone",
    ["DELETE FROM head WHERE card_no = 1"],
    ["head | head | card 1", "balance | head | 1"],
  ],
  [
    "the count of a batch",
    ["UPDATE batch SET flagged = flagged + 1 WHERE batch_no = 2"],
    ["batch | batch | batch 2, flagged"],
  ],
  [
    "the accepted events of a batch",
    ["UPDATE batch SET accepted = accepted + 1, events = events + 1 WHERE batch_no = 2"],
    ["batch | batch | batch 2, accepted"],
  ],
  [
    "the first event of a batch",
    ["UPDATE batch SET first_event = first_event + 1 WHERE batch_no = 2"],
    ["events of a batch | event | "],
  ],
  ...settlementColumns.map(
    (column): Case => [
      `${column} of a settlement`,
      [`UPDATE settlement SET ${column} = ${column} + 1 WHERE ${firstSettlement}`],
      ["settlement | settlement | tenant 1"],
    ],
  ),
  [
    "a settlement that is gone",
    [`DELETE FROM settlement WHERE ${firstSettlement}`],
    ["settlement | settlement | tenant, day, device 1 "],
  ],
  [
    "a credit without its top-up",
    ["UPDATE topup SET event_id = NULL WHERE topup_no = (SELECT min(topup_no) FROM topup)"],
    ["credit of a top-up | topup | "],
  ],
  [
    "the detail of an audit record",
    [`UPDATE audit_detail SET detail = '{"x":1}' WHERE tenant_id = 1 AND seq = 5`],
    ["audit chain | audit | tenant 1, seq 5"],
  ],
  [
    "an audit record that is gone",
    ["DELETE FROM audit WHERE tenant_id = 1 AND seq = 6"],
    ["audit chain | audit | tenant 1, seq 7"],
  ],
  [
    "the link of an audit record",
    ["UPDATE audit SET prev_hash = zeroblob(32) WHERE tenant_id = 1 AND seq = 5"],
    ["audit chain | audit | tenant 1, seq 5"],
  ],
  [
    "a reference that leads nowhere",
    ["DELETE FROM member WHERE user_id = 1 AND tenant_id = 1"],
    ["foreign key | card | "],
  ],
  [
    "a value that its table forbids",
    ["UPDATE tenant SET policy_version = 0 WHERE tenant_id = 1"],
    ["integrity_check | database | "],
  ],
];

describe("finds", () => {
  for (const [what, plant, found] of cases) {
    test(what, async () => {
      const faults = await faultsAfter(...plant);
      for (const start of found) {
        expect(faults.filter((fault) => fault.startsWith(start))).not.toEqual([]);
      }
    });
  }
});

test("an index that is torn", async () => {
  const path = join(directory, "torn.db");
  copyFileSync(template, path);
  const db = new Database(path, { readwrite: true });
  const root = db
    .prepare<{ page: number; size: number }, []>(
      `SELECT rootpage AS page, page_size AS size FROM sqlite_schema, pragma_page_size
       WHERE name = 'card_change_card'`,
    )
    .get();
  db.close(true);
  if (root === null) throw new Error("there is an index of that name");
  const file = openSync(path, "r+");
  writeSync(file, new Uint8Array(64), 0, 64, root.page * root.size - 64);
  closeSync(file);
  const { faults } = await verifyFile(path);
  expect(faults.map(({ check }) => check)).toContain("integrity_check");
});

test("a file with many faults lists the first of each check and counts all", async () => {
  const path = join(directory, "many.db");
  copyFileSync(template, path);
  const db = new Database(path, { readwrite: true });
  db.run("DROP TRIGGER event_no_update");
  db.run("UPDATE event SET prev = 7 WHERE late = 0");
  db.run(`WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 150)
          INSERT INTO event_place SELECT 900, 0, i, i, 1 FROM n`);
  db.close(true);
  const { count, faults } = await verifyFile(path);
  expect(count).toBeGreaterThan(200);
  expect(faults.filter(({ check }) => check === "place")).toHaveLength(100);
});
