/**
 * Adds wallets of one person, a credit behind each, to the newest tenant of a closed file, by the server's
 * own statements. Arguments: data directory, wallets, further credits of the first one. Prints the ids of
 * the wallets as JSON.
 */
import {
  recordInsert,
  systemWallet,
  systemWalletInsert,
  walletAdd,
  walletInsert,
} from "../../schema/query/money.ts";
import { walletPut } from "../../schema/query/wallet.ts";
import { systemRandom } from "../../src/system/random.ts";
import { Bulk } from "../scale/bulk.ts";

/** What each wallet begins with, below its limit. */
export const openingMinor = 90_000_000;
const furtherMinor = 1;

function main([dataDir = "", wallets = "1", further = "0"]: string[]): string[] {
  const bulk = new Bulk(dataDir);
  const random = systemRandom();
  const tenantId = bulk.last("tenant", "tenant_id");
  const userNo = bulk.last("user_account", "user_no");
  const nowMs = Date.now();
  bulk.use(systemWalletInsert)(random.uuid(nowMs), tenantId, "cash", null, nowMs);
  const cashNo = bulk.get(systemWallet, tenantId, "cash", null)?.wallet_no ?? 0;
  const open = bulk.use(walletInsert);
  const record = bulk.use(recordInsert);
  const add = bulk.use(walletAdd);
  const put = bulk.use(walletPut);
  let no = bulk.last("txn", "txn_no");
  const lastOf = new Map<number, readonly [last: number, count: number]>();
  const credit = (walletNo: number, amount: number): void => {
    no += 1;
    const [before, count] = lastOf.get(walletNo) ?? [0, 0];
    lastOf.set(walletNo, [no, count + 1]);
    const head = [
      no,
      random.uuid(nowMs),
      tenantId,
      "credit",
      "completed",
      2,
      amount,
      "IDR",
    ] as const;
    const after = [openingMinor, 0, 0, null, null, null, null, null, null] as const;
    record(...head, walletNo, null, cashNo, null, before, null, ...after, "bench", nowMs);
  };
  const ids: string[] = [];
  for (let i = 0; i < Number(wallets); i++) {
    const id = random.uuid(nowMs);
    open(id, tenantId, userNo, "IDR", null, nowMs);
    const walletNo = cashNo + 1 + i;
    credit(walletNo, openingMinor);
    ids.push(id);
  }
  for (let i = 0; i < Number(further); i++) credit(cashNo + 1, furtherMinor);
  const total = Number(further) * furtherMinor;
  for (const [walletNo, [last, count]] of lastOf) {
    put(tenantId, walletNo, openingMinor + (count - 1) * furtherMinor, 0, 0, last, count, nowMs);
  }
  add(tenantId, cashNo, -total - openingMinor * ids.length, 0, 0, nowMs);
  bulk.close();
  return ids;
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(main(process.argv.slice(2)))}\n`);
