/**
 * The trial balance: what every account of the house holds, and wallets of people and of cards by their
 * sums. One snapshot, read a stretch at a time, so that other calls get on meanwhile.
 */
import type { Balance } from "../../domain/cardrecord.ts";
import type { Reader, Store } from "../../store/seam.ts";
import {
  readCardSums,
  readNumberEnds,
  readRestSums,
  readSystemAccounts,
  readUserSums,
} from "./store.ts";

export interface TrialAccount extends Balance {
  readonly kind: "user" | "card" | "system";
  readonly systemKey: string | null;
  readonly walletId: string | null;
  readonly wallets: number;
}

export interface TrialLine {
  readonly currency: string;
  /** Of all that the accounts hold: 0, or the ledger is broken. */
  readonly sum: number;
  readonly accounts: readonly TrialAccount[];
}

/** Rows of one statement. */
const stretch = 10_000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Numbers from `first` through `last`, a stretch at a time: from, and below. */
async function stretches(
  first: number,
  last: number,
  each: (from: number, below: number) => Promise<void>,
): Promise<void> {
  for (let from = first; from <= last; from += stretch) {
    await each(from, Math.min(from + stretch, last + 1));
    await turn();
  }
}

interface Sum {
  wallets: number;
  available: number;
  pending: number;
  frozen: number;
}

const nothing = (): Sum => ({ wallets: 0, available: 0, pending: 0, frozen: 0 });

function add(sum: Sum, more: Partial<Sum>): void {
  sum.wallets += more.wallets ?? 0;
  sum.available += more.available ?? 0;
  sum.pending += more.pending ?? 0;
  sum.frozen += more.frozen ?? 0;
}

async function sumsOfPeople(q: Reader, tenantId: number, last: number): Promise<Map<string, Sum>> {
  const sums = new Map<string, Sum>();
  await stretches(1, last, async (from, below) => {
    for (const row of await readUserSums(q, tenantId, from, below)) {
      const sum = sums.get(row.currency) ?? nothing();
      add(sum, row);
      sums.set(row.currency, sum);
    }
  });
  return sums;
}

/** Rows of heads may lag behind their events: those are added. */
async function sumOfCards(
  q: Reader,
  tenantId: number,
  ends: { readonly card_no: number; readonly event_id: number; readonly through: number },
): Promise<Sum> {
  const sum = nothing();
  await stretches(1, ends.card_no, async (from, below) => {
    add(sum, (await readCardSums(q, tenantId, from, below)) ?? {});
  });
  await stretches(ends.through + 1, ends.event_id, async (from, below) => {
    add(sum, (await readRestSums(q, tenantId, from, below)) ?? {});
  });
  return sum;
}

async function read(q: Reader, tenantId: number): Promise<TrialLine[]> {
  const ends = await readNumberEnds(q, tenantId);
  if (ends === undefined) throw new RangeError(`no tenant ${tenantId}`);
  const lines = new Map<string, TrialAccount[]>();
  const put = (currency: string, account: TrialAccount): void => {
    const line = lines.get(currency);
    if (line === undefined) lines.set(currency, [account]);
    else line.push(account);
  };
  for (const { currency, system_key: systemKey, uuid, ...holds } of await readSystemAccounts(
    q,
    tenantId,
  )) {
    put(currency, { kind: "system", systemKey, walletId: uuid, wallets: 1, ...holds });
  }
  const none = { systemKey: null, walletId: null };
  const people = await sumsOfPeople(q, tenantId, ends.wallet_no);
  for (const [currency, sum] of people) put(currency, { kind: "user", ...none, ...sum });
  const cards = await sumOfCards(q, tenantId, ends);
  if (cards.wallets > 0) put(ends.currency, { kind: "card", ...none, ...cards });
  return [...lines]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, accounts]) => ({
      currency,
      sum: accounts.reduce(
        (all, { available, pending, frozen }) => all + available + pending + frozen,
        0,
      ),
      accounts,
    }));
}

/** A line a currency, in their order; of one currency if it is named. */
export const trialBalance =
  (store: Store) =>
  async (tenantId: number, currency?: string): Promise<TrialLine[]> => {
    const lines = await store.read((q) => read(q, tenantId));
    return lines.filter((line) => currency === undefined || line.currency === currency);
  };
