/**
 * Yardstick: what bun:sqlite does with our own statements when nothing else is done. A bare loop over a
 * copy of the venue, FULL, as many events a COMMIT as a group of the server holds: per event one insert
 * and the update of a card's head, every 32nd a place; per batch its row, its audit record, what the
 * terminal took, the event log. No HTTP, no JSON, no rule, no savepoint. Reads lines of JSON on stdin,
 * `{"ms": n}`, and answers each with what it did in that time.
 */
import { Database } from "bun:sqlite";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { placeEvery } from "../../schema/bound.ts";
import { auditDetailInsert, auditInsert } from "../../schema/query/audit.ts";
import { batchInsert } from "../../schema/query/batch.ts";
import { headUpdate } from "../../schema/query/card.ts";
import { eventInsert, placeInsert } from "../../schema/query/event.ts";
import { walletAdd } from "../../schema/query/money.ts";
import { publishedInsert } from "../../schema/query/published.ts";
import { settlementAdd } from "../../schema/query/settlement.ts";
import type { Param, Statement } from "../../schema/query/statement.ts";
import { Random } from "../domain/random.ts";
import { Lines } from "../http/process.ts";

const batchEvents = 500;
/** A group of the server takes writes up to this many rows. */
const groupEvents = 1_000;

export interface CeilingAnswer {
  readonly events: number;
  readonly ms: number;
  /** Of each COMMIT with what it commits. */
  readonly groupsMs: readonly number[];
}

const pragmas = [
  "PRAGMA foreign_keys = ON",
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = FULL",
  "PRAGMA cache_size = -65536",
  "PRAGMA temp_store = MEMORY",
  "PRAGMA wal_autocheckpoint = 4000",
];

class Bare {
  readonly #db: Database;
  readonly #random = new Random(1);
  readonly #tenantId: number;
  readonly #deviceNo: number;
  readonly #walletNo: number;
  readonly #cards: Uint32Array;
  readonly #counters: Uint32Array;
  readonly #hash = randomBytes(32);
  readonly #salt = randomBytes(16);
  readonly #run: Record<string, (...params: Param[]) => unknown> = {};
  #eventId: number;
  #batchNo: number;
  #auditSeq: number;

  constructor(dataDir: string) {
    this.#db = new Database(join(dataDir, "kartu.db"), { readwrite: true, strict: true });
    for (const pragma of pragmas) this.#db.run(pragma);
    const one = (sql: string): number =>
      this.#db.query<{ n: number }, []>(`SELECT coalesce(${sql}, 0) AS n`).get()?.n ?? 0;
    this.#tenantId = one("(SELECT min(tenant_id) FROM tenant)");
    this.#deviceNo = one("(SELECT min(device_no) FROM device)");
    this.#walletNo = one("(SELECT min(wallet_no) FROM wallet)");
    this.#eventId = one("(SELECT max(event_id) FROM event)");
    this.#batchNo = one("(SELECT max(batch_no) FROM batch)");
    this.#auditSeq = one(`(SELECT max(seq) FROM audit WHERE tenant_id = ${this.#tenantId})`);
    const rows = this.#db
      .query<{ card_no: number }, []>("SELECT card_no FROM head WHERE counter > 0")
      .all();
    this.#cards = Uint32Array.from(rows, (row) => row.card_no);
    this.#counters = new Uint32Array(this.#cards.length).fill(1);
    const begin = this.#db.prepare("BEGIN IMMEDIATE");
    const commit = this.#db.prepare("COMMIT");
    this.#run.begin = () => begin.run();
    this.#run.commit = () => commit.run();
  }

