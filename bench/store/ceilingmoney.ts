/**
 * Yardstick: what bun:sqlite does with the statements of a transfer when nothing else is done. A bare loop
 * over a bank's file, FULL, 64 transfers a COMMIT as 64 connections give: the transaction, two balances,
 * the audit record, the event log, the kept answer, with texts as long as the server's. No HTTP, no JSON, no
 * rule, no savepoint, no hash. Reads lines of JSON on stdin, `{"ms": n}`, and answers each.
 */
import { Database } from "bun:sqlite";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { auditDetailInsert, auditInsert } from "../../schema/query/audit.ts";
import { keepAnswer } from "../../schema/query/idempotency.ts";
import { recordInsert } from "../../schema/query/money.ts";
import { publishedInsert } from "../../schema/query/published.ts";
import type { Param, Statement } from "../../schema/query/statement.ts";
import { walletPut } from "../../schema/query/wallet.ts";
import { systemRandom } from "../../src/system/random.ts";
import { Random } from "../domain/random.ts";
import { Lines } from "../http/process.ts";
import type { CeilingAnswer } from "./ceiling.ts";
import { openingMinor as balance } from "./wallets.ts";

/** Of a COMMIT. */
export const groupTransfers = 64;
/** Of the server's own texts, measured. */
const [detailChars, personalChars, dataChars, answerChars] = [640, 70, 200, 760] as const;
const day = 86_400;

const pragmas = [
  "PRAGMA foreign_keys = ON",
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = FULL",
  "PRAGMA cache_size = -65536",
  "PRAGMA temp_store = MEMORY",
  "PRAGMA wal_autocheckpoint = 1000",
];

const jsonOf = (chars: number): string => JSON.stringify({ text: "x".repeat(chars - 11) });

class Bare {
  readonly #db: Database;
  readonly #random = new Random(1);
  readonly #ids = systemRandom();
  readonly #tenantId: number;
  readonly #wallets: Uint32Array;
  readonly #hash = randomBytes(32);
  readonly #salt = randomBytes(16);
  readonly #detail = jsonOf(detailChars);
  readonly #personal = jsonOf(personalChars);
  readonly #data = jsonOf(dataChars);
  readonly #answer = jsonOf(answerChars);
  readonly #run: Record<string, (...params: Param[]) => unknown> = {};
  #txnNo: number;
  #seq: number;

  constructor(dataDir: string) {
    this.#db = new Database(join(dataDir, "kartu.db"), { readwrite: true, strict: true });
    for (const pragma of pragmas) this.#db.run(pragma);
    const one = (sql: string): number =>
      this.#db.query<{ n: number }, []>(`SELECT coalesce(${sql}, 0) AS n`).get()?.n ?? 0;
    this.#tenantId = one("(SELECT max(tenant_id) FROM tenant)");
    this.#txnNo = one("(SELECT max(txn_no) FROM txn)");
    this.#seq = one(`(SELECT max(seq) FROM audit WHERE tenant_id = ${this.#tenantId})`);
    const rows = this.#db
      .query<{ no: number }, [number]>(
        "SELECT wallet_no AS no FROM wallet WHERE tenant_id = ? AND kind = 'user'",
      )
      .all(this.#tenantId);
    this.#wallets = Uint32Array.from(rows, ({ no }) => no);
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

  #transfer(nowMs: number): void {
    const tenant = this.#tenantId;
    const draw = (): number => this.#wallets[this.#random.below(this.#wallets.length)] ?? 0;
    const [from, to] = [draw(), draw()];
    this.#txnNo += 1;
    this.#seq += 1;
    const [no, id] = [this.#txnNo, this.#ids.uuid(nowMs)];
    const what = ["transfer", "completed", 1, 5, "IDR", from, null, to, null, 0, 0] as const;
    const rest = [balance, 0, 0, null, null, null, null, null, null, "bench", nowMs] as const;
    this.#do(recordInsert, no, id, tenant, ...what, ...rest);
    for (const wallet of [from, to])
      this.#do(walletPut, tenant, wallet, balance, 0, 0, no, 1, nowMs);
    const action = "money.transfer.completed";
    const hash = this.#hash;
    const record = [this.#ids.uuid(nowMs), nowMs, action, "transaction", id] as const;
    this.#do(auditInsert, tenant, this.#seq, ...record, hash, hash, hash, hash);
    const said = [this.#salt, this.#detail, this.#salt, this.#personal] as const;
    this.#do(auditDetailInsert, tenant, this.#seq, "user", randomUUID(), randomUUID(), ...said);
    this.#do(publishedInsert, this.#ids.uuid(nowMs), tenant, action, this.#data, nowMs);
    const nowSec = Math.floor(nowMs / 1000);
    const kept = [hash, 201, this.#answer, null, nowSec + day, nowSec] as const;
    this.#do(keepAnswer, randomBytes(32), tenant, ...kept);
  }

  /** Groups until `ms` are over. */
  work(ms: number): CeilingAnswer {
    const groupsMs: number[] = [];
    const startMs = performance.now();
    let nowMs = startMs;
    while (nowMs - startMs < ms) {
      this.#run.begin?.();
      for (let done = 0; done < groupTransfers; done++) this.#transfer(Date.now());
      this.#run.commit?.();
      const endMs = performance.now();
      groupsMs.push(endMs - nowMs);
      nowMs = endMs;
    }
    return { events: groupsMs.length * groupTransfers, ms: nowMs - startMs, groupsMs };
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
