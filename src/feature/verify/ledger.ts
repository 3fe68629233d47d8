/**
 * Money: what the entries of an account come to must be its balance, and both must sum to zero over each
 * tenant. Entries are those of the view `entry`, so events count as the postings that they stand for.
 */
import { Cursor, type Faults } from "./fault.ts";
import {
  type AccountRow,
  cardBalances,
  cardEntries,
  cardRest,
  type Walkable,
  walletBalances,
  walletEntries,
  walletLinks,
  walletTips,
} from "./store.ts";

type Sums = Map<number, number>;

const total = (row: AccountRow): number => row.available + row.pending + row.frozen;

const words = ({
  available,
  pending,
  frozen,
}: Pick<AccountRow, "available" | "pending" | "frozen">) =>
  `${available} available, ${pending} pending, ${frozen} frozen`;

const nothing = { available: 0, pending: 0, frozen: 0 };

function addTo(sums: Sums, { tenant_id: tenant }: AccountRow, amount: number): void {
  sums.set(tenant, (sums.get(tenant) ?? 0) + amount);
}

/** Holds accounts against the sums of their entries, both by number. */
function compare(
  faults: Faults,
  table: string,
  balances: Iterable<AccountRow>,
  entries: Iterable<AccountRow>,
  sums: { readonly entries: Sums; readonly balances: Sums },
): void {
  const entry = new Cursor(entries);
  const stray = (row: AccountRow) =>
    faults.add("balance", table, String(row.no), "an account of the same tenant", words(row));
  for (const account of balances) {
    addTo(sums.balances, account, total(account));
    let found: Pick<AccountRow, "available" | "pending" | "frozen"> = nothing;
    for (let row = entry.next; row !== undefined && row.no <= account.no; row = entry.next) {
      addTo(sums.entries, row, total(row));
      if (row.no === account.no && row.tenant_id === account.tenant_id) found = row;
      else stray(row);
      entry.take();
    }
    faults.same("balance", table, String(account.no), words(found), words(account));
  }
  for (let row = entry.take(); row !== undefined; row = entry.take()) {
    addTo(sums.entries, row, total(row));
    stray(row);
  }
}

/** Balances of cards as they are with the events that their rows lack. */
function* completed(q: Walkable): Generator<AccountRow> {
  const rest = new Cursor(cardRest(q));
  for (const row of cardBalances(q)) {
    let { available, pending } = row;
    for (let more = rest.next; more !== undefined && more.no <= row.no; more = rest.next) {
      if (more.no === row.no) {
        available += more.available;
        pending += more.pending;
      }
      rest.take();
    }
    yield { ...row, available, pending };
  }
}

/** Each transaction of a person's wallet names the one before; the wallet, the newest and their number. */
function verifyStatements(q: Walkable, faults: Faults): void {
  const link = new Cursor(walletLinks(q));
  for (const { no, last_txn_no: last, txns } of walletTips(q)) {
    let [before, count] = [0, 0];
    for (let row = link.next; row !== undefined && row.no <= no; row = link.next) {
      if (row.no === no) {
        faults.same("transaction before", "txn", `transaction ${row.txn_no}`, before, row.prev);
        [before, count] = [row.txn_no, count + 1];
      }
      link.take();
    }
    faults.same("newest transaction", "wallet", String(no), before, last);
    faults.same("transactions", "wallet", String(no), count, txns);
  }
}

export function verifyLedger(q: Walkable, tenants: Iterable<number>, faults: Faults): void {
  const sums = { entries: new Map<number, number>(), balances: new Map<number, number>() };
  compare(faults, "head", completed(q), cardEntries(q), sums);
  compare(faults, "wallet", walletBalances(q), walletEntries(q), sums);
  verifyStatements(q, faults);
  for (const tenant of new Set([...tenants, ...sums.entries.keys(), ...sums.balances.keys()])) {
    const key = `tenant ${tenant}`;
    faults.same("entries sum to zero", "entry", key, 0, sums.entries.get(tenant) ?? 0);
    faults.same("balances sum to zero", "wallet, head", key, 0, sums.balances.get(tenant) ?? 0);
  }
}