  #do<P extends readonly Param[]>(statement: Statement<P, unknown>, ...params: P): void {
    let run = this.#run[statement.name];
    if (run === undefined) {
      const prepared = this.#db.prepare<unknown, Param[]>(statement.sql);
      run = (...values) => prepared.run(...values);
      this.#run[statement.name] = run;
    }
    run(...params);
  }

  #event(at: number, nowSec: number): void {
    const [tenant, device] = [this.#tenantId, this.#deviceNo];
    const other = at + this.#random.below(this.#cards.length - at);
    const card = this.#cards[other] ?? 0;
    const counter = (this.#counters[other] ?? 0) + 1;
    this.#cards[other] = this.#cards[at] ?? 0;
    this.#counters[other] = this.#counters[at] ?? 0;
    this.#cards[at] = card;
    this.#counters[at] = counter;
    this.#eventId += 1;
    const id = this.#eventId;
    const hash = this.#random.uint32() * 65_536;
    const spent = this.#random.below(30_000);
    const left = 3_000_000 - spent;
    const content = [counter, 0, spent, left, nowSec, hash, 0, 1, nowSec, 1] as const;
    this.#do(eventInsert, id, tenant, card, this.#batchNo, device, ...content, id - 1, 0, 1, null);
    if (counter % placeEvery === 0) this.#do(placeInsert, card, 0, counter, id, tenant);
    const shown = [1, counter, 0, counter, 0, 0, left, 0, 0] as const;
    const days = [2_800, spent, 0, 0, 0, 0, 0, 0] as const;
    this.#do(headUpdate, card, tenant, id, ...content, ...shown, ...days, id);
  }

  #batch(nowMs: number): void {
    const tenant = this.#tenantId;
    const nowSec = Math.floor(nowMs / 1000);
    this.#batchNo += 1;
    this.#auditSeq += 1;
    const [seq, hash] = [this.#auditSeq, this.#hash];
    const what = ["fleet.batch.reconciled", "batch", String(this.#batchNo)] as const;
    this.#do(auditInsert, tenant, seq, randomUUID(), nowMs, ...what, hash, hash, hash, hash);
    const detail = JSON.stringify({ batchNo: this.#batchNo, accepted: batchEvents, rejected: 0 });
    this.#do(auditDetailInsert, tenant, seq, "device", "d", null, this.#salt, detail, null, null);
    const counts = [batchEvents, batchEvents, 0, 0, 0, 0] as const;
    const from = [tenant, this.#deviceNo, nowMs] as const;
    const [uuid, digest, first] = [randomUUID(), randomBytes(32), this.#eventId + 1];
    this.#do(batchInsert, this.#batchNo, uuid, ...from, ...counts, digest, 1, first, seq);
    for (let at = 0; at < batchEvents; at++) this.#event(at % this.#cards.length, nowSec);
    this.#do(walletAdd, tenant, this.#walletNo, 1, 0, 0, nowMs);
    const taken = [20_000, this.#deviceNo, 0, 0, batchEvents, 1, 0, 0, 0, 0, 0, 0, 0] as const;
    this.#do(settlementAdd, tenant, ...taken);
    this.#do(publishedInsert, randomUUID(), tenant, "fleet.batch.reconciled", detail, nowMs);
  }

  /** Groups until `ms` are over. */
  work(ms: number): CeilingAnswer {
    const groupsMs: number[] = [];
    const startMs = performance.now();
    let nowMs = startMs;
    while (nowMs - startMs < ms) {
      this.#run.begin?.();
      for (let done = 0; done < groupEvents; done += batchEvents) this.#batch(Date.now());
      this.#run.commit?.();
      const endMs = performance.now();
      groupsMs.push(endMs - nowMs);
      nowMs = endMs;
    }
    return { events: groupsMs.length * groupEvents, ms: nowMs - startMs, groupsMs };
  }

  close(): void {
    this.#db.close(true);
  }
}

async function main(dataDir: string): Promise<void> {
  const bare = new Bare(dataDir);
  const lines = new Lines(Bun.stdin.stream());
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    const { ms } = JSON.parse(line) as { ms: number };
    process.stdout.write(`${JSON.stringify(bare.work(ms))}\n`);
  }
  bare.close();
}

if (import.meta.main) await main(process.argv[2] ?? "");
