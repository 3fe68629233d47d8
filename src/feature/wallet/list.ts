/**
 * Lists of transactions: rows of transactions and events of cards, one behind the other by their ids. Each
 * kind is read in the order of its own numbers, and a place in the list is the last number of each.
 */
import { batchIdRange, placeIn, uuidFrom } from "../../domain/eventid.ts";
import { Problem } from "../../domain/problem.ts";
import type { Reader, Store } from "../../store/seam.ts";
import { type ChainScope, chainBelow, chainCount } from "./chain.ts";
import { entriesOf, entriesOfEvent } from "./entry.ts";
import { type EventDeps, type EventScope, eventScope, eventsBelow, eventsCount } from "./events.ts";
import * as rows from "./store.ts";
import {
  type Entry,
  isMoving,
  type Transaction,
  transactionOf,
  transactionOfEvent,
} from "./view.ts";

export interface ListDeps extends EventDeps {
  readonly store: Store;
}

export interface TransactionFilter {
  /** Only those that touch this wallet. */
  readonly walletId?: string;
  readonly type?: string;
  readonly status?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** Last number seen: of transactions, of events, and where the chain of a card or wallet goes on. */
export type TransactionPlace = readonly [txnNo: number, eventNo: number, chain: number];

export interface PlacedTransaction {
  readonly transaction: Transaction;
  readonly place: TransactionPlace;
}

const end = Number.MAX_SAFE_INTEGER;
/** `chain` before anything of it was read. */
const atTop = -1;

/** What a list is made of. */
interface Sources {
  readonly listings: readonly rows.Listing[];
  /** A person's wallet: its transactions name one another. */
  readonly chain: ChainScope | null;
  readonly events: EventScope | null;
  /** Numbers of transactions that the time filter lets through: from, and below. */
  readonly fromNo: number;
  readonly belowNo: number;
  readonly type: string | null;
  readonly status: string | null;
}

interface Found {
  readonly transaction: Transaction;
  readonly advance: (place: TransactionPlace) => TransactionPlace;
}

export function listing(deps: ListDeps) {
  const { store } = deps;
  /** Lists known to hold more than counting goes to: they only grow. */
  const full = new Set<string>();
  const fullMax = 10_000;

  /** @throws Problem not-found */
  async function sourcesOf(
    q: Reader,
    tenantId: number,
    filter: TransactionFilter,
  ): Promise<Sources> {
    const { walletId, fromMs, toMs } = filter;
    const type = filter.type ?? null;
    const status = filter.status ?? null;
    const fromNo = fromMs === undefined ? 0 : await rows.readTransactionFrom(q, uuidFrom(fromMs));
    const belowNo = toMs === undefined ? end : await rows.readTransactionFrom(q, uuidFrom(toMs));
    const span = { fromNo, belowNo, type, status, chain: null };
    const time = { fromMs: fromMs ?? 0, toMs: toMs ?? end };
    if (walletId === undefined) {
      const events = eventScope({ of: "tenant" }, type, status, time);
      return { listings: [["tenant_id", 0]], events, ...span };
    }
    const account = await rows.readAccount(q, tenantId, walletId);
    if (account !== undefined) {
      const no = account.wallet_no;
      if (account.kind === "user") {
        const chain = { walletNo: no, last: account.last_txn_no, count: account.txns };
        return { ...span, listings: [], events: null, chain };
      }
      const listings = [["wallet_no", no] as const, ["counter_wallet_no", no] as const];
      const events = await eventsOfWallet(q, tenantId, account, type, status, time);
      return { listings, events, ...span };
    }
    const card = await rows.readCardOfWallet(q, tenantId, walletId);
    if (card === undefined) throw new Problem("not-found", "There is no such wallet.");
    const { card_no: cardNo, card_id: cardId } = card;
    const listings = [["card_no", cardNo] as const, ["counter_card_no", cardNo] as const];
    const events = eventScope({ of: "card", cardNo, cardId }, type, status, time);
    return { listings, events, ...span };
  }

  async function eventsOfWallet(
    q: Reader,
    tenantId: number,
    { system_key: key, wallet_no: walletNo }: rows.AccountRow,
    type: string | null,
    status: string | null,
    time: { readonly fromMs: number; readonly toMs: number },
  ): Promise<EventScope | null> {
    if (key === null) return null;
    if (key === "cash" || key === "suspense") {
      return eventScope({ of: "parked" }, type, status, time);
    }
    const terminalId = Number(key.slice(key.indexOf(":") + 1));
    const device = await rows.readSettlementDevice(q, tenantId, terminalId);
    if (device === undefined) return null;
    const { device_no: deviceNo } = device;
    return eventScope({ of: "device", deviceNo, walletNo }, type, status, time);
  }

  /** Newest first, behind a place. @throws Problem not-found: there is no such wallet */
  const page = (
    tenantId: number,
    filter: TransactionFilter,
    behind: TransactionPlace = [end, end, atTop],
    limit: number,
  ): Promise<PlacedTransaction[]> =>
    store.read(async (q) => {
      const sources = await sourcesOf(q, tenantId, filter);
      const found: Found[] = [];
      const belowNo = Math.min(sources.belowNo, behind[0]);
      for (const each of sources.listings) {
        const span = { ...sources, belowNo };
        for (const row of await rows.pageTransactions(q, tenantId, each, span, limit)) {
          const advance: Found["advance"] = ([, eventNo, chain]) => [row.txn_no, eventNo, chain];
          found.push({ transaction: transactionOf(row), advance });
        }
      }
      if (sources.chain !== null) {
        const from = behind[2] < 0 ? sources.chain.last : behind[2];
        const { walletNo } = sources.chain;
        for (const { row, next } of await chainBelow(q, tenantId, walletNo, from, sources, limit)) {
          const advance: Found["advance"] = ([, eventNo]) => [row.txn_no, eventNo, next];
          found.push({ transaction: transactionOf(row), advance });
        }
      }
      if (sources.events !== null) {
        const [, eventNo, chain] = behind;
        const events = await eventsBelow(deps, q, tenantId, sources.events, eventNo, chain, limit);
        for (const { row, chain: next } of events) {
          const advance: Found["advance"] = ([txnNo, , before]) => [
            txnNo,
            row.event_id,
            next ?? before,
          ];
          found.push({ transaction: transactionOfEvent(row), advance });
        }
      }
      found.sort((a, b) => (a.transaction.id < b.transaction.id ? 1 : -1));
      let place = behind;
      return found.slice(0, limit).map(({ transaction, advance }) => {
        place = advance(place);
        return { transaction, place };
      });
    });

  /** How many there are; goes no further than one above `max`. @throws Problem not-found */
  async function count(tenantId: number, filter: TransactionFilter, max: number): Promise<number> {
    const { status, toMs } = filter;
    const grows = status === undefined && toMs === undefined;
    const key = JSON.stringify([tenantId, filter]);
    if (grows && full.has(key)) return max + 1;
    const counted = await store.read(async (q) => {
      const sources = await sourcesOf(q, tenantId, filter);
      if (sources.chain !== null) return await chainCount(q, tenantId, sources.chain, sources, max);
      let sum = 0;
      for (const each of sources.listings) {
        const left = max + 1 - sum;
        if (left > 0) sum += await rows.countTransactions(q, tenantId, each, sources, left);
      }
      if (sources.events === null || sum > max) return sum;
      return sum + (await eventsCount(deps, q, tenantId, sources.events, max + 1 - sum));
    });
    if (grows && counted > max) {
      if (full.size >= fullMax) full.clear();
      full.add(key);
    }
    return counted;
  }

  /** One transaction with its entries, an event's too; undefined: there is none. */
  async function find(
    q: Reader,
    tenantId: number,
    id: string,
  ): Promise<{ transaction: Transaction; entries: Entry[] } | undefined> {
    const row = await rows.readTransaction(q, tenantId, id);
    if (row !== undefined) {
      return { transaction: transactionOf(row), entries: await entriesOf(q, tenantId, row) };
    }
    const event = await findEvent(q, tenantId, id);
    if (event === undefined) return undefined;
    const entries = await entriesOfEvent(q, tenantId, event);
    return { transaction: transactionOfEvent(event), entries };
  }

  async function findEvent(
    q: Reader,
    tenantId: number,
    id: string,
  ): Promise<rows.MovingEventRow | undefined> {
    const batch = await rows.readBatchInRange(q, tenantId, ...batchIdRange(id));
    if (batch === undefined) return undefined;
    const place = placeIn(batch.uuid, id);
    if (place >= batch.accepted) return undefined;
    const event = await rows.readMovingEvent(q, tenantId, batch.first_event + place);
    return event !== undefined && isMoving(event) ? event : undefined;
  }

  return { page, count, find };
}
