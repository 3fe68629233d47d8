/** `kartu verify` proves the ledger of movements by hand too: each kind of damage is found and named. */

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { databaseName } from "../../src/app.ts";
import { openReader } from "../../src/store/reader.ts";
import { type Bank, openBank } from "./bank.ts";

let bank: Bank;
let directory = "";
beforeAll(async () => {
  bank = await openBank();
  const [a, b] = [await bank.wallet(1_000), await bank.wallet()];
  for (const amount of [5, 6, 7]) {
    await bank.post("/transfers", { fromWalletId: a, toWalletId: b, amount });
  }
  const { id } = await bank.post<{ id: string }>(`/wallets/${a}/hold`, { amount: 20 });
  await bank.post(`/holds/${id}/confirm`);
  await bank.post(`/wallets/${b}/hold`, { amount: 1 });
  await bank.venue.stop();
  directory = mkdtempSync(join(tmpdir(), "kartu-damage-"));
});
afterAll(() => {
  for (const each of [bank.venue.dataDir, directory]) {
    rmSync(each, { recursive: true, force: true });
  }
});

/** Checks that fail on a copy of the file in which something was changed. */
async function faults(sql: string): Promise<string[]> {
  const path = join(directory, databaseName);
  copyFileSync(join(bank.venue.dataDir, databaseName), path);
  const db = new Database(path);
  db.run("DROP TRIGGER txn_no_change");
  db.run("DROP TRIGGER txn_ended");
  if (sql !== "") db.run(sql);
  db.close();
  const file = openReader(path);
  const found = await file.scan((q) => bank.venue.kartu.verify.verify(q));
  await file.close();
  return [...new Set(found.faults.map(({ check }) => check))].sort();
}

const wallet = "(SELECT max(wallet_no) FROM wallet WHERE kind = 'user')";
const cases: [sql: string, checks: string[]][] = [
  ["", []],
  [
    `UPDATE wallet SET available = available + 1 WHERE wallet_no = ${wallet}`,
    ["balance", "balances sum to zero"],
  ],
  ["UPDATE txn SET amount = amount + 1 WHERE type = 'transfer' AND amount = 6", ["balance"]],
  ["UPDATE txn SET status = 'canceled' WHERE status = 'held'", ["balance"]],
  ["UPDATE txn SET counter_wallet_no = 999 WHERE type = 'transfer' AND amount = 6", ["balance"]],
  [`UPDATE wallet SET txns = txns + 1 WHERE wallet_no = ${wallet}`, ["transactions"]],
  [`UPDATE wallet SET last_txn_no = 1 WHERE wallet_no = ${wallet}`, ["newest transaction"]],
  ["UPDATE txn SET prev_no = 0 WHERE type = 'transfer' AND amount = 6", ["transaction before"]],
];
describe("what verify finds", () => {
  for (const [sql, checks] of cases) {
    test(sql || "nothing in a sound file", async () => {
      expect(await faults(sql)).toEqual(expect.arrayContaining(checks));
      if (sql === "") expect(await faults(sql)).toEqual([]);
    });
  }
});
