/**
 * What the books of a tenant say, read straight from the tables. Every look proves the ledger first:
 * entries sum to zero and each balance is the sum of its entries.
 */
import { type Param, statement } from "../schema/query/statement.ts";
import type { Store } from "../src/store/seam.ts";

export interface Holds {
  readonly available: number;
  readonly pending: number;
  readonly frozen: number;
}

export interface Balances {
  readonly cash: number;
  readonly suspense: number;
  /** By terminalId. */
  readonly settlement: Readonly<Record<number, number>>;
  readonly cards: Readonly<Record<string, Holds>>;
}

/** Rows of a query of the test's own, heads too as memory knows them. */
export async function rowsOf<R>(store: Store, sql: string, ...params: Param[]): Promise<R[]> {
  await store.settle();
  return await store.read((q) => q.all(statement<Param[], R>(`test ${sql}`, sql), ...params));
}

/** Sums of all entries, by account and bucket. */
export async function entrySums(store: Store, tenantId: number): Promise<Map<string, number>> {
  const rows = await rowsOf<{ account: string; bucket: number; sum: number }>(
    store,
    `SELECT coalesce('wallet ' || wallet_no, 'card ' || card_no) AS account, bucket, sum(amount) AS sum
     FROM entry WHERE tenant_id = ?1 GROUP BY account, bucket`,
    tenantId,
  );
  return new Map(rows.map(({ account, bucket, sum }) => [`${account} ${bucket}`, sum]));
}

/** Takes an account's entries out of `sums`. @throws unless they are what the account says it holds */
function settle(sums: Map<string, number>, account: string, name: string, has: Holds): void {
  for (const [bucket, amount] of [has.available, has.pending, has.frozen].entries()) {
    const sum = sums.get(`${account} ${bucket}`) ?? 0;
    if (sum !== amount) throw new Error(`${name} holds ${amount} in ${bucket}, entries ${sum}`);
    sums.delete(`${account} ${bucket}`);
  }
}

const terminalOf = (key: string): string | undefined => /^settlement:(\d+)$/.exec(key)?.[1];

/** Every account. @throws unless the ledger is sound */
export async function balancesOf(store: Store, tenantId: number): Promise<Balances> {
  const wallets = await rowsOf<Holds & { no: number; key: string }>(
    store,
    `SELECT wallet_no AS no, system_key AS key, available, pending, frozen FROM wallet WHERE tenant_id = ?1`,
    tenantId,
  );
  const cards = await rowsOf<Holds & { no: number; id: string }>(
    store,
    `SELECT c.card_no AS no, c.card_id AS id, h.available, h.pending, h.frozen FROM card c
     JOIN head h ON h.card_no = c.card_no WHERE c.tenant_id = ?1 ORDER BY c.card_id`,
    tenantId,
  );
  const sums = await entrySums(store, tenantId);
  const total = [...sums.values()].reduce((all, sum) => all + sum, 0);
  if (total !== 0) throw new Error(`the entries of the tenant sum to ${total}`);
  for (const each of wallets) settle(sums, `wallet ${each.no}`, each.key, each);
  for (const each of cards) settle(sums, `card ${each.no}`, each.id, each);
  const left = [...sums].filter(([, sum]) => sum !== 0);
  if (left.length > 0) throw new Error(`entries of no account: ${JSON.stringify(left)}`);

  const of = (key: string): number => wallets.find((each) => each.key === key)?.available ?? 0;
  const settlement = wallets.flatMap(({ key, available }) => {
    const terminalId = terminalOf(key);
    return terminalId === undefined ? [] : [[terminalId, available] as const];
  });
  const byId = cards.map(({ id, available, pending, frozen }) => {
    return [id, { available, pending, frozen }] as const;
  });
  return {
    cash: of("cash"),
    suspense: of("suspense"),
    settlement: Object.fromEntries(settlement),
    cards: Object.fromEntries(byId),
  };
}

/** Every account that is not zero, a line each. */
export function booksOf({ cash, suspense, settlement, cards }: Balances): Record<string, number> {
  const books: Record<string, number> = { cash, suspense };
  for (const [terminalId, sum] of Object.entries(settlement)) {
    books[`settlement ${terminalId}`] = sum;
  }
  for (const [cardId, { available, pending, frozen }] of Object.entries(cards)) {
    books[`${cardId} available`] = available;
    books[`${cardId} pending`] = pending;
    books[`${cardId} frozen`] = frozen;
  }
  return Object.fromEntries(Object.entries(books).filter(([, sum]) => sum !== 0));
}

/** Every card's head is its highest event, and no counter is recorded twice. @throws if not */
export async function proveHeads(store: Store): Promise<void> {
  const wrong = await rowsOf<{ cardId: string }>(
    store,
    `WITH seen AS (
       SELECT card_no, max(counter) AS top, count(*) AS events, count(DISTINCT counter) AS counters,
         sum(late) AS late FROM event GROUP BY card_no)
     SELECT c.card_id AS cardId FROM card c JOIN head h ON h.card_no = c.card_no
       LEFT JOIN seen s ON s.card_no = c.card_no
       LEFT JOIN event e ON e.event_id = h.event_id AND e.card_no = c.card_no
         AND e.counter = h.counter AND e.balance_after = h.chip_balance AND e.hash = h.hash
     WHERE h.counter <> coalesce(s.top, 0) OR h.late <> coalesce(s.late, 0)
       OR h.depth + h.late <> coalesce(s.events, 0) OR s.events <> s.counters
       OR (h.counter > 0 AND e.event_id IS NULL)`,
  );
  if (wrong.length > 0) throw new Error(`heads that are not: ${JSON.stringify(wrong)}`);
}
